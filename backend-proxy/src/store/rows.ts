/**
 * Records to rows and back. What is read from disk is parsed, never trusted: a row that an older program wrote gets
 * the defaults below for fields it does not have; a row that cannot be understood stops the load with a sentence.
 */
import {
  attemptIdSchema,
  attemptStateSchema,
  capsSchema,
  clusterIdSchema,
  clusterPhaseSchema,
  conditionSchema,
  engineKindSchema,
  eventSchema,
  HitchError,
  marketSchema,
  nodeIdSchema,
  nodePhaseSchema,
  offerSchema,
  providerIdSchema,
  quoteIdSchema,
  quoteRequestSchema,
  quoteSchema,
  savePlanSchema,
} from '@hitch/contract';
import type { Selectable } from 'kysely';
import * as z from 'zod';
import type {
  AttemptRecord,
  ClusterRecord,
  EventRecord,
  NodeRecord,
  QuoteRecord,
  SegmentRecord,
} from '../ledger/records.ts';
import { DAMAGED } from '../ledger/store.ts';
import { plainTerms } from '../ledger/terms.ts';
import type { EventTable, SegmentTable } from './schema.ts';

const milliseconds = z.number();
const money = z.union([z.bigint(), z.string().regex(/^\d{1,18}$/)]).transform(amount => BigInt(amount));

/** Fields that offers may not have had when they were stored. */
const storedOffer = z.preprocess(
  offer =>
    typeof offer === 'object' && offer !== null
      ? { supplier: null, connectivity: null, security: 'standard', readyInMs: null, ...offer }
      : offer,
  offerSchema,
);

const notKnown = { status: 'unknown', reason: 'not_recorded', message: '', sinceMs: 0 } as const;
const condition = conditionSchema.default(notKnown);

const clusterRow = z.object({
  id: clusterIdSchema,
  owner: z.string(),
  project: z.string(),
  leaseEpoch: z.number().int(),
  name: z.string(),
  practice: z.boolean(),
  desired: z.enum(['up', 'stopped']),
  stopCause: z.enum(['user', 'stop_time', 'term', 'idle', 'cap', 'failure']).nullable().default(null),
  skipSave: z.boolean().default(false),
  phase: clusterPhaseSchema,
  phaseSinceMs: milliseconds,
  message: z.string().default(''),
  conditions: z.object({ kernel: condition, engine: condition, billing: condition, cleanup: condition }),
  engine: engineKindSchema,
  template: z.string(),
  quoteId: quoteIdSchema,
  // An order that cannot be read makes the next start less alike; the rest of the row stands.
  order: z.object({ request: quoteRequestSchema, atMs: milliseconds }).nullable().default(null).catch(null),
  caps: capsSchema,
  capFromMs: milliseconds,
  save: savePlanSchema.default({ paths: [], toFolder: null }),
  saved: z.array(z.string()).default([]),
  saveDone: z.boolean().default(false),
  secrets: z.array(z.string()).default([]),
  engineToken: z.string(),
  createdAtMs: milliseconds,
  startedAtMs: milliseconds,
  endedAtMs: milliseconds.nullable().default(null),
  removedAtMs: milliseconds.nullable().default(null),
  lastEventSeq: z.number().int(),
}) satisfies z.ZodType<ClusterRecord>;

/** A cluster that an older program wrote was started when it was made, and its cap counts all that it ever cost. */
export const clusterRecordSchema = z.preprocess(
  row =>
    typeof row === 'object' && row !== null && 'createdAtMs' in row
      ? { startedAtMs: row.createdAtMs, capFromMs: row.createdAtMs, ...row }
      : row,
  clusterRow,
);

export const nodeRecordSchema = z.object({
  id: nodeIdSchema,
  clusterId: clusterIdSchema,
  quoteId: quoteIdSchema,
  index: z.number().int(),
  phase: nodePhaseSchema,
  phaseSinceMs: milliseconds,
  deadlineMs: milliseconds.nullable().default(null),
  message: z.string().default(''),
  attemptId: attemptIdSchema.nullable().default(null),
  // Better to wait for a machine that has nothing than not to wait for one that has.
  wasUp: z.boolean().default(true),
  agentToken: z.string(),
}) satisfies z.ZodType<NodeRecord>;

const termsSchema = z.object({
  termMs: milliseconds.nullable(),
  diskGiB: z.number().int(),
  market: marketSchema,
  bidPerHourMicroUsd: money.nullable(),
  image: z.string().nullable(),
});

const attemptRow = z.object({
  id: attemptIdSchema,
  nodeId: nodeIdSchema,
  clusterId: clusterIdSchema,
  ref: z.string(),
  mark: z.string(),
  provider: providerIdSchema,
  offer: storedOffer,
  terms: termsSchema.nullable().default(null),
  state: attemptStateSchema,
  mayRetry: z.boolean().default(false),
  instanceId: z.string().nullable().default(null),
  address: z.object({ at: z.string(), hostKey: z.string().nullable() }).nullable().default(null),
  toldEndAtMs: milliseconds.nullable().default(null),
  seconds: z.array(z.string()).default([]),
  endsAtMs: milliseconds.nullable().default(null),
  moreTime: z
    .array(
      z.object({
        fromMs: milliseconds,
        ms: milliseconds,
        askedAtMs: milliseconds,
        state: z.enum(['asked', 'bought', 'refused', 'absent']),
        absentSightings: z.number().int(),
      }),
    )
    .default([]),
  aheadPerHourMicroUsd: money.default(0n),
  paidMicroUsd: money.nullable().default(null),
  message: z.string().default(''),
  createdAtMs: milliseconds,
  visibleByMs: milliseconds.nullable().default(null),
  absentSightings: z.number().int().default(0),
  endedAtMs: milliseconds.nullable().default(null),
});

/** What an older program bought carries its ref as its mark, and was sold as its offer is. */
export const attemptRecordSchema = z
  .preprocess(
    row => (typeof row === 'object' && row !== null && 'ref' in row ? { mark: row.ref, ...row } : row),
    attemptRow,
  )
  .transform((row): AttemptRecord => ({
    ...row,
    terms: row.terms ?? plainTerms(row.offer),
  })) satisfies z.ZodType<AttemptRecord>;

export const quoteRecordSchema = z.object({
  id: quoteIdSchema,
  quote: quoteSchema,
  order: quoteRequestSchema.nullable().default(null).catch(null),
  keepsCaps: z.boolean().default(false),
  forCluster: clusterIdSchema.nullable().default(null),
  offers: z.array(storedOffer),
  maxNodePricePerHourMicroUsd: money,
  usedBy: clusterIdSchema.nullable().default(null),
}) satisfies z.ZodType<QuoteRecord>;

const segmentRecordSchema = z.object({
  attemptId: attemptIdSchema,
  nodeId: nodeIdSchema,
  clusterId: clusterIdSchema,
  index: z.number().int(),
  kind: z.enum(['rate', 'once', 'floor']),
  amountMicroUsd: z.bigint(),
  label: z.string(),
  startMs: milliseconds,
  endMs: milliseconds.nullable(),
}) satisfies z.ZodType<SegmentRecord>;

const eventRecordSchema = z.object({
  position: z.number().int(),
  clusterId: clusterIdSchema,
  seq: z.number().int(),
  atMs: milliseconds,
  kind: eventSchema.shape.kind,
  nodeId: nodeIdSchema.nullable(),
  attemptId: attemptIdSchema.nullable(),
  value: z.string(),
  message: z.string(),
}) satisfies z.ZodType<EventRecord>;

/** A record as JSON; money as a string of digits, so that no reader rounds it. */
export function encodeRecord(record: object): string {
  return JSON.stringify(record, (_, value: unknown) =>
    typeof value === 'bigint' ? value.toString() : value,
  );
}

/** Reads a row. @throws HitchError INTERNAL that names the row and what is wrong with it. */
export function decodeRow<T>(schema: z.ZodType<T>, table: string, key: string, row: unknown): T {
  const parsed = schema.safeParse(row);
  if (parsed.success) {
    return parsed.data;
  }
  const issue = parsed.error.issues[0];
  const where = issue === undefined ? '' : ` (${issue.path.join('.')}: ${issue.message})`;
  throw new HitchError('INTERNAL', `The store's row ${key} in ${table} cannot be read${where}.`, {
    field: DAMAGED,
    next: 'Nothing was changed. Update Hitch, or restore the store from a backup.',
    cause: parsed.error,
  });
}

/** Reads a row whose content is its `record` column. */
export function decodeRecord<T>(schema: z.ZodType<T>, table: string, key: string, json: string): T {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw new HitchError('INTERNAL', `The store's row ${key} in ${table} is not JSON.`, {
      field: DAMAGED,
      next: 'Nothing was changed. Restore the store from a backup.',
      cause: error,
    });
  }
  return decodeRow(schema, table, key, value);
}

export function segmentFromRow(row: Selectable<SegmentTable>): SegmentRecord {
  return decodeRow(segmentRecordSchema, 'segments', `${row.attempt_id}/${row.index.toString()}`, {
    attemptId: row.attempt_id,
    nodeId: row.node_id,
    clusterId: row.cluster_id,
    index: Number(row.index),
    kind: row.kind,
    amountMicroUsd: row.amount_micro_usd,
    label: row.label,
    startMs: Number(row.start_ms),
    endMs: row.end_ms === null ? null : Number(row.end_ms),
  });
}

/** What cannot be understood of an event is left out, its place in the cluster's story is not: a line there says so. */
export function readEvents(rows: readonly Selectable<EventTable>[]): EventRecord[] {
  return rows.flatMap(row => {
    try {
      return [eventFromRow(row)];
    } catch {
      return unreadableEvent(row);
    }
  });
}

/** Nothing where not even its cluster and its number can be understood: it has no place. */
function unreadableEvent(row: Selectable<EventTable>): EventRecord[] {
  const position = Number(row.position);
  const event = eventRecordSchema.safeParse({
    position,
    clusterId: row.cluster_id,
    seq: Number(row.seq),
    atMs: 0,
    kind: 'warning',
    nodeId: null,
    attemptId: null,
    value: 'unreadable',
    message: `What happened here cannot be read. It is kept in the store (events, ${position.toString()}).`,
  });
  return event.success ? [event.data] : [];
}

function eventFromRow(row: Selectable<EventTable>): EventRecord {
  return decodeRow(eventRecordSchema, 'events', row.position.toString(), {
    position: Number(row.position),
    clusterId: row.cluster_id,
    seq: Number(row.seq),
    atMs: Number(row.at_ms),
    kind: row.kind,
    nodeId: row.node_id,
    attemptId: row.attempt_id,
    value: row.value,
    message: row.message,
  });
}
