/** The sentences around the offer table: its footer, its states, and what stands in the way of several nodes. */
import { format, type Offer, type OfferPage, type ProviderInfo } from '@hitch/contract';
import type { Translate } from '../base/translate.ts';

const FRESH_MS = 60_000;
const STALE_MS = 15 * 60_000;

/** `9,880`: as people read large numbers. */
export const counted = (value: number): string => value.toLocaleString('en-US');

/** `3 min old`, rounded down: an age that has not been reached is not said. */
function age(ms: number, t: Translate): string {
  return ms < 3_600_000
    ? t('%1 min old', Math.floor(ms / 60_000))
    : t('%1 old', format.duration(Math.floor(ms / 360_000) * 360_000));
}

/** It takes money, and no live run has confirmed Hitch with it. */
export const isUnverified = ({ kind, verifiedLive }: Pick<ProviderInfo, 'kind' | 'verifiedLive'>): boolean =>
  kind === 'network' && !verifiedLive;

/** Which of the networks that have offers no live run has confirmed; null: none. */
export function unverifiedWords(
  sources: OfferPage['sources'],
  providers: readonly ProviderInfo[] | null,
  t: Translate,
): string | null {
  const shown = new Set(sources.flatMap(({ provider, count }) => (count > 0 ? [provider] : [])));
  const titles = (providers ?? [])
    .filter(one => shown.has(one.id) && isUnverified(one))
    .map(({ title }) => title);
  return titles.length === 0 ? null : t('not yet verified live: %1', titles.join(', '));
}

export interface SourceWords {
  readonly text: string;
  /** The network failed or said nothing for long. */
  readonly stale: boolean;
  readonly problem: string | null;
}

/** How old each network's offers are; those that are fresh need no word. */
export function sourceWords(
  sources: OfferPage['sources'],
  nowMs: number,
  t: Translate,
  titleOf: (provider: string) => string,
): readonly SourceWords[] {
  return sources.flatMap(({ provider, fetchedAtMs, problem, note, isPartOnly = false }) => {
    const title = titleOf(provider);
    if (fetchedAtMs === null) {
      return problem === null ? [] : [{ text: t('%1: no offers yet', title), stale: true, problem }];
    }
    const old = Math.max(0, nowMs - fetchedAtMs);
    if (isPartOnly && old < FRESH_MS) {
      return [{ text: t('%1: some left out', title), stale: false, problem }];
    }
    const failed = problem !== null && !isPartOnly;
    if (note !== undefined && problem === null) {
      const since = old < FRESH_MS ? '' : ` ${age(old, t)}`;
      return [{ text: t('%1: few searches left today', `${title}${since}`), stale: false, problem: note }];
    }
    return old < FRESH_MS && problem === null
      ? []
      : [{ text: `${title} ${age(old, t)}`, stale: failed || old >= STALE_MS, problem }];
  });
}

/** `412 of 9,880; price includes disk and fees`. */
export function countWords({ matched, total }: { matched: number; total: number }, t: Translate): string {
  return t('%1 of %2; price includes disk and fees', counted(matched), counted(total));
}

/** What a screen reader says once a search has its answer. */
export function resultWords(matched: number, t: Translate): string {
  return matched === 0
    ? t('No offers match.')
    : matched === 1
      ? t('1 offer matches.')
      : t('%1 offers match.', counted(matched));
}

/** An error as a sentence for people. */
export function sentenceOf(error: unknown): string {
  const message = error instanceof Error ? error.message.trim() : '';
  return message === '' ? 'The offers could not be loaded.' : message;
}

/** Why these offers cannot make so many nodes, or can only be looked at, a sentence; null when they can. */
export function nodesProblem(offers: readonly Offer[], nodes: number, t: Translate): string | null {
  const [first] = offers;
  const shown = offers.find(({ notRentable }) => notRentable !== undefined);
  if (shown?.notRentable !== undefined) {
    return shown.notRentable;
  }
  if (nodes <= 1 || first === undefined) {
    return null;
  }
  const alone = offers.find(({ multiNode }) => !multiNode);
  if (alone !== undefined) {
    return t(
      '%1 cannot reach other machines: choose offers marked multi-node, or one node.',
      format.machineTitle(alone),
    );
  }
  if (offers.some(({ provider }) => provider !== first.provider)) {
    return t('All nodes of a cluster come from one network: choose offers of the same network.');
  }
  const stock = offers.reduce((sum, offer) => sum + offer.stock, 0);
  return stock < nodes
    ? t('Only %1 of these are available now: choose more offers or fewer nodes.', counted(stock))
    : null;
}
