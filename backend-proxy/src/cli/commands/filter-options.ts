/** Options that narrow offers, the same for `offers` and `rent`. */
import {
  connectivitySchema,
  cutText,
  machineKindSchema,
  offerFilterSchema,
  providerIdSchema,
  securitySchema,
  trustSchema,
  type OfferFilter,
} from '@hitch/contract';
import type { Command } from 'commander';
import * as z from 'zod';
import { dollars, oneOf, percent, wholeNumber } from '../values.ts';

const DISK = 'at least this much disk';

/** @param disk what is said of `--disk`. */
export function addFilterOptions(command: Command, disk = DISK): Command {
  return command
    .option('--gpu <model...>', 'GPU models, such as "RTX 4090"')
    .option('--gpus <count>', 'at least this many GPUs in one machine')
    .option('--vram <GB>', 'at least this much memory per GPU')
    .option('--max-price <dollars>', 'at most this price per machine and hour, everything included')
    .option('--provider <id...>', 'networks, such as vast')
    .option('--practice', 'offers of the practice market only')
    .option('--real', 'no practice offers')
    .option('--rentable', 'only what can be rented now, with the logins you have')
    .option('--country <code...>', 'two-letter country codes')
    .option('--kind <kind...>', machineKindSchema.options.join(', '))
    .option('--spot', 'spot only (cheaper, can be taken back at any time); with --on-demand both')
    .option('--on-demand', 'on-demand only')
    .option('--trust <level...>', trustSchema.options.join(', '))
    .option('--security <level...>', securitySchema.options.join(', '))
    .option('--reliability <percent>', 'at least this uptime of the host')
    .option('--connectivity <level>', `at least: ${connectivitySchema.options.join(', ')}`)
    .option('--cpus <count>', 'at least this many CPU cores')
    .option('--ram <GB>', 'at least this much memory')
    .option('--disk <GB>', disk)
    .option('--down <Mbps>', 'at least this download speed')
    .option('--or-not-stated', 'with --reliability, --cpus, --ram, --disk, --down: also what states none')
    .option('--multi-node', 'only machines that can be joined into a cluster')
    .option('--ends-alone', 'only machines that stop by themselves with this computer off');
}

const BIG = 1_000_000;

const networkId = z.string().refine(text => providerIdSchema.safeParse(text).success, {
  error: issue =>
    `"${cutText(String(issue.input), 40)}" is not the id of a network, such as vast: hitch networks ls shows them.`,
});

export const filterOptionsShape = {
  gpu: z.array(z.string()).optional(),
  gpus: wholeNumber(0, 1000).optional(),
  vram: wholeNumber(0, 10_000).optional(),
  maxPrice: dollars.optional(),
  provider: z.array(networkId).max(50, 'takes 50 networks at most').optional(),
  practice: z.boolean().optional(),
  real: z.boolean().optional(),
  rentable: z.literal(true).optional(),
  country: z.array(z.string().regex(/^[A-Za-z]{2}$/, 'a country is two letters, such as DE')).optional(),
  kind: z.array(oneOf(machineKindSchema.options)).optional(),
  spot: z.boolean().optional(),
  onDemand: z.boolean().optional(),
  trust: z.array(oneOf(trustSchema.options)).optional(),
  security: z.array(oneOf(securitySchema.options)).optional(),
  reliability: percent.optional(),
  connectivity: oneOf(connectivitySchema.options).optional(),
  cpus: wholeNumber(0, 10_000).optional(),
  ram: wholeNumber(0, BIG).optional(),
  disk: wholeNumber(0, BIG).optional(),
  down: wholeNumber(0, BIG).optional(),
  orNotStated: z.literal(true).optional(),
  multiNode: z.boolean().optional(),
  endsAlone: z.boolean().optional(),
};
type FilterOptions = z.output<z.ZodObject<typeof filterOptionsShape>>;

const gibToMib = (gib: number | undefined): number | undefined =>
  gib === undefined ? undefined : gib * 1024;

function marketsOf(options: FilterOptions): ('spot' | 'on_demand')[] | undefined {
  const markets = [
    ...(options.spot === true ? (['spot'] as const) : []),
    ...(options.onDemand === true ? (['on_demand'] as const) : []),
  ];
  return markets.length === 0 ? undefined : markets;
}

export function filterFrom(options: FilterOptions): OfferFilter {
  return offerFilterSchema.parse({
    gpuModels: options.gpu,
    minGpuCount: options.gpus,
    minVramMiB: gibToMib(options.vram),
    maxPricePerHourMicroUsd: options.maxPrice,
    providers: options.provider,
    practice: options.practice === true ? 'only' : options.real === true ? 'exclude' : undefined,
    rentable: options.rentable,
    countries: options.country?.map(code => code.toUpperCase()),
    kinds: options.kind,
    markets: marketsOf(options),
    trusts: options.trust,
    securities: options.security,
    minReliability: options.reliability,
    minConnectivity: options.connectivity,
    minCpuCores: options.cpus,
    minRamMiB: gibToMib(options.ram),
    minDiskGiB: options.disk,
    minDownMbps: options.down,
    orNotStated: options.orNotStated,
    multiNode: options.multiNode,
    endsBillingAlone: options.endsAlone,
  });
}
