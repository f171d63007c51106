/** What is paid ahead, in words: before a rental, and before an extension for which more of it is bought. */
import { dueNow, floorOf } from './charges.ts';
import type { Cluster, Quote, Usage } from './clusters.ts';
import { clock } from './format.ts';
import { TERM_SLACK_MS } from './limits.ts';
import { type MicroUsd, parseMicroUsd, showDollars } from './money.ts';
import { termWords } from './offer-words.ts';
import type { Offer } from './offers.ts';

type Facts = Pick<Quote, 'candidates' | 'caps' | 'createdAtMs'>;

/** How much is paid at once where time is sold ahead, and when more of it is; nothing where time costs as it is used. */
export function termLine(quote: Facts, firsts: readonly Offer[], askedStopAtMs: number | null): string[] {
  const { candidates, caps, createdAtMs } = quote;
  const sold = firsts.filter(({ termMs }) => termMs !== undefined);
  if (sold.length === 0) {
    return [];
  }
  const one = wordFor(sold.map(({ termMs }) => termMs));
  const boughtOf = ({ id, termMs }: Offer) =>
    candidates.find(({ offerId }) => offerId === id)?.termMs ?? termMs;
  const bought = wordFor(sold.map(boughtOf));
  const isBack = sold.every(({ refundable }) => refundable === 'exact_after_floor');
  const kept = sold.some(offer => floorOf(offer) > 0n) ? ', but for what is paid in any case' : '';
  const back = isBack ? `what is not used comes back when it ends${kept}` : 'not given back';
  const paid = sold.reduce((sum, offer) => sum + (dueNow(offer) ?? floorOf(offer)), 0n);
  const now = paid === 0n ? '' : `${showDollars(paid)} now`;
  const time =
    bought === one
      ? `${one} at a time${now === '' ? '' : ` (${now})`}`
      : `${[bought, now].filter(Boolean).join(', ')}, then ${one} at a time`;
  const rounded =
    caps.stopAtMs !== null && askedStopAtMs !== null && askedStopAtMs !== caps.stopAtMs
      ? `. It stops at ${clock(caps.stopAtMs, createdAtMs)} instead of ${clock(askedStopAtMs, createdAtMs)}, with the last whole one before`
      : mixedWords(quote, sold);
  return [
    `Paid ahead: ${time}, ${back}. Hitch buys more before it is over, within the limits above; where no more is bought, it stops some minutes early, to save and delete${rounded}`,
  ];
}

function wordFor(terms: readonly (number | undefined)[]): string {
  const [term, ...others] = new Set(terms);
  return term === undefined || others.length > 0 ? 'some time' : termWords(term);
}

/** Up to when machines are paid whose terms differ, so that no stop time ends all of them whole; nothing where they do not. */
function mixedWords({ caps: { stopAtMs }, createdAtMs }: Facts, sold: readonly Offer[]): string {
  const terms = [...new Set(sold.flatMap(({ termMs }) => termMs ?? []))].sort((a, b) => a - b);
  if (stopAtMs === null || terms.length < 2) {
    return '';
  }
  const each = terms.map(termMs => {
    const count = sold.filter(offer => offer.termMs === termMs).length;
    const whole = Math.max(1, Math.ceil((stopAtMs - createdAtMs - TERM_SLACK_MS) / termMs));
    return `${count === 1 ? '1 machine' : `${count.toString()} machines`} by ${termWords(termMs)}, until ${clock(createdAtMs + whole * termMs, createdAtMs)}`;
  });
  return `. It stops at ${clock(stopAtMs, createdAtMs)}; in whole terms it is paid for longer: ${each.join('; ')}`;
}

/** More time is bought some minutes before stopping and saving would have to begin: this is well before that. */
const BUYS_SOON_MS = 20 * 60_000;

type Term = NonNullable<Usage['terms']>[number];

/** Machines that are sold alike and end together. */
interface TermGroup {
  readonly term: Term;
  readonly machines: number;
  readonly costMicroUsd: MicroUsd;
}

function groupsOf(terms: readonly Term[]): readonly TermGroup[] {
  const keyOf = ({ termMs, endsAtMs, comesBack }: Term) =>
    [termMs, Math.round(endsAtMs / 60_000), comesBack].join();
  return [...new Set(terms.map(keyOf))].flatMap(key => {
    const own = terms.filter(term => keyOf(term) === key);
    const [term] = own;
    const costMicroUsd = own.reduce((sum, one) => sum + parseMicroUsd(one.costMicroUsd), 0n);
    return term === undefined ? [] : [{ term, machines: own.length, costMicroUsd }];
  });
}

/** As much of a change of limits as says what is bought. */
export interface LimitsAsked {
  readonly capMicroUsd?: string | undefined;
  readonly stopAtMs?: number | null | undefined;
}

/** What is bought of time that is sold ahead with other limits, and when it is paid; nothing where time costs as it is used. */
export function extendLines(
  { usage, caps }: Pick<Cluster, 'usage' | 'caps'>,
  { capMicroUsd, stopAtMs: asked }: LimitsAsked,
  nowMs: number,
): string[] {
  const stopAtMs = asked === undefined ? caps.stopAtMs : asked;
  const cap = parseMicroUsd(capMicroUsd ?? caps.totalMicroUsd);
  const room = cap - parseMicroUsd(usage.committedMicroUsd);
  const groups = groupsOf(usage.terms ?? []);
  return groups.map(group => groupLine(group, { stopAtMs, room, nowMs, isOnly: groups.length === 1 }));
}

function groupLine(
  { term, machines, costMicroUsd }: TermGroup,
  around: {
    readonly stopAtMs: number | null;
    readonly room: MicroUsd;
    readonly nowMs: number;
    readonly isOnly: boolean;
  },
): string {
  const { stopAtMs, room, nowMs, isOnly } = around;
  const { termMs, endsAtMs, comesBack } = term;
  const whose = isOnly ? '' : ` for ${machines === 1 ? '1 machine' : `${machines.toString()} machines`}`;
  const one = termWords(termMs);
  const paid = `Paid ahead until ${clock(endsAtMs, nowMs)}${whose}, ${one} at a time`;
  const each = `${showDollars(costMicroUsd)} each`;
  const when = endsAtMs - nowMs > BUYS_SOON_MS ? 'nothing is paid now' : 'the first is paid within minutes';
  if (stopAtMs === null) {
    return `${paid}: more is bought before that ends, ${each}, as long as the spending limit allows; ${when}`;
  }
  const more = Math.max(0, Math.ceil((stopAtMs - endsAtMs - TERM_SLACK_MS) / termMs));
  if (more === 0) {
    return `${paid}: no more is bought for this`;
  }
  const total = costMicroUsd * BigInt(more);
  const until = endsAtMs + more * termMs;
  const left =
    until - stopAtMs > TERM_SLACK_MS
      ? `; it stops at ${clock(stopAtMs, nowMs)}, and the rest ${comesBack ? 'comes back' : 'is not given back'}`
      : '';
  const short =
    total > room && !comesBack ? '. The spending limit does not allow all of it: raise it too' : '';
  return `${paid}: ${termWords(more * termMs)} more ${more === 1 ? 'is' : 'are'} bought before that ends, ${each}, ${showDollars(total)} in all, until ${clock(until, nowMs)}; ${when}${left}${short}`;
}
