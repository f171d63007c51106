/** The user's own machines, reached by ssh, as a network: nothing is bought, and a use of one is a folder on it. */
import { hostname, userInfo } from 'node:os';
import { HitchError, type Offer, shownName } from '@hitch/contract';
import { HostError } from '../../access/host.ts';
import { FarError, type FarShell } from '../../access/tunnel/far-shell.ts';
import type { FarShells } from '../../access/tunnel/far-shells.ts';
import type { FarTarget } from '../../access/tunnel/target.ts';
import { endFar } from '../../machines/far/far-end.ts';
import { lookAt } from '../../machines/far/far-programs.ts';
import { type FarFacts, isPrivate } from '../../machines/far/facts.ts';
import type { FarGpu } from '../../machines/far/nvidia.ts';
import type { Clock } from '@hitch/platform/src/clock.ts';
import { errorText } from '@hitch/platform/src/log.ts';
import { type CreateRequest, type Instance, type Provider, ProviderError, type Traits } from '../provider.ts';
import { type GpuPart, offeredPart, shareOf } from './gpu-parts.ts';
import { checkTerms } from '../plain-terms.ts';
import {
  type Lease,
  LeaseError,
  dropLease,
  findLease,
  isAt,
  listLeases,
  takeLease,
  usesAtOnce,
  type Wanted,
} from './leases.ts';
import { goneInstance, hostOf, instanceOf, placeOf } from './instances.ts';
import { checkUsable, offersOf } from './offers.ts';
import { askAll } from './of-several.ts';
import { type ReachedAt, reachEachOther, reachesFrom, type Standing } from './reach.ts';
import type { OwnHost, OwnHosts } from './own-hosts.ts';

export interface SshProviderOptions {
  readonly hosts: OwnHosts;
  readonly shells: Pick<FarShells, 'hold' | 'use'>;
  readonly targetOf: (name: string) => FarTarget;
  readonly clock: Clock;
}

/** What a machine is changes seldom, and who looks at offers does so each minute. */
const FACTS_STAND_MS = 10 * 60_000;

interface SeenFacts {
  readonly facts: FarFacts;
  readonly atMs: number;
}

interface Looked {
  readonly host: OwnHost;
  readonly facts: FarFacts;
  readonly leases: readonly Lease[];
}

interface SeenReach {
  readonly facts: FarFacts;
  readonly places: readonly string[];
  readonly reaches: ReadonlySet<string>;
}

/**
 * Ray of several machines listens on all of their addresses: one that anybody could reach and that cannot close it stands for
 * itself. What goes between them is not encrypted: it does not cross the internet.
 */
const canBeReached = ({ publicAddresses, staysOpen, reachedAt }: FarFacts): boolean =>
  (publicAddresses.length === 0 || staysOpen === null) && reachedAt !== null && isPrivate(reachedAt.address);

const toText = ({ address, port }: ReachedAt): string => `${address} ${port.toString()}`;

export class SshProvider implements Provider {
  readonly id = 'ssh';
  readonly title = 'Your machines';
  readonly kind = 'own';
  readonly verifiedLive = true;
  readonly login = null;
  readonly capabilities: Traits = {
    refVia: 'name',
    sshKeys: 'none',
    bootSecret: false,
    privateNetwork: false,
    endsBillingAlone: 'always',
    visibilityDelayMs: 0,
    // It runs already: taking its folder is all that comes before the set-up.
    phaseLimitsMs: { booting: 5 * 60_000 },
  };
  readonly #options: SshProviderOptions;
  readonly #seen = new Map<string, SeenFacts>();
  readonly #reaches = new Map<string, SeenReach>();
  #offersLeftOut: string | null = null;
  #listLeftOut: string | null = null;

  constructor(options: SshProviderOptions) {
    this.#options = options;
  }

  /** Those of the machines that answer. @throws ProviderError when there are machines and none answers. */
  offers(signal: AbortSignal): Promise<readonly Offer[]> {
    return guarded(signal, 'retryable', async () => {
      const hosts = this.#options.hosts.list();
      const { answers, leftOut } = await askAll(hosts, (host, given) => this.#look(host, given), {
        clock: this.#options.clock,
        signal,
      });
      this.#offersLeftOut = leftOut;
      const reached =
        hosts.length === 1
          ? new Set(hosts.map(({ name }) => name))
          : reachEachOther(await this.#standing(answers, signal));
      const nowMs = this.#options.clock.now();
      return answers.flatMap(({ host, facts, leases }) =>
        offersOf({ provider: this.id, host, facts, leases, nowMs, isReached: reached.has(host.name) }),
      );
    });
  }

  offersLeftOut(): string | null {
    return this.#offersLeftOut;
  }

  create(request: CreateRequest, signal: AbortSignal): Promise<Instance> {
    return guarded(signal, 'unknownOutcome', async () => {
      checkTerms(request);
      const name = hostOf(this.id, request.offer);
      const host = this.#options.hosts.get(name);
      if (host === undefined) {
        throw new ProviderError('capacity', 'This machine is not on your list of machines any more.');
      }
      // Nothing is asked of it before it has answered.
      const unanswered = (cause: unknown): never => {
        const isSentence = cause instanceof FarError || cause instanceof HostError;
        throw isSentence ? new ProviderError('capacity', cause.message, { cause }) : cause;
      };
      const held = await this.#options.shells
        .hold(this.#options.targetOf(host.name), signal)
        .catch(unanswered);
      try {
        const facts = await this.#factsOf(host.name, held.shell, signal).catch(unanswered);
        const wanted = this.#wanted(host, request, facts);
        const taken = await takeLease(held.shell, wanted, signal);
        if (taken !== 'taken') {
          throw new ProviderError('capacity', taken.refused);
        }
        return instanceOf(host.name, wanted);
      } finally {
        held.letGo();
      }
    });
  }

  /** What is asked of the machine, at what it costs now. */
  #wanted(host: OwnHost, request: CreateRequest, facts: FarFacts): Wanted {
    const { gpus } = facts.gpus;
    const { offer, ref } = request;
    const part = partOf(offer, gpus);
    const pricePerHourMicroUsd =
      part === null ? host.pricePerHourMicroUsd : shareOf(host.pricePerHourMicroUsd, part);
    if (BigInt(pricePerHourMicroUsd) > request.maxPricePerHourMicroUsd) {
      throw new ProviderError(
        'capacity',
        `${host.name} costs more than the limit since its price was changed.`,
      );
    }
    return {
      ref,
      pricePerHourMicroUsd,
      fromMs: this.#options.clock.now(),
      gpuCount: offer.gpuCount,
      gpusFrom: part?.from.map(({ uuid }) => uuid).filter(uuid => uuid !== '') ?? [],
      privateAddress: request.spread === true ? (facts.reachedAt?.address ?? null) : null,
      by: whoami(),
      at: host.name,
      mostUses: usesAtOnce(gpus.length),
    };
  }

  get(instanceId: string, signal: AbortSignal): Promise<Instance> {
    return guarded(signal, 'retryable', async () => {
      const place = placeOf(instanceId);
      if (place === null) {
        return goneInstance(instanceId, 'It was never on one of your machines.');
      }
      const found = await this.#over(place.name, signal, shell => findLease(shell, place.ref, signal));
      if (!('left' in found)) {
        return isAt(found, place.name)
          ? instanceOf(place.name, found)
          : goneInstance(
              instanceId,
              `${place.ref} was taken at ${shownName(found.at)}, another name of this machine.`,
            );
      }
      return found.left === 0
        ? { ...goneInstance(instanceId, `Nothing of it is left on ${place.name}.`), mark: place.ref }
        : {
            id: instanceId,
            mark: place.ref,
            status: 'stopped',
            members: [],
            rates: [],
            message: `${found.left.toString()} processes still run on ${place.name}.`,
          };
    });
  }

  /** Those of the machines that answer. @throws ProviderError when there are machines and none answers. */
  list(signal: AbortSignal): Promise<readonly Instance[]> {
    return guarded(signal, 'retryable', async () => {
      const { answers, leftOut } = await askAll(
        this.#options.hosts.list(),
        ({ name }, given) => this.#listAt(name, given),
        { clock: this.#options.clock, signal },
      );
      this.#listLeftOut = leftOut;
      return answers.flat();
    });
  }

  listLeftOut(): string | null {
    return this.#listLeftOut;
  }

  listNear(offer: Offer, signal: AbortSignal): Promise<readonly Instance[]> {
    return guarded(signal, 'retryable', () => this.#listAt(hostOf(this.id, offer), signal));
  }

  async #listAt(name: string, signal: AbortSignal): Promise<readonly Instance[]> {
    const leases = await this.#over(name, signal, shell => listLeases(shell, signal));
    // One machine on the list under two names, or two with one home folder, are not two machines for one purchase.
    return leases.filter(lease => isAt(lease, name)).map(lease => instanceOf(name, lease));
  }

  /** Ends what runs and takes its folders away; its place on the machine goes last, so that it is found until then. */
  destroy(instanceId: string, signal: AbortSignal): Promise<void> {
    return guarded(signal, 'unknownOutcome', async () => {
      const place = placeOf(instanceId);
      if (place !== null) {
        await this.#over(place.name, signal, async shell => {
          const found = await findLease(shell, place.ref, signal);
          if (!('left' in found) && !isAt(found, place.name)) {
            // It is in use under another name of the machine.
            return;
          }
          await endFar(shell, place.ref, signal);
          await dropLease(shell, place.ref, signal);
        });
      }
    });
  }

  #over<T>(name: string, signal: AbortSignal, work: (shell: FarShell) => Promise<T>): Promise<T> {
    const { shells, targetOf } = this.#options;
    return shells.use(targetOf(name), signal, work);
  }

  /** @throws HostError where no cluster can run there. */
  #look(host: OwnHost, signal: AbortSignal): Promise<Looked> {
    return this.#over(host.name, signal, async shell => {
      const facts = await this.#factsOf(host.name, shell, signal);
      checkUsable(host.name, facts);
      return { host, facts, leases: await listLeases(shell, signal) };
    });
  }

  /** Which of the others each reaches. Asked again when any of them is seen anew. */
  async #standing(looked: readonly Looked[], signal: AbortSignal): Promise<readonly Standing[]> {
    const places = looked.flatMap(({ facts }) => facts.reachedAt ?? []);
    return Promise.all(
      looked.map(async ({ host: { name }, facts }) => {
        const seen = this.#reaches.get(name);
        const isStill = seen?.facts === facts && seen.places.join() === places.map(toText).join();
        // One that is asked in vain is alone for now.
        const reaches = isStill
          ? seen.reaches
          : await this.#over(name, signal, shell => reachesFrom(shell, places, signal)).catch(
              () => new Set<string>(),
            );
        this.#reaches.set(name, { facts, places: places.map(toText), reaches });
        const at = canBeReached(facts) ? facts.reachedAt : null;
        return { name, machine: facts.boot, at, reaches };
      }),
    );
  }

  /** What the machine is, as it was seen not long ago. */
  async #factsOf(name: string, shell: FarShell, signal: AbortSignal): Promise<FarFacts> {
    const nowMs = this.#options.clock.monotonic();
    const seen = this.#seen.get(name);
    if (seen !== undefined && nowMs - seen.atMs < FACTS_STAND_MS) {
      return seen.facts;
    }
    const facts = await lookAt(shell, signal);
    this.#seen.set(name, { facts, atMs: nowMs });
    return facts;
  }
}

/**
 * The GPUs that an offer is of, whoever has them now: the machine says which of them are free. Null: it has none.
 * @throws ProviderError where the machine has not so many any more.
 */
function partOf(offer: Offer, gpus: readonly FarGpu[]): Omit<GpuPart, 'id'> | null {
  if (offer.gpuCount === 0) {
    return null;
  }
  const part = offeredPart(gpus, offer);
  if (part === null) {
    throw new ProviderError(
      'capacity',
      `This machine has not so many GPUs of that model any more: it shows ${gpus.length.toString()} in all.`,
    );
  }
  return part;
}

/** For whoever else uses the machine; one line, short. */
function whoami(): string {
  let user = 'somebody';
  try {
    user = userInfo().username;
  } catch {
    // A container under a number of its own has no name.
  }
  return `${user}@${hostname()}`.replace(/[^\w.@-]/g, '').slice(0, 80);
}

/** Runs `work`; every failure leaves as a ProviderError. @param otherwise what a failure means that nothing else is known of */
async function guarded<T>(
  signal: AbortSignal,
  otherwise: 'retryable' | 'unknownOutcome',
  work: () => Promise<T>,
): Promise<T> {
  if (signal.aborted) {
    throw new ProviderError('retryable', 'The call was given up before anything was done.', {
      cause: signal.reason,
    });
  }
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof ProviderError) {
      throw cause;
    }
    const isSentence = [FarError, HostError, LeaseError, HitchError].some(kind => cause instanceof kind);
    throw new ProviderError(
      otherwise,
      isSentence
        ? errorText(cause)
        : `The machine was not asked to the end: ${errorText(cause)}.`.replace(/\.\.$/, '.'),
      { cause },
    );
  }
}
