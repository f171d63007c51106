/** Tells once what a person should not miss: no answer, about to stop, ready, failed, gone; and the ends of long cells. */
import type { ClusterId } from '@hitch/contract';
import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ITranslator } from '@jupyterlab/translation';
import { Poll } from '@lumino/polling';
import { depsOf, type Deps } from '../actions/deps.ts';
import { IPreferences } from '../settings/settings.ts';
import { IHitch } from '../tokens.ts';
import {
  hasPassed,
  type LastSeen,
  Occasions,
  readLastSeen,
  type Occasion,
  type OccasionKind,
} from './occasions.ts';

/** The last ten minutes begin without an event. */
const CLOCK_MS = 30_000;

export const noticesPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyterlab-hitch:notices',
  description:
    'Notifications of GPU clusters: no answer, about to stop, ready, failed, gone; and the ends of long cells there.',
  autoStart: true,
  requires: [IHitch, IPreferences],
  optional: [INotebookTracker, ITranslator],
  activate: (
    app,
    hitch: IHitch,
    preferences: IPreferences,
    notebooks: INotebookTracker | null,
    translator: ITranslator | null,
  ) => {
    const deps = depsOf(app, hitch, preferences, translator);
    const notices = new Notices(deps);
    if (notebooks !== null) {
      void app.restored
        .then(() => import('./runs.ts'))
        .then(({ startRunNotices }) => startRunNotices(deps, notebooks));
    }
    hitch.changed.connect(() => notices.look());
    // Also with the page hidden: what is told then waits in the list of notifications.
    new Poll({
      name: 'jupyterlab-hitch:notices',
      frequency: { interval: CLOCK_MS, backoff: false, max: CLOCK_MS },
      standby: 'never',
      factory: async () => notices.look(),
    });
  },
};

const KEY = 'hitch:seen-clusters';

function lastSeen(): LastSeen {
  try {
    return readLastSeen(window.localStorage.getItem(KEY));
  } catch {
    return {};
  }
}

class Notices {
  readonly #deps: Deps;
  readonly #occasions = new Occasions(lastSeen());
  #kept = '';
  /** What is shown of something that may pass, by cluster. */
  readonly #shown = new Map<ClusterId, { readonly notice: string; readonly kind: OccasionKind }>();

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  look(): void {
    const { hitch, now } = this.#deps;
    if (hitch.link.state === 'connecting') {
      return;
    }
    void this.#tellAll(this.#occasions.look(hitch.clusters, now()));
    void this.#takeBack();
    this.#keep();
  }

  /** For the page after this one: it tells what happened while none was open. */
  #keep(): void {
    const seen = JSON.stringify(this.#occasions.lastSeen);
    if (seen !== this.#kept) {
      this.#kept = seen;
      try {
        window.localStorage.setItem(KEY, seen);
      } catch {
        // Then the next page tells only what is wrong.
      }
    }
  }

  /** A notice goes with what it told of. */
  async #takeBack(): Promise<void> {
    const { hitch, now } = this.#deps;
    const passed = [...this.#shown].filter(([id, { kind }]) =>
      hasPassed(
        kind,
        hitch.clusters.find(cluster => cluster.id === id),
        now(),
      ),
    );
    passed.forEach(([id]) => this.#shown.delete(id));
    if (passed.length > 0) {
      const { untell } = await import('./tell.ts');
      passed.forEach(([, { notice }]) => {
        untell(notice);
      });
    }
  }

  async #tellAll(occasions: readonly Occasion[]): Promise<void> {
    if (occasions.length === 0) {
      return;
    }
    const { tell, untell } = await import('./tell.ts');
    for (const occasion of occasions) {
      const { id } = occasion.cluster;
      const old = this.#shown.get(id);
      if (old !== undefined && occasion.kind !== 'stops-soon') {
        untell(old.notice);
        this.#shown.delete(id);
      }
      const notice = await tell(this.#deps, occasion);
      const { kind } = occasion;
      if (notice !== null && (kind === 'unreachable' || kind === 'stops-soon' || kind === 'failed')) {
        this.#shown.set(id, { notice, kind });
      }
    }
  }
}
