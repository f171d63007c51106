/** Files of packages beside the notebooks, and the lock of the one that is chosen: only the latest question counts. */
import type { FoundEnvironments, HitchClient } from '@hitch/contract';
import type { PackagesLock, WantedPackages } from '@hitch/views';
import { sentenceOf } from '../actions/report.ts';

export class PackagesModel {
  readonly #api: () => HitchClient['api'];
  readonly #changed: () => void;
  #asking = new AbortController();
  #found: FoundEnvironments | null = null;
  #lock: PackagesLock | null = null;

  constructor(api: () => HitchClient['api'], changed: () => void) {
    this.#api = api;
    this.#changed = changed;
  }

  get found(): FoundEnvironments | null {
    return this.#found;
  }

  get lock(): PackagesLock | null {
    return this.#lock;
  }

  dispose(): void {
    this.#asking.abort();
  }

  /** @param folder below the server's root; '': the root itself */
  async look(folder: string, signal: AbortSignal): Promise<void> {
    try {
      this.#found = await this.#api().environments.find(
        { folders: [folder === '' ? '.' : folder] },
        { signal },
      );
    } catch (error) {
      // Such as a server whose files lie in no folder: Hitch's own packages stay, and why there are no others is said.
      this.#found = signal.aborted ? this.#found : { files: [], notes: [sentenceOf(error)] };
    }
    this.#changed();
  }

  async pin(wanted: WantedPackages): Promise<void> {
    this.#asking.abort();
    const { signal } = (this.#asking = new AbortController());
    const show = (lock: Omit<PackagesLock, 'wanted'>): void => {
      if (!signal.aborted) {
        this.#lock = { wanted, ...lock };
        this.#changed();
      }
    };
    show({ environment: null, problems: [], failure: null });
    try {
      const { environment, problems } = await this.#api().environments.lock(wanted, { signal });
      show({ environment, problems, failure: null });
    } catch (error) {
      show({ environment: null, problems: [], failure: sentenceOf(error) });
    }
  }
}
