/**
 * What people usually rent, as data: the same lines in all clients, kept by the daemon in a file that a person may change. A
 * preset says what is wanted; what it may cost and how long it may run are the client's own limits.
 */
import * as z from 'zod';
import { offerFilterSchema, providerIdSchema, type OfferFilter } from './offers.ts';
import { formatMicroUsd, microUsdSchema, parseDollars } from './money.ts';

export const presetIdSchema = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,39}$/, 'has lower-case letters, digits and hyphens, 40 at most, a letter first');

export const presetSchema = z.object({
  id: presetIdSchema,
  label: z.string(),
  detail: z.string(),
  nodes: z.number().int().min(1),
  /** Null: the one for so many nodes. */
  template: z.string().nullable(),
  filter: offerFilterSchema,
  /** Never pay more an hour for one node; null: what the daemon chooses. */
  maxNodePricePerHourMicroUsd: microUsdSchema.nullable(),
});
export type Preset = z.infer<typeof presetSchema>;

export const PRESETS_SCHEMA = 'hitch-presets/1';

/** Dollars as a person writes them into a file: a number, or text where a number would be another. */
const dollarsSchema = z
  .union([z.number(), z.string()])
  .transform(value => value.toString())
  .pipe(z.string().regex(/^\d{1,6}(\.\d{1,6})?$/, 'is an amount in dollars, such as 1.50'));

const gigabytes = z.number().int().min(1).max(10_000);

/** One entry of the file: what the options of `hitch rent` are called. */
const entrySchema = z.strictObject({
  id: presetIdSchema,
  label: z.string().min(1).max(80),
  detail: z.string().max(200).default(''),
  nodes: z.number().int().min(1).max(100).default(1),
  template: z.string().min(1).max(200).optional(),
  gpu: z.array(z.string().min(1).max(80)).min(1).max(100).optional(),
  gpus: z.number().int().min(0).max(1000).optional(),
  vram: gigabytes.optional(),
  ram: gigabytes.optional(),
  disk: z.number().int().min(1).max(1_000_000).optional(),
  down: z.number().int().min(1).max(1_000_000).optional(),
  maxPrice: dollarsSchema.optional(),
  provider: z.array(providerIdSchema).min(1).max(50).optional(),
  country: z
    .array(z.string().regex(/^[A-Za-z]{2}$/, 'is a country of two letters, such as DE'))
    .max(250)
    .optional(),
  trust: offerFilterSchema.shape.trusts,
  practice: z.boolean().default(false),
  spot: z.boolean().default(false),
});
type Entry = z.infer<typeof entrySchema>;

export const presetFileSchema = z.strictObject({
  schema: z.literal(PRESETS_SCHEMA),
  presets: z.array(entrySchema).min(1).max(30),
});

/** Memory is counted in MiB, and a card that is sold as 24 GB reports a little less than 24 GiB. */
const vramMiB = (sold: number): number => sold * 1000;

/** Spot may be taken away, and some offers can only be looked at: who wants spot says so. */
function filterOf(entry: Entry): OfferFilter {
  const given = {
    markets: [entry.spot ? ('spot' as const) : ('on_demand' as const)],
    rentable: true as const,
    gpuModels: entry.gpu,
    minGpuCount: entry.gpus,
    maxGpuCount: entry.gpus,
    minVramMiB: entry.vram === undefined ? undefined : vramMiB(entry.vram),
    minRamMiB: entry.ram === undefined ? undefined : entry.ram * 1024,
    minDiskGiB: entry.disk,
    minDownMbps: entry.down,
    providers: entry.provider,
    countries: entry.country?.map(code => code.toUpperCase()),
    trusts: entry.trust,
    practice: entry.practice ? ('only' as const) : undefined,
    multiNode: entry.nodes > 1 ? true : undefined,
  };
  return offerFilterSchema.parse(
    Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
  );
}

export const presetOf = (entry: Entry): Preset => ({
  id: entry.id,
  label: entry.label,
  detail: entry.detail,
  nodes: entry.nodes,
  template: entry.template ?? null,
  filter: filterOf(entry),
  maxNodePricePerHourMicroUsd:
    entry.maxPrice === undefined ? null : formatMicroUsd(parseDollars(entry.maxPrice)),
});

export const presetProblemSchema = z.object({
  line: z.number().int(),
  column: z.number().int(),
  sentence: z.string(),
});

export const presetListSchema = z.object({
  /** Those of the file; where it has mistakes, those that Hitch brings. */
  presets: z.array(presetSchema),
  /** Where the file is, on the daemon's computer; it is made when somebody first changes it. */
  file: z.string(),
  /** What stands in it, or what would. */
  text: z.string(),
  /** All that is wrong with it, by line. */
  problems: z.array(presetProblemSchema),
});
export type PresetList = z.infer<typeof presetListSchema>;

/** What the file holds until a person changes it. */
export const PRESETS_TEXT = `# What you usually rent, a line each: JupyterLab, VS Code and hitch rent --preset show these, in this order.
# Keys are those of the options of hitch rent: gpu, gpus, vram (GB), ram (GB), disk (GB), down (Mbps), maxPrice ($/h),
# provider, country, trust, spot, practice, nodes, template. What is left out may be anything; spot has to be asked for.
schema: ${PRESETS_SCHEMA}
presets:
  - id: vram-24
    label: Cheapest 24 GB
    detail: One GPU for fine-tuning small models and for image models
    gpus: 1
    vram: 24
  - id: vram-48
    label: Cheapest 48 GB
    detail: One GPU for larger batches and 13B models
    gpus: 1
    vram: 48
  - id: vram-80
    label: Cheapest 80 GB
    detail: One GPU of the A100 and H100 class
    gpus: 1
    vram: 80
  - id: one-gpu
    label: Cheapest GPU
    detail: One machine with Jupyter and whatever GPU costs least
    gpus: 1
  - id: ray-two
    label: 2 nodes with Ray
    detail: One GPU each, connected by a network of their own
    nodes: 2
    gpus: 1
    template: ray
  - id: practice
    label: Practice on this computer
    detail: Processes on this computer, without CUDA; everything else works as on a rented GPU
    practice: true
`;
