/** What a person does with the list of their machines: adds, tries, cleans and removes one. */
import { HitchError } from '@hitch/contract';
import { HostError } from '../../access/host.ts';
import { FarError, type FarShell } from '../../access/tunnel/far-shell.ts';
import type { FarShells } from '../../access/tunnel/far-shells.ts';
import type { FarTarget } from '../../access/tunnel/target.ts';
import { cleanFar } from '../../machines/far/far-end.ts';
import { lookAt } from '../../machines/far/far-programs.ts';
import { chooseRoot, programsFor } from '../../machines/far/place.ts';
import type { AskKey, NamedMachine, OwnMachines, Removed, Say, SeenMachine } from '../own-machines.ts';
import { seeHostKey, trustHostKey } from './host-keys.ts';
import { LeaseError, listLeases } from './leases.ts';
import { type OwnHost, type OwnHosts, readHostName } from './own-hosts.ts';
import { namesInConfig, settingsOf } from './ssh-config.ts';

export interface SshMachinesOptions {
  readonly hosts: OwnHosts;
  readonly shells: Pick<FarShells, 'use'>;
  readonly targetOf: (name: string) => FarTarget;
  readonly configFile: string | null;
}

export class SshMachines implements OwnMachines {
  /** Whose offers they are. */
  readonly network = 'ssh';
  readonly #options: SshMachinesOptions;

  constructor(options: SshMachinesOptions) {
    this.#options = options;
  }

  list(): readonly OwnHost[] {
    return this.#options.hosts.list();
  }

  get(name: string): OwnHost | undefined {
    return this.#options.hosts.get(name);
  }

  targetOf(name: string): FarTarget {
    return this.#options.targetOf(name);
  }

  /** Machines that the configuration of `ssh` names; no services for git. */
  async named(): Promise<readonly NamedMachine[]> {
    const { configFile, hosts } = this.#options;
    const added = new Set(hosts.list().map(({ name }) => name));
    const machines = await Promise.all(
      namesInConfig(configFile).map(async name => {
        const settings = await settingsOf(name, configFile);
        return {
          name,
          user: settings.get('user')?.[0] ?? null,
          address: settings.get('hostname')?.[0] ?? null,
          isAdded: added.has(name),
        };
      }),
    );
    return machines.filter(({ user }) => user !== 'git');
  }

  /** Reaches it, sees that clusters can run there, and puts it on the list. @throws HitchError */
  async add(host: OwnHost, askKey: AskKey, signal: AbortSignal, say: Say): Promise<SeenMachine> {
    readHostName(host.name);
    const seen = await this.#see(host.name, signal, say).catch(async (error: unknown) => {
      if (!(error instanceof FarError) || error.kind !== 'host_key_unknown') {
        throw error;
      }
      say(`Reading the key of ${host.name}.`);
      await this.#askForKey(host.name, askKey, signal);
      return this.#see(host.name, signal, say);
    });
    this.#options.hosts.set(host);
    return seen;
  }

  /** @throws HitchError where it is not on the list, does not answer, or cannot be used. */
  async test(name: string, signal: AbortSignal, say: Say): Promise<SeenMachine> {
    this.known(name);
    return this.#see(name, signal, say);
  }

  async remove(name: string, signal: AbortSignal): Promise<Removed> {
    this.known(name);
    const removed = await this.#over(name, signal, shell => listLeases(shell, signal)).then(
      left => ({ left, problem: null }),
      (error: unknown) => {
        const told = this.sentenceOf(error);
        if (signal.aborted || !(told instanceof HitchError)) {
          throw error;
        }
        // One that does not answer, or makes no sense, can be taken off the list all the same.
        return { left: [], problem: told.message };
      },
    );
    this.#options.hosts.remove(name);
    return removed;
  }

  /** Removes Hitch's packages from it. @returns the MiB that were freed. */
  async clean(name: string, signal: AbortSignal): Promise<number> {
    readHostName(name);
    return (await this.#over(name, signal, shell => cleanFar(shell, signal))).freedMiB;
  }

  sentenceOf(error: unknown): unknown {
    return [FarError, HostError, LeaseError].some(kind => error instanceof kind) && error instanceof Error
      ? new HitchError('UNREACHABLE', error.message, { cause: error })
      : error;
  }

  async #askForKey(name: string, askKey: AskKey, signal: AbortSignal): Promise<void> {
    const target = this.#options.targetOf(name);
    const key = await seeHostKey(target, signal);
    if (!(await askKey(key))) {
      throw new HitchError(
        'BAD_INPUT',
        `${name} was not added: nobody said that its key is ${key.fingerprint}.`,
        {
          next: 'Compare it with the machine’s own: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub there.',
        },
      );
    }
    await trustHostKey(target, key);
  }

  #see(name: string, signal: AbortSignal, say: Say): Promise<SeenMachine> {
    say(`Connecting to ${name}.`);
    return this.#over(name, signal, async shell => {
      say(`Looking at what ${name} has.`);
      const facts = await lookAt(shell, signal);
      programsFor(name, facts);
      chooseRoot(name, facts);
      say(`Reading who uses ${name}.`);
      return { name, facts, leases: await listLeases(shell, signal) };
    });
  }

  #over<T>(name: string, signal: AbortSignal, work: (shell: FarShell) => Promise<T>): Promise<T> {
    const { shells, targetOf } = this.#options;
    return shells.use(targetOf(name), signal, work);
  }

  /** @throws HitchError BAD_INPUT for what is no name of a machine. */
  readName(name: string): void {
    readHostName(name);
  }

  /** @throws HitchError BAD_INPUT, NOT_FOUND for one that is not on the list. */
  known(name: string): void {
    readHostName(name);
    if (this.#options.hosts.get(name) === undefined) {
      throw new HitchError('NOT_FOUND', `${name} is not on the list of your machines.`, {
        next: `See hitch networks ls, or add it: hitch networks add ssh ${name}`,
      });
    }
  }
}
