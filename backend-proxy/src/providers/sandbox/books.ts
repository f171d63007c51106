/** The market's books: what is left on the account that is rented on, and what was billed for what. */
import { type MicroUsd, parseMicroUsd } from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';
import type { AccountSaid, BillLine } from '../provider.ts';
import type { MarketDoor } from './account.ts';
import type { Rental } from './market-storage.ts';
import { billOf, billParts, labelOf, priceAt } from './rental-view.ts';

export interface BooksOptions {
  readonly clock: Clock;
  readonly door: MarketDoor;
  readonly rentals: () => readonly Rental[];
}

export class Books {
  readonly #options: BooksOptions;

  constructor(options: BooksOptions) {
    this.#options = options;
  }

  /** Whose key that is, and what is left. @throws MarketRefusal for one that it does not accept. */
  account(key: string | null): AccountSaid {
    const { door } = this.#options;
    const scopes = door.scopesOf(key);
    const { account } = door;
    return {
      id: 'practice',
      name: account?.name ?? 'Practice account',
      scopes: account === null ? null : scopes,
      balanceMicroUsd: door.balance(this.#billedInAll()),
      spendLimitPerHourMicroUsd: account?.spendLimitDollarsPerHour ?? null,
    };
  }

  /** @throws MarketRefusal where the account does not carry one rental more. */
  checkFunds(rental: Rental): void {
    const [floor, paid] = [rental.floorMicroUsd, rental.paidMicroUsd ?? '0'].map(parseMicroUsd);
    const ahead = (floor ?? 0n) > (paid ?? 0n) ? floor : paid;
    this.#options.door.checkFunds(
      {
        atOnce: parseMicroUsd(rental.nonRefundableMicroUsd) + (ahead ?? 0n),
        perHour: parseMicroUsd(rental.pricePerHourMicroUsd),
      },
      { billed: this.#billedInAll(), perHour: this.#perHour() },
    );
  }

  /** What was billed between two moments, a line for each part of each rental; what was counted too much is a credit. */
  bill(fromMs: number, toMs: number): readonly BillLine[] {
    const untilMs = Math.min(toMs, this.#options.clock.now());
    return this.#options.rentals().flatMap(rental => linesOf(rental, fromMs, untilMs));
  }

  #billedInAll(): MicroUsd {
    const nowMs = this.#options.clock.now();
    return this.#options.rentals().reduce((sum, rental) => sum + billOf(rental, nowMs), 0n);
  }

  /** What all that is rented now costs an hour. */
  #perHour(): MicroUsd {
    const nowMs = this.#options.clock.now();
    return this.#options
      .rentals()
      .filter(({ endedAtMs }) => endedAtMs === null)
      .reduce((sum, rental) => sum + priceAt(rental, nowMs), 0n);
  }
}

function linesOf(rental: Rental, fromMs: number, untilMs: number): readonly BillLine[] {
  const before = new Map(partsAt(rental, fromMs));
  return partsAt(rental, untilMs).flatMap(([label, amount]) => {
    const amountMicroUsd = amount - (before.get(label) ?? 0n);
    return amountMicroUsd === 0n ? [] : [{ mark: labelOf(rental), label, amountMicroUsd }];
  });
}

/** As it stood at that moment, of a rental that may be over now. */
function partsAt(rental: Rental, atMs: number): readonly (readonly [label: string, amount: MicroUsd])[] {
  const { boughtAtMs, endedAtMs } = rental;
  return atMs <= boughtAtMs
    ? []
    : billParts({ ...rental, endedAtMs: endedAtMs !== null && endedAtMs <= atMs ? endedAtMs : null }, atMs);
}
