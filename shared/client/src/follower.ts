/**
 * Keeps a client's knowledge of the clusters up to date: lists them, follows the event stream, and lists again at each
 * event and as often as the client wishes. A list that fails leaves what was known. The one model of both editors.
 */
import {
  type Cluster,
  type ClusterEvent,
  HitchError,
  type HitchClient,
  type ProviderInfo,
} from '@hitch/contract';
import { StreamCheck } from './stream-check.ts';

export interface Lists {
  readonly clusters: readonly Cluster[];
  readonly providers: readonly ProviderInfo[];
}

export interface FollowerOptions {
  /** There from the start where the daemon's place needs no looking for. */
  readonly client: HitchClient | null;
  /** Finds the daemon; null: there is none, and none is wanted. @throws a sentence where it cannot be had. */
  readonly reach: () => Promise<HitchClient | null>;
  /** Waits; ends sooner, by either outcome, when the signal is aborted. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** A list that takes longer has failed: a daemon that hangs must not hold a connection for ever. */
  readonly listWithinMs: number;
  /** How often to list besides the events (ms); null: not at all. Asked again after each list and each {@link ClusterFollower.nudge}. */
  readonly everyMs: (clusters: readonly Cluster[]) => number | null;
  /** The daemon was reached; its lists follow. @throws what makes the attempt fail. */
  readonly onReached?: (client: HitchClient, signal: AbortSignal) => Promise<void>;
  readonly onAbsent?: () => void;
  readonly onLists: (lists: Lists) => void;
  /** The event stream is open, or is lost and tried again. */
  readonly onStream?: (state: 'live' | 'reconnecting', error: unknown) => void;
  /** Each event, once and in order, after a list that knows what it says. */
  readonly onEvent: (event: ClusterEvent) => void;
  /** `reach`: no daemon could be talked to · `list`: it was, and a list failed; what was known stays. */
  readonly onFailure: (error: unknown, during: 'reach' | 'list') => void;
}

const LOOK_AGAIN_MS = 3_000;
const LONGEST_PAUSE_MS = 15_000;
const LIST_RARELY_MS = 30_000;
/** Events come in bursts; one list answers them all. */
const GATHER_MS = 100;

export class ClusterFollower {
  readonly #options: FollowerOptions;
  readonly #end = new AbortController();
  readonly #check = new StreamCheck();
  #client: HitchClient | null;
  #clusters: readonly Cluster[] | null = null;
  #cursor: string | null = null;
  #stream = new AbortController();
  #hidden = false;
  #stale = false;
  #listing: Promise<void> | null = null;
  #failedLists = 0;
  /** In a row, to find a daemon that answers. */
  #failures = 0;
  #untold: ClusterEvent[] = [];
  #telling = false;
  #wake = new AbortController();
  #beat = new AbortController();

  constructor(options: FollowerOptions) {
    this.#options = options;
    this.#client = options.client;
  }

  /** Aborted by {@link dispose}. */
  get signal(): AbortSignal {
    return this.#end.signal;
  }

  /** Begins; returns at once. */
  start(): void {
    void this.#run();
    void this.#listNowAndThen();
  }

  dispose(): void {
    this.#end.abort();
    this.#stream.abort();
    this.#wake.abort();
    this.#beat.abort();
  }

  /** Nobody can see what is known: the stream is closed, which frees its connection, and goes on from its cursor later. */
  setHidden(hidden: boolean): void {
    if (hidden !== this.#hidden) {
      this.#hidden = hidden;
      this.#stream.abort();
      this.wake();
      this.nudge();
    }
  }

  /** Looks for the daemon now instead of after the pause. */
  wake(): void {
    this.#wake.abort();
  }

  /** What {@link FollowerOptions.everyMs} answers may have changed. */
  nudge(): void {
    this.#beat.abort();
  }

  /**
   * Resolves after a list that was begun after this call, or failed. Never throws: `onFailure` is told. Before a daemon
   * was reached there is nothing to ask.
   */
  refresh(): Promise<void> {
    this.#stale = true;
    this.#listing ??= this.#listWhileStale().finally(() => {
      this.#listing = null;
    });
    return this.#listing;
  }

  /** A function, since narrowing would take it for unchanged over an await. */
  #ended(): boolean {
    return this.#end.signal.aborted;
  }

  async #run(): Promise<void> {
    while (!this.#ended()) {
      await this.#untilSeen();
      try {
        const client = await this.#options.reach();
        if (client === null) {
          this.#failures = 0;
          this.#options.onAbsent?.();
        } else {
          this.#client = client;
          await this.#follow(client);
        }
      } catch (error) {
        this.#failures += 1;
        if (!this.#ended()) {
          this.#options.onFailure(error, 'reach');
        }
      }
      await this.#pause(Math.min(LOOK_AGAIN_MS * 2 ** Math.max(0, this.#failures - 1), LONGEST_PAUSE_MS));
    }
  }

  /** Resolves when the daemon has to be looked for again, or nobody can see. @throws what the daemon refuses. */
  async #follow(client: HitchClient): Promise<void> {
    const { signal } = this.#end;
    await this.#options.onReached?.(client, signal);
    // The cursor first: what happens between the two is told although the list knows it, rather than never.
    await this.#begin(client);
    await this.#list(client);
    this.#failures = 0;
    while (!this.#ended() && !this.#hidden) {
      this.#stream = new AbortController();
      try {
        await this.#listen(client, this.#stream.signal);
      } catch (error) {
        // Another store's daemon stands in the place of this one: everything is read anew.
        if (error instanceof HitchError && (error.code === 'BAD_INPUT' || error.code === 'NOT_FOUND')) {
          this.#cursor = null;
          return;
        }
        throw error;
      }
    }
  }

  async #begin(client: HitchClient): Promise<void> {
    if (this.#cursor === null) {
      const { cursor } = await client.api.events.cursor(undefined, this.#soon());
      this.#check.reset();
      this.#cursor = cursor;
    }
  }

  /** Resolves when the stream was closed from here. */
  async #listen(client: HitchClient, signal: AbortSignal): Promise<void> {
    const stream = client.watch({
      ...(this.#cursor === null ? {} : { cursor: this.#cursor }),
      signal: AbortSignal.any([signal, this.#end.signal]),
      onState: (state, error) => {
        this.#options.onStream?.(state, error);
        if (state === 'live') {
          void this.refresh();
        }
      },
    });
    for await (const { cursor, event } of stream) {
      this.#cursor = cursor;
      this.#check.heard(event);
      this.#untold.push(event);
      if (!this.#telling) {
        void this.#tell();
      }
    }
  }

  /** Who is told of an event finds the clusters as they are after it. */
  async #tell(): Promise<void> {
    this.#telling = true;
    while (this.#untold.length > 0) {
      await this.#sleep(GATHER_MS, this.#end.signal);
      const events = this.#untold;
      this.#untold = [];
      await this.refresh();
      if (!this.#ended()) {
        events.forEach(this.#options.onEvent);
      }
    }
    this.#telling = false;
  }

  async #listWhileStale(): Promise<void> {
    while (this.#stale && this.#client !== null && !this.#ended()) {
      this.#stale = false;
      try {
        await this.#list(this.#client);
      } catch (error) {
        if (!this.#ended()) {
          this.#options.onFailure(error, 'list');
        }
      }
    }
  }

  async #list(client: HitchClient): Promise<void> {
    let lists: Lists;
    try {
      const call = this.#soon();
      const [clusters, providers] = await Promise.all([
        client.api.clusters.list(undefined, call),
        client.api.providers.list(undefined, call),
      ]);
      lists = { clusters, providers };
      this.#failedLists = 0;
    } catch (error) {
      this.#failedLists += 1;
      throw error;
    }
    if (this.#ended()) {
      return;
    }
    this.#clusters = lists.clusters;
    this.#options.onLists(lists);
    this.nudge();
    if (this.#check.isBehind(lists.clusters)) {
      // The stream is open and says nothing: whatever lies between has forgotten it.
      this.#stream.abort();
    }
  }

  /** Each pause begins with the list before it, whoever asked for that. */
  async #listNowAndThen(): Promise<void> {
    while (!this.#ended()) {
      this.#beat = new AbortController();
      const { signal } = this.#beat;
      const known = this.#hidden ? null : this.#clusters;
      const everyMs = known === null ? null : this.#options.everyMs(known);
      if (everyMs === null) {
        await aborted(signal);
        continue;
      }
      await this.#sleep(
        Math.max(everyMs, Math.min(everyMs * 2 ** this.#failedLists, LIST_RARELY_MS)),
        signal,
      );
      if (!signal.aborted) {
        await this.refresh();
      }
    }
  }

  async #pause(ms: number): Promise<void> {
    this.#wake = new AbortController();
    await this.#sleep(ms, AbortSignal.any([this.#wake.signal, this.#end.signal]));
  }

  async #untilSeen(): Promise<void> {
    while (this.#hidden && !this.#ended()) {
      this.#wake = new AbortController();
      await aborted(AbortSignal.any([this.#wake.signal, this.#end.signal]));
    }
  }

  async #sleep(ms: number, signal: AbortSignal): Promise<void> {
    await this.#options.sleep(ms, signal).catch(() => undefined);
  }

  #soon(): { signal: AbortSignal } {
    return { signal: AbortSignal.any([this.#end.signal, AbortSignal.timeout(this.#options.listWithinMs)]) };
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) {
      resolve();
    } else {
      signal.addEventListener('abort', () => resolve(), { once: true });
    }
  });
}
