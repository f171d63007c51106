/** `hitch adopt`: a machine on the account that this Hitch did not rent becomes a cluster of it, to be ended, and used if so asked. */
import { resolve } from 'node:path';
import {
  adoptionLines,
  type Cluster,
  clusterNameSchema,
  DEFAULT_LIMITS,
  format,
  formatMicroUsd,
  HitchError,
  isOver,
  type NetworkInfo,
  type NotOurs,
  parseMicroUsd,
  setUpLines,
  type SetUpWay,
  shownName,
} from '@hitch/contract';
import * as z from 'zod';
import { defineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { CommandFailure } from '../errors.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { confirm } from '../screen/prompt.ts';
import { dollars, durationOrNever } from '../values.ts';
import { stopTime } from './rent-options.ts';
import { finishStop } from './stop-wait.ts';

const schema = z
  .object({
    network: z.string(),
    instance: z.string(),
    cap: dollars.optional(),
    stopAt: z.string().optional(),
    for: durationOrNever.optional(),
    end: z.boolean().default(false),
    setUp: z.boolean().default(false),
    identity: z.string().min(1, 'must be the path of a private key').optional(),
    name: clusterNameSchema.optional(),
    yes: z.boolean().default(false),
    json: z.boolean().default(false),
  })
  .refine(({ end, setUp, identity }) => !end || (!setUp && identity === undefined), {
    path: ['end'],
    message: 'cannot be combined with --set-up and --identity',
  });
type Input = z.output<typeof schema>;

async function adopt(context: Context, input: Input): Promise<ExitCode> {
  const { io, clock } = context;
  const { api } = await context.session();
  const network = one(await api.networks.list(), input.network);
  const before = adoptedBefore(network.id, input.instance, await api.clusters.list());
  if (before !== undefined) {
    return setUpLater(context, input, network, before);
  }
  const machine = foundIn(network, input.instance);
  const setUp = wayOf(network, machine, input, context.cwd);
  if (!input.end && input.cap !== undefined && parseMicroUsd(input.cap) <= 0n) {
    throw new HitchError('BAD_INPUT', `--cap: ${format.dollars(input.cap)} would end it at once.`, {
      field: '--cap',
      next: 'Give a higher limit, or end it on purpose with --end.',
    });
  }
  const said = stopTime(input, clock.now());
  const stopAtMs = said === undefined ? clock.now() + DEFAULT_LIMITS.stopAfterMs : said;
  const capMicroUsd = input.cap ?? formatMicroUsd(DEFAULT_LIMITS.capMicroUsd);
  const terms = { capMicroUsd, stopAtMs, setUp, isEnded: input.end };
  await agree(context, input, adoptionLines(network, machine, terms, clock.now()));
  const cluster = await api.clusters.adopt({
    provider: network.id,
    instanceId: machine.id,
    pricePerHourMicroUsd: machine.pricePerHourMicroUsd,
    capMicroUsd,
    stopAtMs,
    ...(input.name === undefined ? {} : { name: input.name }),
    ...(setUp === undefined ? {} : { setUp }),
  });
  if (input.json) {
    io.jsonLine({ type: 'adopted', cluster });
  } else {
    io.line(
      setUp === undefined
        ? `${shownName(machine.id)} is ${cluster.name} now. See it with hitch show ${cluster.name}.`
        : `${shownName(machine.id)} is ${cluster.name} now, and is being set up. Follow it with hitch show ${cluster.name}; then hitch run, hitch ssh and both editors reach it.`,
    );
  }
  return input.end ? end(context, cluster, input.json) : EXIT.ok;
}

async function end(context: Context, { id }: Cluster, json: boolean): Promise<ExitCode> {
  const { api } = await context.session();
  const stopping = await api.clusters.stop({ clusterId: id, skipSave: true });
  await finishStop(context, stopping, json);
  return EXIT.ok;
}

async function agree(
  { io }: Context,
  { yes, json, end: isEnded }: Input,
  lines: readonly string[],
): Promise<void> {
  if (!json) {
    lines.forEach(line => io.line(line));
  }
  if (yes) {
    return;
  }
  if (json || !io.interactive) {
    throw new CommandFailure(
      EXIT.declined,
      'BAD_INPUT',
      'Adopting a machine needs your approval, and there is no terminal to ask in; it was left alone.',
      { next: 'Add --yes.' },
    );
  }
  if (!(await confirm(io, isEnded ? 'Adopt it and end it?' : 'Adopt it?'))) {
    throw new CommandFailure(EXIT.declined, 'CONFLICT', 'It was left alone.');
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

/** How the cluster's key is to get there; undefined: it is counted and ended, no more. */
function wayOf(
  { title }: NetworkInfo,
  { canBeSetUp, id }: Pick<NotOurs, 'canBeSetUp' | 'id'>,
  { setUp, identity }: Input,
  cwd: string,
): SetUpWay | undefined {
  if (identity !== undefined) {
    return { by: 'identity', file: identity.startsWith('~/') ? identity : resolve(cwd, identity) };
  }
  if (!setUp) {
    return undefined;
  }
  if (canBeSetUp === 'by_network') {
    return { by: 'network' };
  }
  throw new HitchError(
    'BAD_INPUT',
    canBeSetUp === undefined
      ? `--set-up: ${shownName(id)} does not run, or ${title} does not say where ssh leads to it.`
      : `--set-up: ${title} lets no key in to a machine that runs already.`,
    {
      field: '--set-up',
      next:
        canBeSetUp === undefined
          ? 'Leave it out to have it counted and ended.'
          : 'Name your own key that opens it: --identity FILE',
    },
  );
}

function foundIn({ title, notOurs }: NetworkInfo, instance: string): NotOurs {
  const machine = notOurs.find(({ id: known, mark }) => known === instance || mark === instance);
  if (machine === undefined) {
    const there = notOurs.map(({ id: known }) => shownName(known));
    throw new HitchError('NOT_FOUND', `${title} showed no machine “${instance}” that is not ours.`, {
      field: 'instance',
      next:
        there.length === 0
          ? 'To have the networks asked now: hitch doctor.'
          : `There are: ${there.join(', ')}.`,
    });
  }
  return machine;
}

/** What was taken over to be counted, or could not be set up then. */
const adoptedBefore = (
  provider: string,
  instance: string,
  clusters: readonly Cluster[],
): Cluster | undefined =>
  clusters.find(
    ({ nodes, phase }) =>
      !isOver({ phase }) &&
      nodes.some(({ attempts }) =>
        attempts.some(
          each =>
            each.provider === provider &&
            each.instanceId === instance &&
            each.state === 'owned' &&
            each.adopted === 'watched',
        ),
      ),
  );

async function setUpLater(
  context: Context,
  input: Input,
  network: NetworkInfo,
  cluster: Cluster,
): Promise<ExitCode> {
  const { io, clock, cwd } = context;
  const { instance: instanceId, setUp: isAsked } = input;
  // Whether the network lets keys in is for the daemon to say: no list shows it as not ours any more.
  const setUp = wayOf(network, { id: instanceId, canBeSetUp: 'by_network' }, input, cwd);
  if (setUp === undefined && !isAsked) {
    throw new HitchError('CONFLICT', `${shownName(instanceId)} is ${cluster.name} already.`, {
      field: 'instance',
      next: `To work on it: --set-up or --identity FILE. To end it: hitch stop ${cluster.name}`,
    });
  }
  await agree(context, input, [
    `${shownName(instanceId)} at ${network.title} is ${cluster.name} already; its limits stay as they are.`,
    ...setUpLines(network.title, setUp),
  ]);
  const { api } = await context.session();
  const { totalMicroUsd: capMicroUsd } = cluster.caps;
  const changed = await api.clusters.adopt({
    provider: network.id,
    instanceId,
    pricePerHourMicroUsd: cluster.usage.ratePerHourMicroUsd,
    capMicroUsd,
    stopAtMs: cluster.caps.stopAtMs ?? clock.now() + DEFAULT_LIMITS.stopAfterMs,
    ...(setUp === undefined ? {} : { setUp }),
  });
  if (input.json) {
    io.jsonLine({ type: 'adopted', cluster: changed });
  } else {
    io.line(`${cluster.name} is being set up. Follow it with hitch show ${cluster.name}.`);
  }
  return EXIT.ok;
}

export const addAdopt = defineCommand({
  usage: 'adopt <network> <instance>',
  summary: 'have Hitch count, end and, if you like, use a machine on your account that it did not rent',
  examples: [
    ['hitch networks ls', 'shows what is on your accounts and not ours, with its price'],
    ['hitch adopt vast 123456 --for 2h --cap 5', 'ended after two hours, or once it has cost $5 from now on'],
    [
      'hitch adopt vast 123456 --set-up',
      'set up too, by a key that the network lets in: a cluster of one machine',
    ],
    [
      'hitch adopt prime abc --identity ~/.ssh/id_ed25519',
      'set up with your own key, used once and kept nowhere',
    ],
    ['hitch adopt vast 123456 --end', 'ended now, and confirmed gone'],
  ],
  options: command =>
    command
      .option('--cap <dollars>', 'the most that it may cost from now on (default: $2)')
      .option('--stop-at <time>', 'when to end it, such as 18:10')
      .option('--for <duration>', 'how long it may run on, such as 2h, or never (default: 4h)')
      .option('--set-up', 'make it a machine for notebooks; its network lets a key of the cluster in')
      .option('--identity <file>', 'the same with your own ssh key that opens it, used for one connection')
      .option('--end', 'end it at once, and wait until it is confirmed gone')
      .option('--name <name>', "the cluster's name")
      .option('-y, --yes', 'do not ask'),
  schema,
  run: adopt,
});
