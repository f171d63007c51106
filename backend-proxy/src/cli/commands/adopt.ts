/** `hitch adopt`: a machine on the account that this Hitch did not rent becomes a cluster of it, to be watched and ended. */
import {
  type Cluster,
  clusterNameSchema,
  DEFAULT_LIMITS,
  format,
  formatMicroUsd,
  HitchError,
  type NetworkInfo,
  type NotOurs,
  parseMicroUsd,
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

const schema = z.object({
  network: z.string(),
  instance: z.string(),
  cap: dollars.optional(),
  stopAt: z.string().optional(),
  for: durationOrNever.optional(),
  end: z.boolean().default(false),
  name: clusterNameSchema.optional(),
  yes: z.boolean().default(false),
  json: z.boolean().default(false),
});
type Input = z.output<typeof schema>;

async function adopt(context: Context, input: Input): Promise<ExitCode> {
  const { io, clock } = context;
  const { api } = await context.session();
  const network = one(await api.networks.list(), input.network);
  const machine = foundIn(network, input.instance);
  if (!input.end && input.cap !== undefined && parseMicroUsd(input.cap) <= 0n) {
    throw new HitchError('BAD_INPUT', `--cap: ${format.dollars(input.cap)} would end it at once.`, {
      field: '--cap',
      next: 'Give a higher limit, or end it on purpose with --end.',
    });
  }
  const said = stopTime(input, clock.now());
  const stopAtMs = said === undefined ? clock.now() + DEFAULT_LIMITS.stopAfterMs : said;
  const capMicroUsd = input.cap ?? formatMicroUsd(DEFAULT_LIMITS.capMicroUsd);
  await agree(context, input, linesOf(network, machine, { capMicroUsd, stopAtMs, ...input }, clock.now()));
  const cluster = await api.clusters.adopt({
    provider: network.id,
    instanceId: machine.id,
    pricePerHourMicroUsd: machine.pricePerHourMicroUsd,
    capMicroUsd,
    stopAtMs,
    ...(input.name === undefined ? {} : { name: input.name }),
  });
  if (input.json) {
    io.jsonLine({ type: 'adopted', cluster });
  } else {
    io.line(`${shownName(machine.id)} is ${cluster.name} now. See it with hitch show ${cluster.name}.`);
  }
  return input.end ? end(context, cluster, input.json) : EXIT.ok;
}

async function end(context: Context, { id }: Cluster, json: boolean): Promise<ExitCode> {
  const { api } = await context.session();
  const stopping = await api.clusters.stop({ clusterId: id, skipSave: true });
  await finishStop(context, stopping, json);
  return EXIT.ok;
}

interface Limits {
  readonly capMicroUsd: string;
  readonly stopAtMs: number | null;
  readonly end: boolean;
}

function linesOf(
  { title }: NetworkInfo,
  { id, mark, status, pricePerHourMicroUsd: price }: NotOurs,
  { capMicroUsd, stopAtMs, end: isEnded }: Limits,
  nowMs: number,
): readonly string[] {
  const name = mark === null || mark === id ? shownName(id) : `${shownName(mark)} (${shownName(id)})`;
  const costs = price === null ? 'its price is not said' : `${format.dollars(price)}/h`;
  const when = stopAtMs === null ? '' : `at ${format.clock(stopAtMs, nowMs)}, or `;
  return [
    `${name} at ${title}: ${status}, ${costs}. This Hitch did not rent it: whoever did may still use it.`,
    ...(price === null
      ? [
          `What it costs cannot be counted: only the time ends it${stopAtMs === null ? ', and you gave none' : ''}.`,
        ]
      : []),
    isEnded
      ? 'Hitch ends it now, and all that is on it is lost.'
      : `It is counted from now on. Hitch ends it ${when}once it has cost ${format.dollars(capMicroUsd)} from now on; all that is on it is lost then.`,
    ...(isEnded
      ? []
      : ['Nothing is set up on it: it is no machine for notebooks, and what runs on it goes on until then.']),
  ];
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

export const addAdopt = defineCommand({
  usage: 'adopt <network> <instance>',
  summary: 'have Hitch count and end a machine on your account that it did not rent',
  examples: [
    ['hitch networks ls', 'shows what is on your accounts and not ours, with its price'],
    ['hitch adopt vast 123456 --for 2h --cap 5', 'ended after two hours, or once it has cost $5 from now on'],
    ['hitch adopt vast 123456 --end', 'ended now, and confirmed gone'],
  ],
  options: command =>
    command
      .option('--cap <dollars>', 'the most that it may cost from now on (default: $2)')
      .option('--stop-at <time>', 'when to end it, such as 18:10')
      .option('--for <duration>', 'how long it may run on, such as 2h, or never (default: 4h)')
      .option('--end', 'end it at once, and wait until it is confirmed gone')
      .option('--name <name>', "the cluster's name")
      .option('-y, --yes', 'do not ask'),
  schema,
  run: adopt,
});
