/** What a run comes to in the end, and what still stands where it does not. */
import { costOver, parseMicroUsd } from '@hitch/contract';
import type { ClusterService } from '../../backend-proxy/src/clusters/service.ts';
import type { AttemptRecord } from '../../backend-proxy/src/ledger/records.ts';
import type { SandboxMarket } from '../../backend-proxy/src/providers/sandbox/market.ts';
import type { Rental } from '../../backend-proxy/src/providers/sandbox/market-storage.ts';
import type { Written } from './written.ts';

interface Bill {
  readonly lowest: bigint;
  readonly highest: bigint;
}

/** Micro-dollars that a cost may be off for each time that its records were forgotten, of which a run has few. */
const CUT = 100n;
const ANY_BILL: Bill = { lowest: 0n, highest: 2n ** 62n };

/**
 * Whether a machine came to light late and was ended by a daemon that could not write so and died: the records still say
 * what they said before, and its network does not list it any more.
 */
export const isLeftUnwritten = (rental: Rental, attempt: AttemptRecord | undefined): boolean =>
  rental.destroyTries > 0 &&
  (attempt?.state === 'refused' ||
    (attempt?.state === 'gone' && (rental.mislaid !== null || attempt.instanceId === null)));

/**
 * What Hitch says all cost, against what the market bills for these rentals: in sum, or purchase by purchase where that
 * is further apart. In micro-dollars.
 */
export async function meterError(
  service: ClusterService,
  market: SandboxMarket,
  rentals: readonly Rental[],
  { isVague, isForgotten }: Record<'isVague' | 'isForgotten', (rental: Rental) => boolean>,
): Promise<bigint> {
  const bills = new Map(
    rentals.map(rental => [
      rental.ref,
      isVague(rental) ? ANY_BILL : billFor(market, rental, isForgotten(rental)),
    ]),
  );
  // What of these is counted stands in no attempt.
  const forgotten = new Set(rentals.filter(isForgotten).map(({ ref }) => ref));
  const all = [...bills.values()].reduce(
    (sum, { lowest, highest }) => ({ lowest: sum.lowest + lowest, highest: sum.highest + highest }),
    { lowest: 0n, highest: 0n },
  );
  const { costMicroUsd } = await service.usageTotal(0, Number.MAX_SAFE_INTEGER);
  const total = outside(BigInt(costMicroUsd), all);
  const apart = service
    .list()
    .flatMap(({ nodes }) => nodes.flatMap(({ attempts }) => attempts))
    .filter(({ ref }) => !forgotten.has(ref))
    .reduce(
      (sum, { ref, costMicroUsd: cost }) =>
        sum + outside(BigInt(cost), bills.get(ref) ?? { lowest: 0n, highest: 0n }),
      0n,
    );
  return total > apart ? total : apart;
}

/**
 * The bill to the micro-dollar. Where the price changed on the way Hitch can know the change only when it looks, so the
 * bill lies between all of it at the one price and all of it at the other; that it looks in time is watched apart.
 */
function billFor(market: SandboxMarket, { ref, reprice, ...rental }: Rental, isCut: boolean): Bill {
  // Each stretch is rounded up by itself, and where a floor lasts to is rounded to the millisecond.
  const rounding = isCut ? CUT : 0n;
  const billed = market.billed(ref);
  const { boughtAtMs, endedAtMs } = rental;
  if (reprice === null || endedAtMs === null || reprice.atMs >= endedAtMs) {
    return { lowest: billed - rounding, highest: billed + rounding };
  }
  const once = parseMicroUsd(rental.nonRefundableMicroUsd);
  const least = parseMicroUsd(rental.floorMicroUsd);
  const [low, high] = [rental.pricePerHourMicroUsd, reprice.pricePerHourMicroUsd]
    .map(price => costOver(parseMicroUsd(price), endedAtMs - boughtAtMs))
    .map(used => once + (used < least ? least : used))
    .sort((a, b) => (a < b ? -1 : 1));
  // Here too each stretch is rounded up by itself.
  return { lowest: (low ?? billed) - rounding, highest: (high ?? billed) + rounding + 3n };
}

function outside(cost: bigint, { lowest, highest }: Bill): bigint {
  return cost < lowest ? lowest - cost : cost > highest ? cost - highest : 0n;
}

/**
 * Whether nobody could know of a rental: its answer was lost, and its network has no place for a mark, or keeps no
 * history and ended it before anybody looked. Hitch says so of the first kind (`cannot_look`) and must not act.
 */
export function isUnknowable(
  rental: Rental,
  attempt: AttemptRecord | undefined,
  network: { readonly hasRefs: boolean; readonly hasHistory: boolean },
): boolean {
  if (attempt === undefined || attempt.instanceId !== null) {
    return false;
  }
  const isLeftToPerson = !network.hasRefs && attempt.state === 'quarantined';
  return isLeftToPerson || (!network.hasHistory && attempt.state === 'gone' && rental.endedAtMs !== null);
}

/** How often more time was sold without an intent of its own. */
export function timesTooOften(rentals: readonly Rental[], written: Written): number {
  return rentals.reduce(
    (sum, { ref, timesMore }) => sum + Math.max(0, timesMore - written.timesMore(ref)),
    0,
  );
}

/** What still stands, a line each, for a person who replays a run. */
export function standing(service: ClusterService | undefined, market: SandboxMarket): readonly string[] {
  const clusters = (service?.list() ?? []).flatMap(cluster => [
    `${cluster.name} ${cluster.phase} (${cluster.message}) ${JSON.stringify(cluster.conditions)}`,
    ...cluster.nodes.flatMap(node => [
      `  node ${node.index.toString()} ${node.phase}: ${node.message}`,
      ...node.attempts.map(
        attempt => `    ${attempt.state} ${attempt.instanceId ?? ''} ${attempt.ref}: ${attempt.message}`,
      ),
    ]),
  ]);
  return [...clusters, ...market.rentals().map(rental => JSON.stringify(rental))];
}
