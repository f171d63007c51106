/** Puts one thing where it belongs: beside its place first, then over to it in one step. */
import type { Stats } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { codeOf } from './disk-calls.ts';
import { chmod, lstat, lutimes, rename, rm, symlink } from './disk-now.ts';
import type { Entry, WritePolicy, Written } from './entry.ts';
import { type Checked, type Folders, keptBefore } from './folders.ts';
import { encodePath, partName, smallPartName } from './names.ts';
import type { OwnFiles } from './own-files.ts';
import { dirnameOf, holds, inTurn, linkText, named, ownFile, type Place, standingAt } from './place.ts';
import { openNew, setMode, setTimes, writeAll } from './writing.ts';

/** What became of one entry, without its number in the list. */
export type Result = Omit<Written, 'index'>;

export const result = (state: Written['state'], more: Partial<Result> = {}): Result => ({
  state,
  detail: '',
  bytes: 0,
  changed: false,
  ...more,
});

export class Putting {
  readonly #folders: Folders;
  readonly #own: OwnFiles | null;

  constructor(folders: Folders, own: OwnFiles | null) {
    this.#folders = folders;
    this.#own = own;
  }

  /** A folder or a link. */
  async makeOther(place: Place, entry: Entry, policy: WritePolicy, checked: Checked): Promise<Result> {
    if (entry.kind === 'folder') {
      await this.#folders.ensure(place.base, place.below, checked, policy);
      return result('copied', { ...(await keptBefore(place, policy)), ...named(place) });
    }
    await this.#folders.ensure(place.base, dirnameOf(place.below), checked, policy);
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

  /** A file whose content is here. */
  async putSmall(
    place: Place,
    entry: Entry,
    content: Buffer,
    policy: WritePolicy,
    checked: Checked,
  ): Promise<Result> {
    await this.#folders.ensure(place.base, dirnameOf(place.below), checked, policy);
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
    const part = join(dirname(absolute), smallPartName(basename(absolute)));
    const file = await openNew(part);
    try {
      await writeAll(file, content);
      await file.chmod(entry.mode);
      await file.utimes(entry.modifiedAtMs / 1000, entry.modifiedAtMs / 1000);
    } catch (error) {
      await file.close();
      await rm(encodePath(part), { force: true });
      throw error;
    }
    await file.close();
    const kept = await this.#putOver(part, place, standing, policy);
    return result('copied', { ...kept, ...named(place), bytes: content.length });
  }

  /** A file whose content lies in its part. */
  async putPart(
    part: string,
    place: Place,
    entry: Entry,
    standing: Stats | null,
    policy: WritePolicy,
  ): Promise<Pick<Result, 'keptAs'>> {
    const path = encodePath(part);
    await chmod(path, entry.mode);
    await setTimes(path, entry.modifiedAtMs);
    return this.#putOver(part, place, standing, policy);
  }

  async #putOver(
    part: string,
    place: Place,
    standing: Stats | null,
    policy: WritePolicy,
  ): Promise<Pick<Result, 'keptAs'>> {
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
      const keptAs =
        standing === null || replace ? null : await this.#folders.keepBeside(absolute, policy.stamp);
      await rename(encodePath(part), encodePath(absolute));
      return keptAs === null ? {} : { keptAs };
    } catch (error) {
      await rm(encodePath(part), { force: true });
      throw error;
    }
  }
}
