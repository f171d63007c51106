/**
 * What this page knows of the clusters. Lists come on demand, at each event and every ten seconds; a list that fails
 * leaves what was known. The event stream takes one of the six connections that a browser grants a host, so it is
 * closed while nobody looks and goes on from its cursor afterwards.
 */
import {
  type Cluster,
  type ClusterEvent,
  HitchError,
  type HitchClient,
  type ProviderInfo,
} from '@hitch/contract';
import { URLExt } from '@jupyterlab/coreutils';
import type { ServerConnection } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';
import { type IPoll, Poll } from '@lumino/polling';
import { type ISignal, Signal } from '@lumino/signaling';
import type { HitchLink, IHitch } from '../tokens.ts';
import { pause } from '../ui/pause.ts';
import { BRIDGE, bridgeClient } from './bridge.ts';
import { LinkState } from './link-state.ts';
import type { Page } from './page.ts';
import { StreamCheck } from './stream-check.ts';

/** A hung daemon must not keep one of the browser's connections. */
const LIST_WITHIN_MS = 2_000;
const LOOK_EVERY_MS = 10_000;
const LOOK_RARELY_MS = 30_000;
/** How far a save is has no events. */
const LOOK_AT_SAVES_MS = 2_000;
const FOLLOW_AGAIN_MS = 3_000;

const isSaving = ({ phase, saving }: Cluster): boolean => saving !== null || phase === 'stopping';

export interface HitchOptions {
  readonly serverSettings: ServerConnection.ISettings;
  readonly page: Page;
  readonly now: () => number;
  /** The socket class of {@link IHitch.settingsFor}. */
  readonly webSocket: typeof WebSocket;
  /** A test brings its own. */
  readonly client?: HitchClient;
}

export class Hitch implements IHitch, IDisposable {
  readonly client: HitchClient;
  readonly serverSettings: ServerConnection.ISettings;
  readonly #page: Page;
  readonly #webSocket: typeof WebSocket;
  readonly #link: LinkState;
  readonly #changed = new Signal<this, void>(this);
  readonly #events = new Signal<this, ClusterEvent>(this);
  readonly #settings = new Map<string, ServerConnection.ISettings>();
  readonly #poll: Poll;
  readonly #savings: Poll;
  readonly #check = new StreamCheck();
  #clusters: readonly Cluster[] = [];
  #providers: readonly ProviderInfo[] = [];
  #limits: readonly string[] = [];
  #seen = '';
  #cursor: string | null = null;
  #stream: AbortController | null = null;
  #unlook: () => void = () => undefined;
  #untold: ClusterEvent[] = [];
  #telling = false;
  #disposed = false;

  constructor({ serverSettings, page, now, webSocket, client }: HitchOptions) {
    this.serverSettings = serverSettings;
    this.client = client ?? bridgeClient(serverSettings);
    this.#page = page;
    this.#webSocket = webSocket;
    this.#link = new LinkState(now);
    this.#poll = new Poll({
      name: 'jupyterlab-hitch:clusters',
      auto: false,
      frequency: { interval: LOOK_EVERY_MS, backoff: true, max: LOOK_RARELY_MS },
      standby: () => this.#page.hidden,
      factory: () => this.#look(),
    });
    this.#savings = new Poll({
      name: 'jupyterlab-hitch:savings',
      auto: false,
      frequency: { interval: LOOK_AT_SAVES_MS, backoff: true, max: LOOK_RARELY_MS },
      // A poll that stands by asks this at each interval, which costs nothing.
      standby: () => this.#page.hidden || !this.#clusters.some(isSaving),
      factory: () => this.#look(),
    });
  }

  get clusters(): readonly Cluster[] {
    return this.#clusters;
  }

  get providers(): readonly ProviderInfo[] {
    return this.#providers;
  }

  get limits(): readonly string[] {
    return this.#limits;
  }

  get link(): HitchLink {
    return this.#link.link;
  }

  get changed(): ISignal<this, void> {
    return this.#changed;
  }

  get events(): ISignal<this, ClusterEvent> {
    return this.#events;
  }

  get isDisposed(): boolean {
    return this.#disposed;
  }

  /**
   * Begins to listen; returns at once. JupyterLab asks its server for what it needs to start, over the six connections
   * that a browser grants: Hitch asks when the page has a moment to spare, and opens its stream after that.
   */
  start(): void {
    this.#unlook = this.#page.onChange(() => {
      if (this.#page.hidden) {
        this.#stream?.abort();
      } else {
        void this.#poll.refresh();
        void this.#follow();
      }
    });
    this.#poll.ticked.connect(this.#looked, this);
    this.#page.whenIdle(() => {
      if (!this.#disposed) {
        void this.#poll.start();
        void this.#savings.start();
      }
    });
  }

  /** The clusters were asked for, whatever the answer: what happens from now on is listened to. */
  #looked(_: Poll, { phase }: IPoll.State<unknown, unknown, string>): void {
    if (phase === 'resolved' || phase === 'rejected') {
      this.#poll.ticked.disconnect(this.#looked, this);
      void this.#follow();
    }
  }

  dispose(): void {
    this.#disposed = true;
    this.#unlook();
    this.#stream?.abort();
    this.#poll.dispose();
    this.#savings.dispose();
    Signal.clearData(this);
  }

  limit(sentence: string): void {
    if (!this.#limits.includes(sentence)) {
      this.#limits = [...this.#limits, sentence];
      this.#changed.emit();
    }
  }

  async refresh(): Promise<void> {
    await this.#look().catch(() => undefined);
  }

  settingsFor({ jupyterPath }: Pick<Cluster, 'jupyterPath'>): ServerConnection.ISettings {
    const known = this.#settings.get(jupyterPath);
    if (known !== undefined) {
      return known;
    }
    const { baseUrl, wsUrl, init } = this.serverSettings;
    // JupyterLab sends JSON as a string, which a browser calls text/plain; the relay takes JSON and nothing else.
    const headers = { ...Object.fromEntries(new Headers(init.headers)), 'content-type': 'application/json' };
    const settings: ServerConnection.ISettings = {
      ...this.serverSettings,
      init: { ...init, headers },
      baseUrl: `${URLExt.join(baseUrl, BRIDGE, jupyterPath)}/`,
      wsUrl: `${URLExt.join(wsUrl, BRIDGE, jupyterPath)}/`,
      WebSocket: this.#webSocket,
    };
    this.#settings.set(jupyterPath, settings);
    return settings;
  }

  /** @throws what went wrong, so that the poll slows down; {@link link} has it by then. */
  async #look(): Promise<void> {
    const call = { signal: AbortSignal.timeout(LIST_WITHIN_MS) };
    try {
      const [clusters, providers] = await Promise.all([
        this.client.api.clusters.list(undefined, call),
        this.client.api.providers.list(undefined, call),
      ]);
      this.#clusters = clusters;
      this.#providers = providers;
    } catch (error) {
      if (!this.#disposed && this.#link.failed(error)) {
        this.#changed.emit();
      }
      throw error;
    }
    if (this.#disposed) {
      return;
    }
    const linked = this.#link.succeeded();
    const seen = JSON.stringify([this.#clusters, this.#providers]);
    if (linked || seen !== this.#seen) {
      this.#seen = seen;
      this.#changed.emit();
    }
    if (this.#check.isBehind(this.#clusters)) {
      // The stream is open and says nothing: whatever lies between has forgotten it.
      this.#stream?.abort();
      void this.#follow();
    }
  }

  /** One stream from the cursor until it is aborted; without a cursor, from now. */
  async #follow(): Promise<void> {
    const stream = new AbortController();
    this.#stream?.abort();
    this.#stream = stream;
    while (!this.#disposed && !this.#page.hidden && !stream.signal.aborted) {
      try {
        this.#cursor ??= await this.#begin(stream.signal);
        const onState = (state: 'live' | 'reconnecting') => {
          if (state === 'live') {
            void this.#poll.refresh();
          }
        };
        for await (const { cursor, event } of this.client.watch({
          cursor: this.#cursor,
          signal: stream.signal,
          onState,
        })) {
          this.#cursor = cursor;
          this.#check.heard(event);
          this.#tellSoon(event);
        }
      } catch (error) {
        if (error instanceof HitchError && error.code === 'BAD_INPUT') {
          // The cursor is another daemon's; what happened between the two is in the lists.
          this.#cursor = null;
        }
        await pause(FOLLOW_AGAIN_MS, stream.signal);
      }
    }
  }

  async #begin(signal: AbortSignal): Promise<string> {
    const within = AbortSignal.any([signal, AbortSignal.timeout(LIST_WITHIN_MS)]);
    const { cursor } = await this.client.api.events.cursor(undefined, { signal: within });
    this.#check.reset();
    return cursor;
  }

  #tellSoon(event: ClusterEvent): void {
    this.#untold.push(event);
    if (!this.#telling) {
      void this.#tell();
    }
  }

  /** Who hears of an event finds the clusters as they are after it. */
  async #tell(): Promise<void> {
    this.#telling = true;
    while (this.#untold.length > 0) {
      const events = this.#untold;
      this.#untold = [];
      await this.refresh();
      for (const event of this.#disposed ? [] : events) {
        this.#events.emit(event);
      }
    }
    this.#telling = false;
  }
}
