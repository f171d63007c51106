/**
 * Writing what is copied to a disk. Nothing is written through a link, nothing stands half in its place, and what stands
 * in the way is treated as the policy says and named.
 */
import { constants, type Stats } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import { HitchError } from '@hitch/contract/src/errors.ts';
import { extract } from 'tar-stream';
import {
  chmod,
  copyFile,
  link,
  lstat,
  lstatAtOnce,
  lstatOrNone,
  lutimes,
  mkdir,
  open,
  type OpenedFile,
  readFile,
  readdir,
  readlink,
  realpath,
  rename,
  renameAtOnce,
  rm,
  stat,
  statfs,
  symlink,
  utimes,
} from './disk-now.ts';
import { codeOf, isFull, isMissing, isPassing, lstatAll, reasonOf, timeOf } from './disk-calls.ts';
import { hashOf } from './disk-source.ts';
import {
  type Entry,
  isSameTime,
  SMALL_BYTES,
  type Standing,
  type WritePolicy,
  type Written,
} from './entry.ts';
import { datedName, decodeName, encodePath, partName, partStem, plainPath, storablePath } from './names.ts';
import { passed } from './garbage.ts';
import type { OwnFile, OwnFiles } from './own-files.ts';
import { bytesOf, readPackedName } from './packed.ts';
import type { Target } from './sides.ts';

const NO_LINK = constants.O_NOFOLLOW;
const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | NO_LINK;
/** Files that are written at the same time, and what they may hold together. */
const AT_ONCE = 16;
const AT_ONCE_BYTES = 2 * SMALL_BYTES;
/** So many zeros that arrive in one piece become a hole; pieces from far away are small. */
const HOLE_BYTES = 4 * 1024;
const ZEROS = Buffer.alloc(64 * 1024);

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

type Result = Omit<Written, 'index'>;

const result = (state: Written['state'], more: Partial<Result> = {}): Result => ({
  state,
  detail: '',
  bytes: 0,
  changed: false,
  ...more,
});

/** Folders that were looked at in this call: real ones, with no link on the way from their root. */
type Checked = Map<string, Promise<void>>;

export class DiskTarget implements Target {
  readonly #root: string;
  readonly #throughLinks: boolean;
  readonly #platform: NodeJS.Platform;
  /** Folders that things were written to, by the number that the disk has for each, however it is called. */
  readonly #entered = new Set<number>();
  readonly #own: OwnFiles | null;

  constructor({ base, throughLinks, platform = process.platform, own }: DiskTargetOptions) {
    this.#root = base;
    this.#throughLinks = throughLinks;
    this.#platform = platform;
    this.#own = own ?? null;
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
          ? await open(encodePath(absolute), constants.O_RDONLY | NO_LINK).catch(() => null)
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
        const made = this.#attempt(to, entry, policy, () => this.#makeOther(to, entry, policy, checked));
        told({ index, ...(await made) });
      }
    }
    const work = new Limited(AT_ONCE, AT_ONCE_BYTES);
    try {
      await this.#putFiles(to, entries, policy, unpacked(tar, signal), told, { checked, work });
    } finally {
      // Nobody may hear of a file after all is said to be over.
      await work.settled();
      this.#own?.flush();
    }
    work.check();
  }

  async #putFiles(
    to: readonly string[],
    entries: readonly Entry[],
    policy: WritePolicy,
    files: ReturnType<typeof unpacked>,
    told: (written: Written) => void,
    { checked, work }: { readonly checked: Checked; readonly work: Limited },
  ): Promise<void> {
    const seen = new Set<number>();
    for await (const { name, content } of files) {
      const read = readPackedName(name);
      const entry = read === null ? undefined : entries[read.index];
      if (read === null || entry === undefined || seen.has(read.index) || entry.kind !== 'file') {
        throw new HitchError(
          'BAD_INPUT',
          `The stream brings “${plainPath(name).slice(0, 80)}”, which nobody asked for.`,
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
      await work.add(content.length, async () => {
        const written = await this.#attempt(to, entry, policy, () =>
          this.#putFile(to, fresh, content, policy, checked),
        );
        told({ index, ...written, changed });
      });
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
    const file = await open(encodePath(this.#part(to, entry)), constants.O_RDONLY | NO_LINK).catch(
      () => null,
    );
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
      await this.#ensureFolder(base, dirnameOf(below), new Map(), policy);
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
    await this.#ensureFolder(base, dirnameOf(below), new Map(), policy);
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
    const kept = await this.#putInPlace(part, place, entry, standing, policy);
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

  /** Makes a folder below a base and those on the way to it. @throws Skipped, or HitchError when it would lie elsewhere. */
  async #ensureFolder(base: string, below: string, checked: Checked, policy: WritePolicy): Promise<void> {
    await once(checked, base, () => this.#makeBase(base));
    let at = base;
    for (const name of below === '' ? [] : below.split('/')) {
      at = join(at, name);
      const folder = at;
      await once(checked, folder, () => inTurn(folder, () => this.#makeRealFolder(folder, policy)));
    }
  }

  async #makeRealFolder(folder: string, policy: WritePolicy): Promise<void> {
    if (this.#enter(folder)) {
      return;
    }
    if ((await standingAt(folder)) !== null) {
      if (policy.conflict === 'skip') {
        throw new Skipped();
      }
      await this.#keepBeside(folder, policy.stamp);
      await rm(encodePath(folder), { force: true });
    }
    await mkdir(encodePath(folder)).catch((error: unknown) => {
      if (codeOf(error) !== 'EEXIST') {
        throw storageProblem(error, folder);
      }
    });
    if (!this.#enter(folder)) {
      throw inUse(folder);
    }
  }

  /** Whether it is a real folder. From here on nothing of this copy takes its place: what lies in it goes by its path. */
  #enter(folder: string): boolean {
    const stats = lstatAtOnce(encodePath(folder));
    if (stats?.isDirectory() !== true) {
      return false;
    }
    this.#entered.add(stats.ino);
    return true;
  }

  /** Gives what stands at a path a second name with the date, which is returned. The first is to be taken over next. */
  async #keepBeside(absolute: string, stamp: string): Promise<string> {
    const [folder, name] = [dirname(absolute), basename(absolute)];
    for (let number = 0; ; number++) {
      const dated = datedName(name, stamp, number);
      const beside = encodePath(join(folder, dated));
      if ((await lstatOrNone(beside).catch(() => null)) !== null) {
        continue;
      }
      try {
        await link(encodePath(absolute), beside);
      } catch (error) {
        if (codeOf(error) === 'EEXIST') {
          continue;
        }
        // A folder, or a disk without second links.
        this.#setAside(absolute, beside);
      }
      return dated;
    }
  }

  /** @throws an error of the system's kind where other things of this copy are in it: a link there would lead them astray. */
  #setAside(absolute: string, beside: string | Buffer): void {
    const stats = lstatAtOnce(encodePath(absolute));
    if (stats?.isDirectory() === true && this.#entered.has(stats.ino)) {
      throw inUse(absolute);
    }
    renameAtOnce(encodePath(absolute), beside);
  }

  async #makeBase(base: string): Promise<void> {
    try {
      if (base !== this.#root) {
        const real = await realpath(encodePath(await standingFolder(base)));
        const root = await realpath(this.#root);
        if (real !== root && !real.startsWith(root + sep)) {
          throw new HitchError(
            'BAD_INPUT',
            `The path ${JSON.stringify(plainPath(relative(this.#root, base)))} leads out of the work folder.`,
            { field: 'path' },
          );
        }
      }
      await mkdir(encodePath(base), { recursive: true });
    } catch (error) {
      throw codeOf(error) === 'EEXIST' || codeOf(error) === 'ENOTDIR'
        ? new HitchError('CONFLICT', `${plainPath(base)} is a file, and should be a folder.`, {
            cause: error,
          })
        : storageProblem(error, base);
    }
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

  async #makeOther(
    to: readonly string[],
    entry: Entry,
    policy: WritePolicy,
    checked: Checked,
  ): Promise<Result> {
    const place = this.#place(to, entry);
    if (entry.kind === 'folder') {
      await this.#ensureFolder(place.base, place.below, checked, policy);
      return result('copied', { ...(await keptBefore(place, policy)), ...named(place) });
    }
    await this.#ensureFolder(place.base, dirnameOf(place.below), checked, policy);
    return inTurn(place.absolute, () => this.#makeLink(place, entry, policy));
  }

  async #makeLink(place: Place, entry: Entry, policy: WritePolicy): Promise<Result> {
    const standing = await standingAt(place.absolute);
    const target = entry.target ?? '';
    if (standing?.isSymbolicLink() === true && (await linkText(place.absolute)) === target) {
      return result('same', { ...(await keptBefore(place, policy)), ...named(place) });
    }
    if (standing !== null && policy.conflict === 'skip') {
      return result('skipped');
    }
    const part = join(dirname(place.absolute), partName(basename(place.absolute), 'link'));
    await rm(encodePath(part), { force: true });
    try {
      await symlink(encodePath(target), encodePath(part));
    } catch (error) {
      if (['EPERM', 'ENOSYS', 'ENOTSUP'].includes(codeOf(error)) && standing === null) {
        return result('linkLater');
      }
      throw error;
    }
    const at = entry.modifiedAtMs / 1000;
    // Not every disk keeps the times of links.
    await lutimes(encodePath(part), at, at).catch(() => undefined);
    const kept = await this.#moveOver(part, place, standing, policy);
    return result('copied', { ...kept, ...named(place) });
  }

  async #putFile(
    to: readonly string[],
    entry: Entry,
    content: Buffer,
    policy: WritePolicy,
    checked: Checked,
  ): Promise<Result> {
    const place = this.#place(to, entry);
    await this.#ensureFolder(place.base, dirnameOf(place.below), checked, policy);
    return inTurn(place.absolute, () => this.#putNow(place, entry, content, policy));
  }

  async #putNow(place: Place, entry: Entry, content: Buffer, policy: WritePolicy): Promise<Result> {
    const { absolute } = place;
    const standing = await standingAt(absolute);
    if (standing !== null && (await holds(absolute, standing, content))) {
      await setMode(absolute, standing, entry);
      return result('same', { ...(await keptBefore(place, policy)), ...named(place) });
    }
    if (standing !== null && policy.conflict === 'skip') {
      return result('skipped');
    }
    const part = join(dirname(absolute), partName(basename(absolute), 'small'));
    const file = await openNew(part);
    try {
      await writeAll(file, content);
    } catch (error) {
      await file.close();
      await rm(encodePath(part), { force: true });
      throw error;
    }
    await file.close();
    const kept = await this.#putInPlace(part, place, entry, standing, policy);
    return result('copied', { ...kept, ...named(place), bytes: content.length });
  }

  async #putInPlace(
    part: string,
    place: Place,
    entry: Entry,
    standing: Stats | null,
    policy: WritePolicy,
  ): Promise<Pick<Result, 'keptAs'>> {
    const path = encodePath(part);
    await chmod(path, entry.mode);
    await setTimes(path, entry.modifiedAtMs);
    const kept = await this.#moveOver(part, place, standing, policy);
    if (this.#own !== null) {
      this.#own.add(ownFile(place.below, await lstat(encodePath(place.absolute))));
    }
    return kept;
  }

  /**
   * Puts the part where it belongs. What stands there and is to stay gets its other name first, by a second link to it, so
   * that at no moment it is missing.
   */
  async #moveOver(
    part: string,
    { absolute, below }: Place,
    standing: Stats | null,
    policy: WritePolicy,
  ): Promise<Pick<Result, 'keptAs'>> {
    const isOwn = standing?.isFile() === true && this.#own?.has(ownFile(below, standing)) === true;
    const replace = isOwn || (policy.conflict === 'replace' && standing?.isDirectory() !== true);
    try {
      const keptAs = standing === null || replace ? null : await this.#keepBeside(absolute, policy.stamp);
      await rename(encodePath(part), encodePath(absolute));
      return keptAs === null ? {} : { keptAs };
    } catch (error) {
      await rm(encodePath(part), { force: true });
      throw error;
    }
  }
}

interface Place {
  readonly base: string;
  /** Below the base, `/`-separated. */
  readonly below: string;
  readonly absolute: string;
  /** It could not keep its name. */
  readonly renamed: boolean;
}

const ownFile = (below: string, stats: Stats): OwnFile => ({
  below,
  sizeBytes: stats.size,
  modifiedAtMs: timeOf(stats),
});

const named = ({ below, renamed }: Place): Pick<Result, 'as'> => (renamed ? { as: below } : {});

/** A person wants what stands in the way of a whole folder to stay. */
class Skipped extends Error {}

const dirnameOf = (below: string): string => below.slice(0, Math.max(0, below.lastIndexOf('/')));

/** What is being written. A try that was given up may still be at it, and another copy may want the same place. */
const busy = new Map<string, Promise<unknown>>();

async function inTurn<T>(absolute: string, run: () => Promise<T>): Promise<T> {
  for (let before = busy.get(absolute); before !== undefined; before = busy.get(absolute)) {
    await before.catch(() => undefined);
  }
  const running = run().finally(() => busy.delete(absolute));
  busy.set(absolute, running);
  return running;
}

function once(checked: Checked, key: string, run: () => Promise<void>): Promise<void> {
  const known = checked.get(key) ?? run();
  checked.set(key, known);
  return known;
}

const inUse = (path: string): Error =>
  Object.assign(new Error(`${plainPath(path)} is a folder of this very copy.`), { code: 'EBUSY' });

/**
 * What `lstat` says of each place, or its error's code. Behind a link, or anything else that is no folder, there is
 * nothing: who writes there makes a folder of it first.
 */
async function lstatOpen(
  places: readonly Pick<Place, 'base' | 'below' | 'absolute'>[],
): Promise<(Stats | string)[]> {
  const folders = new Set<string>();
  for (const { base, below } of places) {
    let at = base;
    for (const name of below.split('/').slice(0, -1)) {
      at = join(at, name);
      folders.add(at);
    }
  }
  const names = [...folders];
  const looked = lstatAll([...names, ...places.map(({ absolute }) => absolute)]);
  const closed = new Set(
    names.filter((_, index) => {
      const stats = looked[index];
      return typeof stats !== 'object' || !stats.isDirectory();
    }),
  );
  return places.map(({ base, below }, index) => {
    let at = base;
    const isBehind = below
      .split('/')
      .slice(0, -1)
      .some(name => {
        at = join(at, name);
        return closed.has(at);
      });
    return isBehind ? 'ENOTDIR' : (looked[names.length + index] ?? 'ENOENT');
  });
}

async function standingAt(absolute: string): Promise<Stats | null> {
  try {
    return await lstatOrNone(encodePath(absolute));
  } catch (error) {
    if (isMissing(error)) {
      return null;
    }
    throw error;
  }
}

/** The nearest folder on the way to a path that exists. */
async function standingFolder(path: string): Promise<string> {
  for (let at = path; at !== dirname(at); at = dirname(at)) {
    if ((await stat(encodePath(at)).catch(() => null)) !== null) {
      return at;
    }
  }
  return sep;
}

async function standingOf(entry: Entry, found: Stats | string, absolute: string): Promise<Standing> {
  if (typeof found === 'string') {
    return found === 'ENOENT' || found === 'ENOTDIR' ? 'missing' : 'differs';
  }
  const sameMeta = isSameTime(timeOf(found), entry.modifiedAtMs) && (found.mode & 0o777) === entry.mode;
  switch (entry.kind) {
    case 'folder':
      return !found.isDirectory() ? 'differs' : sameMeta ? 'same' : 'touch';
    case 'link':
      return found.isSymbolicLink() && (await linkText(absolute)) === entry.target ? 'same' : 'differs';
    case 'file':
      if (!found.isFile() || found.size !== entry.sizeBytes) {
        return 'differs';
      }
      if (!isSameTime(timeOf(found), entry.modifiedAtMs)) {
        return 'maybe';
      }
      return sameMeta ? 'same' : 'touch';
  }
}

function linkText(absolute: string): Promise<string | null> {
  return readlink(encodePath(absolute), 'buffer').then(decodeName, () => null);
}

/** Whether a file holds these very bytes. */
async function holds(absolute: string, stats: Stats, content: Buffer): Promise<boolean> {
  if (!stats.isFile() || stats.size !== content.length) {
    return false;
  }
  const there = await readFile(encodePath(absolute)).catch(() => null);
  return there?.equals(content) === true;
}

async function setMode(absolute: string, standing: Stats, entry: Entry): Promise<void> {
  const path = encodePath(absolute);
  if ((standing.mode & 0o777) !== entry.mode) {
    await chmod(path, entry.mode);
  }
  if (!isSameTime(timeOf(standing), entry.modifiedAtMs)) {
    await setTimes(path, entry.modifiedAtMs);
  }
}

const setTimes = (path: string | Buffer, modifiedAtMs: number): Promise<void> =>
  utimes(path, modifiedAtMs / 1000, modifiedAtMs / 1000);

/** A part that a killed copy left is in nobody's way. */
async function openNew(part: string): Promise<OpenedFile> {
  const path = encodePath(part);
  await rm(path, { force: true });
  return open(path, NEW_FILE, 0o600);
}

/** @throws HitchError UNREACHABLE when it has gone since it was looked at: the file begins anew. */
async function openAgain(part: string): Promise<OpenedFile> {
  return open(encodePath(part), constants.O_WRONLY | NO_LINK).catch((error: unknown) => {
    throw isMissing(error)
      ? new HitchError('UNREACHABLE', 'What has arrived of the file is gone.', { cause: error })
      : error;
  });
}

/**
 * The other name that something got for the sake of this copy, whose date no other has: by now it is known only from the
 * disk, where the try that gave it was not heard, or it was made way for on the way to something else.
 */
async function keptBefore(
  { base, below }: Pick<Place, 'base' | 'below'>,
  { stamp }: WritePolicy,
): Promise<Pick<Result, 'keptAs'>> {
  const keptAs = below === '' ? '' : datedName(basename(below), stamp, 0);
  const found = await standingAt(join(base, dirnameOf(below), keptAs)).catch(() => null);
  return keptAs === '' || found === null ? {} : { keptAs };
}

/** The same of what stood in the way of the folders above a root, of which no entry speaks. */
async function keptAbove({ base, below }: Place, policy: WritePolicy): Promise<Pick<Result, 'keptAs'>> {
  for (let above = dirnameOf(below); above !== ''; above = dirnameOf(above)) {
    const kept = await keptBefore({ base, below: above }, policy);
    if (kept.keptAs !== undefined) {
      return kept;
    }
  }
  return {};
}

/** Whatever has arrived of any version of a file. */
async function removeParts(absolute: string): Promise<void> {
  const folder = dirname(absolute);
  const stem = partStem(basename(absolute));
  for (const name of await readdir(encodePath(folder)).catch(() => [])) {
    if (name.startsWith(stem) && name.endsWith('.part')) {
      await rm(encodePath(join(folder, name)), { force: true }).catch(() => undefined);
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

async function writeAll(file: OpenedFile, content: Buffer): Promise<void> {
  for (let at = 0; at < content.length;) {
    at += (await file.write(content, at, content.length - at, at)).bytesWritten;
  }
}

/** @returns where it ends. Long runs of zeros become holes. */
async function writeFrom(
  file: OpenedFile,
  offset: number,
  bytes: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<number> {
  let at = offset;
  for await (const some of arriving(bytes)) {
    signal.throwIfAborted();
    const piece = Buffer.from(some.buffer, some.byteOffset, some.byteLength);
    if (piece.length < HOLE_BYTES || !isAllZeros(piece)) {
      for (let done = 0; done < piece.length;) {
        done += (await file.write(piece, done, piece.length - done, at + done)).bytesWritten;
      }
    }
    at += piece.length;
  }
  // A hole at the end counts too. Where the bytes broke off instead, somebody else may be writing on by now.
  await file.truncate(at);
  return at;
}

/** What fails while bytes are on their way is not about the file that they are for. */
async function* arriving(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* bytes;
  } catch (error) {
    throw codeOf(error) === '' || error instanceof HitchError
      ? error
      : new HitchError('UNREACHABLE', 'The content of a file broke off on the way.', { cause: error });
  }
}

function isAllZeros(piece: Buffer): boolean {
  for (let at = 0; at < piece.length; at += ZEROS.length) {
    const some = piece.subarray(at, at + ZEROS.length);
    if (!some.equals(ZEROS.subarray(0, some.length))) {
      return false;
    }
  }
  return true;
}

/** A full disk as a sentence; everything else as it is. */
export function storageProblem(error: unknown, path: string): unknown {
  return isFull(error)
    ? new HitchError(
        'STORAGE_FULL',
        `Cannot write ${plainPath(path)}: ${FULL_WORDS[codeOf(error)] ?? 'no room'}.`,
        {
          next: 'Free some space there, or choose another folder.',
          cause: error,
        },
      )
    : error;
}

const FULL_WORDS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EROFS: 'the file system is read-only',
};

/** The entries of a tar stream, each whole. @throws HitchError for one that is larger than any of ours. */
async function* unpacked(
  tar: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<{ readonly name: string; readonly content: Buffer }> {
  const stream = extract();
  feed(stream, tar).catch((error: unknown) => {
    stream.destroy(error instanceof Error ? error : new Error(String(error)));
  });
  try {
    for await (const entry of stream) {
      signal.throwIfAborted();
      const { name, size } = entry.header;
      if (size > SMALL_BYTES) {
        throw new HitchError(
          'TOO_LARGE',
          `The stream brings a file of ${size.toString()} bytes among the small ones.`,
        );
      }
      const parts: Uint8Array[] = [];
      for await (const part of bytesOf(entry)) {
        parts.push(part);
      }
      yield { name, content: Buffer.concat(parts) };
      passed(size);
    }
  } finally {
    stream.destroy();
  }
}

async function feed(stream: ReturnType<typeof extract>, tar: AsyncIterable<Uint8Array>): Promise<void> {
  const isOver = (): boolean => stream.destroyed;
  for await (const bytes of tar) {
    if (isOver()) {
      return;
    }
    if (!stream.write(bytes) && !isOver()) {
      await new Promise<void>(resolve => {
        const go = (): void => {
          stream.off('drain', go);
          stream.off('close', go);
          resolve();
        };
        stream.on('drain', go);
        stream.on('close', go);
      });
    }
  }
  stream.end(Buffer.alloc(0));
}

/** Runs a few things at a time, as long as they weigh no more than is allowed together; the first error is thrown later. */
class Limited {
  readonly #most: number;
  readonly #mostWeight: number;
  readonly #running = new Set<Promise<void>>();
  #weight = 0;
  #error: { readonly cause: unknown } | null = null;

  constructor(most: number, mostWeight: number) {
    this.#most = most;
    this.#mostWeight = mostWeight;
  }

  async add(weight: number, run: () => Promise<void>): Promise<void> {
    while (
      this.#running.size > 0 &&
      (this.#running.size >= this.#most || this.#weight + weight > this.#mostWeight)
    ) {
      await Promise.race(this.#running);
    }
    this.check();
    this.#weight += weight;
    const running = run()
      .catch((cause: unknown) => {
        this.#error ??= { cause };
      })
      .finally(() => {
        this.#weight -= weight;
        this.#running.delete(running);
      });
    this.#running.add(running);
  }

  async settled(): Promise<void> {
    await Promise.all(this.#running);
  }

  /** @throws the first error. */
  check(): void {
    if (this.#error !== null) {
      throw this.#error.cause instanceof Error ? this.#error.cause : new Error(String(this.#error.cause));
    }
  }
}
