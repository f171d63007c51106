/**
 * The way to the daemon that every client uses, in browsers and in Node: the contract typed, an event stream that neither loses
 * nor repeats, and files in pieces.
 */
import type { ContractRouterClient } from '@orpc/contract';
import type { WatchedEvent } from './clusters.ts';
import { contract } from './contract.ts';
import { PROTOCOL } from './daemon.ts';
import { HitchError, errorEnvelopeSchema } from './errors.ts';
import { createContractClient, errorFromEnvelope, isAbort, toHitchError } from './link.ts';
import { uploadFile, type UploadOptions, type UploadSource } from './transfer.ts';
import type { ClusterId } from './ids.ts';
import type { UploadState } from './runtime.ts';

export type HitchApi = ContractRouterClient<typeof contract>;

export interface HitchClientOptions {
  /** Where the daemon (or the bridge to it) is, without a slash at the end; asked for on each call. */
  readonly baseUrl: string | (() => string | Promise<string>);
  /** The bearer; read on each call, so that a daemon that started anew is served with its new token. */
  readonly token: () => string | Promise<string>;
  /** Who is calling, such as `cli` or `jupyterlab`; for the daemon's log. */
  readonly clientId: string;
  readonly fetch?: (request: Request) => Promise<Response>;
  /** Waits; a test gives one that does not. */
  readonly sleep?: (ms: number, signal?: AbortSignal) => Promise<void>;
}

export interface WatchOptions {
  /** The cursor to go on from; without one, from now. */
  readonly cursor?: string;
  readonly signal?: AbortSignal;
  /** Told when the stream is there and when it is lost, for a client that shows it. */
  readonly onState?: (state: 'live' | 'reconnecting', error: unknown) => void;
}

const UNREACHABLE = 'Hitch’s daemon does not answer.';
const RETRY_FIRST_MS = 250;
const RETRY_LONGEST_MS = 10_000;

/** Trying again cannot help with these. A wrong token can: it changes when the daemon starts anew. */
const FINAL = new Set(['BAD_INPUT', 'NOT_FOUND', 'FORBIDDEN_ORIGIN', 'VERSION_MISMATCH']);

function sleepFor(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const handle = setTimeout(done, ms);
    function done() {
      clearTimeout(handle);
      signal?.removeEventListener('abort', done);
      resolve();
    }
    signal?.addEventListener('abort', done, { once: true });
    if (signal?.aborted === true) {
      done();
    }
  });
}

export class HitchClient {
  /** Every procedure of the contract. Each call throws {@link HitchError}; an aborted one its `AbortError`. */
  readonly api: HitchApi;
  readonly #options: HitchClientOptions;
  readonly #sleep: (ms: number, signal?: AbortSignal) => Promise<void>;

  constructor(options: HitchClientOptions) {
    this.#options = options;
    this.#sleep = options.sleep ?? sleepFor;
    this.api = createContractClient(contract, {
      url: async () => `${await this.#baseUrl()}/api`,
      headers: () => this.headers(),
      ...(options.fetch === undefined ? {} : { fetch: options.fetch }),
      unreachable: UNREACHABLE,
    });
  }

  async #baseUrl(): Promise<string> {
    const { baseUrl } = this.#options;
    return typeof baseUrl === 'string' ? baseUrl : baseUrl();
  }

  /** What each request carries: the present bearer, who calls, and in which protocol version. */
  async headers(): Promise<Record<string, string>> {
    return {
      authorization: `Bearer ${await this.#options.token()}`,
      'x-hitch-client': this.#options.clientId,
      'x-hitch-protocol': String(PROTOCOL),
    };
  }

  /** One of the daemon's raw routes. @throws HitchError for every answer that is not a success. */
  async raw(path: string, init: RequestInit = {}): Promise<Response> {
    const url = `${await this.#baseUrl()}${path}`;
    const headers = { ...(await this.headers()), ...Object.fromEntries(new Headers(init.headers)) };
    const send = this.#options.fetch ?? ((request: Request) => fetch(request));
    let response: Response;
    try {
      response = await send(new Request(url, { ...init, headers }));
    } catch (error) {
      throw toHitchError(error, UNREACHABLE);
    }
    if (response.ok) {
      return response;
    }
    const envelope = errorEnvelopeSchema.safeParse(await response.json().catch(() => null));
    throw envelope.success
      ? errorFromEnvelope(envelope.data)
      : new HitchError('INTERNAL', `The answer was not understood (HTTP ${response.status}).`);
  }

  /**
   * Every event after the cursor, then live ones, each once and in order. A lost connection is made again for ever,
   * with growing pauses; the iteration ends when `signal` is aborted.
   * @throws HitchError when the daemon refuses for good, such as a cursor of another store.
   */
  async *watch(options: WatchOptions = {}): AsyncGenerator<WatchedEvent, void, void> {
    const { signal, onState } = options;
    const call = signal === undefined ? {} : { signal };
    let cursor = options.cursor;
    let pauseMs = RETRY_FIRST_MS;
    // Read anew each time: narrowing would take it for unchanged over the awaits below.
    const ended = () => signal?.aborted === true;
    while (!ended()) {
      let problem: unknown = null;
      try {
        // Without a cursor, a connection lost before its first event would lose what happened meanwhile.
        cursor ??= (await this.api.events.cursor(undefined, call)).cursor;
        const events = await this.api.events.watch({ cursor }, call);
        onState?.('live', null);
        for await (const watched of events) {
          cursor = watched.cursor;
          pauseMs = RETRY_FIRST_MS;
          yield watched;
        }
      } catch (error) {
        problem = toHitchError(error, UNREACHABLE);
        if (problem instanceof HitchError && FINAL.has(problem.code)) {
          throw problem;
        }
        if (ended() && isAbort(problem)) {
          return;
        }
      }
      if (!ended()) {
        onState?.('reconnecting', problem);
        await this.#sleep(pauseMs, signal);
        pauseMs = Math.min(pauseMs * 2, RETRY_LONGEST_MS);
      }
    }
  }

  /** Sends a file in pieces, going on where an earlier try stopped; it appears there whole and checked, or not at all. */
  upload(
    clusterId: ClusterId,
    path: string,
    source: UploadSource,
    options: UploadOptions = {},
  ): Promise<UploadState> {
    return uploadFile(this, this.#sleep, clusterId, path, source, options);
  }
}
