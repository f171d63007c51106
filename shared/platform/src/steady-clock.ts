/**
 * The time of day that does not jump. It is read once and then counted by what only ever grows, the computer's sleep
 * included; where the wall clock is set meanwhile this clock goes on as before, says so, and follows only once somebody
 * else confirms the new time (`trust`). So nothing ends, costs or is dated by a clock that was set.
 *
 * Linux's monotonic clock, which Node and its timers use, stands still while the computer sleeps; its time since boot
 * does not. The difference between them is sleep, and counts.
 */
import { type Clock, systemClock, type Timer } from './clock.ts';

/** What the computer can say. All in milliseconds. */
export interface TimeSource {
  wall(): number;
  /** Only ever grows; may stand still while the computer sleeps. */
  monotonic(): number;
  /** Since the computer was started, sleep included. */
  sinceBoot(): number;
  /** Changes with every start of the computer; null where it does not say. */
  readonly bootId: string | null;
}

/** What an earlier process knew. */
export interface KeptTime {
  readonly bootId: string | null;
  readonly sinceBootMs: number;
  readonly nowMs: number;
  /** Whether it was sure of that time. */
  readonly isSure: boolean;
}

export interface Jump {
  /** The wall clock is so much ahead of the time that is counted on; negative: behind. */
  readonly byMs: number;
  readonly sinceMs: number;
}

/** Time servers correct a little all the time; agents and networks differ by as much. */
export const JUMP_MS = 5_000;
const LOOK_EVERY_MS = 1_000;
/** The two clocks of one computer are read one after the other. */
const SLEEP_MS = 1_000;
/** A computer that was off for longer may have come back with a wrong clock. */
const LONG_OFF_MS = 3_600_000;

export class SteadyClock implements Clock {
  readonly #source: TimeSource;
  readonly #timers: Pick<Clock, 'sleep' | 'setTimer'>;
  readonly #onJump: ((jump: Jump | null) => void)[] = [];
  readonly #onConfirmed: (() => void)[] = [];
  readonly #startMonotonicMs: number;
  readonly #startSinceBootMs: number;
  #base: number;
  #sleptMs = 0;
  #lastMs = 0;
  #lookedAtMs: number;
  #jump: Jump | null = null;
  #isSure: boolean;

  constructor(
    source: TimeSource,
    kept: KeptTime | null = null,
    timers: Pick<Clock, 'sleep' | 'setTimer'> = systemClock,
  ) {
    this.#source = source;
    this.#timers = timers;
    this.#startMonotonicMs = source.monotonic();
    this.#startSinceBootMs = source.sinceBoot();
    this.#lookedAtMs = this.#startMonotonicMs;
    const { base, isSure } = firstTime(source, kept);
    this.#base = base;
    this.#isSure = isSure;
    this.#look();
  }

  now(): number {
    if (this.#source.monotonic() - this.#lookedAtMs >= LOOK_EVERY_MS) {
      this.#look();
    }
    // A cost never falls, and what happened later is dated later.
    this.#lastMs = Math.max(this.#lastMs, Math.floor(this.#base + this.#elapsed()));
    return this.#lastMs;
  }

  /** Sleep counts. */
  monotonic(): number {
    return this.#elapsed();
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return this.#timers.sleep(ms, signal);
  }

  setTimer(run: () => void, ms: number): Timer {
    return this.#timers.setTimer(run, ms);
  }

  /** How far the wall clock is from the time that is counted on; null: it agrees. */
  get jump(): Jump | null {
    return this.#jump;
  }

  /** False after nothing counted the time for long, until somebody else confirms it; later processes know that too. */
  get isSure(): boolean {
    return this.#isSure;
  }

  /** Told when the wall clock jumps, jumps elsewhere, and agrees again. */
  onJump(listener: (jump: Jump | null) => void): void {
    this.#onJump.push(listener);
  }

  /** Told when a time that was in doubt is confirmed. */
  onConfirmed(listener: () => void): void {
    this.#onConfirmed.push(listener);
  }

  /** Somebody else has confirmed the wall clock's time: it is followed. */
  trust(): void {
    this.#base = this.#source.wall() - this.#elapsed();
    this.#lastMs = 0;
    this.#setJump(null);
    this.confirm();
  }

  /** Somebody else has confirmed the time that is counted on. */
  confirm(): void {
    if (!this.#isSure) {
      this.#isSure = true;
      this.#onConfirmed.forEach(tell => tell());
    }
  }

  /** For the next process. */
  kept(): KeptTime {
    return {
      bootId: this.#source.bootId,
      sinceBootMs: this.#source.sinceBoot(),
      nowMs: this.now(),
      isSure: this.#isSure,
    };
  }

  #elapsed(): number {
    return this.#source.monotonic() - this.#startMonotonicMs + this.#sleptMs;
  }

  #look(): void {
    this.#lookedAtMs = this.#source.monotonic();
    const slept = this.#source.sinceBoot() - this.#startSinceBootMs - this.#elapsed();
    if (slept >= SLEEP_MS) {
      this.#sleptMs += slept;
    }
    const aheadMs = this.#source.wall() - (this.#base + this.#elapsed());
    if (Math.abs(aheadMs) > JUMP_MS) {
      this.#setJump({ byMs: Math.round(aheadMs), sinceMs: Math.floor(this.#base + this.#elapsed()) });
    } else {
      this.#base += aheadMs;
      this.#setJump(null);
    }
  }

  #setJump(jump: Jump | null): void {
    const before = this.#jump;
    const isNews =
      (jump === null) !== (before === null) ||
      (jump !== null && before !== null && Math.abs(jump.byMs - before.byMs) > JUMP_MS);
    if (isNews) {
      this.#jump = jump;
      this.#onJump.forEach(tell => tell(jump));
    }
  }
}

/** Counted on from what an earlier process knew, where that can be: the clock may have been set in between. */
function firstTime(source: TimeSource, kept: KeptTime | null): { base: number; isSure: boolean } {
  const wallMs = source.wall();
  if (kept === null) {
    return { base: wallMs, isSure: true };
  }
  const sinceMs = source.sinceBoot() - kept.sinceBootMs;
  // Two starts that have no name may be different ones.
  const isSameBoot = kept.bootId !== null && kept.bootId === source.bootId;
  if (isSameBoot && sinceMs >= 0) {
    return { base: kept.nowMs + sinceMs, isSure: kept.isSure };
  }
  // The computer was off, or may have been. It was not off for less than nothing.
  return { base: Math.max(wallMs, kept.nowMs), isSure: kept.isSure && wallMs - kept.nowMs <= LONG_OFF_MS };
}
