/** What a live check leaves: what was asked of a network and what it answered, without whose account it is. */
import * as z from 'zod';
import { microUsdSchema } from './money.ts';
import { providerIdSchema } from './offers.ts';

/** One request and its answer, redacted. */
export const exchangeSchema = z.object({
  /** Since the recording began. */
  atMs: z.number(),
  method: z.string(),
  /** Without its query. */
  path: z.string(),
  query: z.record(z.string(), z.array(z.string())),
  /** The body, as JSON; null: none. */
  sent: z.unknown(),
  /** Null: no answer came. */
  status: z.number().int().nullable(),
  headers: z.record(z.string(), z.string()),
  /** The body, as JSON where it is that, else as a text; null: none. */
  answer: z.unknown(),
  /** What was left out of the answer, a sentence each. */
  cut: z.array(z.string()),
});
export type Exchange = z.infer<typeof exchangeSchema>;

export const recordingSchema = z.object({
  format: z.literal(1),
  network: providerIdSchema,
  /** Of the network's adapter: it is raised when what it asks or reads changes. */
  adapterVersion: z.number().int(),
  hitchVersion: z.string(),
  /** Where the network was asked, such as `https://api.example`; a simulator's says that it is none. */
  api: z.string(),
  madeAtMs: z.number(),
  exchanges: z.array(exchangeSchema),
  /** What of it is not in here, a sentence; null: nothing. */
  leftOut: z.string().nullable(),
});
export type Recording = z.infer<typeof recordingSchema>;

/** What a check found, as its recording ends. */
export const liveCheckSchema = z.object({
  outcome: z.enum(['passed', 'failed']),
  /** What was done, in order, and when each was over, since the yes. */
  steps: z.array(z.object({ name: z.string(), atMs: z.number() })),
  /** An hour, at the yes. */
  quotedPerHourMicroUsd: microUsdSchema,
  countedMicroUsd: microUsdSchema,
  /** Null: the network says nothing of a bill, or it is not there yet. */
  billedMicroUsd: microUsdSchema.nullable(),
  /** Which of these differ and by how much; why it failed. */
  notes: z.array(z.string()),
});
export type LiveCheck = z.infer<typeof liveCheckSchema>;

/** A file that a person can hand in. */
export const checkedRecordingSchema = recordingSchema.extend({ check: liveCheckSchema });
export type CheckedRecording = z.infer<typeof checkedRecordingSchema>;
