/** What a run comes to in the end, and what still stands where it does not. */
import { costOver } from '@hitch/contract';
import type { ClusterService } from '../../backend-proxy/src/clusters/service.ts';
import type { AttemptRecord } from '../../backend-proxy/src/ledger/records.ts';
import { type Bill, type Bought, type Bounds, NOTHING, outside, sumOf } from './networks/network.ts';
import type { Written } from './written.ts';

export const ANY_BILL: Bill = { all: { lowest: 0n, highest: 2n ** 62n } };

/**
 * Whether a machine came to light late and was ended by a daemon that could not write so and died: the records still say
 * what they said before, and its network does not list it any more.
 */
export const isLeftUnwritten = (
  { isEndAsked, isMislaid }: Bought,
  attempt: AttemptRecord | undefined,
): boolean =>
  isEndAsked &&
  (attempt?.state === 'refused' || (attempt?.state === 'gone' && (isMislaid || attempt.instanceId === null)));

/** What one purchase costs by its network. */
export interface Judged {
  readonly bill: Bill;
  /** What of it is counted stands in no attempt. */
  readonly isForgotten: boolean;
}

/**
 * What Hitch says all cost, against what the networks bill for these purchases: in sum, or purchase by purchase where that
 * is further apart, or part by part. In micro-dollars. @param judged by their refs
 */
export async function meterError(
  service: ClusterService,
  judged: ReadonlyMap<string, Judged>,
  written: Written,
): Promise<bigint> {
  const all = sumOf([...judged.values()].map(({ bill }) => totalOf(bill)));
  const { costMicroUsd } = await service.usageTotal(0, Number.MAX_SAFE_INTEGER);
  const total = outside(BigInt(costMicroUsd), all);
  const apart = service
    .list()
    .flatMap(({ nodes }) => nodes.flatMap(({ attempts }) => attempts))
    .filter(({ ref }) => judged.get(ref)?.isForgotten !== true)
    .reduce((sum, { ref, costMicroUsd: cost }) => {
      const bill = judged.get(ref)?.bill;
      return sum + outside(BigInt(cost), bill === undefined ? NOTHING : totalOf(bill));
    }, 0n);
  const byPart = written
    .attempts()
    .filter(({ ref }) => judged.get(ref)?.isForgotten === false)
    .reduce((sum, attempt) => sum + partsError(attempt, judged.get(attempt.ref)?.bill ?? {}, written), 0n);
  return [total, apart, byPart].reduce((most, error) => (error > most ? error : most));
}

const totalOf = (bill: Bill): Bounds => sumOf(Object.values(bill));

/** Of a purchase that is counted in the parts of its bill. Hours that a floor covers are no part of what it costs. */
function partsError(attempt: AttemptRecord, bill: Bill, written: Written): bigint {
  const segments = written.segmentsOf(attempt.id);
  const rates = segments.filter(({ kind }) => kind === 'rate');
  if (segments.length !== rates.length || rates.some(({ label }) => bill[label] === undefined)) {
    return 0n;
  }
  return Object.entries(bill).reduce((sum, [label, bounds]) => {
    const cost = rates
      .filter(segment => segment.label === label)
      .reduce(
        (all, { amountMicroUsd, startMs, endMs }) =>
          all + costOver(amountMicroUsd, (endMs ?? startMs) - startMs),
        0n,
      );
    return sum + (rates.length === 0 ? 0n : outside(cost, bounds));
  }, 0n);
}

/**
 * Whether nobody could know of a machine: its answer was lost, and its network has no place for a mark, or keeps no
 * history and ended it before anybody looked. Hitch says so of the first kind (`cannot_look`) and must not act.
 */
export function isUnknowable(
  { endedAtMs }: Bought,
  attempt: AttemptRecord | undefined,
  keeps: { readonly hasRefs: boolean; readonly hasHistory: boolean },
): boolean {
  if (attempt === undefined || attempt.instanceId !== null) {
    return false;
  }
  const isLeftToPerson = !keeps.hasRefs && attempt.state === 'quarantined';
  return isLeftToPerson || (!keeps.hasHistory && attempt.state === 'gone' && endedAtMs !== null);
}

/** What still stands in the records, a line each, for a person who replays a run. */
export const standing = (service: ClusterService | undefined): readonly string[] =>
  (service?.list() ?? []).flatMap(cluster => [
    `${cluster.name} ${cluster.phase} (${cluster.message}) ${JSON.stringify(cluster.conditions)}`,
    ...cluster.nodes.flatMap(node => [
      `  node ${node.index.toString()} ${node.phase}: ${node.message}`,
      ...node.attempts.map(
        attempt => `    ${attempt.state} ${attempt.instanceId ?? ''} ${attempt.ref}: ${attempt.message}`,
      ),
    ]),
  ]);
