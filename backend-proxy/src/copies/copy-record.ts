/** One copy as it stands: what clients see of it, and the names of what was not simply copied. */
import { appendFile, mkdir, open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import {
  type Account,
  type Conflict,
  type Copy,
  HitchError,
  isCopyOver,
  NAMES_IN_ACCOUNT,
  type Outcome,
  type OutcomeName,
  outcomeNameSchema,
  outcomeSchema,
} from '@hitch/contract';
import type { Totals } from '@hitch/transfer';
import { type Log, errorText } from '@hitch/platform/src/log.ts';

const lineSchema = outcomeNameSchema.extend({ outcome: outcomeSchema });

type Begun = Pick<Copy, 'id' | 'clusterId' | 'kind' | 'sources' | 'target' | 'startedAtMs'>;

const noAccount = (): Account => ({ copiedFiles: 0, copiedBytes: 0, sameFiles: 0, outcomes: {} });
const nothingInTheWay = { count: 0, names: [] };

export class CopyRecord {
  readonly #file: string;
  readonly #log: Log;
  readonly #listeners = new Set<() => void>();
  readonly #controller = new AbortController();
  #copy: Copy;
  #account = noAccount();
  #waitingNames: string[] = [];
  #writing: Promise<void> = Promise.resolve();
  #answer: ((conflict: Conflict) => void) | null = null;
  /** Why it does not go on at the moment; null: it does. */
  holding: string | null = null;
  /** Until when it is tried; null: it has no such end. */
  untilMs: number | null = null;

  /** @param file for names beyond those that the account holds; made when there are such. */
  constructor(begun: Begun, file: string, log: Log) {
    this.#file = file;
    this.#log = log;
    this.#copy = {
      ...begun,
      state: 'listing',
      files: 0,
      bytes: 0,
      inTheWay: nothingInTheWay,
      doneFiles: 0,
      doneBytes: 0,
      endedAtMs: null,
      account: noAccount(),
      problem: null,
    };
  }

  get copy(): Copy {
    return { ...this.#copy, account: structuredClone(this.#account) };
  }

  /** The account with its names once it is over; before that they are many words for a few clients that look often. */
  get shown(): Copy {
    const { copiedFiles, copiedBytes, sameFiles } = this.#account;
    const counts = { copiedFiles, copiedBytes, sameFiles, outcomes: {} };
    return this.isOver ? this.copy : { ...this.#copy, account: counts };
  }

  /** As it is kept, without its account. */
  get brief(): Copy {
    return this.#copy;
  }

  countOf(outcome: Outcome): number {
    return this.#account.outcomes[outcome]?.count ?? 0;
  }

  get isOver(): boolean {
    return isCopyOver(this.#copy);
  }

  /** Aborted when the person cancels it, or nobody needs it any more. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  cancel(reason: Error): void {
    this.#controller.abort(reason);
  }

  /** Calls back at each change until the returned function is called. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  state(state: Copy['state']): void {
    this.#set({ state });
  }

  /** Begins the account anew, for another try of the whole. */
  anew(): void {
    this.#account = noAccount();
    this.#waitingNames = [];
    this.#writing = this.#writing.then(() => rm(this.#file, { force: true })).catch(() => undefined);
    this.#set({
      state: 'listing',
      files: 0,
      bytes: 0,
      inTheWay: nothingInTheWay,
      doneFiles: 0,
      doneBytes: 0,
    });
  }

  listed({ files, bytes, inTheWay, sameFiles }: Totals): void {
    this.#account.sameFiles = sameFiles;
    this.#set({ files, bytes, inTheWay: { count: inTheWay.count, names: [...inTheWay.names] } });
  }

  /** Waits for the person's answer about what is in the way. */
  ask(): Promise<Conflict | null> {
    return new Promise((resolve, reject) => {
      const given = (): void => reject(asError(this.signal.reason));
      this.#answer = conflict => {
        this.signal.removeEventListener('abort', given);
        this.#answer = null;
        this.#set({ state: 'copying' });
        resolve(conflict);
      };
      this.signal.addEventListener('abort', given, { once: true });
      this.#set({ state: 'asking' });
    });
  }

  /** @throws HitchError CONFLICT when nothing is asked. */
  answer(conflict: Conflict): void {
    if (this.#answer === null) {
      throw new HitchError('CONFLICT', 'This copy does not ask anything.', { field: 'conflict' });
    }
    this.#answer(conflict);
  }

  moved(bytes: number): void {
    this.holding = null;
    const state = this.#copy.state === 'listing' ? 'copying' : this.#copy.state;
    this.#set({ state, doneBytes: this.#copy.doneBytes + bytes });
  }

  file(state: 'copied' | 'same', bytes: number): void {
    if (state === 'copied') {
      this.#account.copiedFiles += 1;
      this.#account.copiedBytes += bytes;
    } else {
      this.#account.sameFiles += 1;
    }
    this.#set({ doneFiles: this.#copy.doneFiles + 1 });
  }

  outcome(outcome: Outcome, path: string, detail: string): void {
    const found = (this.#account.outcomes[outcome] ??= { count: 0, names: [] });
    found.count += 1;
    if (found.count <= NAMES_IN_ACCOUNT) {
      found.names.push({ path, detail });
    } else {
      this.#waitingNames.push(`${JSON.stringify({ outcome, path, detail })}\n`);
      if (this.#waitingNames.length >= 1_000) {
        this.#flushNames();
      }
    }
  }

  async end(state: 'done' | 'failed' | 'cancelled', atMs: number, problem: HitchError | null): Promise<void> {
    this.#flushNames();
    await this.#writing;
    this.holding = null;
    this.#set({ state, endedAtMs: atMs, problem: problem?.toEnvelope() ?? null, account: this.#account });
  }

  /** All names of an outcome from `after` on, `limit` at most. */
  async names(
    outcome: Outcome,
    after: number,
    limit: number,
  ): Promise<{ names: OutcomeName[]; next: number | null }> {
    const found = this.#account.outcomes[outcome];
    const count = found?.count ?? 0;
    const names = (found?.names ?? []).slice(after, after + limit);
    if (names.length < limit && after + names.length < count) {
      const skipped = Math.max(0, after + names.length - NAMES_IN_ACCOUNT);
      names.push(...(await this.#namesOnDisk(outcome, skipped, limit - names.length)));
    }
    const next = after + names.length;
    return { names, next: names.length === 0 || next >= count ? null : next };
  }

  async forget(): Promise<void> {
    await this.#writing;
    await rm(this.#file, { force: true });
  }

  async #namesOnDisk(outcome: Outcome, skip: number, limit: number): Promise<OutcomeName[]> {
    this.#flushNames();
    await this.#writing;
    const names: OutcomeName[] = [];
    const file = await open(this.#file).catch(() => null);
    let passed = 0;
    try {
      for await (const line of file?.readLines() ?? []) {
        const { outcome: of, ...name } = lineSchema.parse(JSON.parse(line));
        if (of === outcome && passed++ >= skip) {
          names.push(name);
          if (names.length >= limit) {
            break;
          }
        }
      }
    } finally {
      await file?.close().catch(() => undefined);
    }
    return names;
  }

  #flushNames(): void {
    const lines = this.#waitingNames;
    if (lines.length === 0) {
      return;
    }
    this.#waitingNames = [];
    this.#writing = this.#writing
      .then(async () => {
        await mkdir(dirname(this.#file), { recursive: true, mode: 0o700 });
        await appendFile(this.#file, lines.join(''), { mode: 0o600 });
      })
      .catch((error: unknown) => {
        this.#log.warn('The names of a copy cannot be kept; their count is right.', {
          error: errorText(error),
        });
      });
  }

  #set(patch: Partial<Copy>): void {
    this.#copy = { ...this.#copy, ...patch };
    this.#listeners.forEach(listener => listener());
  }
}

export const asError = (reason: unknown): Error =>
  reason instanceof Error ? reason : new Error('The copy was given up.');
