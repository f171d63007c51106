/** The line to a kernel: the socket to Jupyter Server, and knowing when it can be relied on. */
import { peekFrame } from '@hitch/contract';
import type { FramePeek, KernelChannel } from '@hitch/contract';
import type { Clock, Timer } from '@hitch/platform/src/clock.ts';
import { errorText } from '@hitch/platform/src/log.ts';
import type { Log } from '@hitch/platform/src/log.ts';
import type { Upstream } from '../http/upstream.ts';
import { isOutput } from './late-output.ts';
import { kernelInfoRequest } from './own-messages.ts';
import { readUnread, type Unread, unreadNotices } from './unread.ts';
import { UpstreamSocket } from './upstream-socket.ts';

export interface LineEvents {
  /** Messages can be sent from now on. */
  ready(): void;
  message(frame: Buffer, peek: FramePeek): void;
  /** Index of the last of these messages of the kernel that came before; -1: none did. */
  lastKnown(messageIds: readonly string[]): number;
  /** The shell has answered everything sent before {@link KernelLine.askWhetherDone} with this value. */
  done(upTo: number): void;
  /** Jupyter Server does not know the kernel. */
  gone(): void;
}

export interface LineOptions {
  readonly kernelId: string;
  readonly upstream: Upstream;
  readonly clock: Clock;
  readonly log: Log;
  readonly newId: () => string;
  readonly events: LineEvents;
}

/** Jupyter Server keeps what this line has not said that it holds; so many more are worth a word. */
const SAY_EVERY = 64;
const AGAIN = /^hitch-again (\d{1,15}) (\d{1,9})$/;

/** A kernel that does not answer on its control channel is taken to be ready after this. */
const GREETING_TIMEOUT_MS = 3_000;
/** The next process of a kernel that died is asked so often whether it is there. */
const ASK_NEXT_EVERY_MS = 500;
/** One that does not answer for so long is taken to be of a kind that does not. */
const NEXT_TIMEOUT_MS = 60_000;
/** The same after a restart, whose answer comes when the next process has started. */
const RESTARTED_TIMEOUT_MS = 10_000;

/** A question that shows whether messages arrive, and what is still missing for that. */
interface Greeting {
  readonly ids: Set<string>;
  readonly missing: Set<KernelChannel>;
  timer: Timer;
}

export class KernelLine {
  readonly #options: LineOptions;
  readonly #session: string;
  readonly #socket: UpstreamSocket;
  #ready = false;
  #paused = false;
  #greeting: Greeting | null = null;
  /** How long another process than the one that was heard last is waited for; null: it is the same. */
  #awaitsNextMs: number | null = null;
  /** What Jupyter Server sends again at first, until all of it is here. */
  #again: { readonly count: number; readonly frames: Buffer[] } | null = null;
  /** Frames of this session, counted by Jupyter Server's numbers; null: it keeps none. */
  #taken: number | null = null;
  #said = 0;
  /** What Jupyter Server may have dropped before it came here. */
  #unread: Unread | null = null;
  #question: { readonly id: string; readonly upTo: number } | null = null;

  constructor(options: LineOptions) {
    this.#options = options;
    const { kernelId, upstream, clock, log, events } = options;
    // The same after a restart of the agent: Jupyter Server keeps what the kernel says for this session.
    this.#session = `hitch-${kernelId}`;
    this.#socket = new UpstreamSocket({
      upstream,
      kernelId,
      session: this.#session,
      clock,
      log,
      events: {
        open: () => {
          if (this.#awaitsNextMs === null) {
            this.#greet();
          } else {
            this.#askUntilHeard(this.#awaitsNextMs);
          }
        },
        message: frame => {
          this.#receive(frame);
        },
        text: text => {
          this.#hear(text);
        },
        closed: () => {
          this.#reset();
        },
        gone: () => {
          events.gone();
        },
      },
    });
  }

  /** @returns false when the line is not ready; nothing was sent then. */
  send(frame: Uint8Array): boolean {
    return this.#ready && this.#socket.send(frame);
  }

  get ready(): boolean {
    return this.#ready;
  }

  /** The shell answers in order: once it answers this, what was sent before and has no answer never gets one. */
  askWhetherDone(upTo: number): void {
    this.#question = { id: this.#ask('shell'), upTo };
  }

  /**
   * The kernel's process is another now, maybe on other ports. Jupyter Server keeps its ways to the ports for this
   * session: by one of them the next process may answer before its output is heard by another.
   */
  reconnect(): void {
    this.#reset();
    this.#awaitsNextMs = RESTARTED_TIMEOUT_MS;
    this.#socket.connect();
  }

  /**
   * The kernel's process died. What is sent before the next one listens, on ports that may be others, is lost; and what
   * it prints before it is listened to. So nothing is sent until it answers, and its output is heard.
   */
  awaitNext(): void {
    this.#ready = false;
    this.#question = null;
    this.#awaitsNextMs = NEXT_TIMEOUT_MS;
    this.#askUntilHeard(NEXT_TIMEOUT_MS);
  }

  /** There will be no next process, unless somebody asks for one. */
  holdForGood(): void {
    this.#ready = false;
    this.#greeting?.timer.cancel();
    this.#greeting = null;
  }

  /** All that was handed on is in the journal: Jupyter Server need not keep it. */
  holdsAll(): void {
    if (this.#taken !== null && this.#taken - this.#said >= SAY_EVERY) {
      this.#said = this.#taken;
      this.#socket.send(`hitch-have ${this.#taken.toString()}`);
    }
  }

  /** Reads on only while `wanted`. */
  flow(wanted: boolean): void {
    if (this.#paused === wanted) {
      this.#paused = !wanted;
      if (wanted) {
        this.#socket.resume();
      } else {
        this.#socket.pause();
      }
    }
  }

  close(): void {
    this.#reset();
    this.#socket.close();
  }

  #reset(): void {
    this.#ready = false;
    this.#paused = false;
    this.#again = null;
    this.#taken = null;
    this.#unread = null;
    this.#question = null;
    this.#greeting?.timer.cancel();
    this.#greeting = null;
  }

  /**
   * Jupyter Server swallows the first messages after an upgrade while it looks whether the kernel is there. An
   * answer to our own question shows that this is over; the control channel answers also while a cell runs.
   */
  #greet(): void {
    const timer = this.#options.clock.setTimer(() => {
      this.#becomeReady();
    }, GREETING_TIMEOUT_MS);
    this.#greeting = { ids: new Set([this.#ask('control')]), missing: new Set(['control']), timer };
  }

  /** Asks again and again until an answer has come by both ways. */
  #askUntilHeard(withinMs: number): void {
    this.#greeting?.timer.cancel();
    const { clock } = this.#options;
    const giveUpAt = clock.monotonic() + withinMs;
    const ids = new Set<string>();
    const ask = (): Timer => {
      ids.add(this.#ask('control'));
      return clock.setTimer(() => {
        if (clock.monotonic() >= giveUpAt) {
          this.#becomeReady();
        } else {
          greeting.timer = ask();
        }
      }, ASK_NEXT_EVERY_MS);
    };
    const greeting: Greeting = { ids, missing: new Set(['control', 'iopub']), timer: ask() };
    this.#greeting = greeting;
  }

  #becomeReady(): void {
    this.#greeting?.timer.cancel();
    this.#greeting = null;
    this.#awaitsNextMs = null;
    this.#ready = true;
    this.#options.events.ready();
  }

  #ask(channel: 'shell' | 'control'): string {
    const { newId, clock } = this.#options;
    const { id, frame } = kernelInfoRequest(channel, this.#session, {
      newId,
      date: new Date(clock.now()).toISOString(),
    });
    this.#socket.send(frame);
    return id;
  }

  #hear(text: string): void {
    const [, first, count] = AGAIN.exec(text) ?? [];
    if (first !== undefined && count !== undefined) {
      this.#taken = Number(first);
      this.#said = this.#taken;
      this.#again = { count: Number(count), frames: [] };
      this.#takeAgainOnceWhole(this.#again);
    } else {
      this.#unread = readUnread(text);
    }
  }

  #receive(frame: Buffer): void {
    const again = this.#again;
    if (again === null) {
      this.#take(frame);
      return;
    }
    again.frames.push(frame);
    this.#takeAgainOnceWhole(again);
  }

  #takeAgainOnceWhole({
    count,
    frames,
  }: {
    readonly count: number;
    readonly frames: readonly Buffer[];
  }): void {
    if (frames.length === count) {
      this.#again = null;
      this.#takeAgain(frames);
    }
  }

  /** They come in their order, and were taken in it: what follows the last that is known is new. */
  #takeAgain(frames: readonly Buffer[]): void {
    const known = this.#options.events.lastKnown(frames.map(frame => this.#peek(frame)?.messageId ?? ''));
    this.#taken = (this.#taken ?? 0) + known + 1;
    this.#sayUnread(known);
    for (const frame of frames.slice(known + 1)) {
      this.#take(frame);
    }
  }

  /** @param known the last message that was kept and had come before; -1: none. */
  #sayUnread(known: number): void {
    const { events, clock, newId, log, kernelId } = this.#options;
    const unread = this.#unread;
    this.#unread = null;
    if (unread === null || known >= 0 || events.lastKnown([unread.last]) >= 0) {
      return;
    }
    log.warn('Output is lost: more came than Jupyter Server keeps for an agent that is away', { kernelId });
    for (const notice of unreadNotices(unread, { newId, date: new Date(clock.now()).toISOString() })) {
      events.message(Buffer.from(notice), peekFrame(notice));
    }
    // So that it is not said again.
    this.#said = (this.#taken ?? 0) - SAY_EVERY;
  }

  #peek(frame: Buffer): FramePeek | null {
    try {
      return peekFrame(frame);
    } catch (error) {
      this.#options.log.warn('Jupyter Server sent something that is no kernel message', {
        kernelId: this.#options.kernelId,
        error: errorText(error),
      });
      return null;
    }
  }

  #take(frame: Buffer): void {
    this.#taken = this.#taken === null ? null : this.#taken + 1;
    const peek = this.#peek(frame);
    if (peek === null) {
      return;
    }
    if (peek.parentSession !== this.#session || isOutput(peek)) {
      this.#options.events.message(frame, peek);
    } else if (this.#greeting?.ids.has(peek.parentId) === true) {
      this.#greeting.missing.delete(peek.channel);
      if (this.#greeting.missing.size === 0) {
        this.#becomeReady();
      }
    } else if (peek.channel === 'shell' && peek.parentId === this.#question?.id) {
      const { upTo } = this.#question;
      this.#question = null;
      this.#options.events.done(upTo);
    }
  }
}
