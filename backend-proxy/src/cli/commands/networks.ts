/** `hitch networks`: where machines come from, who is logged in there, what is left, and how often they may be asked. */
import {
  adoptLines,
  networkAccountLines,
  format,
  HitchError,
  type LoginField,
  type NetworkAccount,
  type NetworkInfo,
  notOursLine,
  unverifiedLines,
  routeLine,
} from '@hitch/contract';
import * as z from 'zod';
import { defineCommand, defineGroup } from '../command.ts';
import type { Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { CommandFailure } from '../errors.ts';
import { ask, askHidden, confirm, readAll } from '../screen/prompt.ts';
import { addAdd, addClean, addRemove, testMachine } from './own-machines.ts';

const json = z.boolean().default(false);

const addList = defineCommand({
  usage: 'ls',
  summary: 'list the networks, your logins there and your own machines',
  examples: [['hitch networks ls', 'their offers, and machines that could be added']],
  options: command => command.alias('list'),
  schema: z.object({ json }),
  run: async ({ io, session, clock }, input) => {
    const { api } = await session();
    const [networks, hosts] = await Promise.all([api.networks.list(), hostsOf(api)]);
    const named = hosts.filter(({ isAdded }) => !isAdded).map(({ name }) => name);
    if (input.json) {
      io.json({ networks, named });
      return EXIT.ok;
    }
    for (const network of networks) {
      const { title, id, offers, problem, machines } = network;
      io.line(`${title} (${id}): ${count(offers, 'offer')}${problem === null ? '' : `. ${problem}`}`);
      [
        ...(network.notRentable === undefined ? [] : [network.notRentable]),
        ...unverifiedLines(network),
        ...loginLines(network),
        ...linesOf(network.account, clock.now()),
      ].forEach(line => io.line(`  ${line}`));
      network.bills.forEach(({ warning }) => warning !== null && io.line(`  ${warning}`));
      network.notOurs.forEach(one => io.line(`  ${notOursLine(one, clock.now())}`));
      adoptLines(network).forEach(line => io.line(`  ${line}`));
      machines?.forEach(({ name, pricePerHourMicroUsd }) =>
        io.line(`  ${name}, ${format.dollars(pricePerHourMicroUsd)}/h`),
      );
    }
    if (named.length > 0) {
      io.line(`In your ssh configuration, not added: ${named.join(', ')}`);
      io.line('Add one: hitch networks add ssh <name>');
    }
    return EXIT.ok;
  },
});

const addLogin = defineCommand({
  usage: 'login <network>',
  summary: 'log in to a network; the network is asked whether it accepts it',
  examples: [
    ['hitch networks login sandbox', 'asks for each value; secret ones are not shown'],
    ['hitch networks login sandbox < key.txt', 'takes it from a file'],
    ['hitch networks login sandbox --from-env', 'takes it from the variables that hitch networks ls names'],
  ],
  options: command =>
    command
      .option('--from-stdin', 'read the value from standard input; several as a JSON object')
      .option('--from-env', 'read the values from their environment variables')
      .option('--other-account', 'of another account, although something is rented with the one before')
      .option('-y, --yes', 'do not ask whether --other-account is meant'),
  schema: z
    .object({
      network: z.string(),
      fromStdin: z.boolean().default(false),
      fromEnv: z.boolean().default(false),
      otherAccount: z.boolean().default(false),
      yes: z.boolean().default(false),
      json,
    })
    .refine(({ fromStdin, fromEnv }) => !(fromStdin && fromEnv), {
      path: ['fromEnv'],
      message: 'cannot be combined with --from-stdin',
    }),
  run: async (context, { network: id, fromStdin, fromEnv, otherAccount, yes, json: asJson }) => {
    const { io, session, clock } = context;
    const { api } = await session();
    const network = one(await api.networks.list(), id);
    const { login, title } = network;
    if (login === null) {
      throw new HitchError('CONFLICT', `${title} needs no login.`);
    }
    const values = fromEnv
      ? fromVariables(context, network)
      : fromStdin || io.stdin.isTTY !== true
        ? await fromInput(context, login.fields)
        : await typed(context, network);
    if (otherAccount) {
      await agreeToOther(context, title, yes);
    }
    const { message, account, warning } = await api.networks.login({ provider: id, values, otherAccount });
    if (asJson) {
      io.json({ network: id, account, warning });
      return EXIT.ok;
    }
    io.line(message);
    linesOf(account, clock.now()).forEach(line => io.line(`  ${line}`));
    if (warning !== null) {
      io.note(io.styleError('yellow', warning));
    }
    return EXIT.ok;
  },
});

const addLogout = defineCommand({
  usage: 'logout <network>',
  summary: 'forget the login of a network, and remove SSH keys that Hitch put on its account',
  examples: [
    ['hitch networks logout sandbox', 'refused while something is rented there, which it takes to end it'],
  ],
  schema: z.object({ network: z.string(), json }),
  run: async ({ io, session }, { network: id, json: asJson }) => {
    const { api } = await session();
    await api.networks.logout({ provider: id });
    const left = (await api.networks.list()).find(network => network.id === id)?.login?.problem ?? null;
    if (asJson) {
      io.json({ loggedOut: id, warning: left });
    } else {
      io.line(`Logged out of ${id}.`);
      if (left !== null) {
        io.note(io.styleError('yellow', left));
      }
    }
    return left === null ? EXIT.ok : EXIT.notAll;
  },
});

const addTest = defineCommand({
  usage: 'test <network> [machine]',
  summary: 'ask a network who you are there, or a machine of your own what it has',
  examples: [
    ['hitch networks test sandbox', 'one call that costs nothing, with the login that is kept'],
    ['hitch networks test ssh gpu-box', 'GPUs, memory, disk, and who uses it'],
  ],
  schema: z.object({ network: z.string(), machine: z.string().optional(), json }),
  run: async (context, { network: id, machine, json: asJson }) => {
    if (machine !== undefined) {
      if (id !== 'ssh') {
        throw new HitchError('BAD_INPUT', 'Only the network ssh has machines of your own.', {
          field: 'network',
          next: 'Write ssh before the machine’s name.',
        });
      }
      return testMachine(context, machine, asJson);
    }
    const { io, session, clock } = context;
    const { api } = await session();
    const { message, account, warning } = await api.networks.test({ provider: id });
    if (asJson) {
      io.json({ network: id, message, account, warning });
    } else {
      io.line(message);
      linesOf(account, clock.now()).forEach(line => io.line(`  ${line}`));
    }
    return EXIT.ok;
  },
});

const addLimits = defineCommand({
  usage: 'limits [network]',
  summary: 'show how often each network may be asked, and what is used of it',
  examples: [['hitch networks limits', 'each kind of call, and until when it is paused and why']],
  schema: z.object({ network: z.string().optional(), json }),
  run: async ({ io, session, clock }, { network: id, json: asJson }) => {
    const { api } = await session();
    const meant = some(await api.networks.list(), id);
    if (asJson) {
      io.json(meant.map(({ id: network, limits }) => ({ network, limits })));
      return EXIT.ok;
    }
    for (const { title, id: network, limits } of meant) {
      io.line(`${title} (${network})${limits.length === 0 ? ': no limits' : ''}`);
      limits.forEach(limit => io.line(`  ${routeLine(limit, clock.now())}`));
    }
    return EXIT.ok;
  },
});

const addBalance = defineCommand({
  usage: 'balance [network]',
  summary: 'ask the networks what is left on your accounts',
  examples: [['hitch networks balance', 'balance, spend limit, and how long it lasts']],
  schema: z.object({ network: z.string().optional(), json }),
  run: async ({ io, session, clock }, { network: id, json: asJson }) => {
    const { api } = await session();
    const meant = some(await api.networks.list(), id).filter(
      ({ login, account }) => id !== undefined || account !== null || login?.state === 'present',
    );
    const asked = await Promise.all(
      meant.map(async ({ id: network, title }) => ({
        network,
        title,
        ...(await api.networks.test({ provider: network }).then(
          ({ account }) => ({ account, problem: null }),
          (error: unknown) => {
            // One network that does not answer keeps the balances of the others from nobody.
            if (id !== undefined || !(error instanceof HitchError)) {
              throw error;
            }
            return { account: null, problem: error.message };
          },
        )),
      })),
    );
    if (asJson) {
      io.json(asked);
      return asked.some(({ problem }) => problem !== null) ? EXIT.notAll : EXIT.ok;
    }
    if (asked.length === 0) {
      io.line('You are not logged in to any network with an account. See hitch networks ls');
    }
    for (const { title, account, problem } of asked) {
      const lines = linesOf(account, clock.now());
      io.line(`${title}: ${problem ?? (lines.length === 0 ? 'it says nothing of a balance' : '')}`.trimEnd());
      lines.forEach(line => io.line(`  ${line}`));
    }
    return asked.some(({ problem }) => problem !== null) ? EXIT.notAll : EXIT.ok;
  },
});

type Api = Awaited<ReturnType<Context['session']>>['api'];

/** Where own machines are off there are none to add. */
const hostsOf = (api: Api) =>
  api.networks.sshHosts().catch((error: unknown) => {
    if (error instanceof HitchError && error.code === 'CONFLICT') {
      return [];
    }
    throw error;
  });

/** What a person has read who means it. */
async function agreeToOther({ io }: Context, title: string, yes: boolean): Promise<void> {
  io.note(
    io.styleError('yellow', '⚠'),
    ` What Hitch rented at ${title} with the account before is lost from sight: it is taken for gone while it costs on, and nobody but you ends it, at ${title} itself.`,
  );
  if (yes) {
    return;
  }
  if (!io.interactive || !(await confirm(io, 'Log in with another account all the same?'))) {
    throw new CommandFailure(EXIT.declined, 'CONFLICT', 'The login stays as it was.', {
      next: 'Stop what is rented there first, or add --yes.',
    });
  }
}

function one(networks: readonly NetworkInfo[], id: string): NetworkInfo {
  const network = networks.find(other => other.id === id);
  if (network === undefined) {
    throw new HitchError('NOT_FOUND', `There is no network “${id}” here.`, {
      field: 'network',
      next: `Choose from: ${networks.map(other => other.id).join(', ')}.`,
    });
  }
  return network;
}

const some = (networks: readonly NetworkInfo[], id: string | undefined): readonly NetworkInfo[] =>
  id === undefined ? networks : [one(networks, id)];

const count = (many: number, what: string): string => `${many.toString()} ${what}${many === 1 ? '' : 's'}`;

function loginLines({ id, login }: NetworkInfo): readonly string[] {
  if (login === null) {
    return [];
  }
  const { state, neededFor, problem } = login;
  const variables = Object.values(login.variables);
  const how = `hitch networks login ${id}${variables.length === 0 ? '' : ` (or --from-env: ${variables.join(', ')})`}`;
  switch (state) {
    case 'present':
      return [
        `Logged in, kept in ${login.keptIn === 'file' ? 'a file that only you can read' : 'the keychain'}`,
      ];
    case 'refused':
      return [`${problem ?? 'The login is not accepted.'} Log in again: ${how}`];
    case 'absent':
      return [
        `Not logged in; needed ${neededFor.offers ? 'for its offers' : 'to rent there'}: ${how}`,
        ...(problem === null ? [] : [problem]),
      ];
  }
}

const linesOf = (account: NetworkAccount | null, nowMs: number): readonly string[] =>
  account === null ? [] : networkAccountLines(account, nowMs);

function fromVariables({ env }: Context, { title, login }: NetworkInfo): Record<string, string> {
  const fields = login?.fields ?? [];
  const values = fields.map(({ name }) => [name, env[login?.variables[name] ?? ''] ?? ''] as const);
  const missing = values.flatMap(([name, value]) => (value === '' ? (login?.variables[name] ?? name) : []));
  if (missing.length > 0) {
    throw new HitchError(
      'BAD_INPUT',
      `The login of ${title} is not in the environment: ${missing.join(', ')}.`,
      {
        next: `Set ${missing.length === 1 ? 'this variable' : 'these variables'}, or leave out --from-env to be asked.`,
      },
    );
  }
  return Object.fromEntries(values);
}

async function fromInput({ io }: Context, fields: readonly LoginField[]): Promise<Record<string, string>> {
  const text = (await readAll(io)).trim();
  const [first] = fields;
  if (text === '') {
    throw new HitchError('BAD_INPUT', 'Nothing was given on standard input; nothing was stored.');
  }
  if (fields.length === 1 && first !== undefined) {
    return { [first.name]: text };
  }
  const names = fields.map(({ name }) => name).join(', ');
  try {
    return z.record(z.string(), z.string()).parse(JSON.parse(text));
  } catch {
    // No cause: a parser's message quotes what it read.
    throw new HitchError('BAD_INPUT', 'Standard input is not a JSON object of texts.', {
      next: `Give it as {"name": "value"} with: ${names}.`,
    });
  }
}

async function typed({ io }: Context, { title, login }: NetworkInfo): Promise<Record<string, string>> {
  const values: Record<string, string> = {};
  for (const { scope, why } of login?.scopes ?? []) {
    io.note(`The key needs ${scope}: ${why}`);
  }
  for (const { name, label, secret, help, url } of login?.fields ?? []) {
    [help, url].forEach(line => line !== null && io.note(line));
    const question = `${label} of ${title}${secret ? ' (not shown)' : ''}: `;
    const value = (secret ? await askHidden(io, question) : await ask(io, question)).trim();
    if (value === '') {
      throw new HitchError('BAD_INPUT', `No value was given for ${label}; nothing was stored.`);
    }
    values[name] = value;
  }
  return values;
}

export const addNetworks = defineGroup({
  name: 'networks',
  summary: 'list the networks, log in to them, and add machines of your own',
  commands: [addList, addLogin, addLogout, addTest, addLimits, addBalance, addAdd, addRemove, addClean],
});
