/**
 * One copy, either way. First the manifest: everything below the roots, and what stands in its place at the other end.
 * Then the question, where something is in the way. Then the content: small files many at a time in one stream, large
 * ones by themselves and from where they broke off. What fails for one file is that file's; what fails because nobody
 * answered is asked again as long as the host wants it.
 */
import type { Conflict, Outcome } from '@hitch/contract/src/copies.ts';
import { HitchError } from '@hitch/contract/src/errors.ts';
import { bytes as bytesWords } from '@hitch/contract/src/format.ts';
import type { CopyPlan } from './copy-plan.ts';
import {
  type Entry,
  isOmission,
  type Omission,
  pathOf,
  SMALL_BYTES,
  type WritePolicy,
  type Written,
} from './entry.ts';
import { moveLarge } from './large-file.ts';
import { plainPath } from './names.ts';
import { RoomWatch } from './room-watch.ts';
import { Spool, type Spooled } from './spool.ts';
import { standingOf } from './standing.ts';
import { Streams } from './streams.ts';
import { Marks, Sums, type Totals, type Work } from './totals.ts';

export interface CopyHost {
  readonly signal: AbortSignal;
  /** For what a copy remembers on this computer; `name` is of this copy alone. */
  readonly spool: { readonly folder: string; readonly name: string };
  /** Called as the manifest grows, and once it is whole. */
  readonly listed: (totals: Totals) => void;
  /** What to do with what is in the way; null: nothing is to be copied. */
  readonly ask: (totals: Totals) => Promise<Conflict | null>;
  /** So many more bytes have arrived; fewer, where a file begins anew. */
  readonly moved: (bytes: number) => void;
  /** One more file is here, or was already and needed no copy after all. */
  readonly file: (state: 'copied' | 'same', bytes: number) => void;
  readonly outcome: (outcome: Outcome, path: string, detail: string) => void;
  /** Nobody answered: waits for another try. @throws the error when there is none. */
  readonly again: (error: unknown) => Promise<void>;
}

/** Entries that are looked at, or sent, together. */
const BATCH_ENTRIES = 250;
const BATCH_BYTES = 16 * 1024 * 1024;
/** Streams under way at once. */
const STREAMS = 2;

/** @returns false when the person wanted nothing copied. @throws HitchError when it could not go on; the account stands. */
export async function copyTree(plan: CopyPlan, host: CopyHost): Promise<boolean> {
  const copy = new CopyRun(plan, host);
  try {
    return await copy.run();
  } finally {
    await copy.close();
  }
}

/** An entry with its place in the manifest. */
interface Item extends Spooled {
  readonly at: number;
}

class CopyRun {
  readonly #plan: CopyPlan;
  readonly #host: CopyHost;
  readonly #failed = new AbortController();
  /** Kept here: a signal made of others may be collected while somebody still listens. */
  readonly #signal: AbortSignal;
  readonly #room: RoomWatch;
  readonly #done = new Marks();
  readonly #linksLater: Entry[] = [];
  #spool: Spool | null = null;
  #policy: WritePolicy;

  constructor(plan: CopyPlan, host: CopyHost) {
    this.#plan = plan;
    this.#host = host;
    this.#signal = AbortSignal.any([host.signal, this.#failed.signal]);
    this.#room = new RoomWatch(plan, this.#signal, error => this.#failed.abort(error));
    this.#policy = { conflict: plan.conflict ?? 'keep-both', stamp: plan.stamp };
  }

  async run(): Promise<boolean> {
    const { spool, totals, work } = await this.#again(() => this.#list());
    try {
      if (this.#plan.conflict === null && totals.inTheWay.count > 0) {
        const conflict = await this.#host.ask(totals);
        if (conflict === null) {
          return false;
        }
        this.#policy = { ...this.#policy, conflict };
      }
      await this.#checkRoom(totals);
      if (work !== 'none') {
        await this.#moveAll(spool);
        await this.#settle(spool);
      }
      return true;
    } catch (error) {
      await this.#tellRest(spool);
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#spool?.close();
  }

  /** Runs what may be asked again when nobody answered. */
  async #again<T>(run: () => Promise<T>): Promise<T> {
    for (;;) {
      this.#signal.throwIfAborted();
      try {
        return await run();
      } catch (error) {
        this.#signal.throwIfAborted();
        if (!(error instanceof HitchError && error.code === 'UNREACHABLE')) {
          throw error;
        }
        await this.#host.again(error);
      }
    }
  }

  // ---- the manifest

  async #list(): Promise<{ spool: Spool; totals: Totals; work: Work }> {
    const plan = this.#plan;
    const { spool: place } = this.#host;
    await this.#spool?.close();
    this.#spool = null;
    const spool = await Spool.create(place.folder, place.name);
    this.#spool = spool;
    const sums = new Sums();
    const omissions: Omission[] = [];
    let batch: Entry[] = [];
    const look = async (entries: readonly Entry[]): Promise<void> => {
      const standing = await standingOf(plan, entries, this.#signal);
      const spooled = entries.map((entry, index) => ({ entry, standing: standing[index] ?? 'missing' }));
      spooled.forEach(each => sums.add(each, plainPath(pathOf(plan.to, each.entry))));
      await spool.add(spooled);
      this.#host.listed(sums.totals());
    };
    // One batch is looked at while the next is listed.
    let looking = Promise.resolve();
    const lookNext = async (): Promise<void> => {
      const entries = batch;
      batch = [];
      await looking;
      looking = look(entries);
      looking.catch(() => undefined);
    };
    for await (const listed of plan.source.list(plan.roots, plan.rules, this.#signal)) {
      for (const each of listed) {
        if (!isOmission(each)) {
          batch.push(each);
        } else if (omissions.length < MOST_OMISSIONS) {
          omissions.push(each);
        } else {
          throw tooManyOmissions(each, this.#pathOf(each));
        }
      }
      if (batch.length >= BATCH_ENTRIES) {
        await lookNext();
      }
    }
    await lookNext();
    await looking;
    const missing = omissions.find(({ path, omitted }) => path === '' && omitted === 'gone');
    if (missing !== undefined && plan.missing !== undefined) {
      throw plan.missing(plan.roots[missing.root] ?? '');
    }
    // Only a whole manifest counts: one that broke off is made again.
    omissions.forEach(each => this.#outcome(each.omitted, each, each.detail));
    return { spool, totals: sums.totals(), work: sums.work };
  }

  async #checkRoom({ bytes }: Totals): Promise<void> {
    const { target, to, spareBytes } = this.#plan;
    if (bytes === 0) {
      return;
    }
    const room = await this.#again(() => target.room(to, this.#signal));
    if (room - spareBytes < bytes) {
      throw new HitchError(
        'STORAGE_FULL',
        `There is no room at ${plainPath(to[0] ?? '') || 'the work folder'}: ${bytesWords(bytes)} are to be copied, ${bytesWords(Math.max(0, room))} are free.`,
        { next: `Free some space there; ${bytesWords(spareBytes)} stay free in any case.` },
      );
    }
  }

  // ---- the content

  async #moveAll(spool: Spool): Promise<void> {
    const streams = new Streams(STREAMS, error => this.#failed.abort(error));
    let batch: Item[] = [];
    let bytes = 0;
    const send = async (): Promise<void> => {
      const items = batch;
      batch = [];
      bytes = 0;
      if (items.length > 0) {
        await streams.add(() => this.#moveSmall(items));
      }
    };
    for await (const item of items(spool)) {
      const { entry } = item;
      if (this.#needsNothing(item)) {
        continue;
      }
      if (entry.kind === 'file' && entry.sizeBytes > SMALL_BYTES) {
        await streams.add(() => this.#moveLarge(item));
        continue;
      }
      batch.push(item);
      bytes += entry.sizeBytes;
      if (batch.length >= BATCH_ENTRIES || bytes >= BATCH_BYTES) {
        await send();
      }
    }
    await send();
    await streams.done();
  }

  #needsNothing({ entry, standing, at }: Item): boolean {
    if (standing === 'same' || standing === 'touch') {
      this.#done.add(at);
      return true;
    }
    if (standing !== 'missing' && this.#policy.conflict === 'skip' && entry.kind !== 'folder') {
      this.#done.add(at);
      this.#outcome('skipped', entry, '');
      return true;
    }
    return false;
  }

  /** Asked again, it brings what is still missing of these. */
  async #moveSmall(batch: readonly Item[]): Promise<void> {
    const { source, target, roots, to } = this.#plan;
    const grown: Item[] = [];
    let tries = 0;
    await this.#again(async () => {
      tries += 1;
      const left = batch.filter(({ at }) => !this.#done.has(at));
      const entries = left.map(({ entry }) => entry);
      const tar = source.read(roots, entries, this.#signal);
      await target.write(to, entries, this.#policy, tar, this.#signal, written => {
        const item = left[written.index];
        if (item === undefined || this.#done.has(item.at)) {
          return;
        }
        this.#done.add(item.at);
        if (written.state === 'grown') {
          grown.push(item);
        } else {
          // What is there by now came with a try whose answer was lost.
          const cameBefore = written.state === 'same' && tries > 1;
          const told: Written = cameBefore
            ? { ...written, state: 'copied', bytes: item.entry.sizeBytes }
            : written;
          this.#moved(told.bytes);
          this.#written(item.entry, told);
        }
      });
    });
    for (const item of grown) {
      await this.#moveLarge(item);
    }
  }

  async #moveLarge({ entry, at }: Item): Promise<void> {
    await moveLarge(entry, {
      plan: this.#plan,
      policy: this.#policy,
      signal: this.#signal,
      ended: this.#host.signal,
      path: this.#pathOf(entry),
      again: run => this.#again(run),
      moved: bytes => this.#moved(bytes),
      settled: () => this.#room.settled(),
      written: (each, written) => this.#written(each, written),
      outcome: (outcome, each, detail) => this.#outcome(outcome, each, detail),
    });
    this.#done.add(at);
  }

  /** Folders get their times once all is in them; those that may not be written to go last, the deepest first. */
  async #settle(spool: Spool): Promise<void> {
    const { target, to } = this.#plan;
    const closed: Entry[] = [];
    const send = async (entries: readonly Entry[]): Promise<void> => {
      if (entries.length > 0) {
        const missing = await this.#again(() => target.settle(to, entries, this.#signal));
        const left = missing.flatMap(index => entries[index] ?? []);
        left.forEach(entry => this.#outcome('leftOut', entry, 'a link, which cannot be made there'));
      }
    };
    await send(this.#linksLater);
    let batch: Entry[] = [];
    for await (const { entry, standing } of spool.read()) {
      if (entry.kind === 'folder' && (entry.mode & 0o300) !== 0o300) {
        closed.push(entry);
      } else if (entry.kind === 'folder' || standing === 'touch') {
        batch.push(entry);
      }
      if (batch.length >= BATCH_ENTRIES) {
        await send(batch);
        batch = [];
      }
    }
    await send(batch);
    await send(closed.reverse());
  }

  #moved(bytes: number): void {
    this.#host.moved(bytes);
    this.#room.moved(bytes);
  }

  // ---- the account

  /** What the copy did not come to. */
  async #tellRest(spool: Spool): Promise<void> {
    for await (const { entry, at, standing } of items(spool)) {
      if (!this.#done.has(at) && entry.kind !== 'folder' && standing !== 'same' && standing !== 'touch') {
        this.#outcome('notCopied', entry, '');
      }
    }
  }

  #written(entry: Entry, written: Written): void {
    const path = this.#pathOf(entry);
    const { state } = written;
    if (state === 'linkLater') {
      this.#linksLater.push(entry);
    } else if (state !== 'copied' && state !== 'same' && state !== 'grown') {
      this.#host.outcome(state, path, written.detail);
    } else if (entry.kind === 'file') {
      this.#host.file(state === 'same' ? 'same' : 'copied', written.bytes);
    }
    if (entry.outside === true && entry.kind === 'link') {
      this.#host.outcome('outsideLink', path, plainPath(entry.target ?? ''));
    }
    if (written.changed) {
      this.#host.outcome('changed', path, '');
    }
    if (written.as !== undefined) {
      this.#host.outcome('renamed', path, written.as);
    }
    if (written.keptAs !== undefined) {
      this.#host.outcome('keptBeside', path, written.keptAs);
    }
  }

  #outcome(outcome: Outcome, at: Pick<Entry, 'root' | 'path'>, detail: string): void {
    this.#host.outcome(outcome, this.#pathOf(at), detail);
  }

  #pathOf(at: Pick<Entry, 'root' | 'path'>): string {
    return plainPath(pathOf(this.#plan.roots, at)) || '.';
  }
}

/** More things that cannot be read, in a place that can, are a tree that lies. */
const MOST_OMISSIONS = 1_000_000;

const tooManyOmissions = (omission: Omission, path: string): HitchError =>
  new HitchError(
    'TOO_LARGE',
    `More than a million things cannot be copied (${omission.omitted}), such as ${path}.`,
    {
      next: 'Name the folders you need one by one.',
    },
  );

async function* items(spool: Spool): AsyncGenerator<Item> {
  let at = 0;
  for await (const spooled of spool.read()) {
    yield { ...spooled, at };
    at += 1;
  }
}
