/** The person's settings, typed, and what a rental starts with because of them. */
import {
  DEFAULT_BUSY,
  DEFAULT_LIMITS,
  type OfferFilter,
  practiceAtFirst,
  type SourceFacts,
} from '@hitch/contract';
import * as z from 'zod';

/** The defaults and bounds are those of `schema/settings.json`; a value that does not fit falls back to its default. */
export const preferencesSchema = z.object({
  capDollars: z
    .number()
    .min(0.01)
    .catch(Number(DEFAULT_LIMITS.capMicroUsd) / 1_000_000),
  idleMinutes: z
    .number()
    .int()
    .min(0)
    .catch(DEFAULT_LIMITS.idleMs / 60_000),
  stopAfterHours: z
    .number()
    .min(0)
    .catch(DEFAULT_LIMITS.stopAfterMs / 3_600_000),
  /** These two are read by the Jupyter server, which starts the daemon. */
  busyCpuPercent: z.number().min(1).max(10_000).catch(DEFAULT_BUSY.cpuPercent),
  busyKilobytesPerSecond: z.number().min(1).max(10_000_000).catch(DEFAULT_BUSY.kilobytesPerSecond),
  practice: z.enum(['auto', 'ask', 'first']).catch('auto'),
  minVramGB: z.number().int().min(0).catch(24),
  gpuCount: z.number().int().min(0).catch(1),
  minReliabilityPercent: z.number().min(0).max(100).catch(98),
  minDiskGB: z.number().int().min(0).catch(50),
  minDownMbps: z.number().int().min(0).catch(200),
  onlyVerified: z.boolean().catch(true),
  onlyOnDemand: z.boolean().catch(true),
  /** None: as many as there is room for. */
  offerColumns: z.array(z.string()).catch([]),
  /** Below the server's root; its own folder is always looked into. */
  templateFolders: z.array(z.string()).catch([]),
  /** Whether the selected cell runs where its notebook moved after a rental. */
  runAfterRent: z.boolean().catch(true),
  confirmStop: z.boolean().catch(true),
  confirmRemove: z.boolean().catch(true),
  notify: z.enum(['all', 'problems']).catch('all'),
  /** Cells on a cluster that ran for so many minutes are told of when they end; 0: none. */
  notifyCellMinutes: z.number().min(0).max(10_080).catch(5),
});
export type Preferences = z.infer<typeof preferencesSchema>;

export const DEFAULT_PREFERENCES: Preferences = preferencesSchema.parse({});

/** The least memory that is sold as so many gigabytes: drivers report a little less than the box says. */
const leastMiB = (gigabytes: number): number => Math.round((gigabytes - 0.5) * 1024);

function practiceFirst(
  { practice }: Preferences,
  providers: readonly SourceFacts[],
): 'only' | 'exclude' | undefined {
  switch (practice) {
    case 'first':
      return 'only';
    case 'ask':
      return 'exclude';
    case 'auto':
      return practiceAtFirst(providers);
  }
}

/** What the offer table filters by at first: each entry is a chip that can be removed. */
export function firstFilter(preferences: Preferences, providers: readonly SourceFacts[]): OfferFilter {
  const practice = practiceFirst(preferences, providers);
  const { minVramGB, gpuCount, minReliabilityPercent, minDiskGB, minDownMbps } = preferences;
  return {
    ...(practice === undefined ? {} : { practice }),
    ...(preferences.onlyOnDemand ? { markets: ['on_demand'] } : {}),
    ...(preferences.onlyVerified ? { trusts: ['own', 'data_center', 'verified'] } : {}),
    ...(minReliabilityPercent === 0 ? {} : { minReliability: minReliabilityPercent / 100 }),
    ...(gpuCount === 0 ? {} : { minGpuCount: gpuCount, maxGpuCount: gpuCount }),
    ...(minVramGB === 0 ? {} : { minVramMiB: leastMiB(minVramGB) }),
    ...(minDiskGB === 0 ? {} : { minDiskGiB: minDiskGB }),
    ...(minDownMbps === 0 ? {} : { minDownMbps }),
    ...(minReliabilityPercent + minDiskGB + minDownMbps === 0 ? {} : { orNotStated: true }),
  };
}

/** The limits that a rental starts with. */
export function firstLimits(
  preferences: Preferences,
  nowMs: number,
): { capMicroUsd: string; idleMs: number; stopAtMs: number | null } {
  const { capDollars, idleMinutes, stopAfterHours } = preferences;
  return {
    capMicroUsd: BigInt(Math.round(capDollars * 1_000_000)).toString(),
    idleMs: idleMinutes * 60_000,
    stopAtMs: stopAfterHours === 0 ? null : nowMs + Math.round(stopAfterHours * 3_600_000),
  };
}
