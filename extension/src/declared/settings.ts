/**
 * Every setting, its default and its scope. What decides about money, about programs that are started or about where
 * credentials lie is `application`: a workspace, which may be a stranger's, cannot set it.
 */
import { busyLimitsSchema, DEFAULT_BUSY } from '@hitch/contract';
import { DEFAULT_LIMITS } from '@hitch/contract/src/limits.ts';
import * as z from 'zod';

interface Declared<T> {
  readonly schema: z.ZodType<T>;
  readonly default: T;
  readonly scope: 'application' | 'window';
}
const declare = <T>(schema: z.ZodType<T>, value: T, scope: Declared<T>['scope']): Declared<T> => ({
  schema,
  default: value,
  scope,
});

export const SETTINGS = {
  'hitch.home': declare(z.string(), '', 'application'),
  'hitch.python': declare(z.string(), '', 'application'),
  'hitch.busy.cpuPercent': declare(busyLimitsSchema.shape.cpuPercent, DEFAULT_BUSY.cpuPercent, 'application'),
  'hitch.busy.kilobytesPerSecond': declare(
    busyLimitsSchema.shape.kilobytesPerSecond,
    DEFAULT_BUSY.kilobytesPerSecond,
    'application',
  ),
  'hitch.rent.capDollars': declare(
    z.number().min(0.01).max(10_000),
    Number(DEFAULT_LIMITS.capMicroUsd) / 1_000_000,
    'application',
  ),
  'hitch.rent.idleMinutes': declare(
    z.number().int().min(0).max(10_080),
    DEFAULT_LIMITS.idleMs / 60_000,
    'application',
  ),
  'hitch.rent.stopAfterHours': declare(
    z.number().min(0).max(720),
    DEFAULT_LIMITS.stopAfterMs / 3_600_000,
    'application',
  ),
  'hitch.notices.cellMinutes': declare(z.number().min(0).max(10_080), 5, 'application'),
  'hitch.rent.runSelectedCell': declare(z.boolean(), true, 'application'),
  'hitch.rent.save': declare(z.array(z.string()), [], 'application'),
  'hitch.templates.folders': declare(z.array(z.string()), [], 'application'),
  'hitch.statusBar.show': declare(z.boolean(), true, 'window'),
} as const;

export type SettingId = keyof typeof SETTINGS;
export type SettingValue<Id extends SettingId> = (typeof SETTINGS)[Id]['default'];

/** What a setting says; what is not valid (a person edits the file by hand) counts as its default. */
export function settingFrom<Id extends SettingId>(id: Id, raw: unknown): SettingValue<Id> {
  const declared: { readonly schema: z.ZodType; readonly default: unknown } = SETTINGS[id];
  const parsed = declared.schema.safeParse(raw);
  // Each entry's schema and default have one type; indexing by a variable loses that.
  return (parsed.success ? parsed.data : declared.default) as SettingValue<Id>;
}
