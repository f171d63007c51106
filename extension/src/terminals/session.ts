/**
 * A terminal on a cluster, as an editor's terminal wants one: what runs there does not notice that a window closes or
 * that the way breaks, so this goes on trying, and shows the screen anew when it is back.
 */
import { shownLine } from '@hitch/contract/src/shown/text.ts';
import { TerminalGuard } from '@hitch/contract/src/shown/terminal-guard.ts';
import type { OpenTerminal, TerminalSocket } from '@hitch/client-node/src/terminal-socket.ts';

export interface Size {
  readonly rows: number;
  readonly columns: number;
}

export interface TerminalSessionDeps {
  readonly open: OpenTerminal;
  /** `runs`; `ended`: the shell is over; or a sentence that says why there is none any more. @throws while nobody can say. */
  readonly state: () => Promise<TerminalState>;
  readonly write: (text: string) => void;
  /** The shell has ended, as by `exit`. */
  readonly ended: () => void;
  readonly setTimer: (run: () => void, ms: number) => { cancel(): void };
  /** Named in what is written when the way breaks. */
  readonly clusterName: string;
}

export type TerminalState = 'runs' | 'ended' | { readonly gone: string };

const PAUSE_FIRST_MS = 250;
const PAUSE_LONGEST_MS = 10_000;
/** A daemon that starts anew is back before anybody has to be told. */
const SAY_AFTER_MS = 3_000;
const MOST_UNSENT = 1_000;
/** Forgets the screen: what comes next is all of it. */
const RESET = '\u001bc';
const dim = (text: string): string => `\r\n\u001b[2m${shownLine(text)}\u001b[0m\r\n`;

export class TerminalSession {
  readonly #deps: TerminalSessionDeps;
  #socket: TerminalSocket | null = null;
  #size: Size | null = null;
  #unsent: string[] = [];
  /** It has been said that no more is kept. */
  #isFull = false;
  #pauseMs = PAUSE_FIRST_MS;
  #timer: { cancel(): void } | null = null;
  #said: { cancel(): void } | null = null;
  #wasOpen = false;
  #attempt = 0;
  #over = false;
  #guard = new TerminalGuard();
  /** The cluster is gone; its last screen is left to be read until a key is pressed. */
  #gone = false;

  constructor(deps: TerminalSessionDeps) {
    this.#deps = deps;
  }

  /** @param size null while the editor does not know it. */
  start(size: Size | null): void {
    this.#size = size;
    void this.#connect();
  }

  type(text: string): void {
    if (this.#gone) {
      this.dispose();
      this.#deps.ended();
    } else if (this.#socket !== null) {
      this.#socket.stdin(text);
    } else if (!this.#over) {
      this.#keep(text);
    }
  }

  #keep(text: string): void {
    if (this.#unsent.length < MOST_UNSENT) {
      this.#unsent.push(text);
    } else if (!this.#isFull) {
      this.#isFull = true;
      this.#deps.write(
        dim(`${this.#deps.clusterName} is not connected: anything you type now is lost until it is back.`),
      );
    }
  }

  resize(size: Size): void {
    this.#size = size;
    this.#socket?.resize(size.rows, size.columns);
  }

  /** Leaves it; what runs in it goes on. */
  dispose(): void {
    this.#over = true;
    this.#attempt += 1;
    this.#timer?.cancel();
    this.#said?.cancel();
    this.#socket?.close();
    this.#socket = null;
  }

  async #connect(): Promise<void> {
    const attempt = ++this.#attempt;
    const isCurrent = (): boolean => attempt === this.#attempt;
    try {
      const socket = await this.#deps.open({
        begins: () => {
          if (isCurrent()) {
            this.#begins();
          }
        },
        stdout: text => {
          if (isCurrent()) {
            this.#deps.write(this.#guard.write(text));
          }
        },
        ended: () => {
          if (isCurrent()) {
            this.#ends('ended');
          }
        },
        broken: () => {
          if (isCurrent()) {
            this.#lost();
          }
        },
      });
      if (isCurrent()) {
        this.#opened(socket);
      } else {
        socket.close();
      }
    } catch {
      if (isCurrent()) {
        this.#lost();
      }
    }
  }

  #begins(): void {
    this.#pauseMs = PAUSE_FIRST_MS;
    this.#said?.cancel();
    this.#said = null;
    this.#guard = new TerminalGuard();
    if (this.#wasOpen) {
      // The whole screen follows; on top of what is shown it would stand there twice.
      this.#deps.write(RESET);
    }
    this.#wasOpen = true;
  }

  #opened(socket: TerminalSocket): void {
    this.#socket = socket;
    if (this.#size !== null) {
      socket.resize(this.#size.rows, this.#size.columns);
    }
    const unsent = this.#unsent;
    this.#unsent = [];
    this.#isFull = false;
    unsent.forEach(text => socket.stdin(text));
  }

  /** A refused or broken socket does not say why: whether the terminal is over has to be asked. */
  #lost(): void {
    this.#socket = null;
    this.#attempt += 1;
    const { clusterName, setTimer, write } = this.#deps;
    this.#said ??= setTimer(() => {
      write(
        dim(
          `${clusterName} does not answer. Programs there keep running; this terminal reconnects by itself.`,
        ),
      );
    }, SAY_AFTER_MS);
    const pauseMs = this.#pauseMs;
    this.#pauseMs = Math.min(pauseMs * 2, PAUSE_LONGEST_MS);
    this.#timer = setTimer(() => void this.#again(), pauseMs);
  }

  async #again(): Promise<void> {
    const attempt = this.#attempt;
    const state = await this.#deps.state().catch((): TerminalState => 'runs');
    if (this.#over || attempt !== this.#attempt) {
      return;
    }
    if (state === 'runs') {
      await this.#connect();
    } else {
      this.#ends(state);
    }
  }

  #ends(state: Exclude<TerminalState, 'runs'>): void {
    this.dispose();
    if (state === 'ended') {
      this.#deps.ended();
      return;
    }
    this.#gone = true;
    this.#deps.write(dim(`${state.gone} Press any key to close.`));
  }
}
