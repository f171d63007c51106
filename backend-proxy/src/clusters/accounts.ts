/**
 * What networks say of the accounts that are rented on. It is asked for at a login, before a price is agreed to, and while
 * something costs there; in between what was said last stands, with its age.
 */
import {
  costOver,
  format,
  HitchError,
  leastCost,
  type MicroUsd,
  type NetworkAccount,
  type Offer,
  type ProviderId,
  showDollars,
} from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { AttemptRecord } from '../ledger/records.ts';
import { type AccountSaid, lacksLogin, type LoginState, type Provider } from '../providers/provider.ts';
import { rateAt } from '../spend/cost.ts';
import { money } from '../spend/usage.ts';
import { USEFUL_MS } from '../spend/limits.ts';
import type { RateLimiter } from './rate-limiter.ts';

interface Known {
  readonly said: AccountSaid;
  /** Of the wall clock, and of the one that only grows. */
  readonly askedAtMs: number;
  readonly askedAt: number;
}

export interface AccountsOptions {
  readonly clock: Clock;
  readonly calls: RateLimiter;
  readonly logins: LoginState;
  readonly ledger: Pick<Ledger, 'states'>;
}

const HOUR_MS = 3_600_000n;
/** Whoever agrees to a price relies on what was said not longer ago than this. */
const FRESH_MS = 30_000;

export class Accounts {
  readonly #options: AccountsOptions;
  readonly #known = new Map<ProviderId, Known>();

  constructor(options: AccountsOptions) {
    this.#options = options;
  }

  /** As it was said last; null: it was not. */
  shown(provider: Provider): NetworkAccount | null {
    const known = this.#known.get(provider.id);
    if (known === undefined) {
      return null;
    }
    const { said, askedAtMs } = known;
    const { balanceMicroUsd, spendLimitPerHourMicroUsd } = said;
    return {
      id: said.id,
      name: said.name,
      scopes: said.scopes === null ? null : [...said.scopes],
      balanceMicroUsd: balanceMicroUsd === null ? null : money(balanceMicroUsd < 0n ? 0n : balanceMicroUsd),
      spendLimitPerHourMicroUsd: spendLimitPerHourMicroUsd === null ? null : money(spendLimitPerHourMicroUsd),
      lastsUntilMs: lastsUntil(known, this.#rateOf(provider.id)),
      askedAtMs,
    };
  }

  /** Asks the network, with the login that is kept. @throws ProviderError */
  async ask(provider: Provider): Promise<void> {
    const account = provider.account?.bind(provider);
    if (account === undefined) {
      return;
    }
    const said = await this.#options.calls.provider(provider, 'account', signal => account(signal));
    this.say(provider.id, said);
  }

  /** It was said elsewhere, such as at a login. */
  say(id: ProviderId, said: AccountSaid): void {
    const { clock } = this.#options;
    this.#known.set(id, { said, askedAtMs: clock.now(), askedAt: clock.monotonic() });
  }

  /** Nobody is logged in there any more. */
  forget(id: ProviderId): void {
    this.#known.delete(id);
  }

  /**
   * Whether the account carries what is about to be agreed to: what leaves it at once, a few minutes of use, and the spend
   * limit. A network that does not answer now is not waited for: it says so itself when it is asked to rent.
   * @param nodes the first choices, one for each machine @param limit the most that one of them may cost an hour
   * @throws HitchError LOGIN_NEEDED or FUNDS_TOO_LOW, each with a sentence.
   */
  async check(provider: Provider, nodes: readonly Offer[], limit: MicroUsd): Promise<void> {
    const { clock, logins } = this.#options;
    if (lacksLogin(provider, logins, 'rent')) {
      throw new HitchError('LOGIN_NEEDED', `You are not logged in to ${provider.title}.`, {
        next: `Log in: hitch networks login ${provider.id}`,
      });
    }
    const known = this.#known.get(provider.id);
    if (
      provider.account !== undefined &&
      (known === undefined || clock.monotonic() - known.askedAt > FRESH_MS)
    ) {
      await this.ask(provider).catch(() => undefined);
    }
    const said = this.#known.get(provider.id)?.said;
    if (said !== undefined) {
      checkBalance(provider, said, nodes, limit);
      checkSpendLimit(provider, said, limit * BigInt(nodes.length) + this.#rateOf(provider.id));
    }
  }

  /** Purchases there that are not known to be over: what ends them needs the login of their account. */
  standing(id: ProviderId): readonly AttemptRecord[] {
    return [...this.#options.ledger.states()]
      .flatMap(({ attempts }) => attempts)
      .filter(({ provider, state }) => provider === id && state !== 'gone' && state !== 'refused');
  }

  /** What all that is rented there costs an hour now. */
  #rateOf(id: ProviderId): MicroUsd {
    const { ledger, clock } = this.#options;
    const nowMs = clock.now();
    let rate = 0n;
    for (const { attempts, segments } of ledger.states()) {
      const there = new Set(attempts.flatMap(attempt => (attempt.provider === id ? [attempt.id] : [])));
      if (there.size > 0) {
        rate += rateAt(
          segments.filter(({ attemptId }) => there.has(attemptId)),
          nowMs,
        );
      }
    }
    return rate;
  }
}

function lastsUntil({ said: { balanceMicroUsd }, askedAtMs }: Known, rate: MicroUsd): number | null {
  if (balanceMicroUsd === null || rate === 0n) {
    return null;
  }
  return balanceMicroUsd <= 0n ? askedAtMs : askedAtMs + Number((balanceMicroUsd * HOUR_MS) / rate);
}

function checkBalance(
  { title }: Provider,
  { balanceMicroUsd: balance }: AccountSaid,
  nodes: readonly Offer[],
  limit: MicroUsd,
): void {
  if (balance === null) {
    return;
  }
  const useful = costOver(limit, USEFUL_MS);
  const needed = nodes.reduce((sum, offer) => {
    const least = leastCost(offer);
    return sum + (least > useful ? least : useful);
  }, 0n);
  if (balance < needed) {
    throw new HitchError(
      'FUNDS_TOO_LOW',
      `Your balance at ${title} is ${format.dollars(money(balance < 0n ? 0n : balance))}; this needs ${showDollars(needed)} at once.`,
      { next: `Add money at ${title}, or choose a cheaper offer.` },
    );
  }
}

function checkSpendLimit(
  { title }: Provider,
  { spendLimitPerHourMicroUsd: most }: AccountSaid,
  rate: MicroUsd,
): void {
  if (most !== null && rate > most) {
    throw new HitchError(
      'FUNDS_TOO_LOW',
      `With this, what you rent at ${title} could cost ${showDollars(rate)}/h; your account there allows ${showDollars(most)}/h.`,
      { next: `Stop what is not needed, choose a cheaper offer, or raise the limit at ${title}.` },
    );
  }
}

/** What a quote's offers need of the account at each network that they are of. @param offers first choices */
export const byNetwork = (offers: readonly Offer[]): ReadonlyMap<ProviderId, readonly Offer[]> =>
  offers.reduce(
    (map, offer) => map.set(offer.provider, [...(map.get(offer.provider) ?? []), offer]),
    new Map<ProviderId, readonly Offer[]>(),
  );
