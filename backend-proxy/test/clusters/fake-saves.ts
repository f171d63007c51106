/** Saves without files: what each brings is said by the test. One at a time for each cluster, as the real ones. */
import type { Account, ClusterId, Copy, CopyId, Saving } from '@hitch/contract';
import { HitchError } from '@hitch/contract';
import type { SaveRequest, Saves } from '../../src/copies/copies.ts';
import type { Clock } from '@hitch/platform/src/clock.ts';

/** What a save brings; a HitchError it throws is the copy's problem. */
export type SaveFiles = (request: SaveRequest, signal: AbortSignal) => Promise<Partial<Account>>;

export const nothing: Account = { copiedFiles: 0, copiedBytes: 0, sameFiles: 0, outcomes: {} };

export class FakeSaves implements Saves {
  readonly #clock: Clock;
  readonly #files: SaveFiles;
  readonly #going = new Map<ClusterId, Set<AbortController>>();
  #count = 0;

  constructor(clock: Clock, files: SaveFiles = async () => ({ copiedFiles: 1, copiedBytes: 1 })) {
    this.#clock = clock;
    this.#files = files;
  }

  save(request: SaveRequest): { readonly copy: Copy; readonly ended: Promise<Copy> } {
    this.#count += 1;
    const copy: Copy = {
      id: `cop_${this.#count.toString().padStart(26, '0')}` as CopyId,
      clusterId: request.clusterId,
      kind: 'save',
      state: 'listing',
      sources: [...request.paths],
      target: request.folder,
      files: 0,
      bytes: 0,
      inTheWay: { count: 0, names: [] },
      doneFiles: 0,
      doneBytes: 0,
      startedAtMs: this.#clock.now(),
      endedAtMs: null,
      account: nothing,
      problem: null,
    };
    return { copy, ended: this.#run(request, copy) };
  }

  async #run(request: SaveRequest, copy: Copy): Promise<Copy> {
    const end = new AbortController();
    const going = this.#going.get(request.clusterId) ?? new Set();
    this.#going.set(request.clusterId, going.add(end));
    const late =
      request.untilMs === null
        ? null
        : this.#clock.setTimer(
            () => end.abort(new HitchError('UNREACHABLE', 'The time kept back for saving is over.')),
            request.untilMs - this.#clock.now(),
          );
    try {
      const brought = await Promise.race([this.#files(request, end.signal), whenAborted(end.signal)]);
      return { ...copy, state: 'done', account: { ...nothing, ...brought } };
    } catch (error) {
      const problem =
        error instanceof HitchError ? error : new HitchError('INTERNAL', String(error), { cause: error });
      return { ...copy, state: 'failed', problem: problem.toEnvelope() };
    } finally {
      late?.cancel();
      going.delete(end);
    }
  }

  saving(clusterId: ClusterId): Saving | null {
    return (this.#going.get(clusterId)?.size ?? 0) === 0
      ? null
      : { files: 1, bytes: 1, doneFiles: 0, doneBytes: 0, untilMs: null, problem: null };
  }

  endSaves(clusterId: ClusterId, reason: string): void {
    this.#going.get(clusterId)?.forEach(end => end.abort(new HitchError('CONFLICT', reason)));
  }
}

const whenAborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
