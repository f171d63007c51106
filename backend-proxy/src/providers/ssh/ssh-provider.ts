/** The user's own machines, reached by ssh, as a network: nothing is bought, and a use of one is a folder on it. */
import { hostname, userInfo } from 'node:os';
import { HitchError, type Offer, shownName } from '@hitch/contract';
import { HostError } from '../../access/host.ts';
import { FarError, type FarShell } from '../../access/tunnel/far-shell.ts';
import type { FarShells } from '../../access/tunnel/far-shells.ts';
import type { FarTarget } from '../../access/tunnel/target.ts';
import { endFar } from '../../machines/far/far-end.ts';
import { lookAt } from '../../machines/far/far-programs.ts';
import type { FarFacts } from '../../machines/far/facts.ts';
import type { Clock } from '@hitch/platform/src/clock.ts';
import { errorText } from '@hitch/platform/src/log.ts';
import { type CreateRequest, type Instance, type Provider, ProviderError, type Traits } from '../provider.ts';
import {
  type Lease,
  LeaseError,
  dropLease,
  findLease,
  isAt,
  leaseFolder,
  listLeases,
  takeLease,
} from './leases.ts';
import { offersOf } from './offers.ts';
import { type OwnHost, type OwnHosts, hostNameSchema } from './own-hosts.ts';

export interface SshProviderOptions {
  readonly hosts: OwnHosts;
  readonly shells: FarShells;
  readonly targetOf: (name: string) => FarTarget;
  readonly clock: Clock;
}

/** What a machine is changes seldom, and who looks at offers does so each minute. */
const FACTS_STAND_MS = 10 * 60_000;

interface SeenFacts {
  readonly facts: FarFacts;
  readonly atMs: number;
}

export class SshProvider implements Provider {
  readonly id = 'ssh';
  readonly title = 'Your machines';
  readonly kind = 'own';
  readonly verifiedLive = true;
  readonly capabilities: Traits = {
    refVia: 'name',
    sshKeys: 'none',
    bootSecret: false,
    members: null,
    privateNetwork: false,
    endsBillingAlone: 'always',
    visibilityDelayMs: 0,
  };
  readonly #options: SshProviderOptions;
  readonly #seen = new Map<string, SeenFacts>();
  #offersLeftOut: string | null = null;
  #listLeftOut: string | null = null;

  constructor(options: SshProviderOptions) {
    this.#options = options;
  }

  credentials() {
    return 'not_needed' as const;
  }

  /** Those of the machines that answer. @throws ProviderError when there are machines and none answers. */
  offers(signal: AbortSignal): Promise<readonly Offer[]> {
    return guarded(signal, 'retryable', async () => {
      const hosts = this.#options.hosts.list();
      const { answers, leftOut } = await thoseThatAnswer(
        hosts.map(host => this.#offersOf(host, hosts.length === 1, signal)),
      );
      this.#offersLeftOut = leftOut;
      return answers.flat();
    });
  }

  offersLeftOut(): string | null {
    return this.#offersLeftOut;
  }

  create(request: CreateRequest, signal: AbortSignal): Promise<Instance> {
    return guarded(signal, 'unknownOutcome', async () => {
      const { offer, ref } = request;
      const name = hostOf(this.id, offer);
      const host = this.#options.hosts.get(name);
      if (host === undefined) {
        throw new ProviderError('capacity', 'This machine is not on your list of machines any more.');
      }
      if (BigInt(host.pricePerHourMicroUsd) > request.maxPricePerHourMicroUsd) {
        throw new ProviderError(
          'capacity',
          `${host.name} costs more than the limit since its price was changed.`,
        );
      }
      const lease: Lease = {
        ref,
        pricePerHourMicroUsd: host.pricePerHourMicroUsd,
        fromMs: this.#options.clock.now(),
        gpuCount: offer.gpuCount,
        by: whoami(),
        at: host.name,
      };
      const held = await this.#options.shells
        .hold(this.#options.targetOf(host.name), signal)
        .catch((cause: unknown) => {
          // Nothing was sent there yet.
          throw cause instanceof FarError ? new ProviderError('capacity', cause.message, { cause }) : cause;
        });
      try {
        const taken = await takeLease(held.shell, lease, signal);
        if (taken !== 'taken') {
          throw new ProviderError('capacity', taken.refused);
        }
      } finally {
        held.letGo();
      }
      return instanceOf(host.name, lease);
    });
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
      const names = this.#options.hosts.list().map(({ name }) => name);
      const { answers, leftOut } = await thoseThatAnswer(names.map(name => this.#listAt(name, signal)));
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

  async #offersOf(host: OwnHost, isOnly: boolean, signal: AbortSignal): Promise<readonly Offer[]> {
    const { clock } = this.#options;
    return this.#over(host.name, signal, async shell => {
      const seen = this.#seen.get(host.name);
      const { facts } =
        seen !== undefined && clock.monotonic() - seen.atMs < FACTS_STAND_MS
          ? seen
          : { facts: await lookAt(shell, signal) };
      if (facts !== seen?.facts) {
        this.#seen.set(host.name, { facts, atMs: clock.monotonic() });
      }
      const leases = await listLeases(shell, signal);
      return offersOf({ provider: this.id, host, facts, leases, nowMs: clock.now(), isOnly });
    });
  }
}

/** @param asked each machine @returns and the sentences of those that do not. @throws what one says, when none answers */
async function thoseThatAnswer<T>(
  asked: readonly Promise<T>[],
): Promise<{ readonly answers: readonly T[]; readonly leftOut: string | null }> {
  const results = await Promise.allSettled(asked);
  const refused = results.filter(result => result.status === 'rejected');
  const [first] = refused;
  if (first !== undefined && refused.length === asked.length) {
    throw first.reason;
  }
  return {
    answers: results.flatMap(result => (result.status === 'fulfilled' ? [result.value] : [])),
    leftOut: refused.length === 0 ? null : refused.map(({ reason }) => errorText(reason)).join(' '),
  };
}

interface Place {
  readonly name: string;
  readonly ref: string;
}

/** `ssh:gpu-box:gpu` is an offer of `gpu-box`; its name may have colons of its own. */
function hostOf(network: string, { id }: Offer): string {
  return id.slice(`${network}:`.length, id.lastIndexOf(':'));
}

/** `gpu-box/hitch-…`: which machine, and which use of it. Null: no id of ours. */
function placeOf(instanceId: string): Place | null {
  const [, name, ref] = /^([^/]+)\/(hitch-[a-z0-9]+)$/.exec(instanceId) ?? [];
  return name === undefined || ref === undefined || !hostNameSchema.safeParse(name).success
    ? null
    : { name, ref };
}

const instanceOf = (name: string, { ref, pricePerHourMicroUsd, fromMs }: Lease): Instance => ({
  id: `${name}/${ref}`,
  mark: ref,
  status: 'running',
  members: [
    {
      id: `${name}/${ref}`,
      rank: 0,
      status: 'running',
      ssh: { kind: 'own', name, lease: leaseFolder(ref) },
      privateAddress: null,
    },
  ],
  rates: [{ label: 'Machine', perHourMicroUsd: BigInt(pricePerHourMicroUsd), fromMs }],
  message: `Your machine ${name}.`,
});

const goneInstance = (id: string, message: string): Instance => ({
  id,
  mark: null,
  status: 'gone',
  members: [],
  rates: [],
  message,
});

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
