/** What an extension costs, in one sentence; and what a person typed, as a change of the limits. */
import {
  costAhead,
  format,
  formatMicroUsd,
  parseDollars,
  parseMicroUsd,
  typedDollars,
  type Cluster,
} from '@hitch/contract';
import type { TranslationBundle } from '@jupyterlab/translation';

export interface LimitChange {
  readonly capMicroUsd?: string;
  readonly stopAtMs?: number | null;
  readonly idleMs?: number | null;
}

export interface TypedLimits {
  /** Dollars. */
  readonly cap: string;
  /** `2026-11-25T18:10`, this computer's time, as a date field writes it; empty: no stop time. */
  readonly stopAt: string;
  /** Minutes; empty or 0: never. */
  readonly idle: string;
}

const two = (value: number): string => value.toString().padStart(2, '0');

/** A moment as a date field writes it. */
export function localMoment(atMs: number): string {
  const at = new Date(atMs);
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day}T${two(at.getHours())}:${two(at.getMinutes())}`;
}

export function typedFrom({ caps }: Pick<Cluster, 'caps'>): TypedLimits {
  return {
    cap: typedDollars(parseMicroUsd(caps.totalMicroUsd)),
    stopAt: caps.stopAtMs === null ? '' : localMoment(caps.stopAtMs),
    idle: caps.idleMs === null ? '' : String(Math.round(caps.idleMs / 60_000)),
  };
}

export interface Reading {
  readonly change: LimitChange;
  /** What to correct, a sentence; null: nothing. */
  readonly problem: string | null;
}

function readCap(text: string, trans: TranslationBundle): { cap: string | null; problem: string | null } {
  try {
    return { cap: formatMicroUsd(parseDollars(text)), problem: null };
  } catch (error) {
    return {
      cap: null,
      problem: error instanceof RangeError ? error.message : trans.__('Enter dollars, such as 2.50.'),
    };
  }
}

/** Only what is other than before is part of the change. */
export function readLimits(
  cluster: Pick<Cluster, 'caps'>,
  typed: TypedLimits,
  nowMs: number,
  trans: TranslationBundle,
): Reading {
  const before = typedFrom(cluster);
  const { cap, problem } = readCap(typed.cap, trans);
  if (cap === null) {
    return { change: {}, problem };
  }
  const stopAtMs = typed.stopAt === '' ? null : new Date(typed.stopAt).getTime();
  if (stopAtMs !== null && typed.stopAt !== before.stopAt && !(stopAtMs > nowMs)) {
    return { change: {}, problem: trans.__('The stop time has passed: enter a later one.') };
  }
  const minutes = typed.idle === '' ? 0 : Number(typed.idle);
  if (!Number.isInteger(minutes) || minutes < 0) {
    return { change: {}, problem: trans.__('Idle minutes: enter a whole number, or 0 for never.') };
  }
  return {
    change: {
      ...(typed.cap === before.cap ? {} : { capMicroUsd: cap }),
      ...(typed.stopAt === before.stopAt ? {} : { stopAtMs }),
      ...(typed.idle === before.idle ? {} : { idleMs: minutes === 0 ? null : minutes * 60_000 }),
    },
    problem: null,
  };
}

/** The most it can cost in all with the change, and at what rate. */
export function priceSentence(
  cluster: Pick<Cluster, 'usage' | 'caps'>,
  change: LimitChange,
  nowMs: number,
  trans: TranslationBundle,
): string {
  const { usage, caps } = cluster;
  const cap = parseMicroUsd(change.capMicroUsd ?? caps.totalMicroUsd);
  const stopAtMs = change.stopAtMs === undefined ? caps.stopAtMs : change.stopAtMs;
  const rate = parseMicroUsd(usage.ratePerHourMicroUsd);
  const charge = { ratePerHourMicroUsd: rate, paidMicroUsd: parseMicroUsd(usage.paidAheadMicroUsd) };
  const untilStop =
    stopAtMs === null ? null : parseMicroUsd(format.costOfRun(usage)) + costAhead([charge], stopAtMs - nowMs);
  const most = untilStop === null || untilStop > cap ? cap : untilStop;
  return trans.__(
    'At %1/h it can cost at most %2 in total (%3 spent so far).',
    format.dollars(usage.ratePerHourMicroUsd),
    format.dollars(formatMicroUsd(most)),
    format.dollars(format.costOfRun(usage)),
  );
}
