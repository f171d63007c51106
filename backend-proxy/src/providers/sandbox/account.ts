/**
 * Whose account the practice market rents on: the keys that it accepts, what each may do, and what is left. It stands for
 * a network's own accounts, so that logins, scopes, balances and keys that stop working can be tried without one.
 */
import { HitchError, type MicroUsd, parseDollars } from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';
import * as z from 'zod';
import { MarketRefusal } from './market-refusal.ts';

const dollars = z.string().transform((text, context): MicroUsd => {
  try {
    return parseDollars(text);
  } catch (error) {
    context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) });
    return z.NEVER;
  }
});

/** `read` looks, `rent` rents and ends. */
export const SCOPES = ['read', 'rent'] as const;
export type Scope = (typeof SCOPES)[number];

export const marketAccountSchema = z.strictObject({
  name: z.string().default('Practice account'),
  keys: z
    .array(
      z.strictObject({
        key: z.string().min(8),
        scopes: z.array(z.enum(SCOPES)).default([...SCOPES]),
        /** So long after the market opened it is not accepted any more; null: it always is. */
        revokedAfterMs: z.number().int().min(0).nullable().default(null),
      }),
    )
    .min(1),
  /** Whether offers are shown to those alone who have a key. */
  offersNeedKey: z.boolean().default(false),
  /** What was paid in, such as `25`; what is rented takes it down. Null: it does not say. */
  balanceDollars: dollars.nullable().default(null),
  /** The most that all of it may cost an hour. */
  spendLimitDollarsPerHour: dollars.nullable().default(null),
});
export type MarketAccount = z.output<typeof marketAccountSchema>;

/** @throws HitchError BAD_INPUT, which does not repeat what was read: keys stand in it. */
export function parseMarketAccount(text: string): object {
  const next =
    'Write it like {"keys":[{"key":"practice-key"}],"balanceDollars":"25"} or unset it, and start the daemon again.';
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    throw new HitchError('BAD_INPUT', 'HITCH_SANDBOX_ACCOUNT is not JSON.', { next });
  }
  const account = marketAccountSchema.safeParse(data);
  if (!account.success) {
    const issue = account.error.issues[0];
    const where = issue?.path.join('.') ?? '';
    throw new HitchError(
      'BAD_INPUT',
      `HITCH_SANDBOX_ACCOUNT is not an account: ${where === '' ? '' : `${where}: `}${issue?.message ?? 'invalid'}.`,
      { field: where, next },
    );
  }
  return z.looseObject({}).parse(data);
}

/** Who is let in, and with what. */
export class MarketDoor {
  readonly #account: MarketAccount | null;
  readonly #clock: Clock;
  readonly #openedAtMs: number;

  constructor(account: MarketAccount | null, clock: Clock) {
    this.#account = account;
    this.#clock = clock;
    this.#openedAtMs = clock.now();
  }

  get account(): MarketAccount | null {
    return this.#account;
  }

  /** What a key may do. @throws MarketRefusal for one that it does not accept. */
  scopesOf(key: string | null): readonly Scope[] {
    if (this.#account === null) {
      return SCOPES;
    }
    if (key === null) {
      throw new MarketRefusal('unauthorized', 'The practice market wants a key.');
    }
    const known = this.#account.keys.find(one => one.key === key);
    if (known === undefined) {
      throw new MarketRefusal('unauthorized', 'The practice market does not know this key.');
    }
    const { revokedAfterMs, scopes } = known;
    if (revokedAfterMs !== null && this.#clock.now() - this.#openedAtMs >= revokedAfterMs) {
      throw new MarketRefusal('unauthorized', 'This key of the practice market was revoked.');
    }
    return scopes;
  }

  /** @throws MarketRefusal for a key that may not do this. */
  admit(key: string | null, scope: Scope): void {
    if (!this.scopesOf(key).includes(scope)) {
      throw new MarketRefusal(
        'unauthorized',
        `This key of the practice market may not ${scope}: it needs the scope ${scope}.`,
      );
    }
  }

  /** @throws MarketRefusal for a key where offers are not shown without one. */
  admitToOffers(key: string | null): void {
    if (this.#account?.offersNeedKey === true) {
      this.admit(key, 'read');
    }
  }

  /** What is left after this was billed; null: it does not say. */
  balance(billed: MicroUsd): MicroUsd | null {
    const paidIn = this.#account?.balanceDollars ?? null;
    return paidIn === null ? null : paidIn - billed;
  }

  /**
   * @param order what leaves the account at once, and what it costs an hour
   * @throws MarketRefusal where the account does not carry that beside what is rented already.
   */
  checkFunds(
    order: { readonly atOnce: MicroUsd; readonly perHour: MicroUsd },
    now: { readonly billed: MicroUsd; readonly perHour: MicroUsd },
  ): void {
    const left = this.balance(now.billed);
    const limit = this.#account?.spendLimitDollarsPerHour ?? null;
    if (left !== null && (left <= 0n || left < order.atOnce)) {
      throw new MarketRefusal('no_funds', 'The balance at the practice market is too low for this.');
    }
    if (limit !== null && now.perHour + order.perHour > limit) {
      throw new MarketRefusal(
        'no_funds',
        'With this, all that is rented at the practice market would cost more an hour than its spend limit.',
      );
    }
  }
}
