/**
 * What the extension knows: it finds the daemon, follows the clusters, and keeps the last known list through every
 * failure. Signals (GPU use, money) are asked for only while somebody looks.
 */
import { ClusterFollower, type Lists } from '@hitch/client';
import type { ClusterEvent, HitchClient, PresetList } from '@hitch/contract';
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
  /** Of this window's workspace, absolute. */
  readonly folders: () => readonly string[];
}

const LIST_WITHIN_MS = 10_000;
/** Of more, templates are looked for in the first ones; the daemon takes no more. A folder that would be one more is refused. */
export const MOST_FOLDERS = 20;
const SIGNALS_EVERY_MS = 5_000;
/** How far a save is has no events; its end is not to be missed, whether or not anybody looks. */
const SAVES_EVERY_MS = 2_000;

export class HitchModel {
  readonly #deps: ModelDeps;
  readonly #changes: Emitter<State>;
  readonly #events: Emitter<ClusterEvent>;
  readonly #follower: ClusterFollower;
  #client: HitchClient | null = null;
  #loading: Promise<HitchClient> | null = null;
  #state: State = INITIAL;
  #wanted: boolean;
  #visible = 0;

  constructor(deps: ModelDeps) {
    const report = (error: unknown) => deps.report('A listener failed', error);
    this.#deps = deps;
    this.#changes = new Emitter<State>(report);
    this.#events = new Emitter<ClusterEvent>(report);
    this.#wanted = deps.wantedFromTheStart;
    this.#follower = new ClusterFollower({
      client: null,
      reach: () => this.#reach(),
      sleep: deps.sleep,
      listWithinMs: LIST_WITHIN_MS,
      everyMs: () => this.#everyMs(),
      onReached: (client, signal) => this.#readOnce(client, signal),
      onAbsent: () => {
        this.#set({ connection: this.#state.clusters === null ? 'absent' : 'lost', problem: null });
      },
      onLists: lists => this.#take(lists),
      onStream: (state, error) => {
        if (state === 'reconnecting') {
          deps.place.doubt();
        }
        this.#set({
          connection: state === 'live' ? 'live' : 'lost',
          problem: state === 'live' || error === null ? null : sentence(error),
        });
      },
      onEvent: event => this.#events.fire(event),
      onFailure: (error, during) => {
        if (during === 'reach') {
          deps.report('The connection to the daemon failed', error);
          this.#set({ connection: 'failed', problem: sentence(error) });
        } else {
          // The last known list stays; the stream's state tells that the daemon is away.
          deps.report('The clusters could not be listed', error);
        }
      },
    });
  }

  get state(): State {
    return this.#state;
  }

  /** There once a list has come, or {@link need} was awaited. @throws HitchError before that. */
  get client(): HitchClient {
    if (this.#client === null) {
      throw new HitchError('UNREACHABLE', 'Hitch’s daemon is not running yet.', {
        next: 'Start it from the GPUs view.',
      });
    }
    return this.#client;
  }

  get signal(): AbortSignal {
    return this.#follower.signal;
  }

  onChange(listener: (state: State) => void): Stop {
    return this.#changes.listen(listener);
  }

  onEvent(listener: (event: ClusterEvent) => void): Stop {
    return this.#events.listen(listener);
  }

  start(): void {
    this.#follower.start();
  }

  dispose(): void {
    this.#follower.dispose();
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
    this.#follower.wake();
  }

  /** Reads the list of templates again. @throws HitchError */
  async listTemplates(): Promise<void> {
    const before = JSON.stringify(this.#state.templates);
    const templates = await this.#templatesNow(this.client, this.signal);
    if (JSON.stringify(templates) !== before) {
      this.#set({ templates });
    }
  }

  /** Reads what is usually rented again. @throws HitchError */
  async listPresets(): Promise<PresetList> {
    const list = await this.client.api.offers.presets(undefined, { signal: this.signal });
    if (JSON.stringify(list.presets) !== JSON.stringify(this.#state.presets)) {
      this.#set({ presets: list.presets });
    }
    return list;
  }

  /** Lists again now; failures are shown, not thrown. */
  refresh(): Promise<void> {
    return this.#follower.refresh();
  }

  /** Counts those who look; signals are asked for while there are any. */
  looking(delta: 1 | -1): void {
    const before = this.#visible > 0;
    this.#visible += delta;
    if (this.#visible > 0 !== before) {
      this.#follower.nudge();
      if (!before && this.#state.connection === 'live') {
        void this.refresh();
      }
    }
  }

  async #reach(): Promise<HitchClient | null> {
    const { place } = this.#deps;
    const found = this.#wanted ? await place.ensure() : await place.look();
    return found === null ? null : this.#loadClient();
  }

  async #loadClient(): Promise<HitchClient> {
    this.#loading ??= this.#deps.loadClient();
    this.#client = await this.#loading;
    return this.#client;
  }

  async #readOnce(client: HitchClient, signal: AbortSignal): Promise<void> {
    if (this.#state.clusters === null) {
      this.#set({ connection: 'loading', problem: null });
    }
    const [templates, { presets }] = await Promise.all([
      this.#templatesNow(client, signal),
      client.api.offers.presets(undefined, { signal }),
    ]);
    this.#set({ templates, presets });
  }

  #templatesNow(client: HitchClient, signal: AbortSignal): Promise<State['templates']> {
    const folders = [...this.#deps.folders()].slice(0, MOST_FOLDERS);
    return client.api.templates.list({ folders }, { signal });
  }

  #take(lists: Lists): void {
    // A lost stream says itself when it is there again.
    const found = this.#state.connection === 'lost' ? {} : { connection: 'live' as const, problem: null };
    this.#set({ ...lists, ...found });
  }

  #set(change: Partial<State>): void {
    this.#state = { ...this.#state, ...change };
    this.#changes.fire(this.#state);
  }

  #everyMs(): number | null {
    const { connection, clusters } = this.#state;
    if (connection !== 'live') {
      return null;
    }
    if ((clusters ?? []).some(movesUntold)) {
      return SAVES_EVERY_MS;
    }
    return this.#visible > 0 ? SIGNALS_EVERY_MS : null;
  }
}
