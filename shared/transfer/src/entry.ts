/** The manifest: what is to be copied, one entry each, as it travels between this computer and an agent. */
import { HitchError } from '@hitch/contract/src/errors.ts';
import * as z from 'zod';

/** `/`-separated names below a root, none of them empty, `.` or `..`; '' is the root itself. */
const belowRoot = z
  .string()
  .max(8192)
  .refine(
    path =>
      path === '' ||
      (!path.includes('\0') && path.split('/').every(name => name !== '' && name !== '.' && name !== '..')),
    'must be a path below its root',
  );

const count = z.number().int().min(0);

/** A file, a folder or a link that is to be copied. */
export const entrySchema = z.object({
  /** Which of the roots it lies below, by its place in their list. */
  root: count,
  path: belowRoot,
  kind: z.enum(['file', 'folder', 'link']),
  /** Bytes; 0 for folders and links. */
  sizeBytes: count,
  /** ms since the epoch; before it, 0. */
  modifiedAtMs: z.number(),
  /** Permission bits, `0o777` at most. */
  mode: z.number().int().min(0).max(0o777),
  /** What a link says, with the bytes of {@link file://./names.ts}. */
  target: z.string().max(8192).optional(),
  /** The link leads out of what is copied. */
  outside: z.literal(true).optional(),
});
export type Entry = z.infer<typeof entrySchema>;

/** Something that is there and is not copied, with the reason. */
export const omissionSchema = z.object({
  root: count,
  path: belowRoot,
  omitted: z.enum(['unreadable', 'leftOut', 'ignored', 'gone']),
  detail: z.string().max(1000),
});
export type Omission = z.infer<typeof omissionSchema>;

export const listedSchema = z.union([entrySchema, omissionSchema]);
export type Listed = z.infer<typeof listedSchema>;

export const isOmission = (listed: Listed): listed is Omission => 'omitted' in listed;

/** Files up to this size travel whole in the one stream; larger ones by themselves, from any place in them. */
export const SMALL_BYTES = 4 * 1024 * 1024;

/** The root's own path with the entry's below it. */
export const pathOf = (roots: readonly string[], { root, path }: Pick<Entry, 'root' | 'path'>): string => {
  const at = roots[root];
  if (at === undefined) {
    throw new HitchError('BAD_INPUT', `There is no root ${root.toString()}.`);
  }
  return path === '' ? at : at === '' ? path : `${at.replace(/\/$/, '')}/${path}`;
};

/** Times are the same when they differ by no more than what setting them rounds off, in ms. */
const SAME_TIME_MS = 1;
export const isSameTime = (one: number, other: number): boolean => Math.abs(one - other) <= SAME_TIME_MS;

/** What stands where an entry is to go. `touch`: the same content, other time or mode · `maybe`: only its content can tell. */
export const standingSchema = z.enum(['missing', 'same', 'touch', 'maybe', 'differs']);
export type Standing = z.infer<typeof standingSchema>;

/** What became of an entry at its target. */
export const writtenSchema = z.object({
  /** Its place in the list that was to be written. */
  index: count,
  state: z.enum(['copied', 'same', 'skipped', 'gone', 'unreadable', 'leftOut', 'grown', 'linkLater']),
  /** Why not, or ''. */
  detail: z.string().max(1000),
  /** Bytes of content that were written. */
  bytes: count,
  changed: z.boolean(),
  /** Its path below the target, where it could not keep its name. */
  as: z.string().optional(),
  /** The name with the date that something in its way has now. */
  keptAs: z.string().optional(),
});
export type Written = z.infer<typeof writtenSchema>;

/** What the daemon wants of things in the way, and the date that kept ones get: `2026-11-29 12.30.05`. */
export const writePolicySchema = z.object({
  conflict: z.enum(['keep-both', 'replace', 'skip']),
  stamp: z.string().regex(/^[0-9][0-9 .-]{0,39}$/),
});
export type WritePolicy = z.infer<typeof writePolicySchema>;

/** Which rules leave things out while a root is walked. */
export const walkRulesSchema = z.object({
  /** What a link that leads out of the tree points to is taken instead of it. */
  follow: z.boolean(),
  /** Files in each folder whose lines name what is left out. */
  ignoreFiles: z.array(z.string().max(64)).max(8),
  /** Names that are left out wherever they stand. */
  ignoreNames: z.array(z.string().max(64)).max(64),
});
export type WalkRules = z.infer<typeof walkRulesSchema>;
