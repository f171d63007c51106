/** Whether a cluster answers, and waiting until it does. */
import { Backoff } from './backoff.ts';
import type { RetryOptions } from './backoff.ts';
import { version } from './cluster-schemas.ts';
import type { RayVersion } from './cluster-schemas.ts';
import { RayServerError } from './errors.ts';
import type { Sleep } from './sleep.ts';
import type { NodeState } from './state-schemas.ts';
import type { StateApi } from './state.ts';
import type { CallOptions, Transport } from './transport.ts';

export interface ReadyOptions extends RetryOptions, CallOptions {
  /** So many nodes must be ALIVE, the head included. Default 1. */
  nodes?: number | undefined;
  /** Told how many nodes are ALIVE after each look. */
  onNodes?: ((alive: number) => void) | undefined;
}

export interface Ready {
  version: RayVersion;
  /** The nodes that are ALIVE. */
  nodes: NodeState[];
}

export class HealthApi {
  readonly #transport: Transport;
  readonly #state: StateApi;
  readonly #sleep: Sleep;

  constructor(transport: Transport, state: StateApi, sleep: Sleep) {
    this.#transport = transport;
    this.#state = state;
    this.#sleep = sleep;
  }

  /**
   * Whether the head's control store (GCS) works. Needs no token.
   * @throws RayConnectionError when nothing answers, which is not the same as unhealthy
   */
  async gcs(options: CallOptions = {}): Promise<boolean> {
    try {
      return (
        (await this.#transport.text({ method: 'GET', path: '/api/gcs_healthz', ...options })).trim() ===
        'success'
      );
    } catch (error) {
      if (error instanceof RayServerError) return false;
      throw error;
    }
  }

  /**
   * Waits until the control store works, `nodes` nodes are ALIVE and the version is known. Compare that version
   * with the one you want: every node and driver must have the same.
   *
   * Ends only by success, `signal`, `maxFailures`, or an error that cannot pass (a wrong token).
   */
  async ready(options: ReadyOptions = {}): Promise<Ready> {
    const { signal, timeoutMs } = options;
    const wanted = options.nodes ?? 1;
    const backoff = new Backoff({ maxRetryDelayMs: 1000, ...options }, this.#sleep, signal);
    for (;;) {
      try {
        const found = await this.#look({ signal, timeoutMs });
        options.onNodes?.(found?.nodes.length ?? 0);
        if (found !== undefined && found.nodes.length >= wanted) return found;
      } catch (error) {
        signal?.throwIfAborted();
        await backoff.failed(error);
        continue;
      }
      await backoff.fruitless();
    }
  }

  async #look(call: CallOptions): Promise<Ready | undefined> {
    if (!(await this.gcs(call))) return undefined;
    const alive = await this.#state.nodes({
      ...call,
      filters: [{ key: 'state', value: 'ALIVE' }],
      limit: 10_000,
    });
    const found = await this.#transport.json({ method: 'GET', path: '/api/version', ...call }, version);
    return { version: found, nodes: alive.items };
  }
}
