/** Machines of one's own, as clients look after them: each thing is a task that is followed and can be cancelled. */
import {
  HitchError,
  type MachineTask,
  type OwnMachine,
  type ProviderId,
  type SshHost,
} from '@hitch/contract';
import type { OwnMachines } from '../providers/own-machines.ts';
import { machineSeen } from './machine-words.ts';
import { KeyNotKnown, MachineTasks, type MachineTasksOptions } from './machine-tasks.ts';

export interface OwnMachineTasksOptions extends Omit<MachineTasksOptions, 'sentenceOf'> {
  /** Null: the network of one's own machines is off. */
  readonly machines: OwnMachines | null;
  /** The list of machines was changed; resolves when the offers say so, or that takes long. */
  readonly onChange: () => Promise<void>;
}

export interface MachineToAdd {
  readonly machine: string;
  /** Left out: as before, nothing for a new one. */
  readonly pricePerHourMicroUsd?: string | undefined;
  /** The fingerprint that a person said is its key's. */
  readonly hostKey?: string | undefined;
}

export class OwnMachineTasks {
  readonly #options: OwnMachineTasksOptions;
  readonly #tasks: MachineTasks;

  constructor(options: OwnMachineTasksOptions) {
    this.#options = options;
    this.#tasks = new MachineTasks({
      ...options,
      sentenceOf: error => options.machines?.sentenceOf(error) ?? error,
    });
  }

  /**
   * As the list of a network is now, which a person may also change by hand; null for one without a list.
   * @throws HitchError when it cannot be read.
   */
  of(network: ProviderId): OwnMachine[] | null {
    const { machines } = this.#options;
    return machines === null || machines.network !== network ? null : [...machines.list()];
  }

  async sshHosts(): Promise<readonly SshHost[]> {
    return this.#machines().named();
  }

  /** @throws HitchError BAD_INPUT for a name that ssh does not take. */
  check(machine: string): void {
    this.#machines().readName(machine);
  }

  /** @throws HitchError BAD_INPUT for a name that ssh does not take, CONFLICT when too much runs already. */
  add({ machine, pricePerHourMicroUsd, hostKey }: MachineToAdd): MachineTask {
    const machines = this.#machines();
    machines.readName(machine);
    return this.#tasks.start('add', machine, async (signal, say) => {
      const before = machines.get(machine)?.pricePerHourMicroUsd;
      const seen = await machines.add(
        { name: machine, pricePerHourMicroUsd: pricePerHourMicroUsd ?? before ?? '0' },
        key => answerFor(machine, key, hostKey),
        signal,
        say,
      );
      // Whoever added it looks for it next.
      await this.#options.onChange();
      return { seen: machineSeen(seen) };
    });
  }

  /** @throws HitchError as {@link add}, and NOT_FOUND for one that is not on the list. */
  test(machine: string): MachineTask {
    const machines = this.#machines();
    machines.known(machine);
    return this.#tasks.start('test', machine, async (signal, say) => ({
      seen: machineSeen(await machines.test(machine, signal, say)),
    }));
  }

  /** @throws HitchError as {@link test} */
  remove(machine: string): MachineTask {
    const machines = this.#machines();
    machines.known(machine);
    return this.#tasks.start('remove', machine, async (signal, say) => {
      say(`Asking ${machine} what still runs there.`);
      const { left, problem } = await machines.remove(machine, signal);
      await this.#options.onChange();
      return { stillThere: left.map(({ ref, by }) => ({ ref, by })), notLooked: problem };
    });
  }

  /** @throws HitchError as {@link add} */
  clean(machine: string): MachineTask {
    const machines = this.#machines();
    machines.readName(machine);
    return this.#tasks.start('clean', machine, async (signal, say) => {
      say(`Removing Hitch’s packages from ${machine}.`);
      return { freedMiB: await machines.clean(machine, signal) };
    });
  }

  task(id: string, waitMs: number): Promise<MachineTask> {
    return this.#tasks.get(id, waitMs);
  }

  cancel(id: string): Promise<MachineTask> {
    return this.#tasks.cancel(id);
  }

  close(): Promise<void> {
    return this.#tasks.close();
  }

  #machines(): OwnMachines {
    const { machines } = this.#options;
    if (machines === null) {
      throw new HitchError('CONFLICT', 'Machines of your own are off in this daemon.', {
        next: 'Add ssh to the variable HITCH_PROVIDERS, and start the daemon again.',
      });
    }
    return machines;
  }
}

/** @throws KeyNotKnown where nobody said anything, HitchError where what was said is another key. */
function answerFor(
  machine: string,
  key: { readonly type: string; readonly fingerprint: string },
  said: string | undefined,
): Promise<boolean> {
  if (said === undefined) {
    return Promise.reject(new KeyNotKnown({ type: key.type, fingerprint: key.fingerprint }));
  }
  if (said !== key.fingerprint) {
    return Promise.reject(
      new HitchError('BAD_INPUT', `${machine} was not added: its key is ${key.fingerprint}, not ${said}.`, {
        field: 'hostKey',
        next: 'Compare it with the machine’s own: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub there.',
      }),
    );
  }
  return Promise.resolve(true);
}
