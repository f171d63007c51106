/** `hitch networks`: where machines come from, and the machines of one's own among them. */
import { format } from '@hitch/contract';
import * as z from 'zod';
import { homeFromEnvironment } from '@hitch/platform/src/paths.ts';
import type { OwnMachines, SeenMachine } from '../../providers/registry.ts';
import { defineCommand, type AddCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { confirm } from '../screen/prompt.ts';
import { dollars } from '../values.ts';

const json = z.boolean().default(false);
const network = z.string().refine(name => name === 'ssh', {
  message: 'Only the network ssh has machines of your own: write ssh before the machine’s name.',
});
const machine = { network, machine: z.string(), json };

/** Does something with the person's machines; what goes wrong there leaves as a sentence. */
async function withMachines<T>(
  { env, clock }: Context,
  work: (machines: OwnMachines, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  // Every other command starts without the networks.
  const { asHitchError, ownMachines } = await import('../../providers/registry.ts');
  const machines = ownMachines(env, { home: homeFromEnvironment(env), clock });
  try {
    return await work(machines, new AbortController().signal);
  } catch (error) {
    throw asHitchError(error);
  } finally {
    await machines.close();
  }
}

/** Offers of what is on the list now, at once. */
async function askAgain({ session }: Context): Promise<void> {
  const { api } = await session();
  await api.offers.refresh({ provider: 'ssh' });
}

const addList = defineCommand({
  usage: 'ls',
  summary: 'list the networks and your own machines',
  examples: [['hitch networks ls', 'their offers, and machines that could be added']],
  options: command => command.alias('list'),
  schema: z.object({ json }),
  run: async (context, input) => {
    const { io, session } = context;
    const { api } = await session();
    const networks = await api.providers.list();
    const { machines, named } = await withMachines(context, async own => ({
      machines: own.list(),
      named: await own.named(),
    }));
    if (input.json) {
      io.json({ networks, machines, named });
      return EXIT.ok;
    }
    for (const { title, id, offers, problem } of networks) {
      io.line(`${title} (${id}): ${count(offers, 'offer')}${problem === null ? '' : `. ${problem}`}`);
    }
    for (const { name, pricePerHourMicroUsd } of machines) {
      io.line(`  ${name}, ${format.dollars(pricePerHourMicroUsd)}/h`);
    }
    if (named.length > 0) {
      io.line(`In your ssh configuration, not added: ${named.join(', ')}`);
      io.line('Add one: hitch networks add ssh <name>');
    }
    return EXIT.ok;
  },
});

const addAdd = defineCommand({
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
  run: (context, { machine: name, price: given, key, json: asJson }) =>
    withMachines(context, async (machines, signal) => {
      const { io } = context;
      const before = machines.list().find(machine => machine.name === name);
      const price = given ?? before?.pricePerHourMicroUsd ?? '0';
      const askKey = async ({
        type,
        fingerprint,
      }: {
        type: string;
        fingerprint: string;
      }): Promise<boolean> => {
        if (key !== undefined) {
          return key === fingerprint;
        }
        io.note(`ssh does not know ${name} yet. Its ${type} key is ${fingerprint}`);
        io.note('To compare, run on the machine: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub');
        return io.stdin.isTTY === true && (await confirm(io, 'Is it the same?'));
      };
      const seen = await machines.add({ name, pricePerHourMicroUsd: price }, askKey, signal);
      await askAgain(context);
      if (asJson) {
        io.json({ added: jsonOf(seen), pricePerHourMicroUsd: price });
      } else {
        io.line(`Added ${name}: ${wordsOf(seen)}, ${format.dollars(price)}/h`);
        io.line(`Use it: hitch rent --provider ssh`);
      }
      return EXIT.ok;
    }),
});

const addTest = defineCommand({
  usage: 'test <network> <machine>',
  summary: 'connect to a machine; show what it has and what runs on it',
  examples: [['hitch networks test ssh gpu-box', 'GPUs, memory, disk, and who uses it']],
  schema: z.object(machine),
  run: (context, { machine: name, json: asJson }) =>
    withMachines(context, async (machines, signal) => {
      const seen = await machines.test(name, signal);
      if (asJson) {
        context.io.json(jsonOf(seen));
      } else {
        linesOf(seen).forEach(line => context.io.line(line));
      }
      return EXIT.ok;
    }),
});

const addRemove = defineCommand({
  usage: 'rm <network> <machine>',
  summary: 'remove a machine from the list; clusters on it keep running',
  examples: [['hitch networks rm ssh gpu-box', 'its packages stay; hitch networks clean removes them']],
  options: command => command.alias('remove'),
  schema: z.object(machine),
  run: (context, { machine: name, json: asJson }) =>
    withMachines(context, async (machines, signal) => {
      const left = await machines.remove(name, signal);
      await askAgain(context);
      if (asJson) {
        context.io.json({ removed: name, stillThere: left });
      } else {
        context.io.line(`Removed ${name} from the list.`);
        left.forEach(({ by, ref }) => context.io.line(`Still running there: ${ref}, of ${by}`));
      }
      return EXIT.ok;
    }),
});

const addClean = defineCommand({
  usage: 'clean <network> <machine>',
  summary: 'remove the packages that Hitch keeps on a machine',
  examples: [['hitch networks clean ssh gpu-box', 'the next cluster there installs them again']],
  schema: z.object(machine),
  run: (context, { machine: name, json: asJson }) =>
    withMachines(context, async (machines, signal) => {
      const freedMiB = await machines.clean(name, signal);
      if (asJson) {
        context.io.json({ cleaned: name, freedMiB });
      } else {
        context.io.line(`Removed Hitch’s packages from ${name}: ${freedMiB.toString()} MiB.`);
      }
      return EXIT.ok;
    }),
});

const count = (many: number, what: string): string => `${many.toString()} ${what}${many === 1 ? '' : 's'}`;

const gigabytes = (mib: number): string => `${Math.round(mib / 1024).toString()} GB`;

function wordsOf({ facts }: SeenMachine): string {
  const { gpus } = facts.gpus;
  const [first] = gpus;
  const has =
    first === undefined
      ? 'no GPU'
      : `${gpus.length.toString()}× ${first.model}, ${gigabytes(first.memoryMiB)}`;
  return `${has}, ${count(facts.cpuCores, 'CPU core')}, ${gigabytes(facts.memoryMiB)} of memory`;
}

function linesOf(seen: SeenMachine): readonly string[] {
  const { name, facts, leases } = seen;
  const { driver, cudaMax, problem, gpus } = facts.gpus;
  return [
    `${name}: ${wordsOf(seen)}`,
    `  ${facts.system || facts.os}, ${facts.arch}`,
    ...(driver === null ? [] : [`  NVIDIA driver ${driver}, CUDA up to ${cudaMax ?? 'unknown'}`]),
    ...(problem === null ? [] : [`  nvidia-smi says: ${problem}`]),
    ...gpus
      .filter(({ processes, usedMiB }) => processes > 0 || usedMiB > 0)
      .map(
        ({ model, processes, usedMiB }) =>
          `  ${model} in use now: ${count(processes, 'program')}, ${gigabytes(usedMiB)}`,
      ),
    ...facts.places.map(({ root, freeMiB }) => `  ${gigabytes(freeMiB)} free for ${root}`),
    leases.length === 0 ? '  No Hitch cluster runs there' : '  Hitch clusters running there:',
    ...leases.map(({ ref, by }) => `    ${ref}, of ${by}`),
  ];
}

const jsonOf = ({ name, facts, leases }: SeenMachine) => ({
  name,
  system: facts.system,
  arch: facts.arch,
  cpuCores: facts.cpuCores,
  memoryMiB: facts.memoryMiB,
  gpus: facts.gpus,
  places: facts.places,
  leases,
});

export const addNetworks: AddCommand = (parent, execute) => {
  const group = parent.command('networks').description('list the networks, and add machines of your own');
  group.helpCommand(false);
  [addList, addAdd, addTest, addRemove, addClean].forEach(add => add(group, execute));
};
