/** Copies of files between this computer and a cluster: what is asked for, how far it is, and its account. */
import * as z from 'zod';
import { errorEnvelopeSchema } from './errors.ts';
import { clusterIdSchema, copyIdSchema } from './ids.ts';

/**
 * What happens to a file that stands where another one is to go and differs from it. `keep-both`: it stays beside the
 * new one under a name with the date · `replace`: the new one takes its place · `skip`: the new one is not copied.
 */
export const conflictSchema = z.enum(['keep-both', 'replace', 'skip']);
export type Conflict = z.infer<typeof conflictSchema>;

/** What all clients offer first, and take where nobody can be asked: nothing is lost by it. */
export const USUAL_CONFLICT: Conflict = 'keep-both';

export const copyRequestSchema = z.object({
  clusterId: clusterIdSchema,
  direction: z.enum(['send', 'fetch']),
  /**
   * Files and folders: paths of this computer to send, paths of the work folder to fetch; '' is the work folder itself.
   * A path of this computer is absolute; behind a Jupyter server it is relative to that server's root and stays in it.
   */
  sources: z.array(z.string().max(8192)).min(1).max(1000),
  /** Where they go, on the other side. */
  target: z.string().max(8192),
  /** The target is a folder that receives the sources; else the one source takes that very name. */
  intoFolder: z.boolean(),
  /** `ask`: where something stands in the way the copy waits for `copies.answer`. */
  conflict: conflictSchema.or(z.literal('ask')).default(USUAL_CONFLICT),
  /** Also what the ignore rules leave out. */
  all: z.boolean().default(false),
});
export type CopyRequest = z.input<typeof copyRequestSchema>;

/**
 * What became of things that were not simply copied.
 * `changed`: changed while it was copied, and is here as it was when it was opened · `gone`: vanished before its turn ·
 * `unreadable`: the system refused it · `leftOut`: no file, folder or link (a pipe, a socket, a device), or a loop ·
 * `ignored`: an ignore rule names it · `renamed`: stored under another name · `keptBeside`: stood in the way and has a
 * name with the date now · `skipped`: something stood in the way and stays · `outsideLink`: a link that leads out of what
 * was fetched, kept as a link · `notCopied`: the copy ended before its turn.
 */
export const OUTCOMES = [
  'changed',
  'gone',
  'unreadable',
  'leftOut',
  'ignored',
  'renamed',
  'keptBeside',
  'skipped',
  'outsideLink',
  'notCopied',
] as const;
export const outcomeSchema = z.enum(OUTCOMES);
export type Outcome = z.infer<typeof outcomeSchema>;

/** After any of these something that was asked for is not there. */
export const MISSING_OUTCOMES: readonly Outcome[] = ['gone', 'unreadable', 'leftOut', 'notCopied'];

/** So many names of each outcome travel with the account; `copies.names` has all. */
export const NAMES_IN_ACCOUNT = 1_000;

export const outcomeNameSchema = z.object({
  /** As it is called where it was copied from; bytes that are no UTF-8 as `%XX`. */
  path: z.string(),
  /** The other name for `renamed` and `keptBeside`, the reason else; may be empty. */
  detail: z.string(),
});
export type OutcomeName = z.infer<typeof outcomeNameSchema>;

export const accountSchema = z.object({
  copiedFiles: z.number().int(),
  copiedBytes: z.number().int(),
  /** Files that were there already, the same. */
  sameFiles: z.number().int(),
  outcomes: z.partialRecord(
    outcomeSchema,
    z.object({ count: z.number().int(), names: z.array(outcomeNameSchema).max(NAMES_IN_ACCOUNT) }),
  ),
});
export type Account = z.infer<typeof accountSchema>;

export const COPY_STATES = [
  'waiting',
  'listing',
  'asking',
  'copying',
  'done',
  'failed',
  'cancelled',
] as const;

export const copySchema = z.object({
  id: copyIdSchema,
  clusterId: clusterIdSchema,
  kind: z.enum(['send', 'fetch', 'save']),
  /**
   * `waiting`: another copy into the same place, or another save of the cluster, goes first · `listing`: the sources are
   * looked through · `asking`: something stands in the way · `copying` · `done`: to its end, see the account · `failed`: see
   * `problem` · `cancelled`.
   */
  state: z.enum(COPY_STATES),
  sources: z.array(z.string()),
  target: z.string(),
  /** What is to be copied, once it is known; before that as much as was found. Files that are the same already are not in it. */
  files: z.number().int(),
  bytes: z.number().int(),
  /** Things that stand in the way and differ, with a few of their names at the target. */
  inTheWay: z.object({ count: z.number().int(), names: z.array(z.string()) }),
  doneFiles: z.number().int(),
  doneBytes: z.number().int(),
  startedAtMs: z.number(),
  endedAtMs: z.number().nullable(),
  account: accountSchema,
  problem: errorEnvelopeSchema.nullable(),
});
export type Copy = z.infer<typeof copySchema>;

export const copyNamesSchema = z.object({
  names: z.array(outcomeNameSchema),
  /** For `after` of the next page; null: these were the last. */
  next: z.number().int().nullable(),
});

export const isCopyOver = ({ state }: Pick<Copy, 'state'>): boolean =>
  state === 'done' || state === 'failed' || state === 'cancelled';

/** How many things that were asked for are not there. */
export const missingCount = ({ outcomes }: Account): number =>
  MISSING_OUTCOMES.reduce((sum, outcome) => sum + (outcomes[outcome]?.count ?? 0), 0);
