/**
 * A terminal on a cluster, as JupyterLab's terminal widget wants one. The stock connection gives up after seven tries;
 * what runs in this terminal goes on, so this one goes on too, and shows the screen anew when it is back.
 */
import { HitchError, TerminalGuard } from '@hitch/contract';
import type { ServerConnection, Terminal } from '@jupyterlab/services';
import { type ISignal, Signal } from '@lumino/signaling';

export interface TerminalPlace {
  readonly name: string;
  /** Of the socket, asked for at each attempt. */
  readonly url: () => string;
  readonly serverSettings: ServerConnection.ISettings;
  /** Whether it still runs. @throws while nobody can say. */
  readonly runs: () => Promise<boolean>;
  /** Ends what runs in it. */
  readonly end: () => Promise<void>;
}

const PAUSE_FIRST_MS = 250;
const PAUSE_LONGEST_MS = 10_000;
/** A socket that has not shown the terminal by then is given up: a browser would wait for its answer without an end. */
const OPENS_WITHIN_MS = 20_000;
/** Forgets the screen: what comes next is all of it. */
const RESET = '\u001bc';

/** Null: it is no JSON. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

export class ClusterTerminal implements Terminal.ITerminalConnection {
  readonly #place: TerminalPlace;
  readonly #disposedSignal = new Signal<this, void>(this);
  readonly #messages = new Signal<this, Terminal.IMessage>(this);
  readonly #statusChanged = new Signal<this, Terminal.ConnectionStatus>(this);
  #socket: WebSocket | null = null;
  #status: Terminal.ConnectionStatus = 'connecting';
  #size: Terminal.IMessage | null = null;
  #unsent: Terminal.IMessage[] = [];
  #pauseMs = PAUSE_FIRST_MS;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #wasOpen = false;
  #disposed = false;
  #guard = new TerminalGuard();

  constructor(place: TerminalPlace) {
    this.#place = place;
    this.#connect();
  }

  get name(): string {
    return this.#place.name;
  }

  get model(): Terminal.IModel {
    return { name: this.#place.name };
  }

  get serverSettings(): ServerConnection.ISettings {
    return this.#place.serverSettings;
  }

  get connectionStatus(): Terminal.ConnectionStatus {
    return this.#status;
  }

  get connectionStatusChanged(): ISignal<this, Terminal.ConnectionStatus> {
    return this.#statusChanged;
  }

  get messageReceived(): ISignal<this, Terminal.IMessage> {
    return this.#messages;
  }

  get disposed(): ISignal<this, void> {
    return this.#disposedSignal;
  }

  get isDisposed(): boolean {
    return this.#disposed;
  }

  /** Leaves the terminal; what runs in it goes on. */
  dispose(): void {
    if (this.#disposed) {
      return;
    }
    this.#disposed = true;
    this.#become('disconnected');
    this.#drop();
    this.#disposedSignal.emit();
    Signal.clearData(this);
  }

  send(message: Terminal.IMessage): void {
    if (message.type === 'set_size') {
      this.#size = message;
    }
    if (this.#status === 'connected') {
      this.#write(message);
    } else if (message.type !== 'set_size') {
      this.#unsent.push(message);
    }
  }

  #write({ type, content = [] }: Terminal.IMessage): void {
    this.#socket?.send(JSON.stringify([type, ...content]));
  }

  /** Tries now; resolves once it is connected. */
  async reconnect(): Promise<void> {
    if (this.#disposed) {
      throw new HitchError('NOT_FOUND', 'This terminal was closed.');
    }
    this.#pauseMs = PAUSE_FIRST_MS;
    this.#become('connecting');
    this.#connect();
    await new Promise<void>((resolve, reject) => {
      const look = (_: unknown, status: Terminal.ConnectionStatus): void => {
        if (status === 'connecting') {
          return;
        }
        this.#statusChanged.disconnect(look);
        if (status === 'connected') {
          resolve();
        } else {
          reject(new HitchError('NOT_FOUND', 'This terminal has ended.'));
        }
      };
      this.#statusChanged.connect(look);
    });
  }

  async shutdown(): Promise<void> {
    await this.#place.end();
    this.dispose();
  }

  #connect(): void {
    this.#drop();
    const socket = new this.#place.serverSettings.WebSocket(this.#place.url());
    this.#socket = socket;
    socket.onmessage = ({ data }: MessageEvent<unknown>) => {
      this.#take(data);
    };
    socket.onclose = () => {
      this.#lost();
    };
    this.#timer = setTimeout(() => {
      this.#drop();
      this.#lost();
    }, OPENS_WITHIN_MS);
  }

  #drop(): void {
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = null;
    if (socket !== null) {
      socket.onmessage = null;
      socket.onclose = null;
      socket.close();
    }
  }

  #take(data: unknown): void {
    const frame = typeof data === 'string' ? jsonOf(data) : null;
    const [type, text] = Array.isArray(frame) ? (frame as unknown[]) : [];
    if (type === 'setup') {
      this.#begin();
    } else if (type === 'stdout' && typeof text === 'string') {
      this.#messages.emit({ type: 'stdout', content: [this.#guard.write(text)] });
    } else if (type === 'disconnect') {
      this.#messages.emit({ type: 'disconnect' });
      this.dispose();
    }
  }

  #begin(): void {
    clearTimeout(this.#timer);
    this.#pauseMs = PAUSE_FIRST_MS;
    this.#guard = new TerminalGuard();
    if (this.#wasOpen) {
      // The whole screen follows; on top of what is shown it would stand there twice.
      this.#messages.emit({ type: 'stdout', content: [RESET] });
    }
    this.#wasOpen = true;
    this.#become('connected');
    const waiting = [...(this.#size === null ? [] : [this.#size]), ...this.#unsent];
    this.#unsent = [];
    for (const message of waiting) {
      this.#write(message);
    }
  }

  /** A browser does not say why a socket failed: whether the terminal is over has to be asked. */
  #lost(): void {
    this.#socket = null;
    clearTimeout(this.#timer);
    this.#become('connecting');
    const pauseMs = this.#pauseMs;
    this.#pauseMs = Math.min(pauseMs * 2, PAUSE_LONGEST_MS);
    this.#timer = setTimeout(() => void this.#again(), pauseMs);
  }

  async #again(): Promise<void> {
    const runs = await this.#place.runs().catch(() => true);
    if (this.#disposed || this.#socket !== null) {
      return;
    }
    if (runs) {
      this.#connect();
    } else {
      this.#messages.emit({ type: 'disconnect' });
      this.dispose();
    }
  }

  #become(status: Terminal.ConnectionStatus): void {
    if (status !== this.#status) {
      this.#status = status;
      this.#statusChanged.emit(status);
    }
  }
}
