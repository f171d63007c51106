/** What `rent` can be told, and the quote request it becomes. */
import {
  clusterNameSchema,
  DEFAULT_LIMITS,
  formatMicroUsd,
  HitchError,
  parseMicroUsd,
  pythonVersionSchema,
  quoteRequestSchema,
  secretNameSchema,
  workPathSchema,
  type OfferFilter,
  type QuoteRequest,
  type WishChange,
} from '@hitch/contract';
import type { Command } from 'commander';
import { resolve } from 'node:path';
import * as z from 'zod';
import type { Context } from '../context.ts';
import { parseMoment } from '../screen/times.ts';
import { dollars, durationOrNever, hours, imageName, oneOf, wholeNumber } from '../values.ts';
import { parameterValues } from './job-rent.ts';
import { addFilterOptions, filterFrom, filterOptionsShape } from './filter-options.ts';

const collect = (value: string, before: string[] = []): string[] => [...before, value];

export function addRentOptions(command: Command): Command {
  return addFilterOptions(command, 'a disk of this size, or larger where its size cannot be chosen')
    .option('--nodes <count>', 'how many machines')
    .option('--offer <id...>', 'these offers, in this order, instead of the best that match')
    .option(
      '--networks <which>',
      'any: when the first is gone, others like it are tried at every network; same: at its own alone (default: those that --provider lets in)',
    )
    .option('--image <name>', 'the image to rent with, where the offer takes one')
    .option('--bid <dollars>', 'the most to pay per hour for each spot machine; lost when somebody pays more')
    .option('--hours <count>', 'hours to pay at once, where time is sold ahead (default: until it stops)')
    .option('--engine <engine>', 'single (one machine) or ray (several)')
    .option('--template <id>', 'what to set up, such as notebook or ray; one with a command runs as a job')
    .option(
      '--preset <name>',
      'what you usually rent (hitch presets), or a preset of a template with a command',
    )
    .option('--set <name=value>', 'a parameter of a template with a command; again for more', collect)
    .option(
      '--env <file>',
      'its packages: a requirements file or lock, pyproject.toml, environment.yml or script',
    )
    .option('--python <version>', 'the Python for --env, such as 3.12')
    .option('--platform <name>', 'lock --env for linux-x86_64 (default) or linux-aarch64')
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
  disk: wholeNumber(1, 1_000_000).optional(),
  nodes: wholeNumber(1, 100).optional(),
  offer: z.array(z.string()).default([]),
  networks: oneOf(['any', 'same']).optional(),
  image: imageName.optional(),
  bid: dollars.optional(),
  hours: hours.optional(),
  engine: z.string().optional(),
  template: z.string().optional(),
  preset: z.string().optional(),
  set: parameterValues,
  env: z.string().optional(),
  python: pythonVersionSchema.optional(),
  platform: oneOf(['linux-x86_64', 'linux-aarch64']).optional(),
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

const HOUR_MS = 3_600_000;

/**
 * When it is to stop, from `--stop-at` or `--for`, or with the hours that are paid at once; null: never; undefined when none of
 * them was given.
 */
export function stopTime(
  options: {
    readonly stopAt?: string | undefined;
    readonly for?: number | null | undefined;
    readonly hours?: number | null | undefined;
  },
  nowMs: number,
): number | null | undefined {
  if (options.stopAt !== undefined && options.for !== undefined) {
    throw new HitchError('BAD_INPUT', 'Give --stop-at or --for, not both.', { field: '--stop-at' });
  }
  if (options.for !== undefined) {
    return options.for === null ? null : nowMs + options.for;
  }
  if (options.stopAt === undefined) {
    return options.hours === undefined || options.hours === null
      ? undefined
      : nowMs + options.hours * HOUR_MS;
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

/** A disk that is chosen with the offer need not be there as offered, and a bid is one for spot. */
function filterOf({ disk: _, ...input }: RentInput): OfferFilter {
  const filter = filterFrom(input);
  return input.bid === undefined || filter.markets !== undefined ? filter : { ...filter, markets: ['spot'] };
}

/** What is asked for beside what offers say, as it stands on the wire. */
export const wishesFrom = ({
  disk,
  image,
  bid,
  hours: paid,
}: {
  readonly disk?: number | null | undefined;
  readonly image?: string | null | undefined;
  readonly bid?: string | null | undefined;
  readonly hours?: number | null | undefined;
}): WishChange => ({
  ...(disk === undefined ? {} : { diskGiB: disk }),
  ...(image === undefined ? {} : { image }),
  ...(bid === undefined ? {} : { bidPerHourMicroUsd: bid }),
  ...(paid === undefined ? {} : { termMs: paid === null ? null : paid * HOUR_MS }),
});

export function quoteRequestFrom(input: RentInput, { clock, cwd }: Context): QuoteRequest {
  if (input.yes && input.max === undefined) {
    throw new HitchError('BAD_INPUT', '--yes needs --max: the highest price an hour that you accept.', {
      field: '--max',
      next: 'See the price first: hitch rent without --yes shows it and asks.',
    });
  }
  const { nodes = 1 } = input;
  const maxNodePrice =
    input.max === undefined ? null : formatMicroUsd(parseMicroUsd(input.max) / BigInt(nodes));
  const stopAtMs = stopTime(input, clock.now());
  return quoteRequestSchema.parse({
    template: input.template ?? null,
    engine: input.engine ?? null,
    nodes,
    offerIds: input.offer,
    filter: filterOf(input),
    otherNetworks: input.networks === undefined ? null : input.networks === 'any',
    ...wishesFrom(input),
    maxNodePricePerHourMicroUsd: maxNodePrice,
    capMicroUsd: input.cap ?? null,
    stopAtMs: stopAtMs === undefined ? clock.now() + DEFAULT_LIMITS.stopAfterMs : stopAtMs,
    idleMs: idleOnWire(input.idle),
    save: { paths: input.save, toFolder: input.to === undefined ? null : resolve(cwd, input.to) },
    secrets: input.secret,
  });
}
