/** What stands on an account at io.net of one of the two things that it sells: rented, read, given more time, ended. */
import { format, type MicroUsd, type Offer } from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';
import { errorText } from '@hitch/platform/src/log.ts';
import {
  type CreateRequest,
  type Instance,
  type NextPage,
  type Price,
  ProviderError,
  type Terms,
} from '../provider.ts';
import { boughtHours, fromDetails, fromRow, hourly, type Money, moneyIn, statusOf } from './instances.ts';
import { type IonetApi, TITLE } from './ionet-api.ts';
import { MOST_HOURS, type Place, TERM_MS } from './offers.ts';
import type { SoldAs } from './products.ts';
import type { Row } from './shapes.ts';

export class IonetDeployments {
  readonly #sold: SoldAs;
  readonly #api: IonetApi;
  readonly #clock: Clock;
  /** What each that stands costs, by its id, and how many hours of it were bought when that was said. */
  readonly #prices = new Map<string, { readonly hours: number | null; readonly money: Money }>();

  constructor(sold: SoldAs, api: IonetApi, clock: Clock) {
    this.#sold = sold;
    this.#api = api;
    this.#clock = clock;
  }

  /** All in; an hour of it is kept, or all. */
  async price(offer: Offer, terms: Terms, signal: AbortSignal): Promise<Price> {
    const { place, hours } = this.#checked({ offer, terms, members: 1 });
    const { perHour, total } = await this.#asked(place, hours, signal);
    const { givesBack } = this.#sold;
    return {
      perHour: [{ label: 'GPU', perHourMicroUsd: perHour }],
      floorMicroUsd: givesBack ? perHour : total,
      nonRefundableMicroUsd: 0n,
      dueNowMicroUsd: total,
      refundable: givesBack ? 'exact_after_floor' : 'no',
      basis: 'firm',
    };
  }

  /** What it costs now is asked for first: the first hour is kept, also of a machine that goes back at once. */
  async create(request: CreateRequest, signal: AbortSignal): Promise<Instance> {
    const { place, hours } = this.#checked(request);
    const order = this.#sold.orderOf(request, hours);
    const { ref, maxPricePerHourMicroUsd: most } = request;
    const { perHour } = await this.#asked(place, hours, signal);
    if (perHour > most) {
      throw new ProviderError(
        'capacity',
        `${TITLE} asks ${dollars(perHour)}/h for it now, more than the ${dollars(most)}/h that may be paid.`,
      );
    }
    const id = await this.#api.deploy(place, order, signal);
    return this.#ordered(ref, id, signal);
  }

  /** @param id the network's */
  async get(id: string, signal: AbortSignal): Promise<Instance> {
    const details = await this.#api.details(id, signal);
    if (details === null) {
      return gone(`${this.#sold.prefix}${id}`);
    }
    const bare = fromDetails(details, this.#sold, null, this.#clock.now());
    // Only one that runs has a way in: then it is said in another place.
    const mayHaveWay = bare.status === 'booting' && /running/i.test(details.status);
    const way = mayHaveWay ? await this.#api.wayTo(id, signal) : null;
    return way === null ? bare : fromDetails(details, this.#sold, way, this.#clock.now());
  }

  async list(signal: AbortSignal, nextPage?: NextPage): Promise<readonly Instance[]> {
    const rows = await this.#api.list(signal, nextPage);
    const standing = rows.filter(({ status }) => statusOf(status) !== 'gone');
    const ids = new Set(standing.map(({ id }) => id));
    [...this.#prices.keys()].filter(id => !ids.has(id)).forEach(id => this.#prices.delete(id));
    const shown: Instance[] = [];
    for (const row of standing) {
      const of = fromRow(row, this.#sold, this.#clock.now());
      shown.push({ ...of, ...(await this.#moneyOf(row, signal, nextPage)) });
    }
    return shown;
  }

  /** The list goes on for ever: what is over stands in it too. What that cost and when it ended, its own page says. */
  async history(mark: string, signal: AbortSignal, nextPage?: NextPage): Promise<readonly Instance[]> {
    const rows = (await this.#api.list(signal, nextPage)).filter(({ name }) => name === mark);
    const found: Instance[] = [];
    for (const row of rows) {
      await nextPage?.();
      const details = await this.#api.details(row.id, signal);
      const nowMs = this.#clock.now();
      found.push(
        details === null
          ? fromRow(row, this.#sold, nowMs)
          : { ...fromDetails(details, this.#sold, null, nowMs), mark },
      );
    }
    return found;
  }

  async destroy(id: string, signal: AbortSignal): Promise<void> {
    await this.#api.destroy(id, signal);
  }

  async buyTime(id: string, ms: number, signal: AbortSignal): Promise<Instance> {
    const hours = ms / TERM_MS;
    if (!Number.isInteger(hours) || hours < 1) {
      throw new ProviderError('permanent', `${TITLE} sells whole hours only.`);
    }
    const details = await this.#api.extend(id, hours, signal);
    if (details === null) {
      throw new ProviderError('permanent', `${TITLE} does not know this machine any more.`);
    }
    return fromDetails(details, this.#sold, null, this.#clock.now());
  }

  async #asked(
    place: Place,
    hours: number,
    signal: AbortSignal,
  ): Promise<{ readonly perHour: MicroUsd; readonly total: MicroUsd }> {
    const { totalMicroUsd, isThere } = await this.#api.price(place, hours, signal);
    if (!isThere) {
      throw new ProviderError('capacity', `${TITLE} has none of these left in ${place.location}.`);
    }
    if (totalMicroUsd === 0n) {
      throw new ProviderError('retryable', `${TITLE} says that it costs nothing, which cannot be.`);
    }
    return { perHour: hourly(totalMicroUsd, hours), total: totalMicroUsd };
  }

  /**
   * What was just paid for. Whatever goes wrong here, it was: nothing of it may be taken for a refusal.
   * @param id null: the answer to the order did not have it, and it is found by its name
   */
  async #ordered(name: string, id: string | null, signal: AbortSignal): Promise<Instance> {
    let found = id;
    try {
      if (found === null) {
        const row = (await this.#api.list(signal)).find(each => each.name === name);
        found = row?.id ?? null;
      }
      const details = found === null ? null : await this.#api.details(found, signal);
      if (details !== null) {
        const ordered = fromDetails(details, this.#sold, null, this.#clock.now());
        // As a rule its page says none; one that it says may be that of another order.
        const isNamed = ordered.mark !== null && ordered.mark !== '';
        return { ...ordered, mark: isNamed ? ordered.mark : name };
      }
    } catch (cause) {
      if (found === null) {
        throw new ProviderError(
          'unknownOutcome',
          `${TITLE} took the order ${name}, and did not show what came of it: ${errorText(cause)}`,
          { cause },
        );
      }
    }
    if (found === null) {
      throw new ProviderError(
        'unknownOutcome',
        `${TITLE} took the order ${name}, and does not show yet what came of it.`,
      );
    }
    const message = `${TITLE} took the order.`;
    const known = `${this.#sold.prefix}${found}`;
    return { id: known, mark: name, status: 'booting', members: [], rates: [], message };
  }

  /** No row says a price: it is asked for once, and again when more hours were bought. */
  async #moneyOf(row: Row, signal: AbortSignal, nextPage?: NextPage): Promise<Money> {
    const hours = boughtHours(row);
    const known = this.#prices.get(row.id);
    if (known !== undefined && known.hours === hours) {
      return known.money;
    }
    await nextPage?.();
    // A machine without a price is better than no list.
    const details = await this.#api.details(row.id, signal).catch(() => null);
    const money: Money = details === null ? { rates: [] } : moneyIn(details, this.#sold);
    if (money.rates.length > 0) {
      this.#prices.set(row.id, { hours, money });
    }
    return money;
  }

  /** @throws ProviderError `permanent` for what io.net does not sell so. */
  #checked({ offer, terms, members }: Pick<CreateRequest, 'offer' | 'terms' | 'members'>): {
    readonly place: Place;
    readonly hours: number;
  } {
    const place = this.#sold.placeOf(offer);
    if (place === null) {
      throw new ProviderError('permanent', `${offer.id} is no offer of ${TITLE}.`);
    }
    if (members !== 1) {
      throw new ProviderError('permanent', `${TITLE} rents these one at a time.`);
    }
    const hours = (terms.termMs ?? 0) / TERM_MS;
    if (!Number.isInteger(hours) || hours < 1 || hours > MOST_HOURS) {
      throw new ProviderError(
        'permanent',
        `${TITLE} sells whole hours, from one to ${MOST_HOURS.toString()}.`,
      );
    }
    const others = [
      ...(terms.diskGiB === offer.diskGiB ? [] : ['another disk']),
      ...(terms.image === null || this.#sold.takesImage ? [] : ['an image']),
      ...(terms.bidPerHourMicroUsd === null ? [] : ['a bid']),
      ...(terms.market === 'on_demand' ? [] : ['another market']),
    ];
    if (others.length > 0) {
      throw new ProviderError('permanent', `${TITLE} rents this as it is, without ${others.join(' or ')}.`);
    }
    return { place, hours };
  }
}

const gone = (id: string): Instance => ({
  id,
  mark: null,
  status: 'gone',
  members: [],
  rates: [],
  message: `${TITLE} does not know it.`,
});

const dollars = (amount: MicroUsd): string => format.dollars(amount.toString());
