/** What runs on a cluster: kernels, executions, files. Shared by the daemon's contract and the agent's. */
import * as z from 'zod';
import { workPathSchema } from './clusters.ts';

export const kernelStateSchema = z.enum(['starting', 'idle', 'busy', 'restarting', 'dead', 'unknown']);

export const kernelSchema = z.object({
  /** Jupyter's kernel id (a UUID). */
  id: z.string(),
  name: z.string(),
  state: kernelStateSchema,
  lastActivityMs: z.number(),
  /** The notebook or console that opened it, where a session says so. */
  path: z.string().nullable(),
  clients: z.number().int(),
});
export type Kernel = z.infer<typeof kernelSchema>;

/**
 * A place in a kernel's journal: the journal's `epoch` (a new one when it had to start afresh) and the
 * sequence number of the last message seen; written `<epoch>:<seq>` in URLs.
 */
export const journalCursorSchema = z.object({
  epoch: z.string(),
  firstSeq: z.number().int(),
  lastSeq: z.number().int(),
  /** Stream output dropped because the journal reached its bound, in bytes. */
  droppedBytes: z.number().int(),
});
export type JournalCursor = z.infer<typeof journalCursorSchema>;

/**
 * One output in the notebook format (nbformat 4): `stream`, `display_data`, `execute_result` or `error`. A display that
 * may be updated carries the kernel's `transient.display_id` too, which is not to be stored.
 */
export const outputSchema = z.looseObject({ output_type: z.string() });
export type NotebookOutput = z.infer<typeof outputSchema>;

export const executionSchema = z.object({
  /** `msg_id` of the execute_request. */
  messageId: z.string(),
  /** The cell it came from, where the client said so (`metadata.cellId`). */
  cellId: z.string().nullable(),
  kernelId: z.string(),
  state: z.enum(['queued', 'running', 'ok', 'error', 'aborted', 'lost']),
  /** Empty, and `outputs` too, where `content` was not asked for. */
  code: z.string(),
  executionCount: z.number().int().nullable(),
  startedAtMs: z.number().nullable(),
  endedAtMs: z.number().nullable(),
  outputs: z.array(outputSchema),
  /** Bytes of output that are no longer kept. */
  droppedBytes: z.number().int(),
  /** Journal sequence number of the last message that changed it; {@link outputs} has all up to there. */
  lastSeq: z.number().int(),
});
export type Execution = z.infer<typeof executionSchema>;

/** Which executions of a kernel: all, those of a cell, or one. */
export const executionQuerySchema = z.object({
  cellId: z.string().optional(),
  messageId: z.string().optional(),
  /** `none`: only how each stands. Code and outputs have to be read from the disk, and an answer holds 32 MiB of text. */
  content: z.enum(['all', 'none']).optional(),
});
export type ExecutionQuery = z.infer<typeof executionQuerySchema>;

/** A folder is listed up to so many entries: no client could show more, and one answer has a size. Copies have no such end. */
export const MOST_LISTED = 20_000;

export const fileEntrySchema = z.object({
  path: workPathSchema,
  name: z.string(),
  kind: z.enum(['file', 'folder', 'other']),
  sizeBytes: z.number().int(),
  modifiedAtMs: z.number(),
  writable: z.boolean(),
});
export type FileEntry = z.infer<typeof fileEntrySchema>;

/** A file being sent in pieces: what has arrived so far, so that sending can go on from there. */
export const uploadStateSchema = z.object({
  path: workPathSchema,
  receivedBytes: z.number().int(),
  complete: z.boolean(),
  /** SHA-256 of the whole file in hex, once complete. */
  sha256: z.string().nullable(),
});
export type UploadState = z.infer<typeof uploadStateSchema>;

export const checksumSchema = z.object({
  path: workPathSchema,
  sizeBytes: z.number().int(),
  sha256: z.string(),
});

export const terminalSchema = z.object({ name: z.string(), lastActivityMs: z.number() });

/** A secret's name: an environment variable's name. */
export const secretNameSchema = z
  .string()
  .regex(
    /^[A-Z][A-Z0-9_]{0,79}$/,
    'must be an environment variable name: capital letters, digits, underscores',
  );
