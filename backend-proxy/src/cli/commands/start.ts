/** `hitch start`: the machines of a stopped cluster once more, and other machines for lost nodes. */
import { HitchError, type LimitChange, pythonVersionSchema } from '@hitch/contract';
import * as z from 'zod';
import { findCluster } from '../clusters.ts';
import { defineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { lockOrSay, readEnvironmentFile } from '../environment-file.ts';
import { CommandFailure } from '../errors.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { clusterRef, dollars, durationOrNever, hours, imageName, orNone, wholeNumber } from '../values.ts';
import { agree, placeOrder, showQuote } from './order.ts';
import { stopTime, wishesFrom } from './rent-options.ts';

const startSchema = z.object({
  cluster: clusterRef,
  cap: dollars.optional(),
  stopAt: z.string().optional(),
  for: durationOrNever.optional(),
  idle: durationOrNever.optional(),
  disk: orNone(wholeNumber(1, 1_000_000)).optional(),
  image: orNone(imageName).optional(),
  hours: orNone(hours).optional(),
  bid: orNone(dollars).optional(),
  env: z.string().optional(),
  python: pythonVersionSchema.optional(),
  other: z.boolean().default(false),
  yes: z.boolean().default(false),
  max: dollars.optional(),
  wait: z.boolean().default(true),
  json: z.boolean().default(false),
});
type StartInput = z.output<typeof startSchema>;

function limitsFrom(input: StartInput, nowMs: number): LimitChange {
  const stopAtMs = stopTime(input, nowMs);
  return {
    ...(input.cap === undefined ? {} : { capMicroUsd: input.cap }),
    ...(stopAtMs === undefined ? {} : { stopAtMs }),
    ...(input.idle === undefined ? {} : { idleMs: input.idle }),
  };
}

async function start(context: Context, input: StartInput): Promise<ExitCode> {
  if (input.yes && input.max === undefined) {
    throw new HitchError('BAD_INPUT', '--yes needs --max: the highest price an hour that you accept.', {
      field: '--max',
      next: 'See the price first: hitch start without --yes shows it and asks.',
    });
  }
  const { api } = await context.session();
  const { id: clusterId, engine } = await findCluster(api, input.cluster);
  const environment =
    input.env === undefined
      ? null
      : await lockOrSay(
          context,
          api,
          { file: await readEnvironmentFile(context.cwd, input.env), python: input.python ?? null, engine },
          input.json,
        );
  const quote = await api.quotes.again({
    clusterId,
    skipTried: input.other,
    ...limitsFrom(input, context.clock.now()),
    ...wishesFrom(input),
    ...(environment === null ? {} : { environment: environment.id }),
  });
  showQuote(context, quote, input.json);
  if (input.yes && quote.again?.isAlike === false) {
    throw new CommandFailure(
      EXIT.nothingBought,
      'NO_OFFERS',
      `${quote.again.changes.join(' ')} Nothing was rented.`,
      { next: 'Run it without --yes to look at it and decide.' },
    );
  }
  await agree(context, input, quote);
  return placeOrder(context, input, quote, () => api.clusters.startAgain({ clusterId, quoteId: quote.id }));
}

export const addStart = defineCommand({
  usage: 'start <cluster>',
  summary: 'start a stopped cluster again as it was, or replace its lost machines',
  examples: [
    ['hitch start llm-dev', 'the GPU, limits, saved paths and secrets it had, at today’s price'],
    ['hitch start llm-dev --cap 5 --for 2h', 'with other limits'],
    ['hitch start llm-dev --other', 'not the offers that were tried last time'],
    [
      'hitch start llm-dev --yes --max 0.60',
      'for scripts: at up to $0.60/h, and only on the same kind of GPU',
    ],
  ],
  options: command =>
    command
      .option('--cap <dollars>', 'spending limit (default: as before)')
      .option('--stop-at <time>', 'when to stop, such as 18:10')
      .option('--for <duration>', 'how long it may run, such as 2h, or never (default: as before)')
      .option('--idle <duration>', 'stop when idle for this long, or never (default: as before)')
      .option('--disk <GB>', 'with a disk of this size, or none for what is offered (default: as before)')
      .option('--env <file>', 'with the packages of this file (default: as before)')
      .option('--python <version>', 'the Python for --env, such as 3.12')
      .option('--image <name>', 'with this image, or none (default: as before)')
      .option(
        '--bid <dollars>',
        'the most to pay per hour for each spot machine, or none (default: as before)',
      )
      .option(
        '--hours <count>',
        'hours to pay at once where time is sold ahead, or none (default: as before)',
      )
      .option('--other', 'skip the offers that were tried last time')
      .option('-y, --yes', 'rent without asking; needs --max')
      .option('--max <dollars>', 'the highest price per hour, all machines together, that --yes accepts')
      .option('--no-wait', 'return as soon as it is ordered'),
  schema: startSchema,
  run: start,
});
