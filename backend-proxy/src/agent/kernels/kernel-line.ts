/** The line to a kernel: the socket to Jupyter Server, and knowing when it can be relied on. */
import { peekFrame } from '@hitch/contract';
import type { FramePeek } from '@hitch/contract';
import type { Clock, Timer } from '../../platform/clock.ts';
import { errorText } from '../../platform/log.ts';
import type { Log } from '../../platform/log.ts';
import type { Upstream } from '../http/upstream.ts';
import { kernelInfoRequest } from './own-messages.ts';
import { UpstreamSocket } from './upstream-socket.ts';

export interface LineEvents {
  /** Messages can be sent from now on. */
  ready(): void;
  message(frame: Buffer, peek: FramePeek): void;
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

/** A kernel that does not answer on its control channel is taken to be ready after this. */
const GREETING_TIMEOUT_MS = 3_000;

export class KernelLine {
  readonly #options: LineOptions;
  readonly #session: string;
  readonly #socket: UpstreamSocket;
  #ready = false;
  #paused = false;
  #greeting: { readonly id: string; readonly timer: Timer } | null = null;
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
          this.#greet();
        },
        message: frame => {
          this.#take(frame);
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

  /** The kernel's process is another now, maybe on other ports. */
  reconnect(): void {
    this.#reset();
    this.#socket.connect();
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
    this.#greeting = { id: this.#ask('control'), timer };
  }

  #becomeReady(): void {
    this.#greeting?.timer.cancel();
    this.#greeting = null;
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

  #take(frame: Buffer): void {
    let peek: FramePeek;
    try {
      peek = peekFrame(frame);
    } catch (error) {
      this.#options.log.warn('Jupyter Server sent something that is no kernel message', {
        kernelId: this.#options.kernelId,
        error: errorText(error),
      });
      return;
    }
    if (peek.parentSession !== this.#session) {
      this.#options.events.message(frame, peek);
    } else if (peek.channel === 'control' && peek.parentId === this.#greeting?.id) {
      this.#becomeReady();
    } else if (peek.channel === 'shell' && peek.parentId === this.#question?.id) {
      const { upTo } = this.#question;
      this.#question = null;
      this.#options.events.done(upTo);
    }
  }
}
