/**
 * What is done on machines of one's own, one thing each task. It runs here whoever asked for it, and is followed and ended
 * by its id. Tasks live in memory: one that a daemon did not outlive is asked for again.
 */
import { HitchError, isTaskOver, type HostKey, type MachineTask } from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';
import { errorText, type Log } from '@hitch/platform/src/log.ts';
import type { Ids } from '@hitch/platform/src/random.ts';

/** `ssh` does not know the machine: a person has to say whether this is its key. */
export class KeyNotKnown extends Error {
  readonly key: HostKey;

  constructor(key: HostKey) {
    super(`Nobody has said that its key is ${key.fingerprint}.`);
    this.key = key;
  }
}

export type TaskResult = Partial<Pick<MachineTask, 'seen' | 'stillThere' | 'notLooked' | 'freedMiB'>>;
/** @param say takes what it is at now, a sentence. */
export type TaskWork = (signal: AbortSignal, say: (step: string) => void) => Promise<TaskResult>;

export interface MachineTasksOptions {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  /** What goes wrong on the way to a machine, as a client is told it. */
  readonly sentenceOf: (error: unknown) => unknown;
}

interface Entry {
  task: MachineTask;
  readonly ending: AbortController;
  /** A person does not want it any more. */
  isCancelled: boolean;
  readonly over: Promise<void>;
}

/** Those that run at once, and those that are kept for who asks how they ended. */
const MOST_RUNNING = 20;
const MOST_KEPT = 100;

export class MachineTasks {
  readonly #options: MachineTasksOptions;
  /** The oldest first. */
  readonly #entries = new Map<string, Entry>();

  constructor(options: MachineTasksOptions) {
    this.#options = options;
  }

  /** @throws HitchError CONFLICT when too many run already. */
  start(kind: MachineTask['kind'], machine: string, work: TaskWork): MachineTask {
    const running = [...this.#entries.values()].filter(({ task }) => !isTaskOver(task)).length;
    if (running >= MOST_RUNNING) {
      throw new HitchError('CONFLICT', `${running.toString()} machines are being looked at already.`, {
        next: 'Wait until one is done, or cancel one.',
      });
    }
    const task: MachineTask = {
      id: this.#options.ids.secret(8),
      kind,
      machine,
      state: 'running',
      step: `Connecting to ${machine}.`,
      hostKey: null,
      seen: null,
      stillThere: [],
      notLooked: null,
      freedMiB: null,
      problem: null,
    };
    const ending = new AbortController();
    const over = Promise.withResolvers<undefined>();
    const entry: Entry = { task, ending, isCancelled: false, over: over.promise };
    this.#entries.set(task.id, entry);
    this.#forgetOldest();
    void this.#run(entry, work).finally(() => over.resolve(undefined));
    return entry.task;
  }

  /** As it is once it is over, or after `waitMs`. @throws HitchError NOT_FOUND */
  async get(id: string, waitMs = 0): Promise<MachineTask> {
    const entry = this.#entry(id);
    if (!isTaskOver(entry.task) && waitMs > 0) {
      const late = Promise.withResolvers<undefined>();
      const timer = this.#options.clock.setTimer(() => late.resolve(undefined), waitMs);
      await Promise.race([entry.over, late.promise]);
      timer.cancel();
    }
    return entry.task;
  }

  /** Resolves once it has ended: `done` where that came too late. One that is over stays as it is. @throws HitchError NOT_FOUND */
  async cancel(id: string): Promise<MachineTask> {
    const entry = this.#entry(id);
    if (!isTaskOver(entry.task)) {
      entry.isCancelled = true;
      become(entry, { step: 'Cancelling.' });
      entry.ending.abort(new Error('A person cancelled it.'));
      await entry.over;
    }
    return entry.task;
  }

  /** Ends all that runs, and resolves when it has. */
  async close(): Promise<void> {
    const running = [...this.#entries.values()].filter(({ task }) => !isTaskOver(task));
    running.forEach(({ ending }) => ending.abort(new Error('The daemon ends.')));
    await Promise.all(running.map(({ over }) => over));
  }

  async #run(entry: Entry, work: TaskWork): Promise<void> {
    const { log, sentenceOf } = this.#options;
    try {
      const result = await work(entry.ending.signal, step => become(entry, { step }));
      become(entry, { ...result, state: 'done', step: 'Done.' });
    } catch (cause) {
      if (entry.isCancelled) {
        become(entry, { state: 'cancelled', step: 'Cancelled.' });
        return;
      }
      if (cause instanceof KeyNotKnown) {
        become(entry, { state: 'asks_key', hostKey: cause.key, step: cause.message });
        return;
      }
      const error = sentenceOf(cause);
      if (!(error instanceof HitchError)) {
        log.warn('Something failed on a machine of the user’s own', { error: errorText(cause) });
      }
      const shown =
        error instanceof HitchError
          ? error
          : new HitchError('INTERNAL', 'Hitch failed to do this; the daemon’s log has the details.');
      become(entry, { state: 'failed', step: shown.message, problem: shown.toEnvelope() });
    }
  }

  #entry(id: string): Entry {
    const entry = this.#entries.get(id);
    if (entry === undefined) {
      throw new HitchError('NOT_FOUND', 'There is no such task, or the daemon was restarted since.', {
        next: 'Ask for it again.',
      });
    }
    return entry;
  }

  #forgetOldest(): void {
    for (const [id, { task }] of this.#entries) {
      if (this.#entries.size <= MOST_KEPT) {
        return;
      }
      if (isTaskOver(task)) {
        this.#entries.delete(id);
      }
    }
  }
}

/** What is over changes no more. */
function become(entry: Entry, change: Partial<MachineTask>): void {
  if (!isTaskOver(entry.task)) {
    entry.task = { ...entry.task, ...change };
  }
}
