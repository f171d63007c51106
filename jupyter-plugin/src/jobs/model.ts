/** The jobs of all clusters as last heard. */
import { isJobOver, isJobSettled, type Job } from '@hitch/contract';
import type { IDisposable } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';
import type { IHitch } from '../tokens.ts';

export class JobsModel implements IDisposable {
  readonly changed = new Signal<this, void>(this);
  readonly #hitch: Pick<IHitch, 'client'>;
  readonly #end = new AbortController();
  #jobs: readonly Job[] = [];

  constructor(hitch: Pick<IHitch, 'client'>) {
    this.#hitch = hitch;
  }

  /** Those that run first, the newest first. */
  get jobs(): readonly Job[] {
    return this.#jobs;
  }

  get isRunning(): boolean {
    return this.#jobs.some(job => !isJobSettled(job));
  }

  get isDisposed(): boolean {
    return this.#end.signal.aborted;
  }

  dispose(): void {
    this.#end.abort();
    Signal.clearData(this);
  }

  /** A failure leaves what was known: the panel says elsewhere that the daemon does not answer. */
  async refresh(): Promise<void> {
    const jobs = await this.#hitch.client.api.jobs.list({}, { signal: this.#end.signal });
    if (!this.isDisposed) {
      this.#jobs = [...jobs].sort(
        (a, b) => Number(isJobOver(a.state)) - Number(isJobOver(b.state)) || b.createdAtMs - a.createdAtMs,
      );
      this.changed.emit();
    }
  }
}
