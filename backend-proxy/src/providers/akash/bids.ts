/** Which of the bids for an order may be taken, best first. */
import type { MicroUsd } from '@hitch/contract';
import { showDollars } from '@hitch/contract';
import { perHour } from './block-price.ts';
import { TITLE } from './offers.ts';
import type { Bid } from './shapes.ts';

export interface Choice {
  /** Inside the limit, by their price. */
  readonly bids: readonly Bid[];
  /** Those of them that cost as little as the first; so many at most are asked about. */
  readonly cheapest: readonly Bid[];
  /** Why none is taken, where none is. */
  readonly sentence: string;
}

const MOST_ASKED_ABOUT = 4;

export function inOrder(all: readonly Bid[], mostPerHour: MicroUsd): Choice {
  const open = all.filter(({ state }) => state === 'open');
  const priced = open.flatMap(bid => {
    const price = perHour(bid.price);
    return price === null ? [] : [{ bid, price }];
  });
  const inside = priced
    .filter(({ price }) => price <= mostPerHour)
    .toSorted((a, b) => Number(a.price - b.price));
  const [first] = inside;
  return {
    bids: inside.map(({ bid }) => bid),
    cheapest: inside
      .filter(({ price }) => price === first?.price)
      .slice(0, MOST_ASKED_ABOUT)
      .map(({ bid }) => bid),
    sentence: sentenceOf(open.length, priced.length, mostPerHour),
  };
}

function sentenceOf(open: number, priced: number, most: MicroUsd): string {
  if (open === 0) {
    return `${TITLE} has no bid for the order yet.`;
  }
  const dear = priced === 0 ? '' : ` ${priced.toString()} ask for more than ${showDollars(most)}/h`;
  const odd = open === priced ? '' : ` ${(open - priced).toString()} are in another currency than dollars`;
  return `${TITLE} has ${open.toString()} bids for the order, and none can be taken:${[dear, odd].filter(part => part !== '').join(',')}.`;
}
