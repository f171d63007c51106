/**
 * The practice market: a network of its own behind a handful of calls, with its own memory, its own bills and its
 * own faults. It knows nothing of clusters or of the adapter, and what it says may be as wrong as a real network's.
 */
import type { MicroUsd, Offer } from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';
import type { Host } from '../../access/host.ts';
import { type MarketAccount, MarketDoor } from './account.ts';
import { Books } from './books.ts';
import { type Bid, bidsFor, leased } from './bids.ts';
import { hashUnit } from './drift.ts';
import { checkMembers, checkTerm, moreTime, type RentOrder, type Terms } from './terms.ts';
import { FaultDice, type FaultKind, type FaultPlan, NO_FAULTS, type Operation } from './faults.ts';
import { MarketCalls } from './market-calls.ts';
import { MarketRefusal } from './market-refusal.ts';
import type { MarketRuntime } from './market-runtime.ts';
import type { MarketStorage, Rental } from './market-storage.ts';
import { newRental } from './new-rental.ts';
import {
  billOf,
  isLostMember,
  isMislaid,
  labelOf,
  type RentalView,
  viewOf,
  withWays,
} from './rental-view.ts';
import { Rentals } from './rentals.ts';
import { limitsIn, type RouteLimitsByName } from './route-limits.ts';
import { type MarketPrice, Shelf, soldSentence } from './shelf.ts';

export interface MarketOptions {
  readonly clock: Clock;
  readonly storage: MarketStorage;
  readonly runtime: MarketRuntime;
  readonly seed?: number;
  readonly faults?: FaultPlan;
  /** Whoever rents needs one of its keys; left out: anybody may. */
  readonly account?: MarketAccount | null;
  /** Hears of each fault that strikes. */
  readonly onFault?: (kind: FaultKind) => void;
  readonly bootDelayMs?: number;
  /** How long the list may miss a rental whose answer was lost. */
  readonly visibilityDelayMs?: number;
  readonly offersPerModel?: number;
  /** So many of everything, always; for load tests. */
  readonly stock?: number;
}

export class SandboxMarket {
  readonly visibilityDelayMs: number;
  /** How often each kind of call is answered; null: it does not say. */
  readonly limits: RouteLimitsByName | null;
  /** Whether what is sold may cost something else than the list says. */
  readonly pricesApart: boolean;
  /** Who is let in. */
  readonly door: MarketDoor;
  readonly books: Books;
  readonly #clock: Clock;
  readonly #rentals: Rentals;
  readonly #calls: MarketCalls;
  readonly #runtime: MarketRuntime;
  readonly #seed: number;
  readonly #dice: FaultDice;
  readonly #bootDelayMs: number;
  readonly #shelf: Shelf;

  constructor(options: MarketOptions) {
    const { clock } = options;
    this.#clock = clock;
    this.door = new MarketDoor(options.account ?? null, clock);
    this.books = new Books({ clock, door: this.door, rentals: () => this.rentals() });
    this.#rentals = new Rentals(options.storage);
    this.#runtime = options.runtime;
    this.#seed = options.seed ?? 1;
    const faults = options.faults ?? NO_FAULTS;
    this.#dice = new FaultDice(faults, options.onFault);
    this.limits = limitsIn(faults);
    this.pricesApart = faults.rules.some(({ fault }) => fault === 'list_price_off');
    this.#calls = new MarketCalls(clock, this.#dice, this.limits);
    this.#shelf = new Shelf({
      seed: this.#seed,
      dice: this.#dice,
      offersPerModel: options.offersPerModel,
      stock: options.stock ?? null,
    });
    this.#bootDelayMs = options.bootDelayMs ?? 500;
    this.visibilityDelayMs = options.visibilityDelayMs ?? 5_000;
  }

  async offers(signal: AbortSignal): Promise<readonly Offer[]> {
    this.#calls.enter('offers');
    const offers = this.#shelf.offers(this.#rentals.all().values(), this.#clock.now());
    await this.#calls.leave('offers', signal);
    return offers;
  }

  /** What one machine of an entry costs on these terms. */
  price(entryId: string, terms: Terms, signal: AbortSignal): Promise<MarketPrice> {
    return this.#calls.asked('price', signal, () => this.#shelf.price(entryId, terms, this.#clock.now()));
  }

  /** Rents one machine. The rental is stored before the answer leaves. */
  async rent(order: RentOrder, signal: AbortSignal): Promise<RentalView> {
    this.#calls.enter('create');
    const { ref } = order;
    if (this.#dice.strike('reply_lost_before_create', ref) !== null) {
      throw new MarketRefusal('lost', 'The connection broke while the practice market was asked to rent.');
    }
    const { conditions, ...sale } = this.#shelf.sell(order, this.#rentals.all().values(), this.#clock.now());
    checkTerm(conditions, order.termMs ?? null);
    checkMembers(conditions, order.members ?? 1);
    this.#runtime.reserve(ref);
    const lost = this.#dice.strike('reply_lost_after_create', ref) !== null;
    const rental = newRental({
      id: this.#rentals.nextId(),
      ref,
      ...sale,
      members: order.members ?? 1,
      letIn: order.letIn ?? null,
      conditions,
      termMs: order.termMs ?? null,
      diskGiB: order.diskGiB ?? null,
      image: order.image ?? null,
      nowMs: this.#clock.now(),
      bootDelayMs: this.#bootDelayMs,
      // A lost one turns up some time before the delay is over.
      hiddenForMs: lost ? Math.floor(this.visibilityDelayMs * hashUnit(this.#seed, ref)) : 0,
      visibilityDelayMs: this.visibilityDelayMs,
      endAtMs: order.endAtMs,
      dice: this.#dice,
    });
    this.books.checkFunds(rental);
    this.#rentals.keep(rental);
    // Only of one that its list shows in the end: nobody looks for what was refused.
    if (!this.#endsAlone(rental) && this.#dice.strike('refused_but_rented', ref) !== null) {
      throw new MarketRefusal('sold_out', soldSentence(sale.entry));
    }
    if (lost) {
      throw new MarketRefusal('lost', 'The connection broke before the practice market answered.');
    }
    if (this.#dice.strike('error_with_id', ref) !== null) {
      throw new MarketRefusal(
        'server_error',
        `The practice market answered an error and contract ${rental.id}.`,
        {
          rentalId: rental.id,
        },
      );
    }
    await this.#calls.leave('create', signal);
    return viewOf(rental, this.#clock.now());
  }

  /** What faults do to a call that changes nothing. */
  asked<T>(operation: Operation, signal: AbortSignal, answer: () => T): Promise<T> {
    return this.#calls.asked(operation, signal, answer);
  }

  async show(id: string, signal: AbortSignal): Promise<RentalView | null> {
    this.#calls.enter('get');
    const rental = this.#rentals.get(id);
    const isKnown = rental !== undefined && !isMislaid(rental, this.#clock.now());
    const settled = isKnown ? await this.#settle(rental) : null;
    const view = settled === null ? null : await withWays(settled, this.#runtime, this.#clock.now());
    await this.#calls.leave('get', signal);
    return view === null || settled?.showsMark !== false ? view : { ...view, label: null };
  }

  /** Rentals that are not over. `complete: false`: the answer broke off. */
  async list(signal: AbortSignal): Promise<{ rows: readonly RentalView[]; complete: boolean }> {
    this.#calls.enter('list');
    if (this.#dice.strikeCall('list_fails', 'list') !== null) {
      throw new MarketRefusal('server_error', 'The practice market could not list.');
    }
    const rows: RentalView[] = [];
    for (const stored of [...this.#rentals.all().values()]) {
      const rental = await this.#settle(stored);
      const nowMs = this.#clock.now();
      if (rental.endedAtMs === null && rental.visibleAtMs <= nowMs && !isMislaid(rental, nowMs)) {
        rows.push(viewOf(rental, nowMs));
      }
    }
    await this.#calls.leave('list', signal);
    if (this.#dice.strikeCall('list_partial', 'list') !== null) {
      return { rows: rows.slice(0, Math.floor(rows.length / 2)), complete: false };
    }
    return { rows, complete: true };
  }

  async end(id: string, signal: AbortSignal): Promise<void> {
    this.#calls.enter('destroy');
    const found = this.#rentals.get(id);
    const rental = found === undefined ? undefined : await this.#settle(found);
    // What the market does not know counts as gone there, as with most networks.
    if (rental === undefined || rental.endedAtMs !== null || isMislaid(rental, this.#clock.now())) {
      return;
    }
    const tries = rental.destroyTries + 1;
    const tried = this.#rentals.update(rental, { destroyTries: tries });
    if (this.#dice.strike('destroy_fails', rental.ref, tries) !== null) {
      throw new MarketRefusal('server_error', `The practice market could not end ${id}.`);
    }
    if (tried.stepsToEnd > 0) {
      this.#rentals.update(tried, { stepsToEnd: tried.stepsToEnd - 1, isHalted: true });
      await this.#calls.leave('destroy', signal);
      return;
    }
    const slow = this.#dice.strike('destroy_slow', rental.ref);
    const destroyAtMs = tried.destroyAtMs ?? this.#clock.now() + (slow?.delayMs ?? 0);
    await this.#settle(this.#rentals.update(tried, { destroyAtMs }));
    if (this.#dice.strike('destroy_reply_lost', rental.ref, tries) !== null) {
      throw new MarketRefusal('lost', 'The connection broke before the practice market answered.');
    }
    await this.#calls.leave('destroy', signal);
  }

  /** Moves the end time of a rental that has one. */
  async extend(id: string, endAtMs: number, signal: AbortSignal): Promise<void> {
    this.#calls.enter('extend');
    const found = this.#rentals.get(id);
    const rental = found === undefined ? undefined : await this.#settle(found);
    if (rental?.endedAtMs !== null) {
      throw new MarketRefusal('conflict', `There is no running rental ${id}.`);
    }
    if (rental.termMs === null && this.#shelf.entry(rental.entryId)?.fixed.endsBillingAlone === true) {
      this.#rentals.update(rental, { endAtMs });
    }
    await this.#calls.leave('extend', signal);
  }

  /** Sells so much more of a rental that was sold by terms: each call again. */
  async buyTime(id: string, ms: number, signal: AbortSignal): Promise<RentalView> {
    this.#calls.enter('buy_time');
    const found = this.#rentals.get(id);
    const rental = found === undefined ? undefined : await this.#settle(found);
    if (rental?.endedAtMs !== null || rental.endAtMs === null || rental.termMs === null) {
      throw new MarketRefusal('conflict', `There is no running rental ${id} that is sold by terms.`);
    }
    checkTerm({ termMs: rental.termMs }, ms);
    const tries = rental.moreTimeTries + 1;
    const tried = this.#rentals.update(rental, { moreTimeTries: tries });
    if (this.#dice.strike('reply_lost_before_more_time', rental.ref, tries) !== null) {
      throw new MarketRefusal(
        'lost',
        'The connection broke while the practice market was asked for more time.',
      );
    }
    const more = this.#rentals.update(tried, moreTime(tried, ms, this.#clock.now()));
    if (this.#dice.strike('reply_lost_after_more_time', rental.ref, tries) !== null) {
      throw new MarketRefusal('lost', 'The connection broke before the practice market answered.');
    }
    await this.#calls.leave('buy_time', signal);
    return viewOf(more, this.#clock.now());
  }

  /** An order as it stands, and who bids for it now; null: the market knows no such order. */
  async bids(
    id: string,
    signal: AbortSignal,
  ): Promise<{ readonly order: RentalView; readonly bids: readonly Bid[] } | null> {
    this.#calls.enter('bids');
    const found = this.#rentals.get(id);
    const rental =
      found === undefined || isMislaid(found, this.#clock.now()) ? null : await this.#settle(found);
    const nowMs = this.#clock.now();
    const said =
      rental === null
        ? null
        : { order: await withWays(rental, this.#runtime, nowMs), bids: bidsFor(rental, nowMs) };
    await this.#calls.leave('bids', signal);
    return said;
  }

  /** Agrees to a bid for an order. One that is rented already stays as it is. */
  async lease(id: string, bidId: string, signal: AbortSignal): Promise<RentalView> {
    this.#calls.enter('lease');
    const found = this.#rentals.get(id);
    const rental = found === undefined ? undefined : await this.#settle(found);
    if (rental?.endedAtMs !== null || rental.destroyAtMs !== null || rental.order === null) {
      throw new MarketRefusal('conflict', `There is no open order ${id}.`);
    }
    const nowMs = this.#clock.now();
    const tries = rental.order.tries + 1;
    const tried = this.#rentals.update(rental, { order: { ...rental.order, tries } });
    if (this.#dice.strike('reply_lost_before_lease', rental.ref, tries) !== null) {
      throw new MarketRefusal('lost', 'The connection broke while a bid was agreed to.');
    }
    const bid = bidsFor(tried, nowMs).find(each => each.id === bidId);
    const isOpen = rental.order.leasedAtMs === null;
    if (isOpen && (bid === undefined || this.#dice.strike('bid_withdrawn', rental.ref, tries) !== null)) {
      throw new MarketRefusal('sold_out', 'The bid was withdrawn.');
    }
    const now = bid === undefined ? tried : this.#rentals.update(tried, leased(tried, bid, nowMs));
    if (this.#dice.strike('reply_lost_after_lease', rental.ref, tries) !== null) {
      throw new MarketRefusal('lost', 'The connection broke before the practice market answered.');
    }
    await this.#calls.leave('lease', signal);
    return viewOf(now, this.#clock.now());
  }

  /** Whether its machines are processes here; else ssh leads to them. */
  get hasHosts(): boolean {
    return this.#runtime.host !== undefined;
  }

  async host(id: string, rank: number, signal: AbortSignal): Promise<Host> {
    this.#calls.enter('host');
    await this.#calls.leave('host', signal);
    return this.machine(id, rank);
  }

  /** The machine itself, which runs whatever the market answers. */
  async machine(id: string, rank: number): Promise<Host> {
    // From here on to the machine nothing waits: it must not come to be after its rental ended.
    const found = this.#rentals.get(id);
    const rental = found === undefined ? undefined : await this.#settle(found);
    const entry = this.#shelf.entry(rental?.entryId ?? '');
    if (rental?.endedAtMs !== null || entry === undefined) {
      throw new MarketRefusal('conflict', `There is no machine ${id} any more.`);
    }
    if (
      rental.destroyAtMs !== null ||
      rental.isHalted ||
      rental.readyAtMs === null ||
      rental.readyAtMs > this.#clock.now()
    ) {
      throw new MarketRefusal('not_ready', `The machine ${id} does not answer.`);
    }
    const isThere = rank < rental.members && !isLostMember(rental, rank, this.#clock.now());
    if (this.#runtime.host === undefined || !isThere) {
      throw new MarketRefusal('conflict', `There is no machine ${rank.toString()} of ${id} any more.`);
    }
    return this.#runtime.host(rental, rank, entry);
  }

  /** The market's own bill for a label: every span it was rented, at its price. For tests and the chaos figures. */
  billed(ref: string): MicroUsd {
    const nowMs = this.#clock.now();
    return this.rentals(ref).reduce((sum, rental) => sum + billOf(rental, nowMs), 0n);
  }

  /** What was rented under a label, what is over too, as far as the market shows it by now. */
  history(label: string, signal: AbortSignal): Promise<readonly RentalView[]> {
    return this.#calls.asked('list', signal, async () => {
      const isShown = (rental: Rental) =>
        labelOf(rental) === label &&
        rental.visibleAtMs <= this.#clock.now() &&
        !isMislaid(rental, this.#clock.now());
      const shown = await Promise.all(
        this.rentals()
          .filter(isShown)
          .map(rental => this.#settle(rental)),
      );
      return shown.map(rental => ({ ...viewOf(rental, this.#clock.now()), label }));
    });
  }

  /** Everything ever rented, or what carries one label; faults do not touch this. */
  rentals(ref?: string): readonly Rental[] {
    return [...this.#rentals.all().values()].filter(rental => ref === undefined || rental.ref === ref);
  }

  #endsAlone({ endAtMs, preemptAtMs, entryId }: Rental): boolean {
    const alone = this.#shelf.entry(entryId)?.fixed.endsBillingAlone === true;
    return alone || endAtMs !== null || preemptAtMs !== null;
  }

  /** Ends a rental whose time has come, at the moment it came. @returns the rental as it stands then. */
  async #settle(stored: Rental): Promise<Rental> {
    const { id } = stored;
    const alone = this.#shelf.entry(stored.entryId)?.fixed.endsBillingAlone === true;
    const endedByItselfAtMs =
      alone && stored.endedAtMs === null ? await this.#runtime.endedByItselfAtMs(stored) : null;
    const rental = this.#rentals.get(id) ?? stored;
    const { lostMember } = rental;
    if (lostMember !== null && rental.endedAtMs === null && lostMember.atMs <= this.#clock.now()) {
      await this.#runtime.endMember(rental, lostMember.rank);
    }
    const ends = [rental.endAtMs, rental.preemptAtMs, rental.destroyAtMs, endedByItselfAtMs].filter(
      atMs => atMs !== null && atMs <= this.#clock.now(),
    );
    if (rental.endedAtMs !== null || ends.length === 0) {
      return rental;
    }
    await this.#runtime.end(rental);
    const now = this.#rentals.get(id) ?? rental;
    return now.endedAtMs === null
      ? this.#rentals.update(now, { endedAtMs: Math.min(...ends.map(Number)) })
      : now;
  }
}
