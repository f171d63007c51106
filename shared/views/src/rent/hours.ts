/** Hours that are paid ahead, where an offer's time is sold so: the default, the price, and what is wrong with a number. */
import {
  firstOffers,
  formatMicroUsd,
  paidNowWords,
  parseDollars,
  termBought,
  termWords,
  type Offer,
  type TimeWanted,
} from '@hitch/contract';
import { stopAtMs, type RentChoices, type RentContext } from './rent-choices.ts';

const HOUR_MS = 3_600_000;
/** A year: nobody sells more at once. */
const MOST_HOURS = 8_784;

type Context = Pick<RentContext, 'offers' | 'nowMs' | 't'>;

export const sellsTime = (offers: readonly Offer[]): boolean =>
  offers.some(({ termMs }) => termMs !== undefined);

/** Null: until the stop time. */
export const paidMs = ({ hours }: Pick<RentChoices, 'hours'>, offers: readonly Offer[]): number | null =>
  hours.trim() === '' || !sellsTime(offers) ? null : Math.round(Number(hours) * HOUR_MS);

function wantedIn(choices: RentChoices, { offers, nowMs }: Context): TimeWanted {
  const nodes = Number(choices.nodes);
  const stop = stopAtMs(choices, nowMs);
  return {
    termMs: paidMs(choices, offers),
    stopAtMs: stop === null || Number.isNaN(stop) ? null : stop,
    capMicroUsd: capOf(choices),
    nodes: Number.isInteger(nodes) && nodes > 0 ? nodes : 1,
  };
}

/** Null while what is typed is no amount. */
function capOf({ cap }: RentChoices): string | null {
  try {
    return formatMicroUsd(parseDollars(cap));
  } catch {
    return null;
  }
}

/** As it is paid where nothing is typed: `4`, `1.5`. */
export function usualHours(choices: RentChoices, context: Context): string {
  const wanted = wantedIn({ ...choices, hours: '' }, context);
  const terms = context.offers.flatMap(offer => termBought(offer, wanted, context.nowMs) ?? []);
  return terms.length === 0 ? '' : (Math.round((Math.min(...terms) / HOUR_MS) * 100) / 100).toString();
}

/** What is paid at once, and what of it comes back, for all machines. */
export function hoursHelp(choices: RentChoices, context: Context): string {
  const { offers, nowMs, t } = context;
  const wanted = wantedIn(choices, context);
  const firsts = firstOffers(offers, wanted.nodes);
  const price = paidNowWords(firsts, wanted, nowMs, t) ?? '';
  const one = [...new Set(offers.flatMap(({ termMs }) => termMs ?? []))].map(termWords).join(', ');
  const sold = t('Sold for %1 at a time', one);
  return wanted.termMs === null ? t('%1. %2. Empty: until it stops', price, sold) : t('%1. %2', price, sold);
}

export function hoursProblem(choices: RentChoices, context: Context): string | null {
  const { offers, nowMs, t } = context;
  const typed = choices.hours.trim();
  if (typed === '' || !sellsTime(offers)) {
    return null;
  }
  const least = Math.min(...offers.flatMap(({ termMs }) => termMs ?? []));
  const hours = /^\d{1,4}(\.\d{1,2})?$/.test(typed) ? Number(typed) : Number.NaN;
  if (!(hours * HOUR_MS >= least && hours <= MOST_HOURS)) {
    return t(
      'Hours paid ahead: enter a number from %1 to %2, or leave it empty to pay until it stops.',
      Math.round((least / HOUR_MS) * 100) / 100,
      MOST_HOURS,
    );
  }
  const stop = stopAtMs(choices, nowMs);
  return stop !== null && hours * HOUR_MS > stop - nowMs + 60_000
    ? t('%1 h would be paid ahead, and it stops before: enter less, or choose a later stop time.', hours)
    : null;
}
