/**
 * What this page knows of the clusters. Lists come on demand, at each event and every ten seconds; a list that fails
 * leaves what was known. The event stream takes one of the six connections that a browser grants a host, so it is
 * closed while nobody looks and goes on from its cursor afterwards.
 */
import { ClusterFollower, type Lists } from '@hitch/client';
import type { Cluster, ClusterEvent, HitchClient, ProviderInfo } from '@hitch/contract';
import { URLExt } from '@jupyterlab/coreutils';
import type { ServerConnection } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';
import type { HitchLink, IHitch } from '../tokens.ts';
import { pause } from '../ui/pause.ts';
import { BRIDGE, bridgeClient } from './bridge.ts';
import { LinkState } from './link-state.ts';
import type { Page } from './page.ts';

/** A hung daemon must not keep one of the browser's connections. */
const LIST_WITHIN_MS = 2_000;
const LOOK_EVERY_MS = 10_000;
/** How far a save is has no events. */
const LOOK_AT_SAVES_MS = 2_000;

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
  readonly #follower: ClusterFollower;
  #clusters: readonly Cluster[] = [];
  #providers: readonly ProviderInfo[] = [];
  #limits: readonly string[] = [];
  #seen = '';
  #unlook: () => void = () => undefined;
  #disposed = false;

  constructor({ serverSettings, page, now, webSocket, client }: HitchOptions) {
    this.serverSettings = serverSettings;
    this.client = client ?? bridgeClient(serverSettings);
    this.#page = page;
    this.#webSocket = webSocket;
    this.#link = new LinkState(now);
    this.#follower = new ClusterFollower({
      client: this.client,
      reach: async () => this.client,
      sleep: pause,
      listWithinMs: LIST_WITHIN_MS,
      everyMs: clusters => (clusters.some(isSaving) ? LOOK_AT_SAVES_MS : LOOK_EVERY_MS),
      onLists: lists => this.#take(lists),
      onEvent: event => this.#events.emit(event),
      onFailure: error => {
        if (this.#link.failed(error)) {
          this.#changed.emit();
        }
      },
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
    this.#unlook = this.#page.onChange(() => this.#follower.setHidden(this.#page.hidden));
    this.#follower.setHidden(this.#page.hidden);
    this.#page.whenIdle(() => {
      if (!this.#disposed) {
        this.#follower.start();
      }
    });
  }

  dispose(): void {
    this.#disposed = true;
    this.#unlook();
    this.#follower.dispose();
    Signal.clearData(this);
  }

  limit(sentence: string): void {
    if (!this.#limits.includes(sentence)) {
      this.#limits = [...this.#limits, sentence];
      this.#changed.emit();
    }
  }

  refresh(): Promise<void> {
    return this.#follower.refresh();
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

  #take({ clusters, providers }: Lists): void {
    this.#clusters = clusters;
    this.#providers = providers;
    const linked = this.#link.succeeded();
    const seen = JSON.stringify([clusters, providers]);
    if (linked || seen !== this.#seen) {
      this.#seen = seen;
      this.#changed.emit();
    }
  }
}
