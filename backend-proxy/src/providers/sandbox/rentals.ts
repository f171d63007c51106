/** Everything that the market ever rented, as its storage has it. */
import { errorText } from '@hitch/platform/src/log.ts';
import { MarketRefusal } from './market-refusal.ts';
import type { MarketStorage, Rental } from './market-storage.ts';

const START = 'sbx-';

export class Rentals {
  readonly #storage: MarketStorage;
  #known: Map<string, Rental> | null = null;
  #lastNumber = 0;

  constructor(storage: MarketStorage) {
    this.#storage = storage;
  }

  /** By their ids. @throws MarketRefusal while the storage cannot be read. */
  all(): ReadonlyMap<string, Rental> {
    return this.#read();
  }

  get(id: string): Rental | undefined {
    return this.#read().get(id);
  }

  /** The id of the next one: none was given twice, whichever market gave it. */
  nextId(): string {
    this.#read();
    this.#lastNumber += 1;
    return `${START}${this.#lastNumber.toString()}`;
  }

  keep(rental: Rental): Rental {
    this.#storage.save(rental);
    this.#read().set(rental.id, rental);
    return rental;
  }

  /** Changes the rental as it stands now: whoever waited may hold an older one. */
  update({ id }: Rental, change: Partial<Rental>): Rental {
    const rental = this.get(id);
    if (rental === undefined) {
      throw new MarketRefusal('conflict', `There is no rental ${id}.`);
    }
    return this.keep({ ...rental, ...change });
  }

  #read(): Map<string, Rental> {
    if (this.#known === null) {
      try {
        this.#known = new Map(this.#storage.load().map(rental => [rental.id, rental]));
      } catch (cause) {
        throw new MarketRefusal('server_error', errorText(cause), { cause });
      }
      for (const id of this.#known.keys()) {
        this.#lastNumber = Math.max(this.#lastNumber, Number(id.slice(START.length)));
      }
    }
    return this.#known;
  }
}
