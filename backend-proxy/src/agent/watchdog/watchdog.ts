/** Runs the watchdog's state machine against the real node, whether or not the daemon is there. */
import { readFileSync } from 'node:fs';
import {
  type BusyLimits,
  DEFAULT_BUSY,
  looksAtWords,
  watchdogConfigSchema,
  type WatchdogConfig,
  type WatchdogState,
} from '@hitch/contract';
import * as z from 'zod';
import { writeFileAtomic } from '@hitch/platform/src/atomic-file.ts';
import { type Clock, repeat, type Timer } from '@hitch/platform/src/clock.ts';
import { errorText, type Log } from '@hitch/platform/src/log.ts';
import { arm, step, touch, watchdogState, type Effect, type Reason, type Watch } from './machine.ts';

export interface WatchdogOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Keeps the configuration over restarts of the agent. */
  readonly file: string;
  /** Says, from the moment the end is decided, that this node has ended, and why. */
  readonly endedFile: string;
  readonly initial: WatchdogConfig;
  /** What keeps the node busy, a sentence each. */
  readonly readActivity: () => Promise<readonly string[]>;
  /** Whether that says what other processes do. */
  readonly seesProcesses: boolean;
  readonly warn: (sentence: string, webhookUrl: string | null) => void;
  readonly end: (sentence: string) => void;
  readonly changed: () => void;
}

const LOOK_EVERY_MS = 5_000;

export class Watchdog {
  /** An agent before this one ended the node: it is not brought to life again, only asked why and for its files. */
  readonly hasEnded: boolean;
  readonly #options: WatchdogOptions;
  #watch: Watch;
  /** Whether the file says the limits that hold. */
  #isKept = true;
  #timer: Timer | null = null;

  constructor(options: WatchdogOptions) {
    this.#options = options;
    const watch = arm(readKept(options.file) ?? options.initial, this.#times(), null);
    const ended = readEnded(options.endedFile);
    this.hasEnded = ended !== null;
    this.#watch = ended === null ? watch : { ...watch, phase: 'ending', reason: ended };
  }

  get state(): WatchdogState {
    return { ...watchdogState(this.#watch), looksAt: this.#looksAt };
  }

  /** From when on processes count as work. */
  get busy(): BusyLimits {
    return this.#watch.config.busy ?? DEFAULT_BUSY;
  }

  get #looksAt(): string {
    return looksAtWords(this.busy, this.#options.seesProcesses);
  }

  /** Takes a new configuration and keeps it over restarts of the agent. */
  configure(config: WatchdogConfig): WatchdogState {
    this.#watch = arm(inOwnTime(config, this.#options.clock.now()), this.#times(), this.#watch);
    this.#keepConfig();
    this.#options.changed();
    return this.state;
  }

  /** A limit holds whether or not the disk takes it; only an agent that comes after this one needs the file. */
  #keepConfig(): void {
    try {
      writeFileAtomic(this.#options.file, JSON.stringify(this.#watch.config));
      this.#isKept = true;
    } catch (error) {
      this.#isKept = false;
      this.#options.log.warn('The limits cannot be kept; trying again', { error: errorText(error) });
    }
  }

  touch(): void {
    this.#watch = touch(this.#watch);
  }

  start(): void {
    this.#timer = repeat(this.#options.clock, LOOK_EVERY_MS, () => this.look());
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  /** One look; the stop time is enforced even while nobody can say what the node does. */
  async look(): Promise<void> {
    if (!this.#isKept) {
      this.#keepConfig();
    }
    let activity = this.#watch.activity;
    try {
      activity = await this.#options.readActivity();
    } catch (error) {
      this.#options.log.warn('What keeps the node busy cannot be read', { error: errorText(error) });
    }
    const before = JSON.stringify(this.state);
    const { watch, effects } = step(this.#watch, { ...this.#times(), activity });
    this.#watch = watch;
    effects.forEach(effect => this.#carryOut(effect));
    if (JSON.stringify(this.state) !== before) {
      this.#options.changed();
    }
  }

  /** Says something else that a person should know, on the same ways as a limit that is near. */
  warn(sentence: string): void {
    this.#options.log.warn(sentence);
    this.#options.warn(sentence, this.#watch.config.webhookUrl);
  }

  #carryOut(effect: Effect): void {
    const sentence =
      effect.reason === 'idle' ? `${effect.sentence} Checked: ${this.#looksAt}.` : effect.sentence;
    this.warn(sentence);
    if (effect.do === 'end') {
      this.#keepEnd(effect.reason);
      this.#options.end(sentence);
    }
  }

  #keepEnd(reason: Reason): void {
    try {
      writeFileAtomic(this.#options.endedFile, JSON.stringify({ reason }));
    } catch (error) {
      this.#options.log.warn('Why the node ends cannot be kept', { error: errorText(error) });
    }
  }

  #times(): { wallMs: number; monotonicMs: number } {
    return { wallMs: this.#options.clock.now(), monotonicMs: this.#options.clock.monotonic() };
  }
}

/** Clocks that differ by less count as one: the difference is the way from there. */
const SAME_CLOCK_MS = 5_000;

/** A stop time as this node's own clock shows it, whatever the clock of who asked. */
function inOwnTime({ nowMs: theirsMs, ...config }: WatchdogConfig, nowMs: number): WatchdogConfig {
  const offMs = theirsMs === undefined ? 0 : nowMs - theirsMs;
  return config.stopAtMs === null || Math.abs(offMs) <= SAME_CLOCK_MS
    ? config
    : { ...config, stopAtMs: config.stopAtMs + offMs };
}

const endedSchema = z.object({ reason: z.enum(['stop_time', 'idle']) });

function readEnded(file: string): Reason | null {
  try {
    return endedSchema.parse(JSON.parse(readFileSync(file, 'utf8'))).reason;
  } catch {
    return null;
  }
}

function readKept(file: string): WatchdogConfig | null {
  try {
    return watchdogConfigSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return null;
  }
}
