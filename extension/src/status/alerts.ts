/** What a person has to be told although they look elsewhere: each thing once. */
import type { Cluster, StopPlan, TitleOf } from '@hitch/contract';
import * as format from '@hitch/contract/src/format.ts';
import { workWords } from '@hitch/contract/src/stop-plan.ts';
import {
  clusterLine,
  isGone,
  isSilent,
  machinesEnd,
  stopsAtMs,
  stopsSoonMessage,
  unreachableMessage,
} from '@hitch/contract/src/words.ts';
import { canRun, isLive } from '../daemon/state.ts';

export type AlertAction = 'extend' | 'stop' | 'saveAndStop' | 'retry';

export interface Alert {
  /** One message for one cause, however often it is looked at. */
  readonly key: string;
  readonly clusterId: string;
  readonly text: string;
  /** For what ends soon: the same, once it is known what would be saved and lost. */
  readonly textWith?: (plan: StopPlan, nowMs: number) => string;
  readonly actions: readonly AlertAction[];
}

const WARN_MS = 10 * 60_000;

function soon(cluster: Cluster, nowMs: number): Alert[] {
  const at = stopsAtMs(cluster);
  const running = isLive(cluster) && cluster.phase !== 'stopping';
  if (at === null || !running || at - nowMs > WARN_MS || at <= nowMs) {
    return [];
  }
  const { usage, save } = cluster;
  const spent = `${format.dollars(format.costOfRun(usage))} of ${format.dollars(usage.capMicroUsd)} spent`;
  const deleted = machinesEnd(cluster.nodes.length, cluster.ownMachines);
  const what =
    save.paths.length === 0
      ? `nothing is saved, and ${deleted}.`
      : `${save.paths.map(workWords).join(', ')} ${save.paths.length === 1 ? 'is' : 'are'} saved, then ${deleted}.`;
  return [
    {
      key: `soon ${cluster.id} ${Math.round(at / WARN_MS).toString()}`,
      clusterId: cluster.id,
      text: `${cluster.name} stops in ${format.duration(at - nowMs)} (${spent}): ${what}`,
      textWith: (plan, later) => stopsSoonMessage(cluster, plan, later),
      actions: ['extend', save.paths.length === 0 ? 'stop' : 'saveAndStop'],
    },
  ];
}

/** What the network says of it is not known here, so nothing is claimed of that. */
function silent(cluster: Cluster, nowMs: number): Alert[] {
  if (!isSilent(cluster)) {
    return [];
  }
  return [
    {
      key: `silent ${cluster.id} ${cluster.phaseSinceMs.toString()}`,
      clusterId: cluster.id,
      text: unreachableMessage(cluster, undefined, nowMs),
      actions: ['retry', 'stop'],
    },
  ];
}

/** Over, and not confirmed gone: it may still cost. */
function doubtful(cluster: Cluster, titleOf: TitleOf): Alert[] {
  if (
    isLive(cluster) ||
    cluster.conditions.cleanup.status === 'yes' ||
    cluster.conditions.billing.status !== 'yes'
  ) {
    return [];
  }
  const provider = cluster.nodes.map(node => node.provider).find(id => id !== null);
  const network = provider === undefined ? 'its network' : titleOf(provider);
  return [
    {
      key: `doubtful ${cluster.id} ${cluster.phaseSinceMs.toString()}`,
      clusterId: cluster.id,
      text: `${cluster.name} has stopped, but ${network} has not confirmed that its machine is gone: it may still bill. Hitch keeps trying.`,
      actions: [],
    },
  ];
}

/** Practice costs nothing: only what ends soon or is silent is worth a message there. */
export function alertsOf(clusters: readonly Cluster[], nowMs: number, titleOf: TitleOf): readonly Alert[] {
  return clusters.flatMap(cluster => [
    ...soon(cluster, nowMs),
    ...silent(cluster, nowMs),
    ...(cluster.practice ? [] : doubtful(cluster, titleOf)),
  ]);
}

/** Messages that stand until their cause is over: each is shown for as long as its promise is open. */
export class Standing {
  readonly #ends = new Map<string, () => void>();

  /** Resolves when the message is to go. */
  stand(key: string): Promise<void> {
    return new Promise(resolve => {
      this.#ends.set(key, resolve);
    });
  }

  /** A person has closed it. */
  end(key: string): void {
    this.#ends.get(key)?.();
    this.#ends.delete(key);
  }

  /** Those of other causes go. */
  keep(alerts: readonly Pick<Alert, 'key'>[]): void {
    const keys = new Set(alerts.map(({ key }) => key));
    for (const key of [...this.#ends.keys()].filter(key => !keys.has(key))) {
      this.end(key);
    }
  }
}

/** The clusters that have gone since the last look: what was billing is over, and a person who waited for it is told. */
export class Departures {
  readonly #here: Set<string>;
  readonly #worked = new Set<string>();

  /** @param before those that could run notebooks when a window last looked */
  constructor(before: readonly string[] = []) {
    this.#here = new Set(before);
    this.#worked = new Set(before);
  }

  /** For the window after this one: what goes while none is open is told then. */
  get here(): readonly string[] {
    return [...this.#here].filter(id => this.#worked.has(id));
  }

  /**
   * @returns a sentence for each that was here at an earlier look and is confirmed gone now. One that failed before it
   * worked is told of by whoever rented it.
   */
  look(clusters: readonly Cluster[], nowMs: number, titleOf: TitleOf): readonly string[] {
    const gone = clusters.filter(cluster => isGone(cluster) && this.#here.delete(cluster.id));
    const listed = new Set<string>(clusters.map(({ id }) => id));
    [...this.#here].filter(id => !listed.has(id)).forEach(id => this.#here.delete(id));
    for (const cluster of clusters.filter(each => !isGone(each))) {
      this.#here.add(cluster.id);
      if (canRun(cluster)) {
        this.#worked.add(cluster.id);
      }
    }
    return gone
      .filter(({ id, phase }) => phase !== 'failed' || this.#worked.has(id))
      .map(cluster => {
        const line = clusterLine(cluster, nowMs, { titleOf });
        return cluster.phase === 'failed'
          ? `${cluster.name}: ${line}.`
          : `${cluster.name} is ${line.charAt(0).toLowerCase()}${line.slice(1)}.`;
      });
  }
}
