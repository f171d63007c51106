/** The confirm dialog in words, a line each. The quote's builder calls this; clients show the lines as they are. */
import { type BusyLimits, busyLine, DEFAULT_BUSY } from './busy-words.ts';
import type { Quote } from './clusters.ts';
import { environmentLine } from './environment-words.ts';
import type { LockedEnvironment } from './environments.ts';
import { clock, dollars, duration, machineTitle, MARKET_WORDS, spent, TRUST_WORDS } from './format.ts';
import { chargeOf, costAhead, costOfOffer, dueNow, floorOf, lastsMs, leastCost } from './charges.ts';
import { formatMicroUsd, type MicroUsd, parseMicroUsd, showDollars } from './money.ts';
import type { Offer } from './offers.ts';
import { termLine } from './paid-words.ts';
import {
  LAPTOP_WARNING,
  NOTHING_SAVED,
  CHANGED,
  PRACTICE,
  PRACTICE_LINE,
  SPOT,
  COMMUNITY,
  TOGETHER,
  LEFT_OUT,
  UNVERIFIED,
} from './quote-marks.ts';
import { shownName } from './shown/text.ts';
import { wishWords } from './terms-words.ts';
import { machinesEnd } from './words.ts';

export interface Network {
  readonly title: string;
  /** Its adapter has met the network's live API. */
  readonly verifiedLive: boolean;
}

type Facts = Omit<Quote, 'lines' | 'yes'>;

/** The rest of a cluster that runs, which the same cap pays for. */
export interface Running {
  readonly spentMicroUsd: MicroUsd;
  readonly ratePerHourMicroUsd: MicroUsd;
}

export interface QuoteSetting {
  /** From when on processes count as work; left out: the usual. */
  readonly busy?: BusyLimits | undefined;
  /** Null or left out: the machines are the whole cluster. */
  readonly running?: Running | null | undefined;
  /** The stop time that was asked for; left out: the quote’s. */
  readonly askedStopAtMs?: number | null | undefined;
  /** Offers that are left out, and why, a sentence each. */
  readonly leftOut?: readonly string[] | undefined;
  /** Other networks were asked for, and the nodes have to reach each other. */
  readonly keptTogether?: boolean | undefined;
  /** The cluster's own; null or left out: Hitch's packages. */
  readonly environment?: LockedEnvironment | null | undefined;
}

/** @param offers the candidates in the order they are tried. */
export function quoteLines(
  quote: Facts,
  offers: readonly Offer[],
  networkOf: (provider: string) => Network,
  {
    busy = DEFAULT_BUSY,
    running = null,
    askedStopAtMs = quote.caps.stopAtMs,
    leftOut = [],
    keptTogether = false,
    environment = null,
  }: QuoteSetting = {},
): string[] {
  const [first] = offers;
  const network = first === undefined ? null : networkOf(first.provider);
  const machine = first === undefined ? 'machines' : `${machineTitle(first)} (${termsOf(first)})`;
  const what = quote.nodes === 1 ? machine : `${quote.nodes} nodes, each ${machine},`;
  return [
    `Rent ${what} from ${quote.practice ? 'the ' : ''}${network?.title ?? 'the network'}?`,
    ...(quote.again?.changes ?? []).map(change => `${CHANGED}${change}`),
    ...askedLine(quote, firstOffers(offers, quote.nodes)),
    priceLine(quote, firstOffers(offers, quote.nodes)),
    ...listLine(quote),
    stopLine(quote, running),
    ...mostLine(quote, firstOffers(offers, quote.nodes), running),
    ...(quote.caps.idleMs === null ? [] : [busyLine(busy)]),
    saveLine(quote, !quote.practice && offers.length > 0 && offers.every(({ trust }) => trust === 'own')),
    ...termLine(quote, firstOffers(offers, quote.nodes), askedStopAtMs),
    ...togetherLine(firstOffers(offers, quote.nodes)),
    ...depositLine(firstOffers(offers, quote.nodes)),
    ...basisLine(offers),
    laptopLine(quote, firstOffers(offers, quote.nodes)),
    ...rebootLine(quote, firstOffers(offers, quote.nodes)),
    ...(quote.practice ? [PRACTICE_LINE] : []),
    ...(offers.some(({ market }) => market === 'spot')
      ? [`${SPOT}the network can take the machine back at any time; what is not saved is lost`]
      : []),
    ...(offers.some(({ trust }) => trust === 'community')
      ? [`${COMMUNITY}its owner can read your data`]
      : []),
    ...unverifiedLines(quote, offers, networkOf),
    ...(keptTogether
      ? [`All machines are from ${network?.title ?? 'one network'}, where they reach each other`]
      : []),
    ...(environment === null ? [] : [environmentLine(environment)]),
    ...secretsLine(quote.secrets),
    ...(quote.again === null || quote.send.length === 0
      ? []
      : [`Files copied to it again: ${quote.send.map(shownName).join(', ')}`]),
    ...notUpLine(quote),
    fallbackLine(quote, offers, networkOf),
    ...leftOut.map(sentence => `${LEFT_OUT}${sentence}`),
  ];
}

export const secretsLine = (secrets: readonly string[]): string[] =>
  secrets.length === 0 ? [] : [`Secrets it can read: ${secrets.join(', ')}`];

/** What somebody asks for beside what the offers say; nothing where they are taken as they are. */
function askedLine({ asked, nodes }: Facts, firsts: readonly Offer[]): string[] {
  if (asked === undefined) {
    return [];
  }
  const diskGiB = asked.diskGiB === null ? null : Math.min(...firsts.map(offer => offer.diskGiB));
  return [`With ${wishWords({ ...asked, diskGiB })}${nodes === 1 ? '' : ' each'}`];
}

const WARNINGS = [LAPTOP_WARNING, NOTHING_SAVED, CHANGED, SPOT, COMMUNITY, TOGETHER, LEFT_OUT];

/** How much a line of the dialog weighs: a client draws warnings and practice so that nobody reads past them. */
export function quoteLineTone(line: string): 'plain' | 'warning' | 'practice' {
  if (line.startsWith(PRACTICE)) {
    return 'practice';
  }
  return line.endsWith(UNVERIFIED) || WARNINGS.some(start => line.startsWith(start)) ? 'warning' : 'plain';
}

/** What of several machines in one purchase nobody may want to find out when one of them is lost. */
function togetherLine(firsts: readonly Offer[]): string[] {
  const sold = firsts.flatMap(({ together }) => together ?? []);
  return sold.length < 2
    ? []
    : [
        `${TOGETHER}the machines are one purchase and end together` +
          (sold.every(({ replaceOne }) => replaceOne)
            ? ''
            : '; one that is lost cannot be replaced alone, and is paid for until all end'),
      ];
}

/** The button that says yes. */
export function yesLabel(quote: Pick<Quote, 'highestRatePerHourMicroUsd'>): string {
  return `Rent for up to ${showDollars(parseMicroUsd(quote.highestRatePerHourMicroUsd))}/h`;
}

/** `on demand, verified, DE, eu-central`: what a person may not want to find out later. */
function termsOf({ market, trust, country, region }: Offer): string {
  const place = [country, region].filter(part => part !== null);
  return [MARKET_WORDS[market], TRUST_WORDS[trust], ...place].join(', ');
}

/** The offers that the nodes take when nobody else does: each as often as it is in stock. */
export function firstOffers(offers: readonly Offer[], nodes: number): readonly Offer[] {
  return offers
    .flatMap(offer => Array.from({ length: Math.min(offer.stock, nodes) }, () => offer))
    .slice(0, nodes);
}

function priceLine(
  { ratePerHourMicroUsd, parts, nonRefundableMicroUsd }: Facts,
  firsts: readonly Offer[],
): string {
  const each = parts.map(part => `${part.label} ${dollars(part.perHourMicroUsd).replace('$', '')}`);
  return [
    `${dollars(ratePerHourMicroUsd)}/h${each.length === 0 ? '' : `: ${each.join(', ')}`}`,
    ...floorWords(firsts),
    ...(nonRefundableMicroUsd === '0' ? [] : [`Non-refundable: ${dollars(nonRefundableMicroUsd)}`]),
  ].join('. ');
}

/** Where the network says another price of what is asked for than stands in its list. */
function listLine({ candidates: [first] }: Facts): string[] {
  const listed = first?.listedPerHourMicroUsd;
  return first === undefined || listed === undefined
    ? []
    : [
        `The list says ${dollars(listed)}/h; on being asked, the network says ${dollars(first.pricePerHourMicroUsd)}/h${first.termMs === undefined ? '' : ' for so much time'}`,
      ];
}

/** `At least $3.00: the first hour is paid in any case`; nothing where time is all that costs. */
function floorWords(firsts: readonly Offer[]): string[] {
  const floor = firsts.reduce((sum, offer) => sum + floorOf(offer), 0n);
  if (floor === 0n) {
    return [];
  }
  const [time, ...others] = new Set(firsts.map(offer => lastsMs(0n, [chargeOf(offer)])));
  const isOne = time !== undefined && time !== null && time > 0 && others.length === 0;
  const whose = firsts.length === 1 ? '' : ' of each';
  const what = isOne ? `the first ${time === HOUR_MS ? 'hour' : duration(time)}${whose}` : 'that much';
  return [`At least ${showDollars(floor)}: ${what} is paid in any case`];
}

const HOUR_MS = 3_600_000;

function stopLine({ caps, createdAtMs }: Facts, running: Running | null): string {
  const cap = dollars(caps.totalMicroUsd);
  const ends = [
    ...(caps.stopAtMs === null
      ? []
      : [`${clock(caps.stopAtMs, createdAtMs)} (${duration(caps.stopAtMs - createdAtMs)})`]),
    running === null
      ? `${cap} is spent`
      : `${cap} is spent in total (${spent(running.spentMicroUsd)} so far)`,
    ...(caps.idleMs === null ? [] : [`it is idle for ${duration(caps.idleMs)}`]),
  ];
  const last = ends.pop() ?? '';
  return ends.length === 0
    ? `Runs until ${last}`
    : `Runs until ${ends.join(', ')} or ${last}, whichever comes first`;
}

/** What it comes to at this price, or how long the cap lasts; nothing where nothing costs. */
function mostLine(
  { ratePerHourMicroUsd, nonRefundableMicroUsd, caps, createdAtMs }: Facts,
  firsts: readonly Offer[],
  running: Running | null,
): string[] {
  const rate = parseMicroUsd(ratePerHourMicroUsd) + (running?.ratePerHourMicroUsd ?? 0n);
  if (rate === 0n) {
    return [];
  }
  const least = firsts.filter(offer => floorOf(offer) > 0n);
  const floored = least.map(chargeOf);
  const rest = floored.reduce((left, { ratePerHourMicroUsd: own }) => left - own, rate);
  const charges = [...floored, { ratePerHourMicroUsd: rest, paidMicroUsd: 0n }];
  const paid = floored.reduce((sum, { paidMicroUsd }) => sum + paidMicroUsd, 0n);
  const atOnce = parseMicroUsd(nonRefundableMicroUsd) + paid + (running?.spentMicroUsd ?? 0n);
  const cap = parseMicroUsd(caps.totalMicroUsd);
  const untilStop =
    caps.stopAtMs === null
      ? null
      : larger(
          atOnce +
            costAhead(charges, caps.stopAtMs - createdAtMs) +
            begun(least, caps.stopAtMs - createdAtMs),
          // What is paid at once is for whole terms, of which the last may end a moment after the stop time.
          dueNowOf(firsts.filter(({ refundable }) => refundable !== 'deposit')),
        );
  const at = `At ${dollars(formatMicroUsd(rate))}/h${running === null ? '' : ' for all its machines'}`;
  if (caps.stopAtMs !== null && untilStop !== null && untilStop < cap) {
    return [
      `${at} that is at most ${showDollars(untilStop)}${running === null ? '' : ' in total'} until ${clock(caps.stopAtMs, createdAtMs)}`,
    ];
  }
  const lasts = lastsMs(cap - atOnce, charges) ?? YEAR_MS;
  return lasts >= YEAR_MS
    ? []
    : [`${at} ${showDollars(cap)} lasts until about ${clock(createdAtMs + lasts, createdAtMs)}`];
}

const larger = (one: MicroUsd, other: MicroUsd): MicroUsd => (one > other ? one : other);

/** What is paid for the rest of a term that has begun, beyond the hours that are used. */
const begun = (offers: readonly Offer[], ms: number): MicroUsd =>
  offers.reduce((sum, offer) => {
    const { termMs: _, ...byUse } = offer;
    return sum + costOfOffer(offer, ms) - costOfOffer(byUse, ms);
  }, 0n);

const YEAR_MS = 365 * 24 * 3_600_000;

function saveLine({ save, nodes, caps }: Facts, areOwn: boolean): string {
  const deleted = machinesEnd(nodes, areOwn);
  if (save.paths.length === 0) {
    return `${NOTHING_SAVED}when it stops, ${deleted}. To keep files, choose paths to save`;
  }
  const paths = save.paths.map(path => `~/work/${path}`.replace(/\/$/, '')).join(', ');
  const copied = save.paths.length === 1 ? 'is copied' : 'are copied';
  return `When it stops: ${paths} ${copied} to this computer first (paid from the ${dollars(caps.totalMicroUsd)}), then ${deleted}`;
}

const dueNowOf = (offers: readonly Offer[]): MicroUsd =>
  offers.reduce((sum, offer) => sum + (dueNow(offer) ?? 0n), 0n);

/** What is held while it runs; nothing where nothing is. */
function depositLine(firsts: readonly Offer[]): string[] {
  const held = dueNowOf(firsts.filter(({ refundable }) => refundable === 'deposit'));
  return held === 0n
    ? []
    : [
        `Deposit: ${showDollars(held)} leaves your account at once; what its hours do not use of it comes back when it ends`,
      ];
}

/** How sure the price is, where it is not firm. */
function basisLine(offers: readonly Offer[]): string[] {
  const bases = new Set(offers.map(({ basis }) => basis ?? 'firm'));
  return [
    ...(bases.has('estimate') ? ['Estimate: the network reckons its price anew while it runs'] : []),
    ...(bases.has('most')
      ? [
          'Ordered first: it is rented at the best price that is offered for the order, and this is about the most',
        ]
      : []),
  ];
}

function laptopLine({ endsBillingAlone, nodes, caps, createdAtMs }: Facts, firsts: readonly Offer[]): string {
  if (!endsBillingAlone) {
    const machine = nodes === 1 ? 'the machine keeps' : 'the machines keep';
    const their = nodes === 1 ? 'its' : 'their';
    return `${LAPTOP_WARNING}If this computer sleeps or is off, ${machine} running and billing past ${their} limits until Hitch is back`;
  }
  if (firsts.some(({ termMs }) => termMs !== undefined)) {
    return 'With this computer off: ends by itself when what is paid ahead is over';
  }
  const at = caps.stopAtMs === null ? '' : ` at ${clock(caps.stopAtMs, createdAtMs)}`;
  return `Works with this computer off: ends by itself${at}`;
}

/** What starts nothing again by itself; nothing where the bill runs on in any case. */
function rebootLine({ endsBillingAlone, nodes }: Facts, firsts: readonly Offer[]): string[] {
  const which = nodes === 1 ? 'the machine' : 'a machine';
  return endsBillingAlone && firsts.some(({ returnsAfterReboot }) => returnsAfterReboot === false)
    ? [
        `${LAPTOP_WARNING}After a reboot of ${which}, Hitch runs there again and holds its limits only once this computer reaches it`,
      ]
    : [];
}

/** Whether two offers are one kind of machine to who runs a notebook there. */
export function isAlike(one: Offer, other: Offer): boolean {
  return one.gpuModel === null
    ? other.gpuModel === null && other.cpuCores >= one.cpuCores && other.ramMiB >= one.ramMiB
    : one.gpuModel === other.gpuModel && one.gpuCount === other.gpuCount && one.vramMiB === other.vramMiB;
}

/** The networks of all that may be rented, each once, in the order in which they are tried. */
const networksOf = (offers: readonly Offer[], networkOf: (provider: string) => Network): readonly Network[] =>
  [...new Set(offers.map(({ provider }) => provider))].map(networkOf);

const unverifiedLines = (
  { practice }: Facts,
  offers: readonly Offer[],
  networkOf: (provider: string) => Network,
): string[] =>
  practice
    ? []
    : networksOf(offers, networkOf).flatMap(({ title, verifiedLive }) =>
        verifiedLive ? [] : [`${title}${UNVERIFIED}`],
      );

/** The offers beside those that the nodes take when nobody else does. */
export function spareOffers(offers: readonly Offer[], nodes: number): readonly Offer[] {
  let room = 0;
  const needed = offers.findIndex(({ stock }) => (room += stock) >= nodes) + 1;
  return offers.slice(Math.max(1, needed));
}

/** What an approval allows beside the machines that are wanted: those that never came up are paid for. */
function notUpLine({ nodes, othersIfNotUp = 0, highestRatePerHourMicroUsd, caps }: Facts): string[] {
  if (othersIfNotUp === 0) {
    return [];
  }
  const [machine, place] = nodes === 1 ? ['the machine', 'its place'] : ['a machine', 'the place of each'];
  const others =
    othersIfNotUp === 1 ? 'another is' : `up to ${othersIfNotUp.toString()} others are, one after the other,`;
  return [
    `If ${machine} does not start, it is ended and paid for until then, and ${others} rented in ${place}: at most ${dollars(highestRatePerHourMicroUsd)}/h, all inside the ${dollars(caps.totalMicroUsd)}`,
  ];
}

/** What is tried besides the machines that are named, and what a yes allows at most. */
function fallbackLine(
  { nodes, highestRatePerHourMicroUsd }: Facts,
  offers: readonly Offer[],
  networkOf: (provider: string) => Network,
): string {
  const [first] = offers;
  const spares = spareOffers(offers, nodes);
  const needed = offers.length - spares.length;
  const count = spares.length;
  const gone = nodes === 1 ? 'this offer is gone' : 'one of these offers is gone';
  const dearest = (of: readonly Offer[]) => of.map(leastCost).reduce((a, b) => (a > b ? a : b), 0n);
  const least = dearest(spares);
  const more = least > dearest(offers.slice(0, needed)) ? `, at least ${showDollars(least)} each` : '';
  const most = `${showDollars(parseMicroUsd(highestRatePerHourMicroUsd))}/h`;
  if (first !== undefined && count > 0) {
    // A filter that names no GPU lets other kinds of machines in.
    const what = spares.every(offer => isAlike(first, offer))
      ? `similar ${count === 1 ? 'one' : 'ones'}`
      : `${count === 1 ? 'other that matches' : 'others that match'} your filters`;
    const names = networksOf(spares, networkOf).map(({ title }) => title);
    const isElsewhere = spares.some(({ provider }) => provider !== first.provider);
    const from = isElsewhere ? ` (${names.join(', ')})` : '';
    return `If ${gone}, Hitch tries up to ${count} ${what}${from}, at most ${most}${more}`;
  }
  return `If ${gone}, nothing is rented. Prices move: up to ${most} is accepted`;
}
