/** Follows a copy that runs in the daemon until it is over, whatever happens to the daemon meanwhile. */
import type { HitchApi } from './client.ts';
import { type Conflict, type Copy, isCopyOver } from './copies.ts';
import { HitchError } from './errors.ts';

export interface CopyRun {
  readonly api: Pick<HitchApi, 'copies'>;
  /** Asks for the copy; asked again when the daemon that made it has died: what has arrived is not copied twice. */
  readonly start: () => Promise<Copy>;
  /** What to do with what stands in the way; null: nothing is to be copied. */
  readonly ask: (copy: Copy) => Promise<Conflict | null>;
  readonly onState?: (copy: Copy) => void;
  /** Cancels the copy. */
  readonly signal?: AbortSignal;
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
}

/** Tries without progress before giving up. */
const TRIES = 8;
const PAUSE_FIRST_MS = 250;
const PAUSE_LONGEST_MS = 10_000;
const LOOK_FIRST_MS = 20;
const LOOK_LONGEST_MS = 50;

/** The daemon is away, or another one has come that does not know this copy. */
const isLost = (error: unknown): boolean =>
  error instanceof HitchError &&
  (error.code === 'UNREACHABLE' || error.code === 'NOT_FOUND' || error.code === 'UNAUTHORIZED');

/**
 * @returns the copy as it ended: `done`, `cancelled`, or `failed` with its problem.
 * @throws HitchError when it could not be begun, or the daemon stayed away.
 */
export async function runCopy(run: CopyRun): Promise<Copy> {
  let copy = await run.start();
  let answered: Conflict | null = null;
  for (let tries = 0; ; tries++) {
    try {
      const ended = await follow(run, copy, news => {
        if (news.doneBytes + news.doneFiles > copy.doneBytes + copy.doneFiles) {
          tries = 0;
        }
        copy = news;
        run.onState?.(news);
      });
      if (ended.state !== 'asking') {
        return ended;
      }
      answered ??= await run.ask(ended);
      copy =
        answered === null
          ? await run.api.copies.cancel({ copyId: ended.id })
          : await run.api.copies.answer({ copyId: ended.id, conflict: answered });
    } catch (error) {
      if (run.signal?.aborted === true) {
        return cancelled(run, copy);
      }
      if (!isLost(error) || tries >= TRIES) {
        throw error;
      }
      await run
        .sleep(Math.min(PAUSE_FIRST_MS * 2 ** tries, PAUSE_LONGEST_MS), run.signal)
        .catch(() => undefined);
      copy = await known(run, copy);
    }
  }
}

/** The copy as the daemon has it; a new one where it has none. */
async function known(run: CopyRun, copy: Copy): Promise<Copy> {
  try {
    return await run.api.copies.get({ copyId: copy.id });
  } catch (error) {
    if (error instanceof HitchError && error.code === 'NOT_FOUND') {
      return run.start();
    }
    // The next try says so if it stays.
    return copy;
  }
}

/**
 * Asks how it is, now and again: a stream would hold one of the few connections that a browser grants.
 * @returns the copy once it is over or asks.
 */
async function follow(run: CopyRun, copy: Copy, onNews: (copy: Copy) => void): Promise<Copy> {
  const { api, signal } = run;
  for (let pauseMs = LOOK_FIRST_MS; ; pauseMs = Math.min(pauseMs * 2, LOOK_LONGEST_MS)) {
    signal?.throwIfAborted();
    const news = await api.copies.get({ copyId: copy.id }, signal === undefined ? {} : { signal });
    onNews(news);
    if (isCopyOver(news) || news.state === 'asking') {
      return news;
    }
    await run.sleep(pauseMs, signal);
  }
}

async function cancelled({ api }: CopyRun, copy: Copy): Promise<Copy> {
  try {
    return await api.copies.cancel({ copyId: copy.id });
  } catch (error) {
    // A daemon that has died has ended the copy too.
    if (isLost(error)) {
      return { ...copy, state: 'cancelled' };
    }
    throw error;
  }
}
