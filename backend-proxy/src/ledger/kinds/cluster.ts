/** A cluster: what a person asked for, its limits, and where it is. */
import {
  type AddedPackage,
  addedPackageSchema,
  type Caps,
  type ClusterId,
  type ClusterPhase,
  type Conditions,
  type EngineKind,
  type QuoteId,
  type QuoteRequest,
  type SavePlan,
  capsSchema,
  clusterIdSchema,
  clusterPhaseSchema,
  conditionSchema,
  engineKindSchema,
  quoteIdSchema,
  quoteRequestSchema,
  savePlanSchema,
} from '@hitch/contract';
import * as z from 'zod';
import { clusterKind, integer, text } from '../kind.ts';
import { milliseconds } from './stored.ts';

/** What the person wants of a cluster; reconcilers move the phase towards it. */
export type Desired = 'up' | 'stopped';

/** Why a cluster is going down; decides its last phase and sentence. */
export type StopCause = 'user' | 'stop_time' | 'term' | 'idle' | 'cap' | 'failure';

/** What a person ordered, as it was asked for: the offers, the filters and the limits. */
export interface Order {
  readonly request: QuoteRequest;
  /** Its stop time counts from here. */
  readonly atMs: number;
}

/** What a cluster's kernels, shells and engine run in. */
export interface EnvironmentRecord {
  /** The lock; null: Hitch's own packages. */
  readonly id: string | null;
  /** Counts the changes since the cluster was started. */
  readonly generation: number;
  /** A change that is asked for, and when; null: none. */
  readonly change: { readonly id: string | null; readonly sinceMs: number } | null;
  /** Why the last change came to nothing; null: it did not. */
  readonly problem: string | null;
  /** What people installed by hand, and on which node. */
  readonly added: readonly (AddedPackage & { readonly node: number })[];
}

export const HITCHS_OWN: EnvironmentRecord = {
  id: null,
  generation: 0,
  change: null,
  problem: null,
  added: [],
};

export interface ClusterRecord {
  readonly id: ClusterId;
  readonly owner: string;
  readonly project: string;
  /** Grows each time a daemon takes the store over; a row written under an older epoch is not this daemon's word. */
  readonly leaseEpoch: number;
  readonly name: string;
  readonly practice: boolean;
  readonly desired: Desired;
  readonly stopCause: StopCause | null;
  readonly skipSave: boolean;
  readonly phase: ClusterPhase;
  readonly phaseSinceMs: number;
  readonly message: string;
  readonly conditions: Conditions;
  readonly engine: EngineKind;
  readonly template: string;
  readonly quoteId: QuoteId;
  /** What was asked for when it was last started; null: an older Hitch wrote it. */
  readonly order: Order | null;
  readonly caps: Caps;
  /** What is spent from here on counts against the cap. */
  readonly capFromMs: number;
  readonly save: SavePlan;
  /** Where what was named to save lies on this computer, absolute paths. */
  readonly saved: readonly string[];
  readonly saveDone: boolean;
  readonly secrets: readonly string[];
  readonly environment: EnvironmentRecord;
  /** Ray's token of this cluster. */
  readonly engineToken: string;
  readonly createdAtMs: number;
  /** When it was last asked to run: each start is a run of its own. */
  readonly startedAtMs: number;
  readonly endedAtMs: number | null;
  /** When a person took it off the list. Its refs stay here, in case that a network shows one of its machines again. */
  readonly removedAtMs: number | null;
  readonly lastEventSeq: number;
}

const notKnown = { status: 'unknown', reason: 'not_recorded', message: '', sinceMs: 0 } as const;
const condition = conditionSchema.default(notKnown);

const environmentRow = z.object({
  id: z.string().nullable(),
  generation: z.number().int(),
  change: z.object({ id: z.string().nullable(), sinceMs: milliseconds }).nullable(),
  problem: z.string().nullable(),
  added: z.array(addedPackageSchema.extend({ node: z.number().int() })).default([]),
}) satisfies z.ZodType<EnvironmentRecord>;

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
  environment: environmentRow.default({ ...HITCHS_OWN, added: [] }),
  engineToken: z.string(),
  createdAtMs: milliseconds,
  startedAtMs: milliseconds,
  endedAtMs: milliseconds.nullable().default(null),
  removedAtMs: milliseconds.nullable().default(null),
  lastEventSeq: z.number().int(),
}) satisfies z.ZodType<ClusterRecord>;

/** A cluster that an older program wrote was started when it was made, and its cap counts all that it ever cost. */
const clusterRecordSchema = z.preprocess(
  row =>
    typeof row === 'object' && row !== null && 'createdAtMs' in row
      ? { startedAtMs: row.createdAtMs, capFromMs: row.createdAtMs, ...row }
      : row,
  clusterRow,
);

export const clusters = clusterKind<ClusterRecord>({
  name: 'clusters',
  schema: clusterRecordSchema,
  key: ['id'],
  columns: {
    id: text('id'),
    owner: text('owner'),
    project: text('project'),
    lease_epoch: integer('leaseEpoch'),
    name: text('name'),
    phase: text('phase'),
  },
  goesWith: 'id',
});
