/** What goes wrong in a run, drawn from its seed: every fault of the practice market is in some of them. */
import { pick, type Random, randomInt, seededRandom } from '@hitch/platform/src/random.ts';
import { type FaultPlan, type FaultRule, FLAWS } from '../../backend-proxy/src/providers/sandbox/faults.ts';
import { REQUIRED_DEATHS } from './visits.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export interface NetworkPlan {
  readonly hasRefs: boolean;
  readonly hasHistory: boolean;
  readonly mixUpChance: number;
  readonly nonsenseChance: number;
  readonly wordsChance: number;
}

export interface AgentPlan {
  /** Behind links, as far machines have them, or in this process. */
  readonly overLinks: boolean;
  /** Of each kind of trouble, at each call. */
  readonly chance: number;
  readonly lies: boolean;
}

export interface StorePlan {
  readonly errorChance: number;
  /** The only commits that errors strike, by their name; null: all. */
  readonly errorsOn: string | null;
  readonly slowChance: number;
  readonly fullAtMs: number | null;
  readonly fullUntilMs: number;
  /** How likely the database is gone when a daemon starts; the purchase log is in another file. */
  readonly lossChance: number;
}

export interface SavePlan {
  /** Real files, through the engine of every copy, on a folder of this computer. */
  readonly realFiles: boolean;
  readonly failChance: number;
  readonly lateChance: number;
  readonly partChance: number;
}

export interface RunPlan {
  readonly market: FaultPlan;
  readonly network: NetworkPlan;
  readonly agents: AgentPlan;
  readonly store: StorePlan;
  readonly saves: SavePlan;
  /** How likely another daemon takes over from one that lives, at each thing that a person does. */
  readonly secondDaemonChance: number;
  /** Jumps of this computer's clock, one at some of the things that a person does. */
  readonly wallJumps: readonly number[];
  /** Where the first daemons die. */
  readonly aim: string;
  /** Whether the person takes everything off the list as soon as it is gone. */
  readonly removesAtOnce: boolean;
  /** How many clusters that were taken off the list are kept whole; null: as many as Hitch keeps. */
  readonly removedKept: number | null;
  /** What another network does to whoever asks it; null: it answers. */
  readonly elsewhere: Elsewhere | null;
}

export type Elsewhere = 'waits' | 'hangs' | 'refuses';

/** @param nowMs when the run begins. */
export function drawPlan(random: Random, seed: number, nowMs: number): RunPlan {
  const aim = REQUIRED_DEATHS[seed % REQUIRED_DEATHS.length] ?? '';
  const some = (share: number) => random.next() < share;
  const chance = (share: number, most: number) => (some(share) ? random.next() * most : 0);
  const errorsOn = /failure of (commit .*)/.exec(aim)?.[1] ?? null;
  const hasRefs = !some(0.1);
  const lossChance = chance(0.15, 0.4);
  const isFull = some(0.2);
  const fullAtMs = nowMs + randomInt(random, 0, HOUR);
  return {
    market: drawFaults(random, { comesToLight: hasRefs && (lossChance === 0 || !isFull), aim, seed }),
    network: {
      hasRefs,
      hasHistory: !some(0.15),
      mixUpChance: chance(0.2, 0.4),
      nonsenseChance: chance(0.2, 0.1),
      wordsChance: chance(0.1, 0.3),
    },
    agents: { overLinks: some(0.6), chance: chance(0.5, 0.1), lies: some(0.5) },
    store: {
      errorChance: errorsOn === null ? chance(0.3, 0.1) : 0.6,
      errorsOn,
      slowChance: chance(0.15, 0.1),
      fullAtMs: isFull ? fullAtMs : null,
      fullUntilMs: fullAtMs + randomInt(random, 1_000, 40 * MINUTE),
      lossChance,
    },
    saves: {
      realFiles: some(0.3),
      failChance: chance(0.4, 0.6),
      lateChance: chance(0.4, 0.5),
      partChance: chance(0.4, 0.6),
    },
    secondDaemonChance: chance(0.25, 0.5),
    wallJumps: some(0.2)
      ? Array.from({ length: randomInt(random, 1, 4) }, () => randomInt(random, -3 * DAY, 3 * DAY))
      : [],
    aim,
    removesAtOnce: some(0.5),
    // Drawn apart: it changes nothing of what else goes wrong.
    removedKept: seed % 2 === 0 ? 0 : null,
    elsewhere: some(0.4) ? pick(random, ['waits', 'hangs', 'refuses'] as const) : null,
  };
}

/** What has to go wrong for a daemon to come by the point where it is to die. */
function needed(aim: string): readonly FaultRule[] {
  return [
    ...(/history|quarantined|unclear/.test(aim)
      ? [{ fault: 'reply_lost_before_create', chance: 0.4 } as const]
      : []),
    ...(/refused/.test(aim) ? [{ fault: 'vanished_offer', chance: 0.4 } as const] : []),
    ...(/advance/.test(aim)
      ? [{ fault: 'sold_by_bids', chance: 0.8, depositMicroUsd: 5_000_000 } as const]
      : []),
    ...(/failure of list/.test(aim) ? [{ fault: 'list_fails', chance: 0.4 } as const] : []),
  ];
}

/**
 * A network without refs shows nobody a machine that it once denied: there what comes to light late belongs to nobody,
 * and none does. Nor where a store is lost and the purchase log, on the same full disk, could not be written.
 */
function drawFaults(
  random: Random,
  options: { comesToLight: boolean; aim: string; seed: number },
): FaultPlan {
  const chance = (most: number) => Math.round(random.next() * most * 100) / 100;
  const minutes = (low: number, high: number) => randomInt(random, low * MINUTE, high * MINUTE);
  const all: readonly (() => FaultRule)[] = [
    () => ({ fault: 'vanished_offer', chance: chance(0.5) }),
    () => ({ fault: 'slow_boot', chance: chance(0.6), delayMs: minutes(0, 20) }),
    () => ({ fault: 'never_ready', chance: chance(0.3) }),
    () => ({ fault: 'preempted', chance: chance(0.5), afterMs: minutes(0, 30) }),
    () => ({ fault: 'reply_lost_after_create', chance: chance(0.7) }),
    () => ({ fault: 'reply_lost_before_create', chance: chance(0.5) }),
    () => ({ fault: 'error_with_id', chance: chance(0.5) }),
    () => ({ fault: 'dearer', chance: chance(0.5), percent: randomInt(random, 1, 100) }),
    () => ({
      fault: 'lying_status',
      chance: chance(0.5),
      as: pick(random, ['running_while_booting', 'unknown_word', 'flapping'] as const),
    }),
    () => ({ fault: 'list_fails', chance: chance(0.5) }),
    () => ({ fault: 'list_partial', chance: chance(0.5) }),
    () => ({ fault: 'destroy_fails', chance: chance(1), times: randomInt(random, 1, 6) }),
    () => ({ fault: 'destroy_reply_lost', chance: chance(0.7), times: randomInt(random, 1, 4) }),
    () => ({ fault: 'destroy_slow', chance: chance(0.6), delayMs: minutes(0, 10) }),
    () => ({ fault: 'rate_limited', chance: chance(0.5), retryAfterMs: randomInt(random, 0, 20_000) }),
    () => ({ fault: 'slow_reply', chance: chance(0.2), delayMs: randomInt(random, 100, 90_000) }),
    () => ({ fault: 'outage', afterMs: minutes(0, 60), durationMs: minutes(1, 60) }),
    () => ({
      fault: 'repriced',
      chance: chance(1),
      percent: randomInt(random, -90, 200),
      afterMs: minutes(0, 20),
    }),
    () => ({ fault: 'setup_fee', chance: chance(1), microUsd: randomInt(random, 1, 50_000) }),
  ];
  const comesToLight: readonly (() => FaultRule)[] = [
    () => ({ fault: 'refused_but_rented', chance: chance(0.5) }),
    () => ({ fault: 'shows_late', chance: chance(1), delayMs: minutes(0, 60) }),
    () => ({
      fault: 'mislaid',
      chance: chance(1),
      afterMs: minutes(0, 20),
      durationMs: minutes(1, 60),
    }),
  ];
  // In some runs little goes wrong, so that clusters come as far as their saves.
  const share = random.next() < 0.35 ? 0.08 : 0.3;
  const some = (of: readonly (() => FaultRule)[], often: number) =>
    of.filter(() => random.next() < often).map(draw => draw());
  const late = options.comesToLight ? some(comesToLight, 0.4) : [];
  const rules = [
    ...needed(options.aim),
    ...some(all, share),
    ...late,
    ...drawMinimum(options.seed),
    ...drawSteps(options.seed),
    ...drawTogether(options.seed),
    ...drawLimits(options.seed),
    ...drawPrices(options.seed),
  ];
  return { seed: randomInt(random, 1, 2 ** 30), rules };
}

/** Offers of some markets keep more than their hours; drawn apart, since it changes nothing of what else goes wrong. */
function drawMinimum(seed: number): readonly FaultRule[] {
  const random = seededRandom(seed + 0xf100);
  const often = random.next();
  const other = seededRandom(seed + 0x907).next();
  if (other < 0.1) {
    return [{ fault: 'other_machine', chance: random.next() }];
  }
  if (other < 0.2) {
    return [{ fault: 'poor_machine', chance: random.next(), lacks: pick(random, FLAWS) }];
  }
  if (often < 0.25) {
    return [{ fault: 'minimum_time', chance: random.next(), minutes: randomInt(random, 1, 240) }];
  }
  return often < 0.5
    ? [
        { fault: 'sold_by_terms', chance: random.next(), minutes: randomInt(random, 8, 30) },
        { fault: 'reply_lost_after_more_time', chance: random.next() * 0.7 },
        { fault: 'reply_lost_before_more_time', chance: random.next() * 0.4 },
      ]
    : [];
}

/** Some markets sell in steps and by parts; drawn apart too. */
function drawSteps(seed: number): readonly FaultRule[] {
  const random = seededRandom(seed + 0x57e9);
  const some = (share: number, draw: () => FaultRule): readonly FaultRule[] =>
    random.next() < share ? [draw()] : [];
  return [
    ...some(0.2, () => ({
      fault: 'sold_by_bids',
      chance: random.next(),
      depositMicroUsd: randomInt(random, 1, 9_000_000),
    })),
    ...some(0.2, () => ({ fault: 'no_bids', chance: random.next() * 0.5 })),
    ...some(0.2, () => ({
      fault: 'bids_late',
      chance: random.next(),
      delayMs: randomInt(random, 0, 15 * MINUTE),
    })),
    ...some(0.2, () => ({ fault: 'bid_withdrawn', chance: random.next() * 0.7 })),
    ...some(0.25, () => ({ fault: 'reply_lost_after_lease', chance: random.next() * 0.7 })),
    ...some(0.2, () => ({ fault: 'reply_lost_before_lease', chance: random.next() * 0.5 })),
    ...some(0.25, () => ({ fault: 'disk_apart', chance: random.next() })),
    ...some(0.25, () => ({ fault: 'detail_without_label', chance: random.next() })),
    ...some(0.2, () => ({ fault: 'ends_by_steps', chance: random.next() })),
    ...some(0.15, () => ({
      fault: 'sold_ahead',
      chance: random.next(),
      minutes: randomInt(random, 20, 120),
      keptMinutes: randomInt(random, 0, 40),
    })),
  ];
}

/** Some markets rent several machines as one; drawn apart like what they keep. */
function drawTogether(seed: number): readonly FaultRule[] {
  const random = seededRandom(seed + 0x709e);
  return random.next() < 0.3
    ? [
        { fault: 'sold_together', chance: 0.5 + random.next() / 2 },
        { fault: 'member_lost', chance: random.next() * 0.6, afterMs: randomInt(random, 0, 20 * MINUTE) },
      ]
    : [];
}

/** Some markets answer each kind of call so often and no more, with Vast's figures; drawn apart. */
function drawLimits(seed: number): readonly FaultRule[] {
  const random = seededRandom(seed + 0x11a7);
  return random.next() < 0.2
    ? [
        { fault: 'limited_route', on: 'create', everyMs: 4_500 },
        { fault: 'limited_route', on: 'get', everyMs: 2_000 },
        { fault: 'limited_route', on: 'list', everyMs: 1_000 },
        { fault: 'limited_route', on: 'destroy', everyMs: 3_000 },
        { fault: 'limited_route', on: 'offers', perMinute: 10, perDay: randomInt(random, 20, 500) },
      ]
    : [];
}

/** Some markets' lists do not say what things cost; drawn apart. */
function drawPrices(seed: number): readonly FaultRule[] {
  const random = seededRandom(seed + 0x9a1c);
  return random.next() < 0.25
    ? [
        {
          fault: 'list_price_off',
          chance: random.next(),
          percent: randomInt(random, -50, 60),
          longerPercent: randomInt(random, 0, 5),
        },
      ]
    : [];
}

/** When this computer's disk is full. */
export function fullIn({ store }: RunPlan): (nowMs: number) => boolean {
  return nowMs => store.fullAtMs !== null && nowMs >= store.fullAtMs && nowMs < store.fullUntilMs;
}

/** When the practice market answers nobody. */
export function outIn(plan: RunPlan, openedAtMs: number): (nowMs: number) => boolean {
  const outage = plan.market.rules.find(rule => rule.fault === 'outage');
  const outAtMs = outage === undefined ? Number.POSITIVE_INFINITY : openedAtMs + outage.afterMs;
  const outUntilMs = outAtMs + (outage?.durationMs ?? 0);
  return nowMs => nowMs >= outAtMs && nowMs < outUntilMs;
}
