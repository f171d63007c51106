/**
 * Writing what is copied to a disk. Nothing is written through a link, nothing stands half in its place, and what stands
 * in the way is treated as the policy says and named.
 */
import { constants } from 'node:fs';
import { basename, dirname, join, sep } from 'node:path';
import { HitchError } from '@hitch/contract/src/errors.ts';
import { cutText } from '@hitch/contract/src/said.ts';
import { chmod, copyFile, open, rm, statfs } from './disk-now.ts';
import { codeOf, isFull, isPassing, reasonOf } from './disk-calls.ts';
import { hashOf } from './disk-source.ts';
import type { Entry, Standing, WritePolicy, Written } from './entry.ts';
import { type Checked, Folders, keptAbove, keptBefore, Skipped } from './folders.ts';
import { encodePath, partName, plainPath, storablePath } from './names.ts';
import type { OwnFiles } from './own-files.ts';
import { readPackedName, unpacked } from './packed.ts';
import {
  dirnameOf,
  inTurn,
  lstatOpen,
  named,
  standingAt,
  standingFolder,
  standingOf,
  type Place,
} from './place.ts';
import { Putting, type Result, result } from './putting.ts';
import type { Target } from './sides.ts';
import {
  NO_LINK,
  openAgain,
  openNew,
  removeParts,
  setMode,
  setTimes,
  storageProblem,
  writeFrom,
} from './writing.ts';

export interface DiskTargetOptions {
  /** The folder that targets are named from, absolute; '' is the folder itself. Nothing is written outside of it. */
  readonly base: string;
  /**
   * The folders of a target may be links, as long as they stay inside the base: whoever named it means what it leads to.
   * Else every folder below the base is a real one.
   */
  readonly throughLinks: boolean;
  readonly platform?: NodeJS.Platform;
  /** What earlier copies of the same run put there may be replaced by its newer state. */
  readonly own?: OwnFiles;
}

export class DiskTarget implements Target {
  readonly #root: string;
  readonly #throughLinks: boolean;
  readonly #platform: NodeJS.Platform;
  readonly #folders: Folders;
  readonly #own: OwnFiles | null;
  readonly #putting: Putting;

  constructor({ base, throughLinks, platform = process.platform, own }: DiskTargetOptions) {
    this.#root = base;
    this.#folders = new Folders(base);
    this.#throughLinks = throughLinks;
    this.#platform = platform;
    this.#own = own ?? null;
    this.#putting = new Putting(this.#folders, this.#own);
  }

  async look(to: readonly string[], entries: readonly Entry[]): Promise<Standing[]> {
    const places = entries.map(entry => this.#place(to, entry));
    const found = await lstatOpen(places);
    return Promise.all(
      entries.map((entry, index) =>
        standingOf(entry, found[index] ?? 'ENOENT', places[index]?.absolute ?? ''),
      ),
    );
  }

  async hash(
    to: readonly string[],
    entries: readonly Entry[],
    upTo: readonly number[],
    signal: AbortSignal,
  ): Promise<(string | null)[]> {
    const hashes: (string | null)[] = [];
    const places = entries.map(entry => this.#place(to, entry));
    const found = await lstatOpen(places);
    for (const [index, entry] of entries.entries()) {
      const [stats, absolute] = [found[index], places[index]?.absolute ?? ''];
      const file =
        typeof stats === 'object' && stats.isFile()
          ? await open(encodePath(absolute), constants.O_RDONLY | constants.O_NONBLOCK | NO_LINK).catch(
              () => null,
            )
          : null;
      hashes.push(file === null ? null : await hashOf(file, upTo[index] ?? entry.sizeBytes, signal));
    }
    return hashes;
  }

  async room(to: readonly string[]): Promise<number> {
    let least = Number.POSITIVE_INFINITY;
    for (const path of to) {
      const disk = await statfs(encodePath(await standingFolder(join(this.#root, path))));
      least = Math.min(least, disk.bavail * disk.bsize);
    }
    return least;
  }

  async write(
    to: readonly string[],
    entries: readonly Entry[],
    policy: WritePolicy,
    tar: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
    told: (written: Written) => void,
  ): Promise<void> {
    const checked: Checked = new Map();
    for (const [index, entry] of entries.entries()) {
      if (entry.kind !== 'file') {
        const made = this.#attempt(to, entry, policy, () =>
          this.#putting.makeOther(this.#place(to, entry), entry, policy, checked),
        );
        told({ index, ...(await made) });
      }
    }
    try {
      await this.#putFiles(to, entries, policy, unpacked(tar, signal), told, checked);
    } finally {
      this.#own?.flush();
    }
  }

  async #putFiles(
    to: readonly string[],
    entries: readonly Entry[],
    policy: WritePolicy,
    files: ReturnType<typeof unpacked>,
    told: (written: Written) => void,
    checked: Checked,
  ): Promise<void> {
    const seen = new Set<number>();
    for await (const { name, content } of files) {
      const read = readPackedName(name);
      const entry = read === null ? undefined : entries[read.index];
      if (read === null || entry === undefined || seen.has(read.index) || entry.kind !== 'file') {
        throw new HitchError(
          'BAD_INPUT',
          `The stream brings “${cutText(plainPath(name), 80)}”, which nobody asked for.`,
        );
      }
      const { index } = read;
      seen.add(index);
      if ('miss' in read) {
        told({ index, ...result(read.miss, { detail: read.detail }) });
        continue;
      }
      const { modifiedAtMs, mode, changed } = read;
      const fresh = { ...entry, modifiedAtMs, mode, sizeBytes: content.length };
      const written = await this.#attempt(to, entry, policy, () =>
        this.#putting.putSmall(this.#place(to, fresh), fresh, content, policy, checked),
      );
      told({ index, ...written, changed });
    }
    const missing = entries.findIndex((entry, index) => entry.kind === 'file' && !seen.has(index));
    if (missing >= 0) {
      throw new HitchError('UNREACHABLE', 'The stream of files broke off on the way.');
    }
  }

  async part(to: readonly string[], entry: Entry): Promise<number> {
    const { base, below } = this.#place(to, entry);
    const part = this.#part(to, entry);
    const beside = [dirnameOf(below), basename(part)].filter(name => name !== '').join('/');
    const [stats] = await lstatOpen([{ base, below: beside, absolute: part }]);
    return typeof stats === 'object' && stats.isFile() ? stats.size : 0;
  }

  async partHash(to: readonly string[], entry: Entry, signal: AbortSignal): Promise<string | null> {
    const length = await this.part(to, entry);
    const file = await open(
      encodePath(this.#part(to, entry)),
      constants.O_RDONLY | constants.O_NONBLOCK | NO_LINK,
    ).catch(() => null);
    return file === null ? null : hashOf(file, length, signal);
  }

  async append(
    to: readonly string[],
    entry: Entry,
    offset: number,
    policy: WritePolicy,
    bytes: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ): Promise<Written> {
    const part = this.#part(to, entry);
    const written = await this.#attempt(to, entry, policy, async () => {
      const { base, below } = this.#place(to, entry);
      await this.#folders.ensure(base, dirnameOf(below), new Map(), policy);
      try {
        const file = await (offset === 0 ? openNew(part) : openAgain(part));
        try {
          return result('copied', { bytes: await writeFrom(file, offset, bytes, signal) });
        } finally {
          await file.close();
        }
      } catch (error) {
        if (isFull(error)) {
          // What has arrived would keep the disk full for everything else.
          await rm(encodePath(part), { force: true });
        }
        throw error;
      }
    });
    return { index: 0, ...written };
  }

  async place(to: readonly string[], entry: Entry, policy: WritePolicy): Promise<Written> {
    const place = this.#place(to, entry);
    const written = await this.#attempt(to, entry, policy, () =>
      inTurn(place.absolute, () => this.#placeNow(place, this.#part(to, entry), entry, policy)),
    );
    if (written.state === 'copied') {
      await removeParts(place.absolute);
    }
    this.#own?.flush();
    return { index: 0, ...written };
  }

  async #placeNow(place: Place, part: string, entry: Entry, policy: WritePolicy): Promise<Result> {
    const { base, below, absolute } = place;
    await this.#folders.ensure(base, dirnameOf(below), new Map(), policy);
    const standing = await standingAt(absolute);
    if (
      standing?.isFile() === true &&
      standing.size === entry.sizeBytes &&
      (await standingAt(part)) === null
    ) {
      // It was put there before, and nobody heard of it.
      return result('copied', {
        ...(await keptBefore(place, policy)),
        ...named(place),
        bytes: entry.sizeBytes,
      });
    }
    if (standing !== null && policy.conflict === 'skip') {
      await rm(encodePath(part), { force: true });
      return result('skipped');
    }
    const kept = await this.#putting.putPart(part, place, entry, standing, policy);
    return result('copied', { ...kept, ...named(place), bytes: entry.sizeBytes });
  }

  async forget(to: readonly string[], entry: Entry): Promise<void> {
    const place = this.#place(to, entry);
    const [found] = await lstatOpen([place]);
    if (found !== 'ENOTDIR') {
      await removeParts(place.absolute);
    }
  }

  async settle(to: readonly string[], entries: readonly Entry[]): Promise<number[]> {
    const places = entries.map(entry => this.#place(to, entry));
    const found = await lstatOpen(places);
    const missing: number[] = [];
    for (const [index, entry] of entries.entries()) {
      const [place, stats = 'ENOENT'] = [places[index], found[index]];
      // The folder that a person chose for all to go into keeps its own time and mode.
      if (place === undefined || place.below === '') {
        continue;
      }
      const path = encodePath(place.absolute);
      if (typeof stats === 'string') {
        const isMade = entry.kind !== 'link' || (stats === 'ENOENT' && (await copyLinked(place, entry)));
        missing.push(...(isMade ? [] : [index]));
      } else if (entry.kind === 'folder' && stats.isDirectory()) {
        // A folder that cannot be given its time has all that is in it nevertheless.
        await setTimes(path, entry.modifiedAtMs).catch(() => undefined);
        if ((stats.mode & 0o777) !== entry.mode) {
          await chmod(path, entry.mode).catch(() => undefined);
        }
      } else if (entry.kind === 'file' && stats.isFile()) {
        await setMode(place.absolute, stats, entry).catch(() => undefined);
      }
    }
    return missing;
  }

  // ---- where things go

  #place(to: readonly string[], entry: Entry): Place {
    const target = to[entry.root];
    if (target === undefined || target.split('/').includes('..')) {
      throw new HitchError('BAD_INPUT', `There is no target ${entry.root.toString()} to write to.`);
    }
    const folder = this.#throughLinks ? dirnameOf(target) : '';
    const own = folder === '' ? target : target.slice(folder.length + 1);
    const wanted = [own, entry.path].filter(part => part !== '').join('/');
    const below = storablePath(wanted, this.#platform);
    const base = folder === '' ? this.#root : join(this.#root, folder);
    return { base, below, absolute: below === '' ? base : join(base, below), renamed: below !== wanted };
  }

  #part(to: readonly string[], entry: Entry): string {
    const { absolute } = this.#place(to, entry);
    const version = `${entry.sizeBytes.toString()} ${entry.modifiedAtMs.toString()}`;
    return join(dirname(absolute), partName(basename(absolute), version));
  }

  // ---- one entry

  /** What fails for one file is told of that file; what fails for all is thrown. */
  async #attempt(
    to: readonly string[],
    entry: Entry,
    policy: WritePolicy,
    run: () => Promise<Result>,
  ): Promise<Result> {
    try {
      const done = await run();
      return entry.path === '' ? { ...(await keptAbove(this.#place(to, entry), policy)), ...done } : done;
    } catch (error) {
      if (error instanceof Skipped) {
        return result('skipped');
      }
      if (error instanceof HitchError || isFull(error) || codeOf(error) === '') {
        throw storageProblem(error, this.#place(to, entry).absolute);
      }
      if (isPassing(error)) {
        throw new HitchError(
          'UNREACHABLE',
          `The system cannot write files at the moment (${codeOf(error)}).`,
          {
            cause: error,
          },
        );
      }
      return result('unreadable', { detail: `cannot be written: ${reasonOf(error)}` });
    }
  }
}

/** Where links cannot be made: a copy of the file that the link leads to, which has arrived by now. */
async function copyLinked({ base, absolute }: Place, { target = '' }: Entry): Promise<boolean> {
  const from = join(dirname(absolute), ...target.split('/'));
  if (target.startsWith('/') || !from.startsWith(join(base, sep))) {
    return false;
  }
  return copyFile(encodePath(from), encodePath(absolute), constants.COPYFILE_EXCL).then(
    () => true,
    () => false,
  );
}
