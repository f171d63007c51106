/**
 * The offer book: what every network would rent, in memory, answered in microseconds. Each network's offers are
 * replaced whole; a refresh that fails leaves the last ones standing with the problem beside them.
 */
import {
  gpuMatcher,
  nearest,
  offerFilterSchema,
  type Offer,
  type OfferFilter,
  type OfferPage,
  type OfferQuery,
  type OfferSortKey,
  type ProviderId,
  RANKED_MS,
} from '@hitch/contract';
import { type Histories, NO_HISTORIES } from './histories.ts';
import { OfferSegment, compareKeys } from './segment.ts';

interface Source {
  segment: OfferSegment;
  fetchedAtMs: number | null;
  problem: string | null;
  isPartOnly: boolean;
  note: string | null;
}

export interface OfferSource {
  readonly provider: ProviderId;
  readonly count: number;
  readonly fetchedAtMs: number | null;
  readonly problem: string | null;
  /** The problem is no more than that some of its rows are left out: the network answers. */
  readonly isPartOnly?: true;
  /** What else is to be known of it, such as that few searches are left for the day. */
  readonly note?: string;
}

interface Match {
  readonly segment: OfferSegment;
  readonly passing: Uint8Array;
}

/** Practice is another market than the real ones; what is not stated widens others, and hides something where it is left out. */
const NO_CONDITION: ReadonlySet<keyof OfferFilter> = new Set(['practice', 'orNotStated']);

export class OfferBook {
  readonly #sources = new Map<ProviderId, Source>();
  /** Whether somebody is logged in at a network that takes real money: practice offers then stand aside unless asked for. */
  readonly #loggedIn: () => boolean;
  readonly #lacksLogin: (provider: ProviderId) => boolean;
  #histories: Histories = NO_HISTORIES;
  readonly #titleOf: (provider: ProviderId) => string;

  /** Left out: nobody is logged in, and nothing needs it. */
  constructor(
    options: {
      readonly loggedIn?: () => boolean;
      /** Whether nothing can be rented from a network before somebody logs in there. */
      readonly lacksLogin?: (provider: ProviderId) => boolean;
      /** A network's name as people know it; left out: its id. */
      readonly titleOf?: (provider: ProviderId) => string;
    } = {},
  ) {
    this.#loggedIn = options.loggedIn ?? (() => false);
    this.#lacksLogin = options.lacksLogin ?? (() => false);
    this.#titleOf = options.titleOf ?? (provider => provider);
  }

  /** Shows with each offer what became of our own purchases of its host, and ranks by it. */
  useHistories(histories: Histories): void {
    this.#histories = histories;
  }

  /** Puts `offers` in the place of all that stood from this network. */
  replace(provider: ProviderId, offers: readonly Offer[], fetchedAtMs: number): void {
    const segment = new OfferSegment(provider, offers);
    this.#sources.set(provider, { segment, fetchedAtMs, problem: null, isPartOnly: false, note: null });
  }

  /** Shows what stood from this network at an earlier time, until it has said something itself. */
  restore(provider: ProviderId, offers: readonly Offer[], fetchedAtMs: number): void {
    const source = this.#sources.get(provider);
    if (source === undefined || source.fetchedAtMs === null) {
      const problem = source?.problem ?? null;
      const segment = new OfferSegment(provider, offers);
      this.#sources.set(provider, { segment, fetchedAtMs, problem, isPartOnly: false, note: null });
    }
  }

  /** All that stands from this network, and when it said so; null: it has said nothing. */
  all(provider: ProviderId): { readonly offers: readonly Offer[]; readonly fetchedAtMs: number } | null {
    const source = this.#sources.get(provider);
    return source === undefined || source.fetchedAtMs === null
      ? null
      : {
          offers: Array.from({ length: source.segment.length }, (_, row) => source.segment.offer(row)),
          fetchedAtMs: source.fetchedAtMs,
        };
  }

  /** Notes that a refresh failed. The last known offers stay. */
  fail(provider: ProviderId, problem: string): void {
    this.#note(provider, problem, false);
  }

  /** Notes which of the offers that the network has just shown do not stand here. */
  leaveOut(provider: ProviderId, what: string): void {
    this.#note(provider, what, true);
  }

  /** Notes what else is to be known of a network that answers; null: nothing. */
  tell(provider: ProviderId, note: string | null): void {
    const source = this.#sources.get(provider);
    if (source !== undefined) {
      Object.assign(source, { note });
    }
  }

  #note(provider: ProviderId, problem: string, isPartOnly: boolean): void {
    const source = this.#sources.get(provider);
    if (source === undefined) {
      const segment = new OfferSegment(provider, []);
      this.#sources.set(provider, { segment, fetchedAtMs: null, problem, isPartOnly, note: null });
    } else {
      Object.assign(source, { problem, isPartOnly });
    }
  }

  get(offerId: string): Offer | null {
    const source = this.#sources.get(offerId.slice(0, Math.max(0, offerId.indexOf(':'))));
    const row = source?.segment.rowOf(offerId);
    return source === undefined || row === undefined ? null : this.#withHistory(source.segment.offer(row));
  }

  #withHistory(offer: Offer): Offer {
    const history = this.#histories.of(offer);
    return history === undefined ? offer : { ...offer, history };
  }

  sources(): readonly OfferSource[] {
    return [...this.#sources].map(([provider, { segment, fetchedAtMs, problem, isPartOnly, note }]) => ({
      provider,
      count: segment.length,
      fetchedAtMs,
      problem,
      ...(isPartOnly ? { isPartOnly } : {}),
      ...(note === null ? {} : { note }),
    }));
  }

  query({ filter, sort, offset, forMs, limit, explain }: OfferQuery): OfferPage {
    if (sort.key === 'best') {
      this.#sources.forEach(({ segment }) => segment.rankBy(this.#histories, forMs ?? RANKED_MS));
    }
    const matches = this.#matches(filter);
    const matched = countAll(matches);
    const rows = matches.map(match => new MatchWalk(match.segment, match.passing, sort.key, sort.descending));
    return {
      offers: page(rows, sort.key, sort.descending, offset, limit).map(offer => this.#withHistory(offer)),
      matched,
      total: [...this.#sources.values()].reduce((sum, { segment }) => sum + segment.length, 0),
      sources: [...this.sources()],
      hint: matched === 0 ? this.#hint(filter) : null,
      ...(explain === true ? { hides: this.#hides(filter, matched) } : {}),
    };
  }

  #matches(filter: OfferFilter): readonly Match[] {
    const effective = this.#withDefaults(filter);
    return [...this.#sources.values()].map(({ segment }) => ({
      segment,
      passing:
        effective.rentable === true && this.#lacksLogin(segment.provider)
          ? new Uint8Array(segment.length)
          : segment.match(effective, this.#titleOf(segment.provider)),
    }));
  }

  /** All that pass, in no order. */
  every(filter: OfferFilter): readonly Offer[] {
    return this.#matches(filter).flatMap(({ segment, passing }) =>
      [...passing].flatMap((passes, row) => (passes === 1 ? [segment.offer(row)] : [])),
    );
  }

  /** How many that pass and `fit` are of networks from which nothing can be rented before somebody logs in there, by network. */
  countBehindLogin(filter: OfferFilter, fits: (offer: Offer) => boolean): ReadonlyMap<ProviderId, number> {
    const counts = new Map<ProviderId, number>();
    const effective = this.#withDefaults({ ...filter, rentable: true });
    for (const { segment } of this.#sources.values()) {
      if (!this.#lacksLogin(segment.provider)) {
        continue;
      }
      const passing = segment.match(effective, this.#titleOf(segment.provider));
      const count = passing.reduce(
        (sum, passes, row) => sum + (passes === 1 && fits(segment.offer(row)) ? 1 : 0),
        0,
      );
      if (count > 0) {
        counts.set(segment.provider, count);
      }
    }
    return counts;
  }

  /** How many more would match without each of the conditions, the most first. */
  #hides(filter: OfferFilter, matched: number): NonNullable<OfferPage['hides']> {
    const conditions = offerFilterSchema
      .keyof()
      .options.filter(field => filter[field] !== undefined && !NO_CONDITION.has(field))
      .map(field => {
        const { [field]: _, ...others } = filter;
        return { field, filter: others };
      });
    return [
      ...conditions,
      { field: 'orNotStated' as const, filter: { ...filter, orNotStated: true as const } },
    ]
      .map(({ field, filter: wider }) => ({ field, count: countAll(this.#matches(wider)) - matched }))
      .concat({ field: 'practice', count: this.#practiceAside(filter) })
      .filter(({ count: hidden }) => hidden > 0)
      .sort((a, b) => b.count - a.count);
  }

  /** How many practice offers would match, but stand aside though nobody said so. */
  #practiceAside(filter: OfferFilter): number {
    const isAside = filter.practice === undefined && this.#withDefaults(filter).practice !== undefined;
    return isAside ? countAll(this.#matches({ ...filter, practice: 'only' })) : 0;
  }

  /** Names that no network knows: the likeliest reason why nothing matches. */
  #hint({ providers = [], gpuModels = [] }: OfferFilter): string | null {
    const networks = [...this.#sources.keys()];
    const models = [...this.#sources.values()].flatMap(({ segment }) => segment.gpuModels);
    const sentences = [
      ...providers
        .filter(name => !networks.includes(name))
        .map(name => `There is no network “${name}” here${instead(nearest(name, networks), networks)}.`),
      ...gpuModels
        .filter(name => !models.some(gpuMatcher(name)))
        .map(name => `No network offers a GPU called “${name}” now${instead(nearest(name, models), [])}.`),
    ];
    return networks.length === 0 || sentences.length === 0 ? null : sentences.join(' ');
  }

  #withDefaults(filter: OfferFilter): OfferFilter {
    return filter.practice === undefined && this.#loggedIn() ? { ...filter, practice: 'exclude' } : filter;
  }
}

function instead(near: readonly string[], all: readonly string[]): string {
  const list = new Intl.ListFormat('en', { type: 'conjunction' });
  return near.length > 0
    ? `; near it ${near.length === 1 ? 'is' : 'are'} ${list.format(near)}`
    : all.length > 0
      ? `; there ${all.length === 1 ? 'is' : 'are'} ${list.format(all)}`
      : '';
}

/** Walks the matching rows of one network in sort order; missing keys come last in both directions. */
class MatchWalk {
  readonly segment: OfferSegment;
  readonly #passing: Uint8Array;
  readonly #order: Uint32Array;
  readonly #descending: boolean;
  /** How many rows have a key at all. */
  readonly #keyed: number;
  #at = -1;

  constructor(segment: OfferSegment, passing: Uint8Array, key: OfferSortKey, descending: boolean) {
    this.segment = segment;
    this.#passing = passing;
    this.#order = segment.order(key);
    this.#descending = descending;
    this.#keyed = keyedRows(segment, this.#order, key);
    this.advance();
  }

  /** The row it stands on; undefined at the end. */
  get row(): number | undefined {
    return this.#rowAt(this.#at);
  }

  advance(): void {
    do {
      this.#at++;
    } while (this.#at < this.#order.length && this.#passing[this.#rowAt(this.#at) ?? 0] !== 1);
  }

  #rowAt(at: number): number | undefined {
    return this.#order[this.#descending && at < this.#keyed ? this.#keyed - 1 - at : at];
  }
}

/** Rows without a key stand at the end of an order: where do they begin? */
function keyedRows(segment: OfferSegment, order: Uint32Array, key: OfferSortKey): number {
  let low = 0;
  let high = order.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (Number.isNaN(segment.keyOf(key, order[middle] ?? 0))) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

/** Merges the networks' walks and takes `limit` offers from `offset` on. */
function page(
  walks: readonly MatchWalk[],
  key: OfferSortKey,
  descending: boolean,
  offset: number,
  limit: number,
): Offer[] {
  const offers: Offer[] = [];
  for (let position = 0; offers.length < limit; position++) {
    let first: MatchWalk | null = null;
    for (const walk of walks) {
      if (walk.row !== undefined && (first === null || before(walk, first, key, descending))) {
        first = walk;
      }
    }
    const row = first?.row;
    if (first === null || row === undefined) {
      break;
    }
    if (position >= offset) {
      offers.push(first.segment.offer(row));
    }
    first.advance();
  }
  return offers;
}

function before(a: MatchWalk, b: MatchWalk, key: OfferSortKey, descending: boolean): boolean {
  const aRow = a.row ?? 0;
  const bRow = b.row ?? 0;
  const aKey = a.segment.keyOf(key, aRow);
  const bKey = b.segment.keyOf(key, bRow);
  if (key === 'gpuModel' && !Number.isNaN(aKey) && !Number.isNaN(bKey)) {
    // Ranks of words count inside one network only.
    const aName = a.segment.gpuModelOf(aRow);
    const bName = b.segment.gpuModelOf(bRow);
    return aName !== bName && aName < bName !== descending;
  }
  const order = compareKeys(aKey, bKey);
  return descending && !Number.isNaN(aKey) && !Number.isNaN(bKey) ? order > 0 : order < 0;
}

const countAll = (matches: readonly Match[]): number =>
  matches.reduce((sum, { passing }) => sum + count(passing), 0);

function count(passing: Uint8Array): number {
  let sum = 0;
  for (let row = 0; row < passing.length; row++) {
    sum += passing[row] ?? 0;
  }
  return sum;
}
