/**
 * The one model: finds the daemon, lists what there is, follows the event stream, and keeps the last known list through
 * every failure. Signals (GPU use, money) are asked for only while somebody looks.
 */
import type { ClusterEvent, HitchClient } from '@hitch/contract';
import { HitchError } from '@hitch/contract/src/errors.ts';
import { Emitter, type Stop } from '../emitter.ts';
import { sentence } from '../sentence.ts';
import type { DaemonPlace } from './place.ts';
import { INITIAL, movesUntold, type State } from './state.ts';

export interface ModelDeps {
  readonly place: DaemonPlace;
  /** Called once, when a daemon is first there. */
  readonly loadClient: () => Promise<HitchClient>;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly report: (problem: string, error: unknown) => void;
  /** Clusters lived when this computer was last looked at: their daemon is started without being asked for. */
  readonly wantedFromTheStart: boolean;
}

const LOOK_AGAIN_MS = 3_000;
const FAILED_AGAIN_MS = 15_000;
/** Events come in bursts; one list answers them all. */
const GATHER_MS = 120;
const SIGNALS_EVERY_MS = 5_000;
const SAVES_EVERY_MS = 2_000;

export class HitchModel {
  readonly #deps: ModelDeps;
  readonly #changes: Emitter<State>;
  readonly #events: Emitter<ClusterEvent>;
  readonly #end = new AbortController();
  #client: HitchClient | null = null;
  #loading: Promise<HitchClient> | null = null;
  #state: State = INITIAL;
  #wanted: boolean;
  #wake: (() => void) | null = null;
  #visible = 0;
  #polling: AbortController | null = null;
  #listing: Promise<void> | null = null;
  #stale = false;
  #followsSaves = false;

  constructor(deps: ModelDeps) {
    const report = (error: unknown) => deps.report('A listener failed', error);
    this.#deps = deps;
    this.#changes = new Emitter<State>(report);
    this.#events = new Emitter<ClusterEvent>(report);
    this.#wanted = deps.wantedFromTheStart;
  }

  get state(): State {
    return this.#state;
  }

  /** There once a list has come, or {@link need} was awaited. @throws HitchError before that. */
  get client(): HitchClient {
    if (this.#client === null) {
      throw new HitchError('UNREACHABLE', 'Hitch’s daemon was not found yet.', {
        next: 'Start it from the GPUs view.',
      });
    }
    return this.#client;
  }

  get signal(): AbortSignal {
    return this.#end.signal;
  }

  onChange(listener: (state: State) => void): Stop {
    return this.#changes.listen(listener);
  }

  onEvent(listener: (event: ClusterEvent) => void): Stop {
    return this.#events.listen(listener);
  }

  start(): void {
    void this.#run();
  }

  dispose(): void {
    this.#end.abort();
    this.#polling?.abort();
    this.#wake?.();
  }

  /** A person needs the daemon: it is started where there is none. @throws HitchError with a sentence. */
  async need(): Promise<void> {
    this.#wanted = true;
    try {
      await this.#deps.place.ensure();
      await this.#loadClient();
    } catch (error) {
      this.#set({ connection: 'failed', problem: sentence(error) });
      throw error;
    }
    this.#wake?.();
  }

  /** Lists again now; failures are shown, not thrown. */
  refresh(): Promise<void> {
    this.#stale = true;
    this.#listing ??= this.#listWhileStale().finally(() => {
      this.#listing = null;
    });
    return this.#listing;
  }

  /** Counts those who look; signals are asked for while there are any. */
  looking(delta: 1 | -1): void {
    this.#visible += delta;
    if (this.#visible > 0 && this.#polling === null) {
      this.#polling = new AbortController();
      void this.#poll(this.#polling.signal);
    } else if (this.#visible <= 0) {
      this.#polling?.abort();
      this.#polling = null;
    }
  }

  async #loadClient(): Promise<HitchClient> {
    this.#loading ??= this.#deps.loadClient();
    this.#client = await this.#loading;
    return this.#client;
  }

  #set(change: Partial<State>): void {
    this.#state = { ...this.#state, ...change };
    this.#changes.fire(this.#state);
    if (!this.#followsSaves && this.#saves()) {
      void this.#followSaves();
    }
  }

  #saves(): boolean {
    return !this.#end.signal.aborted && (this.#state.clusters ?? []).some(movesUntold);
  }

  /** Lists again while something is saved, whether or not anybody looks: its end is not to be missed. */
  async #followSaves(): Promise<void> {
    this.#followsSaves = true;
    while (this.#saves()) {
      await this.#deps.sleep(SAVES_EVERY_MS, this.#end.signal).catch(() => undefined);
      if (this.#state.connection === 'live') {
        await this.refresh();
      }
    }
    this.#followsSaves = false;
  }

  async #run(): Promise<void> {
    // Read anew each time: narrowing would take it for unchanged over the awaits below.
    const ended = () => this.#end.signal.aborted;
    while (!ended()) {
      let pauseMs = LOOK_AGAIN_MS;
      try {
        const found = this.#wanted ? await this.#deps.place.ensure() : await this.#deps.place.look();
        if (found === null) {
          this.#set({ connection: this.#state.clusters === null ? 'absent' : 'lost', problem: null });
        } else {
          await this.#follow();
        }
      } catch (error) {
        if (!ended()) {
          pauseMs = FAILED_AGAIN_MS;
          this.#deps.report('The connection to the daemon failed', error);
          this.#set({ connection: 'failed', problem: sentence(error) });
        }
      }
      if (!ended()) {
        await this.#pause(pauseMs);
      }
    }
  }

  /** Resolves when the stream has ended for good. */
  async #follow(): Promise<void> {
    const client = await this.#loadClient();
    const { signal } = this.#end;
    if (this.#state.clusters === null) {
      this.#set({ connection: 'loading', problem: null });
    }
    const call = { signal };
    // The cursor first: what happens between the two is then told twice rather than never.
    const { cursor } = await client.api.events.cursor(undefined, call);
    const [clusters, providers, templates] = await Promise.all([
      client.api.clusters.list(undefined, call),
      client.api.providers.list(undefined, call),
      client.api.templates.list(undefined, call),
    ]);
    this.#set({ connection: 'live', problem: null, clusters, providers, templates });
    const stream = client.watch({
      cursor,
      signal,
      onState: (state, error) => {
        if (state === 'live') {
          void this.refresh();
        } else {
          this.#deps.place.doubt();
        }
        this.#set({
          connection: state === 'live' ? 'live' : 'lost',
          problem: state === 'live' || error === null ? null : sentence(error),
        });
      },
    });
    try {
      for await (const { event } of stream) {
        this.#events.fire(event);
        this.#gather();
      }
    } catch (error) {
      // Another store's daemon stands in the place of this one: everything is read anew.
      if (!(error instanceof HitchError && (error.code === 'BAD_INPUT' || error.code === 'NOT_FOUND'))) {
        throw error;
      }
    }
  }

  #gather(): void {
    if (!this.#stale) {
      this.#stale = true;
      void this.#deps.sleep(GATHER_MS, this.#end.signal).then(
        () => this.refresh(),
        () => undefined,
      );
    }
  }

  async #listWhileStale(): Promise<void> {
    while (this.#stale && this.#client !== null && !this.#end.signal.aborted) {
      this.#stale = false;
      try {
        const clusters = await this.#client.api.clusters.list(undefined, { signal: this.#end.signal });
        this.#set({ clusters });
      } catch (error) {
        // The last known list stays; the stream's state tells that the daemon is away.
        this.#deps.report('The clusters could not be listed', error);
      }
    }
  }

  async #poll(signal: AbortSignal): Promise<void> {
    const ended = () => signal.aborted;
    while (!ended()) {
      if (this.#state.connection === 'live') {
        await this.refresh();
      }
      await this.#deps.sleep(SIGNALS_EVERY_MS, signal).catch(() => undefined);
    }
  }

  async #pause(ms: number): Promise<void> {
    const pause = new AbortController();
    this.#wake = () => pause.abort();
    await this.#deps.sleep(ms, pause.signal).catch(() => undefined);
    this.#wake = null;
  }
}
