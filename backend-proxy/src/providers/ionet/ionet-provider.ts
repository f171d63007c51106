/** The adapter of io.net's virtual machines: sold by the hour, paid ahead, found by the name that they were given. */
import { format, type MicroUsd, type Offer } from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';
import { errorText } from '@hitch/platform/src/log.ts';
import { loginByKey } from '../http/key-login.ts';
import {
  type AccountSaid,
  type CreateRequest,
  type Instance,
  type LoginValues,
  type NextPage,
  type Price,
  type Provider,
  ProviderError,
  type RecordingOf,
  type Terms,
  type Traits,
} from '../provider.ts';
import { isVerified } from '../recorded.ts';
import { boughtHours, fromDetails, fromRow, hourly, type Money, moneyIn, statusOf } from './instances.ts';
import { IonetApi, type IonetApiOptions, TITLE } from './ionet-api.ts';
import {
  MOST_HOURS,
  type Place,
  placeOf,
  readContainers,
  type ReadOffers,
  readOffers,
  TERM_MS,
} from './offers.ts';
import type { Row } from './shapes.ts';

export interface IonetOptions extends IonetApiOptions {
  readonly clock: Clock;
}

/** Calls with one key: a look at a machine takes two of the 300 requests a minute, a purchase four. */
const KEY = { perMinute: 120 };

/** What a check of it for real may keep of its answers. */
const RECORDING: RecordingOf = {
  version: 1,
  catalogue: /\/(?:vmaas|caas)\/(?:hardware|price)$/,
  fields: ['status', 'hardware_name', 'ssh_access', 'vm_image_type', 'currency'],
};

export class IonetProvider implements Provider {
  readonly id = 'ionet';
  readonly title = TITLE;
  readonly kind = 'network';
  readonly recording = RECORDING;
  readonly verifiedLive = isVerified('ionet', RECORDING.version);
  readonly capabilities: Traits = {
    refVia: 'name',
    sshKeys: 'perInstance',
    bootSecret: false,
    privateNetwork: false,
    endsBillingAlone: 'always',
    visibilityDelayMs: 120_000,
    // A VM is installed before it boots, and its first hour is paid in any case. Assumed: nobody has rented there with Hitch yet.
    phaseLimitsMs: { booting: 30 * 60_000 },
    limits: { key: KEY, offers: { perMinute: 10 } },
    routes: Object.fromEntries(
      ['create', 'price', 'get', 'list', 'destroy', 'buyTime', 'account', 'time'].map(name => [name, 'key']),
    ),
  };
  readonly login = loginByKey({
    help: 'A key that was made for the project “IO Cloud”; keys for io intelligence open nothing here.',
    url: 'https://ai.io.net/ai/api-keys',
    variable: 'IOCLOUD_API_KEY',
    offersNeedIt: false,
    scopes: [{ scope: 'IO Cloud', why: 'to rent machines, to see them and to end them; keys know no less' }],
  });
  readonly #api: IonetApi;
  readonly #clock: Clock;
  #leftOut: string | null = null;
  /** What each that stands costs, by its id, and how many hours of it were bought when that was said. */
  readonly #prices = new Map<string, { readonly hours: number | null; readonly money: Money }>();

  constructor({ clock, ...api }: IonetOptions) {
    this.#api = new IonetApi(api);
    this.#clock = clock;
  }

  /** Its containers too, which are only looked at: where they cannot be had, the machines are offered all the same. */
  async offers(signal: AbortSignal, nextPage?: NextPage): Promise<readonly Offer[]> {
    const { offers, leftOut } = readOffers(await this.#api.hardware(signal), this.#clock.now());
    await nextPage?.();
    const shown = await this.#containers(signal);
    const left = [leftOut, shown.leftOut].filter(sentence => sentence !== null);
    this.#leftOut = left.length === 0 ? null : left.join(' ');
    return [...offers, ...shown.offers];
  }

  async #containers(signal: AbortSignal): Promise<ReadOffers> {
    try {
      return readContainers(await this.#api.containers(signal), this.#clock.now());
    } catch (error) {
      signal.throwIfAborted();
      return { offers: [], leftOut: `Containers of io.net are left out: ${errorText(error)}` };
    }
  }

  offersLeftOut(): string | null {
    return this.#leftOut;
  }

  /** All in; an hour of it is kept. */
  async price(offer: Offer, terms: Terms, signal: AbortSignal): Promise<Price> {
    const { place, hours } = checkedOrder({ offer, terms, members: 1 });
    const { perHour, total } = await this.#asked(place, hours, signal);
    return {
      perHour: [{ label: 'GPU', perHourMicroUsd: perHour }],
      floorMicroUsd: perHour,
      nonRefundableMicroUsd: 0n,
      dueNowMicroUsd: total,
      refundable: 'exact_after_floor',
      basis: 'firm',
    };
  }

  /** What it costs now is asked for first: the first hour is kept, also of a machine that goes back at once. */
  async create(request: CreateRequest, signal: AbortSignal): Promise<Instance> {
    const { place, hours } = checkedOrder(request);
    const { ref, maxPricePerHourMicroUsd: most, letIn } = request;
    const { perHour } = await this.#asked(place, hours, signal);
    if (perHour > most) {
      throw new ProviderError(
        'capacity',
        `${TITLE} asks ${dollars(perHour)}/h for it now, more than the ${dollars(most)}/h that may be paid.`,
      );
    }
    const publicKey = letIn?.publicKey ?? null;
    const id = await this.#api.deploy({ ...place, name: ref, hours, publicKey }, signal);
    return this.#ordered(ref, id, signal);
  }

  async get(instanceId: string, signal: AbortSignal): Promise<Instance> {
    const details = await this.#api.details(instanceId, signal);
    if (details === null) {
      return gone(instanceId);
    }
    const bare = fromDetails(details, null, this.#clock.now());
    // Only one that runs has a way in: then it is said in another place.
    const mayHaveWay = bare.status === 'booting' && /running/i.test(details.status);
    const access = mayHaveWay ? await this.#api.sshAccess(instanceId, signal) : null;
    return access === null ? bare : fromDetails(details, access, this.#clock.now());
  }

  async list(signal: AbortSignal, nextPage?: NextPage): Promise<readonly Instance[]> {
    const rows = await this.#api.list(signal, nextPage);
    const standing = rows.filter(({ status }) => statusOf(status) !== 'gone');
    const ids = new Set(standing.map(({ id }) => id));
    [...this.#prices.keys()].filter(id => !ids.has(id)).forEach(id => this.#prices.delete(id));
    const shown: Instance[] = [];
    for (const row of standing) {
      shown.push({ ...fromRow(row, this.#clock.now()), ...(await this.#moneyOf(row, signal, nextPage)) });
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
      const of = fromRow(row, this.#clock.now());
      found.push(details === null ? of : { ...fromDetails(details, null, this.#clock.now()), mark });
    }
    return found;
  }

  async destroy(instanceId: string, signal: AbortSignal): Promise<void> {
    await this.#api.destroy(instanceId, signal);
  }

  async buyTime(instanceId: string, ms: number, signal: AbortSignal): Promise<Instance> {
    const hours = ms / TERM_MS;
    if (!Number.isInteger(hours) || hours < 1) {
      throw new ProviderError('permanent', `${TITLE} sells whole hours only.`);
    }
    const details = await this.#api.extend(instanceId, hours, signal);
    if (details === null) {
      throw new ProviderError('permanent', `${TITLE} does not know this machine any more.`);
    }
    return fromDetails(details, null, this.#clock.now());
  }

  /** No call says whose a key is, nor what is left: that a key is accepted is all that can be seen. */
  async account(signal: AbortSignal, login?: LoginValues): Promise<AccountSaid> {
    await this.#api.greet(signal, login);
    return { id: null, name: '', scopes: null, balanceMicroUsd: null, spendLimitPerHourMicroUsd: null };
  }

  async time(signal: AbortSignal): Promise<number> {
    const { atMs } = await this.#api.greet(signal);
    if (atMs === null) {
      throw new ProviderError('retryable', `${TITLE} does not say what time it is.`);
    }
    return atMs;
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
        return { ...fromDetails(details, null, this.#clock.now()), mark: name };
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
    return { id: found, mark: name, status: 'booting', members: [], rates: [], message };
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
    const money: Money = details === null ? { rates: [] } : moneyIn(details);
    if (money.rates.length > 0) {
      this.#prices.set(row.id, { hours, money });
    }
    return money;
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

/** @throws ProviderError `permanent` for what io.net does not sell so. */
function checkedOrder({ offer, terms, members }: Pick<CreateRequest, 'offer' | 'terms' | 'members'>): {
  readonly place: Place;
  readonly hours: number;
} {
  const place = placeOf(offer);
  if (place === null) {
    throw new ProviderError('permanent', `${offer.id} is no offer of ${TITLE}.`);
  }
  if (members !== 1) {
    throw new ProviderError('permanent', `${TITLE} rents these one at a time.`);
  }
  const hours = (terms.termMs ?? 0) / TERM_MS;
  if (!Number.isInteger(hours) || hours < 1 || hours > MOST_HOURS) {
    throw new ProviderError('permanent', `${TITLE} sells whole hours, from one to ${MOST_HOURS.toString()}.`);
  }
  const others = [
    ...(terms.diskGiB === offer.diskGiB ? [] : ['another disk']),
    ...(terms.image === null ? [] : ['an image']),
    ...(terms.bidPerHourMicroUsd === null ? [] : ['a bid']),
    ...(terms.market === 'on_demand' ? [] : ['another market']),
  ];
  if (others.length > 0) {
    throw new ProviderError('permanent', `${TITLE} rents this as it is, without ${others.join(' or ')}.`);
  }
  return { place, hours };
}
