/** How a copy ends before all of it is there, and what is waited for until then. */
import { HitchError } from '@hitch/contract';
import type { CopyHost } from '@hitch/transfer';
import { asError, type CopyRecord } from './copy-record.ts';

const UNREADABLE_TRIES = 3;

export const isUnreachable = (error: unknown): boolean =>
  error instanceof HitchError && error.code === 'UNREACHABLE';

/** Why somebody ended it. */
export function endedBy({ signal }: CopyRecord): HitchError {
  const reason = asError(signal.reason);
  return reason instanceof HitchError ? reason : new HitchError('UNREACHABLE', reason.message);
}

/** Why a save that has time left begins once more; null: it does not. */
export function whyAgain(record: CopyRecord, problem: HitchError | null, tries: number): string | null {
  // A disk that is full, or a folder that cannot be made: the person can mend both.
  if (problem?.code === 'STORAGE_FULL' || problem?.code === 'CONFLICT') {
    return problem.message;
  }
  // A disk that hiccups or a file in use may be better a moment later; a file that is forbidden stays so.
  return problem === null && record.countOf('unreadable') > 0 && tries < UNREADABLE_TRIES
    ? 'some files cannot be read, and are tried again'
    : null;
}

/** The person ended it. */
export class Cancelled extends HitchError {
  constructor() {
    super('CONFLICT', 'The copy was cancelled.');
  }
}

/** The person wanted nothing copied, because of what is in the way. */
export class Declined extends HitchError {
  constructor() {
    super('CONFLICT', 'Nothing was copied.');
  }
}

export async function prepareFor(
  prepare: () => Promise<void>,
  again: CopyHost['again'],
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    try {
      await prepare();
      return;
    } catch (error) {
      if (!isUnreachable(error)) {
        throw error;
      }
      await again(error);
    }
  }
}

export function untilOver(record: CopyRecord): Promise<void> {
  return new Promise(done => {
    const stop = record.onChange(() => {
      if (record.isOver) {
        stop();
        done();
      }
    });
  });
}

export const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise(done => {
    if (signal.aborted) {
      done();
    } else {
      signal.addEventListener('abort', () => done(), { once: true });
    }
  });

/** What hangs in a disk is left to itself once it is not wanted any more. */
export const orAborted = <T>(work: Promise<T>, signal: AbortSignal): Promise<T> =>
  Promise.race([
    work,
    aborted(signal).then(() => {
      throw asError(signal.reason);
    }),
  ]);
