/** Renting once more for a cluster that is there: its price, the person's yes, and other limits where those are wanted. */
import type { Cluster, LimitChange, Quote, WishChange } from '@hitch/contract';
import { formatMicroUsd, parseMicroUsd } from '@hitch/contract/src/money.ts';
import { isOver } from '@hitch/contract/src/words.ts';
import type { Limits } from './draft.ts';

/** What of an order a person changes here. */
export type AgainChange = LimitChange & Pick<WishChange, 'termMs'>;

export interface AgainPorts {
  /** What was ordered for the cluster, at today's prices. @throws HitchError NO_OFFERS or CONFLICT. */
  readonly quote: (limits: AgainChange) => PromiseLike<Quote>;
  /** Shows it and, on a yes, rents it; null: no. */
  readonly confirm: (quote: Quote) => Promise<Cluster | 'change' | null>;
  /** Other limits for the next run; null: it was given up. */
  readonly changeLimits: (limits: Limits, quote: Quote) => Promise<Limits | null>;
  /** Other limits of a cluster that runs. */
  readonly extend: () => Promise<unknown>;
}

export interface Rented {
  readonly cluster: Cluster;
  readonly candidates: number;
}

/** Null when the person said no. */
export async function rentAgain(
  cluster: Pick<Cluster, 'phase'>,
  { quote: ask, confirm, changeLimits, extend }: AgainPorts,
): Promise<Rented | null> {
  let change: AgainChange = {};
  for (;;) {
    const quote = await ask(change);
    const said = await confirm(quote);
    if (said === null) {
      return null;
    }
    if (said !== 'change') {
      return { cluster: said, candidates: quote.candidates.length };
    }
    if (!isOver(cluster)) {
      await extend();
      continue;
    }
    const limits = await changeLimits(limitsOf(quote), quote);
    if (limits === null) {
      return null;
    }
    change = changeTo(limits, quote.createdAtMs);
  }
}

const limitsOf = ({ caps, createdAtMs, save, candidates, asked }: Quote): Limits => ({
  capMicroUsd: parseMicroUsd(caps.totalMicroUsd),
  stopAfterMs: caps.stopAtMs === null ? 0 : caps.stopAtMs - createdAtMs,
  idleMs: caps.idleMs ?? 0,
  save: save.paths,
  ...(candidates.some(({ termMs }) => termMs !== undefined) ? { paidMs: asked?.termMs ?? null } : {}),
});

const changeTo = ({ capMicroUsd, stopAfterMs, idleMs, paidMs }: Limits, nowMs: number): AgainChange => ({
  capMicroUsd: formatMicroUsd(capMicroUsd),
  stopAtMs: stopAfterMs === 0 ? null : nowMs + stopAfterMs,
  idleMs: idleMs === 0 ? null : idleMs,
  ...(paidMs === undefined ? {} : { termMs: paidMs }),
});
