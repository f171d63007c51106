/** What a person is told by itself, each occasion once. Pure: it compares what is with what was told. */
import { isSilent, stopsAtMs, type Cluster, type ClusterId, type ClusterPhase } from '@hitch/contract';

export type OccasionKind = 'unreachable' | 'stops-soon' | 'ready' | 'failed' | 'gone';
export interface Occasion {
  readonly kind: OccasionKind;
  readonly cluster: Cluster;
}

const SOON_MS = 10 * 60_000;
/** A stop time that moves with the rate must leave the window by so much before it counts as extended. */
const MARGIN_MS = 60_000;

const runs = ({ phase }: Cluster): boolean =>
  phase === 'ready' || phase === 'degraded' || phase === 'starting';

interface Seen {
  readonly phase: ClusterPhase;
  readonly sinceMs: number;
  readonly soon: boolean;
}

/** What a page before this one saw last. */
export type LastSeen = Readonly<Record<string, string>>;

/** As it was kept in JSON; what does not fit is left out. @throws SyntaxError */
export function readLastSeen(text: string | null): LastSeen {
  const kept: unknown = JSON.parse(text ?? '{}');
  return Object.fromEntries(
    Object.entries(kept ?? {}).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

export class Occasions {
  #seen: Map<ClusterId, Seen> | null = null;
  readonly #before: LastSeen;

  /** @param before the phases of clusters, by their ids; nothing where no page was open before */
  constructor(before: LastSeen = {}) {
    this.#before = before;
  }

  /** For the page after this one. */
  get lastSeen(): LastSeen {
    return Object.fromEntries([...(this.#seen ?? [])].map(([id, { phase }]) => [id, phase]));
  }

  /**
   * The first look at a list tells what is wrong now, and what has become of clusters since a page before saw them: all else
   * was told, or is old.
   */
  look(clusters: readonly Cluster[], nowMs: number): Occasion[] {
    const first = this.#seen === null;
    const before = this.#seen ?? new Map<ClusterId, Seen>();
    const occasions: Occasion[] = [];
    const now = new Map<ClusterId, Seen>();
    for (const cluster of clusters) {
      const old = before.get(cluster.id);
      const stops = runs(cluster) ? stopsAtMs(cluster) : null;
      const left = stops === null ? Infinity : stops - nowMs;
      const soon = left <= (old?.soon === true ? SOON_MS + MARGIN_MS : SOON_MS);
      if (soon && old?.soon !== true) {
        occasions.push({ kind: 'stops-soon', cluster });
      }
      const moved = old?.phase !== cluster.phase || old.sinceMs !== cluster.phaseSinceMs;
      const kind = moved ? kindOf(cluster) : null;
      const was = first ? this.#before[cluster.id] : (old?.phase ?? '');
      if (kind !== null && (kind === 'unreachable' || (was !== undefined && was !== cluster.phase))) {
        occasions.push({ kind, cluster });
      }
      now.set(cluster.id, { phase: cluster.phase, sinceMs: cluster.phaseSinceMs, soon });
    }
    this.#seen = now;
    return occasions;
  }
}

/** What was told is not so any more: the cluster answers, was extended, or is rented anew. */
export function hasPassed(kind: OccasionKind, cluster: Cluster | undefined, nowMs: number): boolean {
  if (cluster === undefined) {
    return true;
  }
  switch (kind) {
    case 'unreachable':
      return !isSilent(cluster);
    case 'failed':
      return cluster.phase !== 'failed';
    case 'stops-soon': {
      const stops = stopsAtMs(cluster);
      return !runs(cluster) || stops === null || stops - nowMs > SOON_MS + MARGIN_MS;
    }
    case 'ready':
    case 'gone':
      return false;
  }
}

function kindOf(cluster: Cluster): OccasionKind | null {
  switch (cluster.phase) {
    case 'unreachable':
      return isSilent(cluster) ? 'unreachable' : null;
    case 'ready':
      return 'ready';
    case 'failed':
      return 'failed';
    case 'stopped':
    case 'expired':
      return 'gone';
    default:
      return null;
  }
}
