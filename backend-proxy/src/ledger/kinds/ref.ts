/**
 * A ref: one purchase that was ever intended, for as long as there is a store. Networks show machines again that they had
 * called gone, also long after their cluster was taken off the list and forgotten: by its ref such a machine is known for
 * ours, is ended and counted. Refs are never deleted; what a million of them cost is said in ARCHITECTURE.md.
 */
import {
  floorOf,
  type MicroUsd,
  type Offer,
  type ProviderId,
  parseMicroUsd,
  providerIdSchema,
} from '@hitch/contract';
import * as z from 'zod';
import { amount, integer, keptKind, text } from '../kind.ts';
import type { AttemptRecord } from './attempt.ts';
import type { ClusterRecord } from './cluster.ts';
import { type Counted, countedPartsSchema } from './counted.ts';
import { milliseconds, money } from './stored.ts';

/** What of an offer is kept of a purchase: what a person knows the machine by, where it is asked after, and its price. */
type Kept = Pick<Offer, 'gpuModel' | 'gpuCount' | 'vramMiB' | 'cpuCores'>;

export interface RefRecord extends Kept, Counted {
  readonly provider: ProviderId;
  /** By what its network's answers are known. */
  readonly mark: string;
  readonly ref: string;
  readonly instanceId: string | null;
  readonly clusterName: string;
  readonly offerId: string;
  readonly boughtAtMs: number;
  /** When it was called over: gone or refused. Null: as far as was written down it may be in use. */
  readonly overAtMs: number | null;
  readonly pricePerHourMicroUsd: MicroUsd;
  readonly nonRefundableMicroUsd: MicroUsd;
  readonly floorMicroUsd: MicroUsd;
}

const refSchema = z.object({
  provider: providerIdSchema,
  mark: z.string(),
  ref: z.string(),
  instanceId: z.string().nullable(),
  clusterName: z.string(),
  offerId: z.string(),
  gpuModel: z.string().nullable(),
  gpuCount: z.number().int(),
  vramMiB: z.number().int(),
  cpuCores: z.number(),
  boughtAtMs: milliseconds,
  overAtMs: milliseconds.nullable(),
  countedUntilMs: milliseconds.nullable(),
  countedParts: countedPartsSchema.default(null),
  pricePerHourMicroUsd: money,
  nonRefundableMicroUsd: money,
  floorMicroUsd: money,
}) satisfies z.ZodType<RefRecord>;

export const refs = keptKind<RefRecord>({
  name: 'refs',
  since: 3,
  schema: refSchema,
  key: ['provider', 'mark'],
  content: 'columns',
  columns: {
    provider: text('provider'),
    mark: text('mark'),
    ref: text('ref'),
    instance_id: text('instanceId', { isNullable: true }),
    cluster_name: text('clusterName'),
    offer_id: text('offerId'),
    gpu_model: text('gpuModel', { isNullable: true }),
    gpu_count: integer('gpuCount'),
    vram_mib: integer('vramMiB'),
    cpu_cores: integer('cpuCores'),
    bought_at_ms: integer('boughtAtMs'),
    over_at_ms: integer('overAtMs', { isNullable: true }),
    counted_until_ms: integer('countedUntilMs', { isNullable: true }),
    counted_parts: text('countedParts', { isNullable: true }),
    price_per_hour_micro_usd: amount('pricePerHourMicroUsd'),
    non_refundable_micro_usd: amount('nonRefundableMicroUsd'),
    floor_micro_usd: amount('floorMicroUsd'),
  },
});

export const refKey = ({ provider, mark }: Pick<RefRecord, 'provider' | 'mark'>): string =>
  `${provider}/${mark}`;

/** What is kept of a purchase as it stands now. `before`: what was kept of it, by this one or one that was forgotten. */
export function refOf(
  { name }: Pick<ClusterRecord, 'name'>,
  { provider, mark, ref, instanceId, offer, state, createdAtMs, endedAtMs }: AttemptRecord,
  before: RefRecord | undefined,
): RefRecord {
  const { gpuModel, gpuCount, vramMiB, cpuCores } = offer;
  return {
    offerId: offer.id,
    gpuModel,
    gpuCount,
    vramMiB,
    cpuCores: Math.round(cpuCores),
    boughtAtMs: Math.floor(createdAtMs),
    countedUntilMs: null,
    countedParts: null,
    pricePerHourMicroUsd: parseMicroUsd(offer.pricePerHourMicroUsd),
    nonRefundableMicroUsd: parseMicroUsd(offer.nonRefundableMicroUsd),
    floorMicroUsd: floorOf(offer),
    ...before,
    provider,
    mark,
    ref,
    clusterName: name,
    instanceId: instanceId ?? before?.instanceId ?? null,
    overAtMs: state === 'gone' || state === 'refused' ? Math.floor(endedAtMs ?? createdAtMs) : null,
  };
}

export const isSameRef = (one: RefRecord, other: RefRecord | undefined): boolean =>
  other !== undefined &&
  one.instanceId === other.instanceId &&
  one.clusterName === other.clusterName &&
  one.overAtMs === other.overAtMs &&
  one.countedUntilMs === other.countedUntilMs &&
  one.countedParts === other.countedParts;
