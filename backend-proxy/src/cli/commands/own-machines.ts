/** `hitch networks add`, `rm`, `clean` and the test of a machine: what a person does with machines of their own. */
import {
  format,
  HitchError,
  type HostKey,
  isTaskOver,
  type MachineTask,
  type MachineSeen,
  taskLines,
} from '@hitch/contract';
import type { Session } from '@hitch/client-node/src/session.ts';
import * as z from 'zod';
import { defineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { interruptible } from '../interrupts.ts';
import { confirm } from '../screen/prompt.ts';
import { dollars } from '../values.ts';

type Api = Session['api'];

const json = z.boolean().default(false);
const network = z.string().refine(name => name === 'ssh', {
  message: 'Only the network ssh has machines of your own: write ssh before the machine’s name.',
});
const machine = { network, machine: z.string(), json };

/** One call is answered at the latest after so long, and the task is asked for again. */
const WAIT_MS = 10_000;

/** Follows what begins until it is over; Ctrl-C ends it. @throws HitchError what it failed with. */
async function follow(context: Context, begin: (api: Api) => Promise<MachineTask>): Promise<MachineTask> {
  const { io, interrupts, session } = context;
  const { api } = await session();
  let task = await begin(api);
  let said = '';
  await interruptible(interrupts, async signal => {
    try {
      while (!isTaskOver(task)) {
        if (io.interactive && task.step !== said) {
          io.note((said = task.step));
        }
        task = await api.networks.task({ taskId: task.id, waitMs: WAIT_MS }, { signal });
      }
    } catch (error) {
      task = await api.networks.cancelTask({ taskId: task.id });
      if (task.state !== 'done') {
        throw error;
      }
      // Ctrl-C came too late.
    }
  });
  if (task.problem !== null) {
    const { code, message, ...rest } = task.problem;
    throw new HitchError(code, message, {
      ...(rest.field === undefined ? {} : { field: rest.field }),
      ...(rest.next === undefined ? {} : { next: rest.next }),
    });
  }
  if (task.state === 'cancelled') {
    throw new HitchError('CONFLICT', `What was done on ${task.machine} was cancelled by another client.`);
  }
  return task;
}

/** Whether a person says that this is the machine's key. */
async function isItsKey({ io }: Context, name: string, { type, fingerprint }: HostKey): Promise<boolean> {
  io.note(`ssh does not know ${name} yet. Its ${type} key is ${fingerprint}`);
  io.note('To compare, run on the machine: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub');
  return io.stdin.isTTY === true && (await confirm(io, 'Is it the same?'));
}

export const addAdd = defineCommand({
  usage: 'add <network> <machine>',
  summary: 'add a machine of your own, reached by ssh',
  examples: [
    ['hitch networks add ssh gpu-box', 'a name of your ~/.ssh/config, or user@address'],
    ['hitch networks add ssh gpu-box --price 0.50', 'its price per hour, for limits and reports'],
  ],
  options: command =>
    command
      .option('--price <dollars>', 'its price per hour (default: as before; 0 for a new one)')
      .option('--key <fingerprint>', 'its host key (SHA256:…), if ssh does not know it yet'),
  schema: z.object({ ...machine, price: dollars.optional(), key: z.string().optional() }),
  run: async (context, { machine: name, price, key, json: asJson }) => {
    const { io } = context;
    const wanted = { machine: name, ...(price === undefined ? {} : { pricePerHourMicroUsd: price }) };
    const add = (hostKey: string | undefined): Promise<MachineTask> =>
      follow(context, api =>
        api.networks.addMachine({ ...wanted, ...(hostKey === undefined ? {} : { hostKey }) }),
      );
    let task = await add(key);
    if (task.hostKey !== null) {
      const { fingerprint } = task.hostKey;
      if (!(await isItsKey(context, name, task.hostKey))) {
        throw new HitchError(
          'BAD_INPUT',
          `${name} was not added: nobody said that its key is ${fingerprint}.`,
          {
            next: 'Compare it with the machine’s own: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub there.',
          },
        );
      }
      task = await add(fingerprint);
    }
    const { api } = await context.session();
    const { machines } = (await api.networks.list()).find(({ id }) => id === 'ssh') ?? {};
    const costs = machines?.find(one => one.name === name)?.pricePerHourMicroUsd ?? price ?? '0';
    if (asJson) {
      io.json({ added: jsonOf(task.seen), pricePerHourMicroUsd: costs });
    } else {
      io.line(`Added ${name}: ${task.seen?.summary ?? ''}, ${format.dollars(costs)}/h`);
      io.line(`Use it: hitch rent --provider ssh`);
    }
    return EXIT.ok;
  },
});

/** Connects to a machine and shows what it has. */
export async function testMachine(context: Context, name: string, asJson: boolean): Promise<ExitCode> {
  const { seen } = await follow(context, api => api.networks.testMachine({ machine: name }));
  if (asJson) {
    context.io.json(jsonOf(seen));
  } else if (seen !== null) {
    context.io.line(`${seen.name}: ${seen.summary}`);
    seen.lines.forEach(line => context.io.line(`  ${line}`));
  }
  return EXIT.ok;
}

export const addRemove = defineCommand({
  usage: 'rm <network> <machine>',
  summary: 'remove a machine from the list; clusters on it keep running',
  examples: [['hitch networks rm ssh gpu-box', 'its packages stay; hitch networks clean removes them']],
  options: command => command.alias('remove'),
  schema: z.object(machine),
  run: async (context, { machine: name, json: asJson }) => {
    const task = await follow(context, api => api.networks.removeMachine({ machine: name }));
    const { stillThere, notLooked } = task;
    if (asJson) {
      context.io.json({ removed: name, stillThere, notLooked });
    } else {
      taskLines(task).forEach(line => context.io.line(line));
    }
    return EXIT.ok;
  },
});

export const addClean = defineCommand({
  usage: 'clean <network> <machine>',
  summary: 'remove the packages that Hitch keeps on a machine',
  examples: [['hitch networks clean ssh gpu-box', 'the next cluster there installs them again']],
  schema: z.object(machine),
  run: async (context, { machine: name, json: asJson }) => {
    const task = await follow(context, api => api.networks.cleanMachine({ machine: name }));
    if (asJson) {
      context.io.json({ cleaned: name, freedMiB: task.freedMiB });
    } else {
      taskLines(task).forEach(line => context.io.line(line));
    }
    return EXIT.ok;
  },
});

function jsonOf(seen: MachineSeen | null): Omit<MachineSeen, 'summary' | 'lines'> | null {
  if (seen === null) {
    return null;
  }
  const { name, system, arch, cpuCores, memoryMiB, tun, gpus, places, leases } = seen;
  return { name, system, arch, cpuCores, memoryMiB, tun, gpus, places, leases };
}
