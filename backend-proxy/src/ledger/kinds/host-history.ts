/**
 * What became of the purchases that this store made of one host: of a physical machine where its network names it, else of
 * one offer. Of no other Hitch, and nobody is asked for it. It holds sums, the latest few times to ready and the last
 * failure, so that a host is one small row however often it is rented; a row of which nothing was bought for a year is
 * dropped when the store is opened.
 */
import { cutText, type Offer, type ProviderId, providerIdSchema } from '@hitch/contract';
import * as z from 'zod';
import { integer, keptKind, text, workedOut } from '../kind.ts';
import { milliseconds } from './stored.ts';

export interface HostHistoryRecord {
  readonly provider: ProviderId;
  /** As {@link hostOf} names it. */
  readonly host: string;
  readonly purchases: number;
  /** Purchases on which a node was ready once, and those on which none ever was for a reason of the host's. */
  readonly cameUp: number;
  readonly notUp: number;
  /** Of those that did not come up: they were not what was offered. */
  readonly failedChecks: number;
  /** Of those that came up: they were lost while they ran. */
  readonly died: number;
  /** From the purchase to the first ready node, the latest ones, oldest first. */
  readonly readyMs: readonly number[];
  readonly lastFailure: { readonly atMs: number; readonly message: string } | null;
  readonly lastAtMs: number;
}

const count = z.number().int().min(0);

const hostHistorySchema = z.object({
  provider: providerIdSchema,
  host: z.string(),
  purchases: count,
  cameUp: count,
  notUp: count,
  failedChecks: count,
  died: count,
  readyMs: z.array(milliseconds),
  lastFailure: z.object({ atMs: milliseconds, message: z.string() }).nullable(),
  lastAtMs: milliseconds,
}) satisfies z.ZodType<HostHistoryRecord>;

/** So long after its last purchase a host is forgotten. */
export const HOST_KEPT_MS = 365 * 24 * 3_600_000;
/** So many times to ready are kept of a host. */
export const READY_TIMES_KEPT = 10;
const LONGEST_MESSAGE = 300;

export const hostHistories = keptKind<HostHistoryRecord>({
  name: 'host_histories',
  since: 4,
  schema: hostHistorySchema,
  key: ['provider', 'host'],
  columns: {
    provider: text('provider'),
    host: text('host'),
    last_at_ms: integer('lastAtMs'),
    forget_at_ms: workedOut('integer', ({ lastAtMs }) => lastAtMs + HOST_KEPT_MS),
  },
  expires: { column: 'forget_at_ms', unless: null },
});

type OfOffer = Pick<Offer, 'id' | 'provider' | 'hostId'>;

/** Names a host at its network: the physical machine, else the offer. */
export const hostOf = ({ id, hostId }: OfOffer): string =>
  hostId === undefined ? `offer/${id.slice(id.indexOf(':') + 1)}` : `host/${hostId}`;

export const hostKey = (offer: OfOffer): string => `${offer.provider}/${hostOf(offer)}`;

/** How far what a purchase says of its host is written down. */
export const hostSaidSchema = z.enum(['bought', 'up', 'failed']);
export type HostSaid = z.infer<typeof hostSaidSchema>;

export type HostNews =
  | { readonly what: 'bought' }
  | { readonly what: 'up'; readonly readyMs: number }
  | { readonly what: 'failed'; readonly message: string; readonly isCheck: boolean };

/** @returns null where it is written down already, or the purchase is not counted at all. */
export function hostSaidAfter(before: HostSaid | null, { what }: HostNews): HostSaid | null {
  const follows =
    what === 'bought'
      ? before === null
      : what === 'up'
        ? before === 'bought'
        : before === 'bought' || before === 'up';
  return follows ? what : null;
}

/** The row with one thing more. @param said how far the purchase was written down before. */
export function withNews(
  row: HostHistoryRecord | undefined,
  offer: OfOffer,
  said: HostSaid | null,
  news: HostNews,
  nowMs: number,
): HostHistoryRecord {
  const before = row ?? blank(offer);
  const at = { lastAtMs: Math.max(before.lastAtMs, Math.floor(nowMs)) };
  switch (news.what) {
    case 'bought':
      return { ...before, ...at, purchases: before.purchases + 1 };
    case 'up': {
      const readyMs = [...before.readyMs, Math.max(0, Math.floor(news.readyMs))].slice(-READY_TIMES_KEPT);
      return { ...before, ...at, cameUp: before.cameUp + 1, readyMs };
    }
    case 'failed': {
      const died = said === 'up';
      return {
        ...before,
        ...at,
        notUp: before.notUp + Number(!died),
        failedChecks: before.failedChecks + Number(!died && news.isCheck),
        died: before.died + Number(died),
        lastFailure: { atMs: Math.floor(nowMs), message: cutText(news.message, LONGEST_MESSAGE) },
      };
    }
  }
}

const blank = (offer: OfOffer): HostHistoryRecord => ({
  provider: offer.provider,
  host: hostOf(offer),
  purchases: 0,
  cameUp: 0,
  notUp: 0,
  failedChecks: 0,
  died: 0,
  readyMs: [],
  lastFailure: null,
  lastAtMs: 0,
});
