/**
 * The event surface of a WebSocket, both as browsers have it (`addEventListener`, `onmessage`) and as the `ws` package
 * has it (`on`, `emit`), without either being there. VS Code's Jupyter subclasses the socket and overrides `emit`, so
 * every event goes through it.
 */
export interface SocketEvent {
  readonly type: string;
  readonly target: unknown;
  readonly data?: unknown;
  readonly code?: number;
  readonly reason?: string;
  readonly wasClean?: boolean;
  readonly message?: string;
  readonly error?: unknown;
}
export type SocketEventHandler = (event: SocketEvent) => void;
type NodeListener = (...args: unknown[]) => void;
type DomListener = SocketEventHandler | { handleEvent: SocketEventHandler };

interface Entry {
  readonly listener: unknown;
  readonly run: (event: SocketEvent, args: readonly unknown[]) => void;
  readonly once: boolean;
}

export class SocketEvents {
  onopen: SocketEventHandler | null = null;
  onmessage: SocketEventHandler | null = null;
  onerror: SocketEventHandler | null = null;
  onclose: SocketEventHandler | null = null;
  readonly #entries = new Map<string, Entry[]>();

  #add(type: string, entry: Entry): void {
    this.#entries.set(type, [...(this.#entries.get(type) ?? []), entry]);
  }

  #remove(type: string, listener: unknown): void {
    const kept = (this.#entries.get(type) ?? []).filter(entry => entry.listener !== listener);
    this.#entries.set(type, kept);
  }

  addEventListener(type: string, listener: DomListener | null, options?: boolean | { once?: boolean }): void {
    if (listener === null || this.#entries.get(type)?.some(entry => entry.listener === listener) === true) {
      return;
    }
    const once = typeof options === 'object' && options.once === true;
    const run = (event: SocketEvent): void => {
      if (typeof listener === 'function') {
        listener.call(this, event);
      } else {
        listener.handleEvent(event);
      }
    };
    this.#add(type, { listener, run, once });
  }

  removeEventListener(type: string, listener: DomListener | null): void {
    this.#remove(type, listener);
  }

  dispatchEvent(event: SocketEvent): boolean {
    this.#tell(event, [event]);
    return true;
  }

  on(type: string, listener: NodeListener): this {
    const run: Entry['run'] = (_event, args) => {
      listener.apply(this, [...args]);
    };
    this.#add(type, { listener, run, once: false });
    return this;
  }

  once(type: string, listener: NodeListener): this {
    const run: Entry['run'] = (_event, args) => {
      listener.apply(this, [...args]);
    };
    this.#add(type, { listener, run, once: true });
    return this;
  }

  addListener(type: string, listener: NodeListener): this {
    return this.on(type, listener);
  }

  off(type: string, listener: NodeListener): this {
    this.#remove(type, listener);
    return this;
  }

  removeListener(type: string, listener: NodeListener): this {
    return this.off(type, listener);
  }

  removeAllListeners(type?: string): this {
    if (type === undefined) {
      this.#entries.clear();
    } else {
      this.#entries.delete(type);
    }
    return this;
  }

  listenerCount(type: string): number {
    return this.#entries.get(type)?.length ?? 0;
  }

  /** `message`: (data, isBinary); `close`: (code, reason); `error`: (error); the arguments of the `ws` package. */
  emit(type: string, ...args: unknown[]): boolean {
    return this.#tell(this.#event(type, args), args);
  }

  #event(type: string, args: readonly unknown[]): SocketEvent {
    const [first, second] = args;
    const base = { type, target: this };
    switch (type) {
      case 'message':
        return { ...base, data: first };
      case 'close': {
        const code = typeof first === 'number' ? first : 1006;
        return { ...base, code, reason: typeof second === 'string' ? second : '', wasClean: code !== 1006 };
      }
      case 'error':
        return { ...base, error: first, message: first instanceof Error ? first.message : String(first) };
      default:
        return base;
    }
  }

  #tell(event: SocketEvent, args: readonly unknown[]): boolean {
    const entries = this.#entries.get(event.type) ?? [];
    const handlers: Readonly<Record<string, SocketEventHandler | null>> = {
      open: this.onopen,
      message: this.onmessage,
      error: this.onerror,
      close: this.onclose,
    };
    const handler = handlers[event.type] ?? null;
    handler?.call(this, event);
    for (const entry of entries) {
      if (entry.once) {
        this.#remove(event.type, entry.listener);
      }
      entry.run(event, args);
    }
    return handler !== null || entries.length > 0;
  }
}
