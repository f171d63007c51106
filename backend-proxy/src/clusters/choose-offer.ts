/** Which offer a node without a machine asks for next. */
import type { Offer } from '@hitch/contract';
import { type ClusterState, isBeyondUs, isFor } from '../ledger/cluster-state.ts';
import type { AttemptRecord, NodeRecord, QuoteRecord } from '../ledger/records.ts';
import { offerOfAll } from '../ledger/together.ts';
import { purchaseProblem, roomToCome } from '../spend/budget.ts';
import type { NetworkWaits } from './pause.ts';
import type { Parts } from './parts.ts';
import { holdersBeside, reservedBy } from './reservation.ts';

/** Passing refusals of one offer before another one is asked. */
const TRIES_BEFORE_ANOTHER = 3;
const WAIT_FOR_QUARANTINE_MS = 5_000;
/** Between two looks; whatever comes of what is waited for wakes the node at once. */
const WAIT_FOR_ROOM_MS = 5_000;
const LONGEST_PAUSE_MS = 30_000;

export type Choice =
  | { readonly kind: 'offer'; readonly offer: Offer; readonly quote: QuoteRecord }
  /** @property sentence what is waited for, where a person should know. */
  | { readonly kind: 'wait'; readonly ms: number; readonly sentence?: string }
  | { readonly kind: 'none'; readonly sentence: string };

/**
 * The next offer for this node: those of the quote in order, none twice but after a refusal that passes.
 * @param machinesOf how many machines one purchase of an offer would be.
 */
export function chooseOffer(
  parts: Pick<Parts, 'ledger' | 'clock' | 'restored' | 'calls' | 'providers' | 'underWay'>,
  state: ClusterState,
  node: NodeRecord,
  machinesOf: (offer: Offer) => number,
): Choice {
  const nowMs = parts.clock.now();
  const isSought = state.attempts.some(
    attempt =>
      isFor(attempt, node.id) &&
      attempt.state === 'quarantined' &&
      !isBeyondUs(attempt) &&
      parts.restored.has(attempt.id),
  );
  if (isSought) {
    return { kind: 'wait', ms: WAIT_FOR_QUARANTINE_MS };
  }
  const quote = parts.ledger.quote(node.quoteId);
  if (quote === undefined) {
    return { kind: 'none', sentence: 'The quote for this cluster is no longer stored.' };
  }
  const own = state.attempts
    .filter(attempt => isFor(attempt, node.id))
    .sort((a, b) => a.createdAtMs - b.createdAtMs);
  const last = own.at(-1);
  if (node.deadlineMs !== null && nowMs >= node.deadlineMs) {
    return { kind: 'none', sentence: withLast('No machine could be rented in 10 minutes.', last) };
  }
  const passing = (offer: Offer) =>
    own.filter(past => mayAskAgain(past) && past.offer.id === offer.id).length;
  // What the login or the account does not carry it carries of no other offer there.
  const closed = new Set(own.flatMap(past => (past.isOfAccount ? [past.provider] : [])));
  const left = quote.offers.filter(
    offer =>
      !own.some(past => (!mayAskAgain(past) && past.offer.id === offer.id) || isOfBadHost(past, offer)),
  );
  const untried = left.filter(({ provider }) => !closed.has(provider));
  const holders = holdersBeside(parts, node);
  const reserved = new Map(untried.map(offer => [offer, reservedBy(holders, offer)]));
  // Of several machines of one's own each is used: one would take all nodes otherwise.
  const heldOf = ({ id, trust }: Offer): number =>
    trust === 'own' ? holders.filter(({ offer }) => offer.id === id).length : 0;
  const open = untried
    .filter(offer => reserved.get(offer) === 'no')
    .map((offer, order) => ({ offer, order, round: Math.floor(passing(offer) / TRIES_BEFORE_ANOTHER) }))
    .sort((a, b) => a.round - b.round || heldOf(a.offer) - heldOf(b.offer) || a.order - b.order);
  const answered = open.filter(({ offer }) => pauseAt(parts, offer) === null);
  // A network that asks to wait is waited for where no other has an offer for this node.
  const [first = open[0]] = answered;
  // It may come to light, or turn out never to have been bought: then its offer and its money are free again.
  const unclear =
    own.some(attempt => attempt.state === 'quarantined' && !isBeyondUs(attempt)) ||
    [...reserved.values()].includes('perhaps');
  if (first === undefined && unclear) {
    return { kind: 'wait', ms: WAIT_FOR_QUARANTINE_MS };
  }
  if (first === undefined) {
    // Of a single offer its own refusal says it all.
    const isOnly =
      (quote.offers.length === 1 || quote.offers.every(({ provider }) => closed.has(provider))) &&
      last !== undefined &&
      last.message !== '';
    const why = untried.length === 0 ? '' : ' Other nodes of yours have taken the rest of them.';
    const sentence = isOnly ? last.message : withLast(`None of the offers could be rented.${why}`, last);
    return { kind: 'none', sentence };
  }
  if (last !== undefined && mayAskAgain(last)) {
    const pause = Math.min(LONGEST_PAUSE_MS, 1_000 * 2 ** (passing(last.offer) - 1));
    const readyAtMs = (last.endedAtMs ?? last.createdAtMs) + pause;
    if (readyAtMs > nowMs) {
      return { kind: 'wait', ms: readyAtMs - nowMs };
    }
  }
  const { stopAtMs } = state.cluster.caps;
  if (stopAtMs !== null && nowMs >= stopAtMs) {
    // The cluster is about to be ended for its stop time, which is no failure.
    return { kind: 'wait', ms: 1_000 };
  }
  const pause = pauseAt(parts, first.offer);
  if (pause !== null) {
    return { kind: 'wait', ms: Math.min(LONGEST_PAUSE_MS, pause.waitMs), sentence: pause.message };
  }
  const wanted = offerOfAll(first.offer, machinesOf(first.offer));
  const problem = purchaseProblem(state, wanted, nowMs);
  if (problem === null) {
    return { kind: 'offer', offer: first.offer, quote };
  }
  const room = roomToCome(state, wanted, nowMs);
  if (room !== null) {
    return { kind: 'wait', ms: WAIT_FOR_ROOM_MS, sentence: room };
  }
  return unclear ? { kind: 'wait', ms: WAIT_FOR_QUARANTINE_MS } : { kind: 'none', sentence: problem };
}

/** Why an offer's network is not asked now. */
function pauseAt(
  { calls, providers }: Pick<Parts, 'calls' | 'providers'>,
  offer: Offer,
): NetworkWaits | null {
  const provider = providers.get(offer.provider);
  return provider === undefined ? null : calls.waits(provider, 'create');
}

/** Another part of a machine that was not what it was offered as is not bought in its place. */
const isOfBadHost = ({ hostSaid, offer: had }: AttemptRecord, { provider, hostId }: Offer): boolean =>
  hostSaid === 'failed' && hostId !== undefined && had.provider === provider && had.hostId === hostId;

/** Certainly nothing was bought, and the offer may still stand. */
function mayAskAgain({ state, mayRetry, instanceId }: AttemptRecord): boolean {
  return mayRetry || (state === 'gone' && instanceId === null);
}

function withLast(sentence: string, last: AttemptRecord | undefined): string {
  return last === undefined || last.message === '' ? sentence : `${sentence} Last: ${last.message}`;
}
