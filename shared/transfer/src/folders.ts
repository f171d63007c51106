/** The folders that things are copied into: real ones, and none of them is taken away again. */
import { basename, dirname, join, relative, sep } from 'node:path';
import { HitchError } from '@hitch/contract/src/errors.ts';
import { link, lstatAtOnce, lstatOrNone, mkdir, realpath, renameAtOnce, rm } from './disk-now.ts';
import { codeOf, reasonOf } from './disk-calls.ts';
import type { WritePolicy, Written } from './entry.ts';
import { datedName, encodePath, plainPath } from './names.ts';
import { dirnameOf, inTurn, type Place, standingAt, standingFolder } from './place.ts';
import { storageProblem } from './writing.ts';

/** Folders that were looked at in this call: real ones, with no link on the way from their root. */
export type Checked = Map<string, Promise<void>>;

/** A person wants what stands in the way of a whole folder to stay. */
export class Skipped extends Error {}

/** So many go on at once, at most; a target outlives them all. */
const MOST_COPIES = 32;

export class Folders {
  readonly #root: string;
  /** Folders that each copy wrote to, by the number that the disk has for each, however it is called. The newest come last. */
  readonly #entered = new Map<string, Set<number>>();

  /** @param root The base of the target, absolute. Whatever links a person's target goes through, it stays inside. */
  constructor(root: string) {
    this.#root = root;
  }

  /** Makes a folder below a base and those on the way to it. @throws Skipped, or HitchError when it would lie elsewhere. */
  async ensure(base: string, below: string, checked: Checked, policy: WritePolicy): Promise<void> {
    await once(checked, base, () => this.#makeBase(base));
    let at = base;
    for (const name of below === '' ? [] : below.split('/')) {
      at = join(at, name);
      const folder = at;
      await once(checked, folder, () => inTurn(folder, () => this.#makeRealFolder(folder, policy)));
    }
  }

  async #makeRealFolder(folder: string, policy: WritePolicy): Promise<void> {
    if (this.#enter(folder, policy.stamp)) {
      return;
    }
    if ((await standingAt(folder)) !== null) {
      if (policy.conflict === 'skip') {
        throw new Skipped();
      }
      await this.keepBeside(folder, policy.stamp);
      await rm(encodePath(folder), { force: true });
    }
    await mkdir(encodePath(folder)).catch((error: unknown) => {
      if (codeOf(error) !== 'EEXIST') {
        throw storageProblem(error, folder);
      }
    });
    if (!this.#enter(folder, policy.stamp)) {
      throw inUse(folder);
    }
  }

  /** Whether it is a real folder. From here on nothing of this copy takes its place: what lies in it goes by its path. */
  #enter(folder: string, stamp: string): boolean {
    const stats = lstatAtOnce(encodePath(folder));
    if (stats?.isDirectory() !== true) {
      return false;
    }
    const entered = this.#entered.get(stamp) ?? new Set();
    this.#entered.delete(stamp);
    this.#entered.set(stamp, entered.add(stats.ino));
    const [oldest = stamp] = this.#entered.keys();
    if (this.#entered.size > MOST_COPIES) {
      this.#entered.delete(oldest);
    }
    return true;
  }

  /** Gives what stands at a path a second name with the date, which is returned. The first is to be taken over next. */
  async keepBeside(absolute: string, stamp: string): Promise<string> {
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
        this.#setAside(absolute, beside, stamp);
      }
      return dated;
    }
  }

  /** @throws an error of the system's kind where other things of this copy are in it: a link there would lead them astray. */
  #setAside(absolute: string, beside: string | Buffer, stamp: string): void {
    const stats = lstatAtOnce(encodePath(absolute));
    if (stats?.isDirectory() === true && this.#entered.get(stamp)?.has(stats.ino) === true) {
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
      if (['EACCES', 'EPERM'].includes(codeOf(error))) {
        throw new HitchError('STORAGE_FULL', `Cannot write ${plainPath(base)}: ${reasonOf(error)}.`, {
          next: 'Choose another folder, or allow yourself to write to it.',
          cause: error,
        });
      }
      throw codeOf(error) === 'EEXIST' || codeOf(error) === 'ENOTDIR'
        ? new HitchError('CONFLICT', `${plainPath(base)} is a file, and should be a folder.`, {
            cause: error,
          })
        : storageProblem(error, base);
    }
  }
}

function once(checked: Checked, key: string, run: () => Promise<void>): Promise<void> {
  const known = checked.get(key) ?? run();
  checked.set(key, known);
  return known;
}

const inUse = (path: string): Error =>
  Object.assign(new Error(`${plainPath(path)} is a folder of this very copy.`), { code: 'EBUSY' });

/**
 * The other name that something got for the sake of this copy, whose date no other has: by now it is known only from the
 * disk, where the try that gave it was not heard, or it was made way for on the way to something else.
 */
export async function keptBefore(
  { base, below }: Pick<Place, 'base' | 'below'>,
  { stamp }: WritePolicy,
): Promise<Pick<Written, 'keptAs'>> {
  const keptAs = below === '' ? '' : datedName(basename(below), stamp, 0);
  const found = await standingAt(join(base, dirnameOf(below), keptAs)).catch(() => null);
  return keptAs === '' || found === null ? {} : { keptAs };
}

/** The same of what stood in the way of the folders above a root, of which no entry speaks. */
export async function keptAbove(
  { base, below }: Place,
  policy: WritePolicy,
): Promise<Pick<Written, 'keptAs'>> {
  for (let above = dirnameOf(below); above !== ''; above = dirnameOf(above)) {
    const kept = await keptBefore({ base, below: above }, policy);
    if (kept.keptAs !== undefined) {
      return kept;
    }
  }
  return {};
}
