/**
 * The practice market: a network of its own behind a handful of calls, with its own memory, its own bills and its
 * own faults. It knows nothing of clusters or of the adapter, and what it says may be as wrong as a real network's.
 */
import type { MicroUsd, Offer } from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';
import { errorText } from '@hitch/platform/src/log.ts';
import type { Host } from '../../access/host.ts';
import { type MarketAccount, MarketDoor } from './account.ts';
import { Books } from './books.ts';
import { type Bid, bidsFor, leased } from './bids.ts';
import { hashUnit } from './drift.ts';
import { checkMembers, checkTerm, moreTime, type RentOrder } from './terms.ts';
import { FaultDice, type FaultKind, type FaultPlan, NO_FAULTS, type Operation } from './faults.ts';
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
import { Shelf, soldSentence } from './shelf.ts';

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
  /** Who is let in. */
  readonly door: MarketDoor;
  readonly books: Books;
  readonly #clock: Clock;
  readonly #storage: MarketStorage;
  readonly #runtime: MarketRuntime;
  readonly #seed: number;
  readonly #dice: FaultDice;
  readonly #bootDelayMs: number;
  readonly #openedAtMs: number;
  readonly #shelf: Shelf;
  #rentals: Map<string, Rental> | null = null;
  #lastNumber = 0;

  constructor(options: MarketOptions) {
    const { clock } = options;
    this.#clock = clock;
    this.door = new MarketDoor(options.account ?? null, clock);
    this.books = new Books({ clock, door: this.door, rentals: () => this.rentals() });
    this.#storage = options.storage;
    this.#runtime = options.runtime;
    this.#seed = options.seed ?? 1;
    this.#dice = new FaultDice(options.faults ?? NO_FAULTS, options.onFault);
    this.#shelf = new Shelf({
      seed: this.#seed,
      dice: this.#dice,
      offersPerModel: options.offersPerModel,
      stock: options.stock ?? null,
    });
    this.#bootDelayMs = options.bootDelayMs ?? 500;
    this.visibilityDelayMs = options.visibilityDelayMs ?? 5_000;
    this.#openedAtMs = options.clock.now();
  }

  async offers(signal: AbortSignal): Promise<readonly Offer[]> {
    this.#enter('offers');
    const offers = this.#shelf.offers(this.#all().values(), this.#clock.now());
    await this.#leave('offers', signal);
    return offers;
  }

  /** Rents one machine. The rental is stored before the answer leaves. */
  async rent(order: RentOrder, signal: AbortSignal): Promise<RentalView> {
    this.#enter('create');
    const { ref } = order;
    if (this.#dice.strike('reply_lost_before_create', ref) !== null) {
      throw new MarketRefusal('lost', 'The connection broke while the practice market was asked to rent.');
    }
    const { conditions, ...sale } = this.#shelf.sell(order, this.#all().values(), this.#clock.now());
    checkTerm(conditions, order.termMs ?? null);
    checkMembers(conditions, order.members ?? 1);
    this.#runtime.reserve(ref);
    const lost = this.#dice.strike('reply_lost_after_create', ref) !== null;
    const rental = newRental({
      id: `sbx-${(++this.#lastNumber).toString()}`,
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
    this.#keep(rental);
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
    await this.#leave('create', signal);
    return viewOf(rental, this.#clock.now());
  }

  /** What faults do to a call that changes nothing. */
  async asked<T>(operation: Operation, signal: AbortSignal, answer: () => T): Promise<T> {
    this.#enter(operation);
    const said = answer();
    await this.#leave(operation, signal);
    return said;
  }

  async show(id: string, signal: AbortSignal): Promise<RentalView | null> {
    this.#enter('get');
    const rental = this.#all().get(id);
    const isKnown = rental !== undefined && !isMislaid(rental, this.#clock.now());
    const settled = isKnown ? await this.#settle(rental) : null;
    const view = settled === null ? null : await withWays(settled, this.#runtime, this.#clock.now());
    await this.#leave('get', signal);
    return view === null || settled?.showsMark !== false ? view : { ...view, label: null };
  }

  /** Rentals that are not over. `complete: false`: the answer broke off. */
  async list(signal: AbortSignal): Promise<{ rows: readonly RentalView[]; complete: boolean }> {
    this.#enter('list');
    if (this.#dice.strikeCall('list_fails', 'list') !== null) {
      throw new MarketRefusal('server_error', 'The practice market could not list.');
    }
    const rows: RentalView[] = [];
    for (const stored of [...this.#all().values()]) {
      const rental = await this.#settle(stored);
      const nowMs = this.#clock.now();
      if (rental.endedAtMs === null && rental.visibleAtMs <= nowMs && !isMislaid(rental, nowMs)) {
        rows.push(viewOf(rental, nowMs));
      }
    }
    await this.#leave('list', signal);
    if (this.#dice.strikeCall('list_partial', 'list') !== null) {
      return { rows: rows.slice(0, Math.floor(rows.length / 2)), complete: false };
    }
    return { rows, complete: true };
  }

  async end(id: string, signal: AbortSignal): Promise<void> {
    this.#enter('destroy');
    const found = this.#all().get(id);
    const rental = found === undefined ? undefined : await this.#settle(found);
    // What the market does not know counts as gone there, as with most networks.
    if (rental === undefined || rental.endedAtMs !== null || isMislaid(rental, this.#clock.now())) {
      return;
    }
    const tries = rental.destroyTries + 1;
    const tried = this.#update(rental, { destroyTries: tries });
    if (this.#dice.strike('destroy_fails', rental.ref, tries) !== null) {
      throw new MarketRefusal('server_error', `The practice market could not end ${id}.`);
    }
    if (tried.stepsToEnd > 0) {
      this.#update(tried, { stepsToEnd: tried.stepsToEnd - 1, isHalted: true });
      await this.#leave('destroy', signal);
      return;
    }
    const slow = this.#dice.strike('destroy_slow', rental.ref);
    const destroyAtMs = tried.destroyAtMs ?? this.#clock.now() + (slow?.delayMs ?? 0);
    await this.#settle(this.#update(tried, { destroyAtMs }));
    if (this.#dice.strike('destroy_reply_lost', rental.ref, tries) !== null) {
      throw new MarketRefusal('lost', 'The connection broke before the practice market answered.');
    }
    await this.#leave('destroy', signal);
  }

  /** Moves the end time of a rental that has one. */
  async extend(id: string, endAtMs: number, signal: AbortSignal): Promise<void> {
    this.#enter('extend');
    const found = this.#all().get(id);
    const rental = found === undefined ? undefined : await this.#settle(found);
    if (rental?.endedAtMs !== null) {
      throw new MarketRefusal('conflict', `There is no running rental ${id}.`);
    }
    if (rental.termMs === null && this.#shelf.entry(rental.entryId)?.fixed.endsBillingAlone === true) {
      this.#update(rental, { endAtMs });
    }
    await this.#leave('extend', signal);
  }

  /** Sells so much more of a rental that was sold by terms: each call again. */
  async buyTime(id: string, ms: number, signal: AbortSignal): Promise<RentalView> {
    this.#enter('buy_time');
    const found = this.#all().get(id);
    const rental = found === undefined ? undefined : await this.#settle(found);
    if (rental?.endedAtMs !== null || rental.endAtMs === null || rental.termMs === null) {
      throw new MarketRefusal('conflict', `There is no running rental ${id} that is sold by terms.`);
    }
    checkTerm({ termMs: rental.termMs }, ms);
    const tries = rental.moreTimeTries + 1;
    const tried = this.#update(rental, { moreTimeTries: tries });
    if (this.#dice.strike('reply_lost_before_more_time', rental.ref, tries) !== null) {
      throw new MarketRefusal(
        'lost',
        'The connection broke while the practice market was asked for more time.',
      );
    }
    const more = this.#update(tried, moreTime(tried, ms, this.#clock.now()));
    if (this.#dice.strike('reply_lost_after_more_time', rental.ref, tries) !== null) {
      throw new MarketRefusal('lost', 'The connection broke before the practice market answered.');
    }
    await this.#leave('buy_time', signal);
    return viewOf(more, this.#clock.now());
  }

  /** Who bids for an order now. */
  async bids(id: string, signal: AbortSignal): Promise<readonly Bid[]> {
    this.#enter('bids');
    const found = this.#all().get(id);
    const rental = found === undefined ? undefined : await this.#settle(found);
    await this.#leave('bids', signal);
    return rental === undefined ? [] : bidsFor(rental, this.#clock.now());
  }

  /** Agrees to a bid for an order. One that is rented already stays as it is. */
  async lease(id: string, bidId: string, signal: AbortSignal): Promise<RentalView> {
    this.#enter('lease');
    const found = this.#all().get(id);
    const rental = found === undefined ? undefined : await this.#settle(found);
    if (rental?.endedAtMs !== null || rental.destroyAtMs !== null || rental.order === null) {
      throw new MarketRefusal('conflict', `There is no open order ${id}.`);
    }
    const nowMs = this.#clock.now();
    const tries = rental.order.tries + 1;
    const tried = this.#update(rental, { order: { ...rental.order, tries } });
    if (this.#dice.strike('reply_lost_before_lease', rental.ref, tries) !== null) {
      throw new MarketRefusal('lost', 'The connection broke while a bid was agreed to.');
    }
    const bid = bidsFor(tried, nowMs).find(each => each.id === bidId);
    const isOpen = rental.order.leasedAtMs === null;
    if (isOpen && (bid === undefined || this.#dice.strike('bid_withdrawn', rental.ref, tries) !== null)) {
      throw new MarketRefusal('sold_out', 'The bid was withdrawn.');
    }
    const now = bid === undefined ? tried : this.#update(tried, leased(tried, bid, nowMs));
    if (this.#dice.strike('reply_lost_after_lease', rental.ref, tries) !== null) {
      throw new MarketRefusal('lost', 'The connection broke before the practice market answered.');
    }
    await this.#leave('lease', signal);
    return viewOf(now, this.#clock.now());
  }

  /** Whether its machines are processes here; else ssh leads to them. */
  get hasHosts(): boolean {
    return this.#runtime.host !== undefined;
  }

  async host(id: string, rank: number, signal: AbortSignal): Promise<Host> {
    this.#enter('host');
    await this.#leave('host', signal);
    return this.machine(id, rank);
  }

  /** The machine itself, which runs whatever the market answers. */
  async machine(id: string, rank: number): Promise<Host> {
    // From here on to the machine nothing waits: it must not come to be after its rental ended.
    const found = this.#all().get(id);
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
  async history(label: string, signal: AbortSignal): Promise<readonly RentalView[]> {
    const shown = this.rentals().filter(
      rental => labelOf(rental) === label && rental.visibleAtMs <= this.#clock.now(),
    );
    const views = await Promise.all(shown.map(({ id }) => this.show(id, signal)));
    return views.flatMap(view => (view === null ? [] : [{ ...view, label }]));
  }

  /** Everything ever rented, or what carries one label; faults do not touch this. */
  rentals(ref?: string): readonly Rental[] {
    return [...this.#all().values()].filter(rental => ref === undefined || rental.ref === ref);
  }

  #all(): Map<string, Rental> {
    if (this.#rentals === null) {
      try {
        const rentals = new Map(this.#storage.load().map(rental => [rental.id, rental]));
        for (const id of rentals.keys()) {
          this.#lastNumber = Math.max(this.#lastNumber, Number(id.slice('sbx-'.length)));
        }
        this.#rentals = rentals;
      } catch (cause) {
        throw new MarketRefusal('server_error', errorText(cause), { cause });
      }
    }
    return this.#rentals;
  }

  #keep(rental: Rental): Rental {
    this.#storage.save(rental);
    this.#all().set(rental.id, rental);
    return rental;
  }

  /** Changes the rental as it stands now: whoever waited may hold an older one. */
  #update({ id }: Rental, change: Partial<Rental>): Rental {
    const rental = this.#all().get(id);
    if (rental === undefined) {
      throw new MarketRefusal('conflict', `There is no rental ${id}.`);
    }
    return this.#keep({ ...rental, ...change });
  }

  /** Faults that strike before anything happened. */
  #enter(operation: Operation): void {
    if (this.#dice.outage(this.#clock.now() - this.#openedAtMs)) {
      throw new MarketRefusal('unavailable', 'The practice market refuses connections.');
    }
    const limited = this.#dice.strikeCall('rate_limited', operation);
    if (limited !== null) {
      throw new MarketRefusal('rate_limited', 'The practice market says: too many requests.', {
        retryAfterMs: limited.retryAfterMs,
      });
    }
  }

  /** Faults of the way back: what was asked for has happened. */
  async #leave(operation: Operation, signal: AbortSignal): Promise<void> {
    const slow = this.#dice.strikeCall('slow_reply', operation);
    if (slow !== null) {
      await this.#clock.sleep(slow.delayMs, signal);
    }
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
    const rental = this.#all().get(id) ?? stored;
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
    const now = this.#all().get(id) ?? rental;
    return now.endedAtMs === null ? this.#update(now, { endedAtMs: Math.min(...ends.map(Number)) }) : now;
  }
}
