/** Machines of one's own: added from the hosts that `ssh` knows, looked at, taken off the list, cleaned. */
import * as vscode from 'vscode';
import { followTask } from '@hitch/client';
import type { MachineTask, NetworkInfo, OwnMachine, SshHost } from '@hitch/contract';
import * as format from '@hitch/contract/src/format.ts';
import { hostKeyLines, readMachinePrice, sshHostLine, taskLines } from '@hitch/contract/src/network-state.ts';
import type { HitchModel } from '../daemon/model.ts';
import { machineOfRow } from '../networks/rows.ts';
import { ask as askYes, inform } from './messages.ts';
import { pickOne, withProgress } from './screen.ts';
import { ask, pick } from './wizard.ts';

export interface MachineStepsDeps {
  readonly model: HitchModel;
  /** The list was changed. */
  readonly refresh: () => Promise<void>;
}

interface Wanted {
  readonly machine: string;
  readonly pricePerHourMicroUsd?: string;
}

const TITLE = 'Add your own machine';
const TOTAL = 2;
const TYPED = '';

export interface MachineSteps {
  /** Asks which one and for its price, connects to it, and puts it on the list. */
  add(): Promise<void>;
  on(act: 'test' | 'remove' | 'clean', rowId: unknown, networks: readonly NetworkInfo[]): Promise<void>;
}

export function machineSteps({ model, refresh }: MachineStepsDeps): MachineSteps {
  /** Followed in a notification; its way out ends it. */
  const follow = (title: string, begin: () => Promise<MachineTask>): Thenable<MachineTask> =>
    withProgress('notification', title, async ({ cancelled, report }) => {
      const ending = new AbortController();
      const given = cancelled.onCancellationRequested(() => ending.abort(new vscode.CancellationError()));
      try {
        const begun = await begin();
        return await followTask(model.client, begun, { signal: ending.signal, onStep: step => report(step) });
      } catch (error) {
        ending.signal.throwIfAborted();
        throw error;
      } finally {
        given.dispose();
      }
    });

  const add = async (wanted: Wanted): Promise<MachineTask | null> => {
    const { api } = model.client;
    const begin = (hostKey?: string): Thenable<MachineTask> =>
      follow(`Hitch: adding ${wanted.machine}`, () =>
        api.networks.addMachine({ ...wanted, ...(hostKey === undefined ? {} : { hostKey }) }),
      );
    const task = await begin();
    if (task.hostKey === null) {
      return task;
    }
    const same = 'It Is the Same';
    const question = `Is ${task.hostKey.fingerprint} the key of ${wanted.machine}?`;
    const detail = hostKeyLines(wanted.machine, task.hostKey).join('\n');
    const said = await askYes(question, detail, 'Do Not Add It', same);
    return said === same ? begin(task.hostKey.fingerprint) : null;
  };

  return {
    add: async () => {
      const wanted = await askForMachine(() => model.client.api.networks.sshHosts());
      const task = wanted === null ? null : await add(wanted);
      if (task !== null) {
        await refresh();
        void sayAdded(task);
      }
    },
    on: async (act, rowId, networks) => {
      const machine = machineOfRow(rowId) ?? (await askWhich(networks));
      if (machine === null || !(await isMeant(act, machine))) {
        return;
      }
      const { api } = model.client;
      const task = await follow(PROGRESS[act](machine), () => {
        switch (act) {
          case 'test':
            return api.networks.testMachine({ machine });
          case 'remove':
            return api.networks.removeMachine({ machine });
          case 'clean':
            return api.networks.cleanMachine({ machine });
        }
      });
      await refresh();
      void inform(taskLines(task).join('\n'));
    },
  };
}

const PROGRESS = {
  test: (machine: string) => `Hitch: looking at ${machine}`,
  remove: (machine: string) => `Hitch: removing ${machine} from the list`,
  clean: (machine: string) => `Hitch: removing packages from ${machine}`,
} as const;

async function sayAdded(task: MachineTask): Promise<void> {
  const rent = 'Rent GPUs…';
  if ((await inform(taskLines(task).join('\n'), rent)) === rent) {
    await vscode.commands.executeCommand('hitch.rent.new');
  }
}

/** What changes nothing needs no yes. */
async function isMeant(act: 'test' | 'remove' | 'clean', machine: string): Promise<boolean> {
  switch (act) {
    case 'test':
      return true;
    case 'remove': {
      const yes = 'Remove';
      const detail = 'Clusters on it keep running, and its packages stay.';
      return (await askYes(`Remove ${machine} from your machines?`, detail, yes)) === yes;
    }
    case 'clean': {
      const yes = 'Remove Them';
      const detail = 'The next cluster there installs them again.';
      return (await askYes(`Remove Hitch’s packages from ${machine}?`, detail, yes)) === yes;
    }
  }
}

async function askWhich(networks: readonly NetworkInfo[]): Promise<string | null> {
  const machines: readonly OwnMachine[] = networks.flatMap(network => network.machines ?? []);
  if (machines.length === 0) {
    void inform('You have added no machine yet.');
    return null;
  }
  const items = machines.map(({ name, pricePerHourMicroUsd }) => ({
    icon: 'server',
    label: name,
    description: `${format.dollars(pricePerHourMicroUsd)}/h`,
  }));
  return (await pickOne(items, { title: 'Your machines', placeholder: 'Which machine?' }))?.label ?? null;
}

/** Null: given up. */
async function askForMachine(hosts: () => Promise<readonly SshHost[]>): Promise<Wanted | null> {
  const first = { title: TITLE, step: 1, totalSteps: TOTAL };
  const typed = { icon: 'edit', label: 'Type an address…', value: TYPED };
  for (;;) {
    const chosen = await pick<string>({
      ...first,
      placeholder: 'Which machine? These are in your ssh configuration',
      items: [typed],
      later: hosts().then(found => [...found.map(hostItem), typed]),
    });
    if (chosen.kind !== 'value') {
      return null;
    }
    const machine = chosen.value === TYPED ? await askForName() : chosen.value;
    if (machine === null) {
      continue;
    }
    const price = await ask({
      title: TITLE,
      step: 2,
      totalSteps: TOTAL,
      prompt: `What ${machine} costs an hour, in dollars, for limits and reports. Empty: nothing, or as before`,
      placeholder: '0.50',
      check: text => {
        const read = readMachinePrice(text);
        return 'problem' in read ? read.problem : null;
      },
    });
    if (price.kind === 'cancel') {
      return null;
    }
    if (price.kind === 'value') {
      const read = readMachinePrice(price.value);
      return { machine, ...('problem' in read ? {} : read) };
    }
  }
}

const hostItem = (host: SshHost) => ({
  icon: 'server',
  label: host.name,
  description: sshHostLine(host),
  value: host.name,
});

async function askForName(): Promise<string | null> {
  const answer = await ask({
    title: TITLE,
    step: 1,
    totalSteps: TOTAL,
    prompt: 'A name that your ssh knows, or user@address',
    placeholder: 'me@192.0.2.7',
    check: text => (text === '' || /\s/.test(text) ? 'Enter one name, as you would after “ssh”.' : null),
  });
  return answer.kind === 'value' ? answer.value : null;
}
