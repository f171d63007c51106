/**
 * How a machine did over time: its CPU, memory, disk and network, each of its GPUs, and what kernels and jobs took of it. The agent
 * measures and keeps it; it is asked for in pages by time, so that whoever looks on asks only for what has come since.
 */
import * as z from 'zod';
import { saidAmount, saidMoment, saidName } from '../said.ts';

/** `fine`: the last hour, a sample each {@link FINE_EVERY_MS} · `coarse`: the machine's life, one each {@link COARSE_EVERY_MS}. */
export const useScaleSchema = z.enum(['fine', 'coarse']);
export type UseScale = z.infer<typeof useScaleSchema>;

export const FINE_EVERY_MS = 2_000;
export const COARSE_EVERY_MS = 60_000;
/** So long a sample is kept at least. */
export const USE_KEPT_MS: Readonly<Record<UseScale, number>> = { fine: 3_600_000, coarse: 92 * 86_400_000 };

/** Whose: the machine's as a whole, a GPU's, or of the programs that a kernel, a job, Ray or anybody else started. */
export const useOwnerSchema = z.enum(['machine', 'gpu', 'kernel', 'job', 'ray', 'other']);
export type UseOwner = z.infer<typeof useOwnerSchema>;

/**
 * What is measured. `cpu`: % of all cores of the machine; of programs, % of one core · `memory`, `disk`, `vram`: MiB ·
 * `received`, `sent`: bytes a second, loopback apart · `busy`: % of the time a GPU computed · `temperature`: °C · `power`: W.
 */
export const useKindSchema = z.enum([
  'cpu',
  'memory',
  'disk',
  'received',
  'sent',
  'busy',
  'vram',
  'temperature',
  'power',
]);
export type UseKind = z.infer<typeof useKindSchema>;

/** A GPU has ten figures at most, and a machine 256 GPUs; of programs the thirty with most memory are named. */
export const MOST_USE_SERIES = 1_500;
export const MOST_USE_SAMPLES = 1_800;
/** Figures in one answer: the samples of a page are fewer where there are many series. */
export const MOST_USE_FIGURES = 30_000;

export const useNameSchema = z.object({
  of: useOwnerSchema,
  /** A kernel's or a job's id, a GPU's number; '' for the machine. */
  id: saidName,
  /** For people: the notebook's path, the job's name, the GPU's model. */
  name: saidName,
  kind: useKindSchema,
  /** All that there is, such as the memory of the machine; null: nothing bounds it. */
  most: saidAmount.nullable(),
});
export type UseName = z.infer<typeof useNameSchema>;

export const useQuerySchema = z.object({
  scale: useScaleSchema.default('fine'),
  /** Samples after this moment, the oldest first; ms since the epoch. */
  afterMs: z.coerce.number().min(0).default(0),
  /** And no older than so long before the latest, whatever the asker's clock says. Left out: all that is kept. */
  withinMs: z.coerce.number().min(0).optional(),
  most: z.coerce.number().int().min(1).max(MOST_USE_SAMPLES).default(MOST_USE_SAMPLES),
});
export type UseQuery = z.output<typeof useQuerySchema>;

export const usePageSchema = z.object({
  timesMs: z.array(saidMoment).max(MOST_USE_SAMPLES),
  /** A value for each moment; null where it was not measured. */
  series: z
    .array(useNameSchema.extend({ values: z.array(saidAmount.nullable()).max(MOST_USE_SAMPLES) }))
    .max(MOST_USE_SERIES),
  /** There are later ones: ask again, after the last moment. */
  more: z.boolean(),
});
export type UsePage = z.infer<typeof usePageSchema>;
export type UseSeries = UsePage['series'][number];

/** Two with the same key are one series. */
export const useKey = ({ of, id, kind }: Pick<UseName, 'of' | 'id' | 'kind'>): string =>
  [of, id, kind].join(' ');
