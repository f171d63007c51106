/** What runs on a cluster: kernels, executions, files. Shared by the daemon's contract and the agent's. */
import * as z from 'zod';
import { workPathSchema } from './clusters.ts';
import { MOST_SAID, saidAmount, saidMoment, saidName } from './said.ts';

export const kernelStateSchema = z.enum(['starting', 'idle', 'busy', 'restarting', 'dead', 'unknown']);

export const kernelSchema = z.object({
  /** Jupyter's kernel id (a UUID). */
  id: saidName,
  name: saidName,
  state: kernelStateSchema,
  lastActivityMs: saidMoment,
  /** The notebook or console that opened it, where a session says so. */
  path: z.string().max(MOST_SAID.clientName).nullable(),
  clients: saidAmount.int(),
});
export type Kernel = z.infer<typeof kernelSchema>;

/**
 * A place in a kernel's journal: the journal's `epoch` (a new one when it had to start afresh) and the
 * sequence number of the last message seen; written `<epoch>:<seq>` in URLs.
 */
export const journalCursorSchema = z.object({
  epoch: saidName,
  firstSeq: saidAmount.int(),
  lastSeq: saidAmount.int(),
  /** Stream output dropped because the journal reached its bound, in bytes. */
  droppedBytes: saidAmount.int(),
  /** Executions that ended and are on no list any more. What they printed is in the journal, up to its bound. */
  forgottenExecutions: saidAmount.int().default(0),
  /**
   * The cells whose last execution is one of these. As many as {@link MOST_SAID} permits: there may be more.
   */
  forgottenCells: z.array(z.string().max(MOST_SAID.clientName)).max(MOST_SAID.forgottenCells).default([]),
});
export type JournalCursor = z.infer<typeof journalCursorSchema>;

/**
 * One output in the notebook format (nbformat 4): `stream`, `display_data`, `execute_result` or `error`. A display that
 * may be updated carries the kernel's `transient.display_id` too, which is not to be stored.
 */
export const outputSchema = z.looseObject({ output_type: saidName });
export type NotebookOutput = z.infer<typeof outputSchema>;

/** Where the next page of an execution's outputs begins, as the agent wrote it. */
const executionPageSchema = z.string().regex(/^\d{1,15}(?::\d{1,15}){3}$/, 'must be the `next` of a page');

export const executionSchema = z.object({
  /** `msg_id` of the execute_request. */
  messageId: z.string().max(MOST_SAID.clientName),
  /** The cell it came from, where the client said so (`metadata.cellId`). */
  cellId: z.string().max(MOST_SAID.clientName).nullable(),
  kernelId: saidName,
  state: z.enum(['queued', 'running', 'ok', 'error', 'aborted', 'lost']),
  /** Empty, and `outputs` too, where `content` was not asked for. */
  code: z.string(),
  executionCount: z.number().int().nullable(),
  startedAtMs: saidMoment.nullable(),
  endedAtMs: saidMoment.nullable(),
  outputs: z.array(outputSchema).max(MOST_SAID.outputs),
  /** Bytes of output that are no longer kept. */
  droppedBytes: saidAmount.int(),
  /** Journal sequence number of the last message that changed it; {@link outputs} has all up to there. */
  lastSeq: saidAmount.int(),
  /** There are more outputs: ask for this message again with it as `from`. A text may go on in the middle. */
  next: executionPageSchema.optional(),
});
export type Execution = z.infer<typeof executionSchema>;

/**
 * One answer about executions has so many bytes. One that is asked for by its message comes in pages, all of it; in an
 * answer about several the oldest outputs are left out, and counted in `droppedBytes`.
 */
export const MOST_EXECUTIONS_BYTES = 4 * 1024 * 1024;
/**
 * The same of what its JSON holds: lists and objects inside each other, values, and lists and objects, each of which
 * takes many times the memory of a number.
 */
export const MOST_EXECUTIONS_JSON = { depth: 100, values: 4_000_000, containers: 150_000 } as const;

/** Which executions of a kernel: all, those of a cell, or one. */
export const executionQuerySchema = z.object({
  cellId: z.string().optional(),
  messageId: z.string().optional(),
  /** `none`: only how each stands. Code and outputs have to be read from the disk, and an answer holds {@link MOST_EXECUTIONS_BYTES}. */
  content: z.enum(['all', 'none']).optional(),
  /** `next` of the page before; with `messageId` only. */
  from: executionPageSchema.optional(),
});
export type ExecutionQuery = z.infer<typeof executionQuerySchema>;

/** A folder is listed up to so many entries: no client could show more, and one answer has a size. Copies have no such end. */
export const MOST_LISTED = 20_000;

export const fileEntrySchema = z.object({
  path: workPathSchema,
  name: z.string().max(4096),
  kind: z.enum(['file', 'folder', 'other']),
  sizeBytes: saidAmount.int(),
  modifiedAtMs: z.number().min(-8.64e15).max(8.64e15),
  writable: z.boolean(),
});
export type FileEntry = z.infer<typeof fileEntrySchema>;

const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hexadecimal digits');

/** A file being sent in pieces: what has arrived so far, so that sending can go on from there. */
export const uploadStateSchema = z.object({
  path: workPathSchema,
  receivedBytes: saidAmount.int(),
  complete: z.boolean(),
  /** SHA-256 of the whole file in hex, once complete. */
  sha256: sha256Schema.nullable(),
});
export type UploadState = z.infer<typeof uploadStateSchema>;

export const checksumSchema = z.object({
  path: workPathSchema,
  sizeBytes: saidAmount.int(),
  sha256: sha256Schema,
});

export const terminalSchema = z.object({
  name: z.string().regex(/^\w{1,64}$/, 'must be up to 64 letters, digits and underscores'),
  lastActivityMs: saidMoment,
});

/** A secret's name: an environment variable's name. */
export const secretNameSchema = z
  .string()
  .regex(
    /^[A-Z][A-Z0-9_]{0,79}$/,
    'must be an environment variable name: capital letters, digits, underscores',
  );
