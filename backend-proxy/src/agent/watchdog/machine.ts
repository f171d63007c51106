/**
 * When the node ends by itself. Pure: the state before, what is seen now, the state after and what to do.
 *
 * Stop time is wall-clock time, and wall clocks jump. Two guards:
 * - A jump forward past the stop time is believed only when the clock still says so a minute later.
 * - The time left at arming is also counted monotonically, so that a clock set back cannot stretch a budget.
 * Idle time is counted monotonically alone.
 */
import type { WatchdogConfig, WatchdogState } from '@hitch/contract';

export type Reason = 'stop_time' | 'idle';

export interface Watch {
  readonly phase: 'off' | 'armed' | 'warned' | 'ending';
  readonly reason: Reason | null;
  readonly config: WatchdogConfig;
  /** Monotonic time of the stop, counted from arming; null: no stop time. */
  readonly stopAtMonotonicMs: number | null;
  readonly idleForMs: number;
  /** Wall-clock time when it became idle, for show; null: busy. */
  readonly idleSinceMs: number | null;
  readonly activity: readonly string[];
  readonly seen: { readonly wallMs: number; readonly monotonicMs: number };
  /** Monotonic time of the last jump of the wall clock; null: none that matters still. */
  readonly jumpedAtMonotonicMs: number | null;
}

export interface Look {
  readonly wallMs: number;
  readonly monotonicMs: number;
  /** What keeps the node busy; empty: idle. */
  readonly activity: readonly string[];
}

export type Effect =
  | { readonly do: 'warn'; readonly reason: Reason; readonly sentence: string }
  | { readonly do: 'end'; readonly reason: Reason; readonly sentence: string };

const JUMP_MS = 30_000;
const BELIEVE_JUMP_AFTER_MS = 60_000;
/** A look that comes later than this says that this process stood still, not that nobody worked. */
const LONGEST_STEP_MS = 60_000;

const rules = (config: WatchdogConfig): boolean => config.stopAtMs !== null || config.idleMs !== null;

/** Begins, or begins anew with another configuration. What was idle stays idle; an end under way goes on. */
export function arm(config: WatchdogConfig, look: Omit<Look, 'activity'>, before: Watch | null): Watch {
  const seen = { wallMs: look.wallMs, monotonicMs: look.monotonicMs };
  if (before?.phase === 'ending') {
    return { ...before, config };
  }
  return {
    phase: rules(config) ? 'armed' : 'off',
    reason: null,
    config,
    stopAtMonotonicMs:
      config.stopAtMs === null ? null : look.monotonicMs + Math.max(0, config.stopAtMs - look.wallMs),
    idleForMs: before?.idleForMs ?? 0,
    idleSinceMs: before?.idleSinceMs ?? null,
    activity: before?.activity ?? [],
    seen,
    jumpedAtMonotonicMs: null,
  };
}

/** Somebody typed, started a cell, did something: idle time begins anew. */
export function touch(watch: Watch): Watch {
  return { ...watch, idleForMs: 0, idleSinceMs: null };
}

export function step(before: Watch, look: Look): { watch: Watch; effects: readonly Effect[] } {
  const watch = { ...measured(before, look), activity: [...look.activity] };
  if (watch.phase === 'off' || watch.phase === 'ending') {
    return { watch, effects: [] };
  }
  const left = timesLeft(watch, look);
  const due = left.find(rule => rule.leftMs <= 0 && rule.certain);
  if (due !== undefined) {
    const sentence = endSentence(due.reason, watch.config);
    return {
      watch: { ...watch, phase: 'ending', reason: due.reason },
      effects: [{ do: 'end', reason: due.reason, sentence }],
    };
  }
  const near = left.find(rule => rule.leftMs <= rule.warnBeforeMs);
  if (near === undefined) {
    return { watch: { ...watch, phase: 'armed', reason: null }, effects: [] };
  }
  const told = watch.phase === 'warned' && watch.reason === near.reason;
  return {
    watch: { ...watch, phase: 'warned', reason: near.reason },
    effects: told
      ? []
      : [{ do: 'warn', reason: near.reason, sentence: warnSentence(near.reason, Math.max(0, near.leftMs)) }],
  };
}

function measured(before: Watch, look: Look): Watch {
  const stepMs = Math.max(0, look.monotonicMs - before.seen.monotonicMs);
  const drift = look.wallMs - before.seen.wallMs - stepMs;
  const isBusy = look.activity.length > 0;
  const jumped = Math.abs(drift) > JUMP_MS;
  const settled =
    before.jumpedAtMonotonicMs !== null &&
    look.monotonicMs - before.jumpedAtMonotonicMs >= BELIEVE_JUMP_AFTER_MS;
  return {
    ...before,
    seen: { wallMs: look.wallMs, monotonicMs: look.monotonicMs },
    idleForMs: isBusy ? 0 : before.idleForMs + Math.min(stepMs, LONGEST_STEP_MS),
    idleSinceMs: isBusy ? null : (before.idleSinceMs ?? look.wallMs),
    jumpedAtMonotonicMs: jumped ? look.monotonicMs : settled ? null : before.jumpedAtMonotonicMs,
  };
}

interface RuleLeft {
  readonly reason: Reason;
  readonly leftMs: number;
  readonly warnBeforeMs: number;
  /** False while a clock that has just jumped is the only witness. */
  readonly certain: boolean;
}

/** The rules in force, the one that is due first in front. */
function timesLeft(watch: Watch, look: Look): RuleLeft[] {
  const { stopAtMs, idleMs, warnBeforeMs } = watch.config;
  const rules: RuleLeft[] = [];
  if (stopAtMs !== null && watch.stopAtMonotonicMs !== null) {
    const byWall = stopAtMs - look.wallMs;
    const byMonotonic = watch.stopAtMonotonicMs - look.monotonicMs;
    rules.push({
      reason: 'stop_time',
      leftMs: Math.min(byWall, byMonotonic),
      warnBeforeMs,
      certain: byMonotonic <= 0 || watch.jumpedAtMonotonicMs === null,
    });
  }
  if (idleMs !== null && watch.activity.length === 0) {
    // A short idle rule is warned of in its last third, or it would warn all the time.
    rules.push({
      reason: 'idle',
      leftMs: idleMs - watch.idleForMs,
      warnBeforeMs: Math.min(warnBeforeMs, idleMs / 3),
      certain: true,
    });
  }
  return rules.sort((one, other) => one.leftMs - other.leftMs);
}

function warnSentence(reason: Reason, leftMs: number): string {
  const when = `ends in ${duration(leftMs)}`;
  return reason === 'stop_time'
    ? `This node ${when}: its stop time is near. Extend it to continue.`
    : `This node ${when}: it has been idle for a while. Run something or extend it to continue.`;
}

function endSentence(reason: Reason, config: WatchdogConfig): string {
  return reason === 'stop_time'
    ? 'This node ends now: its stop time has come.'
    : `This node ends now: nothing ran on it for ${duration(config.idleMs ?? 0)}.`;
}

export function duration(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  return minutes < 1
    ? `${Math.max(1, Math.round(ms / 1000)).toString()} s`
    : minutes < 120
      ? `${minutes.toString()} min`
      : `${(Math.round(ms / 360_000) / 10).toString()} h`;
}

/** As it travels. */
export function watchdogState(watch: Watch): WatchdogState {
  return {
    state: watch.phase,
    reason: watch.reason ?? 'none',
    idleSinceMs: watch.idleSinceMs,
    activity: [...watch.activity],
    stopAtMs: watch.config.stopAtMs,
  };
}
