/** Tells once what a person should not miss: no answer, about to stop, ready, failed, gone. */
import type { ClusterId } from '@hitch/contract';
import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ITranslator } from '@jupyterlab/translation';
import { Poll } from '@lumino/polling';
import { depsOf, type Deps } from '../actions/deps.ts';
import { IPreferences } from '../settings/settings.ts';
import { IHitch } from '../tokens.ts';
import { hasPassed, Occasions, type Occasion, type OccasionKind } from './occasions.ts';

/** The last ten minutes begin without an event. */
const CLOCK_MS = 30_000;

export const noticesPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyterlab-hitch:notices',
  description: 'Notifications of GPU clusters: no answer, about to stop, ready, failed, gone.',
  autoStart: true,
  requires: [IHitch, IPreferences],
  optional: [ITranslator],
  activate: (app, hitch: IHitch, preferences: IPreferences, translator: ITranslator | null) => {
    const notices = new Notices(depsOf(app, hitch, preferences, translator));
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

class Notices {
  readonly #deps: Deps;
  readonly #occasions = new Occasions();
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
