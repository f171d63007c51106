/** The jobs of all clusters as last heard, those of Ray itself beside them, and which two are to be compared. */
import { isJobOver, isJobSettled, type Job, type JobId } from '@hitch/contract';
import { type ClusterRayJob, rayJobsOf } from '@hitch/contract/src/ray-jobs.ts';
import type { IDisposable } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';
import type { IHitch } from '../tokens.ts';

/** Ray's dashboards are asked at every so manieth look: they are slow to answer. */
const RAY_AT_LOOKS = 5;

export class JobsModel implements IDisposable {
  readonly changed = new Signal<this, void>(this);
  readonly #hitch: Pick<IHitch, 'client'>;
  readonly #end = new AbortController();
  #jobs: readonly Job[] = [];
  #ofRay: readonly ClusterRayJob[] = [];
  #chosen: readonly JobId[] = [];
  #looks = 0;

  constructor(hitch: Pick<IHitch, 'client'>) {
    this.#hitch = hitch;
  }

  /** Those that run first, the newest first. */
  get jobs(): readonly Job[] {
    return this.#jobs;
  }

  /** What was submitted to Ray itself. */
  get ofRay(): readonly ClusterRayJob[] {
    return this.#ofRay;
  }

  /** Those to be compared: two at most, in the order in which they were chosen. */
  get chosen(): readonly JobId[] {
    return this.#chosen.filter(chosen => this.#jobs.some(({ id }) => id === chosen));
  }

  /** Chooses a job, or no more; of three the first is let go. */
  choose(id: JobId): void {
    const { chosen } = this;
    this.#chosen = chosen.includes(id) ? chosen.filter(each => each !== id) : [...chosen, id].slice(-2);
    this.changed.emit();
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
    const { api } = this.#hitch.client;
    const { signal } = this.#end;
    const jobs = await api.jobs.list({}, { signal });
    if (this.#looks++ % RAY_AT_LOOKS === 0) {
      this.#ofRay = (await rayJobsOf(api, signal)).jobs;
    }
    if (!this.isDisposed) {
      this.#jobs = [...jobs].sort(
        (a, b) => Number(isJobOver(a.state)) - Number(isJobOver(b.state)) || b.createdAtMs - a.createdAtMs,
      );
      this.changed.emit();
    }
  }
}
