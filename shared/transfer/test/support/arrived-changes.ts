/** Whether what went on changing arrived as it was at some moment, or is named. */
import { join } from 'node:path';

import { isReadable } from './arrival-paths.ts';
import { below, bytesOfFile, checksumOf, lstatOf, namesIn, seenAt } from './disk-view.ts';
import { type Judge, NOT_THERE } from './judge.ts';
import { type Change, SECRET } from './mutator.ts';

export class ArrivedChanges {
  readonly #judge: Judge;

  constructor(judge: Judge) {
    this.#judge = judge;
  }

  check(): void {
    this.#judge.arrival.changes.forEach(change => this.#change(change));
  }

  #change(change: Change): void {
    const { path, movedTo, kind } = change;
    for (const each of new Set([path, movedTo])) {
      this.#judge.remember(each);
    }
    if (kind === 'folderRenamed') {
      this.#judge.allowBelow(this.#judge.stored(path));
      this.#judge.allowBelow(this.#judge.stored(movedTo));
      this.#movedFolder(change, '');
      return;
    }
    if (kind === 'toFolder') {
      this.#judge.allowBelow(this.#judge.stored(path));
    }
    if (!this.#judge.isSkipped(path)) {
      this.#changedFile(change);
    }
    if (kind === 'renamed') {
      this.#moved(below(this.#judge.arrival.tree.root, movedTo), movedTo, true);
    }
  }

  #changedFile(change: Change): void {
    const { path, kind, early, versions } = change;
    const mayBeMissing =
      this.#judge.says(path, ...NOT_THERE) || ((kind === 'removed' || kind === 'renamed') && early);
    const there = lstatOf(this.#judge.at(path));
    if (there?.isFile() === true) {
      const arrived = bytesOfFile(this.#judge.at(path));
      const isOne = versions.some(version => version.equals(arrived)) || this.#isPrefix(change, arrived);
      const isSecret = kind === 'toLink' && this.#judge.arrival.follow && arrived.equals(this.#secret());
      const isTorn = kind !== 'grown' && this.#judge.says(path, 'changed');
      if (isOne || isSecret || isTorn) {
        return;
      }
    }
    const isPlanted =
      this.#judge.planted.get(path)?.view.get('')?.content === seenAt(this.#judge.at(path))?.content;
    if (there === null || isPlanted) {
      this.#judge.expect(path, mayBeMissing, `(${kind}) is missing, and nobody says so`);
    } else if (there.isFile()) {
      this.#judge.wrong(path, `(${kind}) holds what it never held, ${there.size.toString()} bytes`);
    } else if (kind !== 'toFolder' && kind !== 'toLink') {
      this.#judge.wrong(path, `(${kind}) is no file at the target`);
    }
  }

  /** All that was in a folder when it got another name: here under the old one, or named, or early enough under the new. */
  #movedFolder(change: Change, inside: string): void {
    const from = below(below(this.#judge.arrival.tree.root, change.movedTo), inside);
    for (const name of namesIn(from)) {
      const each = inside === '' ? name : `${inside}/${name}`;
      const stats = lstatOf(`${from}/${name}`);
      if (stats?.isDirectory() === true) {
        this.#movedFolder(change, each);
      } else if (stats?.isFile() === true) {
        const names = `${change.path}/${each}`.split('/');
        const isNamed = names.some((_, at) =>
          this.#judge.says(names.slice(0, at + 1).join('/'), ...NOT_THERE),
        );
        this.#moved(`${from}/${name}`, names.join('/'), isNamed || change.early);
        this.#moved(`${from}/${name}`, `${change.movedTo}/${each}`, true);
      }
    }
  }

  #moved(from: string, path: string, mayBeMissing: boolean): void {
    const there = lstatOf(this.#judge.at(path));
    if (this.#judge.isSkipped(path) || this.#judge.planted.has(path)) {
      return;
    }
    if (there === null) {
      this.#judge.expect(
        path,
        mayBeMissing,
        'was in a folder that got another name, is missing, and nobody says so',
      );
    } else if (isReadable(from)) {
      const isSame = there.isFile() && checksumOf(from) === checksumOf(this.#judge.at(path));
      this.#judge.expect(path, isSame, 'got another name, and came with other content');
    }
  }

  #isPrefix({ kind, versions }: Change, arrived: Buffer): boolean {
    const [first, last] = [versions[0], versions.at(-1)];
    if (first === undefined || last === undefined) {
      return false;
    }
    switch (kind) {
      case 'grown':
        return arrived.length >= first.length && last.subarray(0, arrived.length).equals(arrived);
      case 'shrunk':
        return arrived.length >= last.length && first.subarray(0, arrived.length).equals(arrived);
      default:
        return false;
    }
  }

  #secret(): Buffer {
    return bytesOfFile(join(this.#judge.arrival.tree.outside, SECRET));
  }
}
