/** What `rent` can be told, and the quote request it becomes. */
import {
  clusterNameSchema,
  DEFAULT_LIMITS,
  formatMicroUsd,
  HitchError,
  parseMicroUsd,
  quoteRequestSchema,
  secretNameSchema,
  workPathSchema,
  type QuoteRequest,
} from '@hitch/contract';
import type { Command } from 'commander';
import { resolve } from 'node:path';
import * as z from 'zod';
import type { Context } from '../context.ts';
import { parseMoment } from '../screen/times.ts';
import { dollars, durationOrNever, wholeNumber } from '../values.ts';
import { addFilterOptions, filterFrom, filterOptionsShape } from './filter-options.ts';

export function addRentOptions(command: Command): Command {
  return addFilterOptions(command)
    .option('--nodes <count>', 'how many machines')
    .option('--offer <id...>', 'these offers, in this order, instead of the cheapest that match')
    .option('--engine <engine>', 'single (one machine) or ray (several)')
    .option('--template <id>', 'what to set up: notebook or ray')
    .option('--cap <dollars>', 'spending limit, saving included (default: $2)')
    .option('--stop-at <time>', 'when to stop, such as 18:10')
    .option('--for <duration>', 'how long it may run, such as 2h, or never (default: 4h)')
    .option('--idle <duration>', 'stop when idle for this long, or never (default: 30m)')
    .option('--save <path...>', 'files and folders to copy here before it is deleted')
    .option('--to <folder>', 'where the saved files go')
    .option('--secret <name...>', 'stored secrets to give to this cluster')
    .option('--name <name>', "the cluster's name")
    .option('-y, --yes', 'rent without asking; needs --max')
    .option('--max <dollars>', 'the highest price per hour, all machines together, that --yes accepts')
    .option('--no-wait', 'return as soon as it is ordered');
}

export const rentSchema = z.object({
  ...filterOptionsShape,
  nodes: wholeNumber(1, 100).default(1),
  offer: z.array(z.string()).default([]),
  engine: z.string().optional(),
  template: z.string().optional(),
  cap: dollars.optional(),
  stopAt: z.string().optional(),
  for: durationOrNever.optional(),
  idle: durationOrNever.optional(),
  save: z.array(workPathSchema).default([]),
  to: z.string().optional(),
  secret: z.array(secretNameSchema).default([]),
  name: clusterNameSchema.optional(),
  yes: z.boolean().default(false),
  max: dollars.optional(),
  wait: z.boolean().default(true),
  json: z.boolean().default(false),
});
export type RentInput = z.output<typeof rentSchema>;

/** When it is to stop, from `--stop-at` or `--for`; null: never; undefined when neither was given. */
export function stopTime(
  options: { readonly stopAt?: string | undefined; readonly for?: number | null | undefined },
  nowMs: number,
): number | null | undefined {
  if (options.stopAt !== undefined && options.for !== undefined) {
    throw new HitchError('BAD_INPUT', 'Give --stop-at or --for, not both.', { field: '--stop-at' });
  }
  if (options.for !== undefined) {
    return options.for === null ? null : nowMs + options.for;
  }
  if (options.stopAt === undefined) {
    return undefined;
  }
  try {
    return parseMoment(options.stopAt, nowMs);
  } catch (error) {
    const sentence = error instanceof Error ? error.message : String(error);
    throw new HitchError('BAD_INPUT', `--stop-at: ${sentence}`, { field: '--stop-at', cause: error });
  }
}

/** `0` on the wire means never. */
const idleOnWire = (idle: number | null | undefined): number | null => (idle === null ? 0 : (idle ?? null));

export function quoteRequestFrom(input: RentInput, { clock, cwd }: Context): QuoteRequest {
  if (input.yes && input.max === undefined) {
    throw new HitchError('BAD_INPUT', '--yes needs --max: the highest price an hour that you accept.', {
      field: '--max',
      next: 'See the price first: hitch rent without --yes shows it and asks.',
    });
  }
  const maxNodePrice =
    input.max === undefined ? null : formatMicroUsd(parseMicroUsd(input.max) / BigInt(input.nodes));
  const stopAtMs = stopTime(input, clock.now());
  return quoteRequestSchema.parse({
    template: input.template ?? null,
    engine: input.engine ?? null,
    nodes: input.nodes,
    offerIds: input.offer,
    filter: filterFrom(input),
    maxNodePricePerHourMicroUsd: maxNodePrice,
    capMicroUsd: input.cap ?? null,
    stopAtMs: stopAtMs === undefined ? clock.now() + DEFAULT_LIMITS.stopAfterMs : stopAtMs,
    idleMs: idleOnWire(input.idle),
    save: { paths: input.save, toFolder: input.to === undefined ? null : resolve(cwd, input.to) },
    secrets: input.secret,
  });
}
