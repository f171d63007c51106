/** The next machine of a job that rents, inside what was approved: the quote that was shown, while it holds, or another. */
import { formatMicroUsd, HitchError, parseMicroUsd, type Quote, type QuoteId } from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';
import type { ClusterService } from '../../clusters/service.ts';
import type { ClusterState } from '../../ledger/cluster-state.ts';
import type { JobRentalRecord } from '../../ledger/kinds/job.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { totalCost } from '../../spend/cost.ts';
import { QUOTE_VALID_MS } from '../../spend/limits.ts';
import type { RentedJob } from './transitions.ts';

export interface NextQuoteParts {
  readonly clock: Pick<Clock, 'now'>;
  readonly ledger: Pick<Ledger, 'state' | 'quote'>;
  readonly clusters: Pick<ClusterService, 'quote' | 'quoteAgain'>;
  /** Newer offers, where those that are known are old. */
  readonly fresh: () => Promise<void>;
}

export type NextQuote =
  | { readonly quote: Quote }
  /** `isFinal`: there will be none later either. */
  | { readonly quote: null; readonly sentence: string; readonly isFinal: boolean };

/** Nothing can be bought now, and later it may; the sentence says why. */
const MAY_COME: ReadonlySet<string> = new Set([
  'NO_OFFERS',
  'UNREACHABLE',
  'PROVIDER_ERROR',
  'LOGIN_NEEDED',
  'FUNDS_TOO_LOW',
]);

const DEARER: NextQuote = {
  quote: null,
  sentence: 'What is offered costs more than was approved, or is on other terms.',
  isFinal: false,
};

/** @param state of its cluster; undefined: nothing was ordered yet. */
export async function nextQuote(
  parts: NextQuoteParts,
  { rental, clusterId }: RentedJob,
  state: ClusterState | undefined,
): Promise<NextQuote> {
  const { ledger, clusters, clock, fresh } = parts;
  const nowMs = clock.now();
  if (nowMs >= ordersUntilMs(rental)) {
    // This computer slept, or Hitch did not run: nobody agreed to a machine that comes a day later.
    return { quote: null, sentence: `No machine came in time. ${rental.message}`.trim(), isFinal: true };
  }
  const shown = shownQuote(parts, rental.quoteId);
  if (state === undefined && shown !== null) {
    return { quote: shown };
  }
  const { limits, request } = rental;
  const spent = state === undefined ? 0n : totalCost(state.segments, nowMs);
  const left = parseMicroUsd(limits.capMicroUsd) - spent;
  const stopAtMs = limits.stopAtMs ?? (limits.lastsMs === null ? null : nowMs + limits.lastsMs);
  if (left <= 0n || (stopAtMs !== null && stopAtMs <= nowMs)) {
    const what = left <= 0n ? 'money' : 'time';
    return { quote: null, sentence: `The ${what} that was approved is used up.`, isFinal: true };
  }
  const caps = {
    capMicroUsd: formatMicroUsd(left),
    stopAtMs,
    maxNodePricePerHourMicroUsd: limits.maxNodePricePerHourMicroUsd,
  };
  await fresh();
  const any = () => clusters.quote({ ...request, ...caps });
  // A machine like the lost one, but another; else any that was asked for, where nothing like it is offered.
  const ways =
    state === undefined ? [any] : [() => clusters.quoteAgain(clusterId, { skipTried: true, ...caps }), any];
  let found: NextQuote = DEARER;
  for (const quoteOf of ways) {
    try {
      const quote = await quoteOf();
      if (isInside(quote, rental, left)) {
        return { quote };
      }
      found = DEARER;
    } catch (error) {
      if (!(error instanceof HitchError) || ledger.state(clusterId)?.cluster.desired === 'up') {
        throw error;
      }
      found = { quote: null, sentence: error.message, isFinal: !MAY_COME.has(error.code) };
      if (error.code !== 'NO_OFFERS') {
        return found;
      }
    }
  }
  return found;
}

/** Nothing is ordered from then on: the wait that was approved is over, and so is what was shown with it. */
const ordersUntilMs = ({ waitsUntilMs, approvedAtMs }: JobRentalRecord): number =>
  Math.max(waitsUntilMs ?? 0, approvedAtMs + QUOTE_VALID_MS);

function shownQuote({ ledger, clock }: NextQuoteParts, id: QuoteId | null): Quote | null {
  const record = id === null ? undefined : ledger.quote(id);
  const isGood = record?.usedBy === null && record.quote.expiresAtMs > clock.now();
  return isGood ? record.quote : null;
}

/** What is bought by a quote that nobody looks at is held against the approval once more. */
const isInside = (
  { highestRatePerHourMicroUsd, nodes, caps, practice, endsBillingAlone }: Quote,
  { limits, request: { filter } }: JobRentalRecord,
  left: bigint,
): boolean =>
  parseMicroUsd(highestRatePerHourMicroUsd) <=
    parseMicroUsd(limits.maxNodePricePerHourMicroUsd) * BigInt(nodes) &&
  parseMicroUsd(caps.totalMicroUsd) <= left &&
  (filter.practice === undefined || practice === (filter.practice === 'only')) &&
  (filter.endsBillingAlone !== true || endsBillingAlone);
