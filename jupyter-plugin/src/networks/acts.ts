/**
 * What a person does about networks and machines from this page. What changes anything is approved where no page can: the
 * yes does it. What only looks is asked for here.
 */
import { followTask } from '@hitch/client';
import {
  type ApprovalAction,
  hostKeyLines,
  HitchError,
  type MachineTask,
  networkAccountLines,
  type NetworkInfo,
  type NotOurs,
  taskLines,
} from '@hitch/contract';
import { ask, LinesBody } from '../actions/ask.ts';
import type { Deps } from '../actions/deps.ts';
import { sentenceOf } from '../actions/report.ts';
import { COMMANDS } from '../actions/ids.ts';
import { approve, askPerson } from '../approval/approve.ts';
import { askForAdoption } from './adopt-form.ts';
import { askForLogin } from './login-form.ts';
import { askForMachine, type MachineWanted } from './machine-form.ts';
import { foreignKey, machineKey, type NetworksModel, networkKey } from './model.ts';

export class NetworkActs {
  readonly #deps: Deps;
  readonly #model: NetworksModel;
  readonly #end: AbortSignal;

  /** @param end aborted when the tab closes: what runs on machines by then goes on in the daemon only if it was approved */
  constructor(deps: Deps, model: NetworksModel, end: AbortSignal) {
    this.#deps = deps;
    this.#model = model;
    this.#end = end;
  }

  async login(network: NetworkInfo): Promise<void> {
    const { trans } = this.#deps;
    const { id, title } = network;
    const values = await askForLogin(this.#deps, network, () => void this.login(network));
    if (values === null) {
      return;
    }
    await this.#noting(networkKey(id), async () => {
      const done = await askPerson(this.#deps, () =>
        Promise.resolve({ kind: 'login', provider: id, values }),
      );
      return done === null ? null : [trans.__('Logged in to %1.', title)];
    });
  }

  async logout({ id, title }: NetworkInfo): Promise<void> {
    const { trans } = this.#deps;
    await this.#noting(networkKey(id), async () => {
      const done = await askPerson(this.#deps, () => Promise.resolve({ kind: 'logout', provider: id }));
      return done === null ? null : [trans.__('Logged out of %1.', title)];
    });
  }

  async test({ id, title }: NetworkInfo): Promise<void> {
    const { hitch, trans, now } = this.#deps;
    const key = networkKey(id);
    this.#model.note(key, { kind: 'doing', lines: [trans.__('Asking %1…', title)], cancel: null });
    await this.#noting(key, async () => {
      const { message, account } = await hitch.client.api.networks.test(
        { provider: id },
        { signal: this.#end },
      );
      return [message, ...(account === null ? [] : networkAccountLines(account, now()))];
    });
  }

  async adopt(network: NetworkInfo, machine: NotOurs): Promise<void> {
    const { trans, commands, now } = this.#deps;
    const key = foreignKey(network.id, machine.id);
    const wanted = await askForAdoption(
      this.#deps,
      { network, machine },
      () => void this.adopt(network, machine),
    );
    if (wanted === null) {
      return;
    }
    const { stopAfterMs, ...rest } = wanted;
    await this.#noting(key, async () => {
      const clusterId = await approve(this.#deps, () =>
        Promise.resolve({
          kind: 'adopt',
          provider: network.id,
          instanceId: machine.id,
          pricePerHourMicroUsd: machine.pricePerHourMicroUsd,
          stopAtMs: stopAfterMs === null ? null : now() + stopAfterMs,
          ...rest,
        }),
      );
      if (clusterId === null) {
        return null;
      }
      await commands.execute(COMMANDS.showTimeline, { clusterId });
      return [trans.__('It is one of your clusters now.')];
    });
  }

  async addMachine(): Promise<void> {
    const wanted = await askForMachine(this.#deps, () => void this.addMachine());
    if (wanted !== null) {
      await this.#noting(machineKey(wanted.machine), () => this.#add(wanted));
    }
  }

  async testMachine(machine: string): Promise<void> {
    const { api } = this.#deps.hitch.client;
    await this.#noting(machineKey(machine), async () =>
      taskLines(await this.#follow(await api.networks.testMachine({ machine }))),
    );
  }

  async removeMachine(machine: string): Promise<void> {
    await this.#noting(machineKey(machine), () => this.#approved({ kind: 'remove-machine', machine }));
  }

  async cleanMachine(machine: string): Promise<void> {
    await this.#noting(machineKey(machine), () => this.#approved({ kind: 'clean-machine', machine }));
  }

  async #add(wanted: MachineWanted, hostKey?: string): Promise<readonly string[] | null> {
    const { trans } = this.#deps;
    const { machine } = wanted;
    const task = await this.#begun({
      kind: 'add-machine',
      ...wanted,
      ...(hostKey === undefined ? {} : { hostKey }),
    });
    if (task === null || task.hostKey === null) {
      return task === null ? null : taskLines(task);
    }
    const { fingerprint } = task.hostKey;
    this.#model.note(machineKey(machine), null);
    const said = await ask<'same'>(trans, {
      title: trans.__('Is this the key of %1?', machine),
      body: new LinesBody([
        ...hostKeyLines(machine, task.hostKey),
        trans.__('If it is, the Hitch window asks once more, with this key.'),
      ]),
      stay: trans.__('Do not add it'),
      choices: [{ value: 'same', label: trans.__('It is the same…') }],
    });
    return said === null ? null : this.#add(wanted, fingerprint);
  }

  async #approved(action: ApprovalAction): Promise<readonly string[] | null> {
    const task = await this.#begun(action);
    return task === null ? null : taskLines(task);
  }

  /** Null when a person said no. */
  async #begun(action: ApprovalAction): Promise<MachineTask | null> {
    const done = await askPerson(this.#deps, () => Promise.resolve(action));
    if (done === null) {
      return null;
    }
    if (done.taskId === null) {
      throw new HitchError('INTERNAL', 'Hitch’s daemon did not say how it is going.');
    }
    return this.#follow(await this.#deps.hitch.client.api.networks.task({ taskId: done.taskId }));
  }

  /** Its steps stand beside the machine, with the way to end it. */
  #follow(task: MachineTask): Promise<MachineTask> {
    const ending = new AbortController();
    const cancel = () => ending.abort(new HitchError('CONFLICT', this.#deps.trans.__('Cancelled.')));
    const key = machineKey(task.machine);
    return followTask(this.#deps.hitch.client, task, {
      signal: AbortSignal.any([ending.signal, this.#end]),
      onStep: step => this.#model.note(key, { kind: 'doing', lines: [step], cancel }),
    }).catch((error: unknown) => {
      ending.signal.throwIfAborted();
      throw error;
    });
  }

  /** What comes of it stands beside what it was about; the list is read again either way. */
  async #noting(key: string, act: () => Promise<readonly string[] | null>): Promise<void> {
    try {
      const lines = await act();
      this.#model.note(key, lines === null ? null : { kind: 'said', lines, cancel: null });
    } catch (error) {
      this.#model.note(key, { kind: 'problem', lines: [sentenceOf(error)], cancel: null });
    }
    await Promise.all([this.#model.refresh(), this.#deps.hitch.refresh()]);
  }
}
