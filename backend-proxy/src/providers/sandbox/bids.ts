/** Orders of the market: who bids for them, and what agreeing to a bid makes of one. */
import { type MicroUsd, parseMicroUsd } from '@hitch/contract';
import type { Rental } from './market-storage.ts';

/** Somebody would fill the order at this price. */
export interface Bid {
  readonly id: string;
  readonly pricePerHourMicroUsd: MicroUsd;
}

/** The bids for an order now: two, where there are any. One that is filled has none. */
export function bidsFor(
  { id, order, endedAtMs, pricePerHourMicroUsd }: Rental,
  nowMs: number,
): readonly Bid[] {
  const isOpen = order?.leasedAtMs === null && endedAtMs === null;
  if (!isOpen || order.bidsAtMs === null || order.bidsAtMs > nowMs) {
    return [];
  }
  const price = parseMicroUsd(pricePerHourMicroUsd);
  return [
    { id: `${id}/1`, pricePerHourMicroUsd: price + price / 20n },
    { id: `${id}/2`, pricePerHourMicroUsd: price - price / 20n },
  ];
}

/** What becomes of an order by agreeing to a bid: it is rented from now on, at the bid's price. */
export function leased({ order }: Rental, { pricePerHourMicroUsd }: Bid, nowMs: number): Partial<Rental> {
  return order === null
    ? {}
    : {
        pricePerHourMicroUsd: pricePerHourMicroUsd.toString(),
        order: { ...order, leasedAtMs: nowMs },
        readyAtMs: order.bootMs === null ? null : nowMs + order.bootMs,
      };
}
