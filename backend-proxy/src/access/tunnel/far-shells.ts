/**
 * The ways to machines that are open, one for each. A way is opened when somebody needs it, is closed when nobody has for
 * a while, and is opened anew after its end.
 */
import { shownName } from '@hitch/contract';
import type { Timer } from '@hitch/platform/src/clock.ts';
import { FarError, type FarShell } from './far-shell.ts';
import { OpenSshShell, type TunnelOptions } from './open-ssh-shell.ts';
import { ownAddresses } from './own-addresses.ts';
import { SpareTries, firstToAnswer, isSilence } from './several-tries.ts';
import { orGivenUp } from './ssh-process.ts';
import { type FarTarget, idOf } from './target.ts';

const IDLE_MS = 60_000;
const OPEN_LIMIT_MS = 30_000;
const LOOK_EVERY_MS = 2_000;
/** A machine that was reached and is silent is tried again after this, or after a part of the time that it was silent for. */
const NEXT_TRY_MS = 1_500;
const NEXT_TRY_SHARE = 1 / 40;
/** Each is a process of `ssh`, for some hundredths of a second. */
const SPARE_TRIES = 8;
/** A look that comes so much too late: this computer slept meanwhile, and may be on another network now. */
const ASLEEP_MS = 10_000;

interface Way {
  target: FarTarget;
  readonly shell: OpenSshShell;
  uses: number;
  idle: Timer | null;
}

/** A way that stays open until it is let go. */
export interface HeldShell {
  readonly shell: FarShell;
  readonly letGo: () => void;
}

/** What leads to machines: the ways that are open, and what opens one. */
export type Shells = Pick<FarShells, 'hold' | 'use' | 'isOpen' | 'opened' | 'knock' | 'adopt' | 'drop'>;

export class FarShells {
  readonly #options: TunnelOptions;
  readonly #ways = new Map<string, Way>();
  readonly #opening = new Map<string, Promise<Way>>();
  /** Since when those machines are silent that were reached or dialled before, by the monotonic clock. */
  readonly #silentSince = new Map<string, number>();
  readonly #spare = new SpareTries(SPARE_TRIES);
  readonly #ending = new AbortController();
  #look: Timer | null = null;
  readonly #addressesNow: () => string;
  #addresses = '';

  /** @param addressesNow this computer's, as one text */
  constructor(options: TunnelOptions, addressesNow: () => string = ownAddresses) {
    this.#options = options;
    this.#addressesNow = addressesNow;
    this.#addresses = this.#addressesOrThoseBefore();
  }

  /** @throws FarError, or the signal's reason. */
  async hold(target: FarTarget, signal: AbortSignal): Promise<HeldShell> {
    const way = this.#open(target) ?? (await orGivenUp(this.#opened(target), signal));
    way.uses++;
    way.idle?.cancel();
    way.idle = null;
    let isHeld = true;
    const letGo = (): void => {
      if (isHeld) {
        isHeld = false;
        way.uses--;
        this.#closeWhenIdle(way);
      }
    };
    return { shell: way.shell, letGo };
  }

  async use<T>(target: FarTarget, signal: AbortSignal, work: (shell: FarShell) => Promise<T>): Promise<T> {
    const { shell, letGo } = await this.hold(target, signal);
    try {
      return await work(shell);
    } finally {
      letGo();
    }
  }

  isOpen(target: FarTarget): boolean {
    return this.#open(target) !== null;
  }

  /**
   * Resolves once there is a way to it, which is tried until then.
   * @throws FarError where the machine says something else than nothing, or the signal's reason
   */
  async opened(target: FarTarget, signal: AbortSignal): Promise<void> {
    for (;;) {
      try {
        const { letGo } = await this.hold(target, signal);
        letGo();
        return;
      } catch (error) {
        const pauseMs = this.#nextTryMs(target);
        if (pauseMs === null || signal.aborted || !isSilence(error)) {
          throw error;
        }
        await this.#options.clock.sleep(pauseMs, AbortSignal.any([signal, this.#ending.signal]));
      }
    }
  }

  /** Dials it anew, whatever is open, and hangs up. @throws FarError, or the signal's reason. */
  async knock(target: FarTarget, signal: AbortSignal): Promise<void> {
    const given = AbortSignal.any([signal, this.#ending.signal]);
    const shell = await OpenSshShell.open(target, this.#options, given);
    await shell.close();
  }

  /** Ends every way; what was started there goes on. */
  async close(): Promise<void> {
    this.#ending.abort(new Error('Hitch ends.'));
    this.#look?.cancel();
    await Promise.all([...this.#opening.values()].map(opening => opening.catch(() => undefined)));
    const ways = [...this.#ways.values()];
    this.#ways.clear();
    await Promise.all(
      ways.map(({ shell, idle }) => {
        idle?.cancel();
        return shell.close();
      }),
    );
  }

  /**
   * The way by which a machine was met is the way to it from now on, as it is known since: no other has to be opened. Where there
   * is one already, that one stays.
   */
  async adopt(met: FarTarget, known: FarTarget): Promise<void> {
    const way = this.#open(met);
    if (way === null || this.#open(known) !== null) {
      await this.drop(met);
      return;
    }
    this.#ways.delete(idOf(met));
    way.target = known;
    way.shell.becomes(known);
    this.#ways.set(idOf(known), way);
    this.#silentSince.delete(idOf(known));
  }

  /** Ends the way to it, whoever uses it. */
  async drop(target: FarTarget): Promise<void> {
    const way = this.#ways.get(idOf(target));
    if (way !== undefined) {
      this.#forget(way);
      await way.shell.close();
    }
  }

  #open(target: FarTarget): Way | null {
    const way = this.#ways.get(idOf(target));
    return way === undefined || way.shell.closed.aborted ? null : way;
  }

  /** Those who ask at once wait for the same one, and one who gives up ends nobody's waiting but its own. */
  #opened(target: FarTarget): Promise<Way> {
    const opening = this.#opening.get(idOf(target));
    if (opening !== undefined) {
      return opening;
    }
    const opened = this.#dial(target)
      .then(shell => this.#keep(target, shell))
      .finally(() => this.#opening.delete(idOf(target)));
    this.#opening.set(idOf(target), opened);
    opened.catch(() => undefined);
    return opened;
  }

  async #dial(target: FarTarget): Promise<OpenSshShell> {
    const late = new AbortController();
    const who = shownName(target.name);
    const sentence = `${who} has not answered for ${OPEN_LIMIT_MS / 1000} s.${target.isRented === true ? '' : ` Check that ssh ${who} works in a terminal.`}`;
    const timer = this.#options.clock.setTimer(
      () => late.abort(new FarError('unreachable', sentence)),
      OPEN_LIMIT_MS,
    );
    try {
      return await firstToAnswer({
        open: signal => OpenSshShell.open(target, this.#options, signal),
        close: opened => void opened.close(),
        clock: this.#options.clock,
        gapMs: this.#nextTryMs(target),
        spare: this.#spare,
        signal: AbortSignal.any([late.signal, this.#ending.signal]),
      });
    } catch (error) {
      this.#noteSilence(target, error);
      throw error;
    } finally {
      timer.cancel();
    }
  }

  #noteSilence(target: FarTarget, error: unknown): void {
    if (isSilence(error) && !this.#silentSince.has(idOf(target))) {
      this.#silentSince.set(idOf(target), this.#options.clock.monotonic());
    }
  }

  /** How soon another try follows one that is not answered; null where nobody knows whether the machine ever answers, or which key is its. */
  #nextTryMs(target: FarTarget): number | null {
    const since = this.#silentSince.get(idOf(target));
    return since === undefined || target.isFirst === true
      ? null
      : Math.max(NEXT_TRY_MS, (this.#options.clock.monotonic() - since) * NEXT_TRY_SHARE);
  }

  #keep(target: FarTarget, shell: OpenSshShell): Way {
    const way: Way = { target, shell, uses: 0, idle: null };
    this.#ways.set(idOf(target), way);
    this.#silentSince.delete(idOf(target));
    shell.closed.addEventListener('abort', () => this.#forget(way), { once: true });
    this.#closeWhenIdle(way);
    this.#lookLater();
    return way;
  }

  #forget(way: Way): void {
    way.idle?.cancel();
    this.#noteSilence(way.target, way.shell.closed.reason);
    void way.shell.close();
    if (this.#ways.get(idOf(way.target)) === way) {
      this.#ways.delete(idOf(way.target));
    }
  }

  #closeWhenIdle(way: Way): void {
    if (way.uses === 0 && !way.shell.closed.aborted) {
      way.idle?.cancel();
      way.idle = this.#options.clock.setTimer(() => this.#forget(way), IDLE_MS);
    }
  }

  #lookLater(): void {
    const { clock } = this.#options;
    const before = clock.monotonic();
    this.#look ??= clock.setTimer(() => {
      this.#look = null;
      if (clock.monotonic() - before > LOOK_EVERY_MS + ASLEEP_MS || this.#hasMoved()) {
        this.#ways.forEach(way => void this.#keepFaster(way));
      }
      if (this.#ways.size > 0) {
        this.#lookLater();
      }
    }, LOOK_EVERY_MS);
  }

  /** Whether this computer has come into another network since the last look. */
  #hasMoved(): boolean {
    const before = this.#addresses;
    this.#addresses = this.#addressesOrThoseBefore();
    return before !== this.#addresses;
  }

  /** The system may have nothing left to say them with (a file descriptor): the next look asks again. */
  #addressesOrThoseBefore(): string {
    try {
      return this.#addressesNow();
    } catch {
      return this.#addresses;
    }
  }

  /** A connection that slept may be dead without knowing it: another is dialled beside it, and the first that answers stays. */
  async #keepFaster(way: Way): Promise<void> {
    const dialled = new AbortController();
    const answered = way.shell.ping().then(() => 'old' as const);
    const opened = OpenSshShell.open(
      way.target,
      this.#options,
      AbortSignal.any([dialled.signal, this.#ending.signal]),
    );
    opened.catch(() => undefined);
    const faster = await Promise.any([answered, opened]).catch(() => null);
    if (faster === 'old' || faster === null) {
      dialled.abort(new Error('The connection that was there has answered.'));
      void opened.then(shell => shell.close()).catch(() => undefined);
    } else if (this.#ways.get(idOf(way.target)) === way) {
      this.#keep(way.target, faster);
      // Whoever holds the old one learns it by its end, and finds this one.
      void way.shell.close();
    } else {
      void faster.close();
    }
  }
}
