/** Whether what nobody touched is at the target as it is in the source. */
import { statSync } from 'node:fs';
import { dirname, isAbsolute, relative, resolve } from 'node:path';
import { encodePath, isPartName } from '../../src/names.ts';
import { belowOf, climbsOut, dirOf, isReadable, realOf } from './arrival-paths.ts';
import { below, checksumOf, linkTextOf, lstatOf, namesIn } from './disk-view.ts';
import type { Judge } from './judge.ts';

/** A folder of the source with its place at the target: the root, or what a link leads out to. */
interface Tree {
  readonly real: string;
  readonly path: string;
}

const SAME_TIME_MS = 1;

export class ArrivedTree {
  readonly #judge: Judge;

  constructor(judge: Judge) {
    this.#judge = judge;
  }

  check(): void {
    const { root } = this.#judge.arrival.tree;
    this.#folder('', root, [{ real: root, path: '' }]);
  }

  #folder(path: string, from: string, trees: readonly Tree[]): void {
    for (const name of namesIn(from)) {
      const each = path === '' ? name : `${path}/${name}`;
      if (!isPartName(name) && !this.#judge.changed.has(each)) {
        this.#entry(each, `${from}/${name}`, trees);
      }
    }
  }

  #entry(path: string, from: string, trees: readonly Tree[]): void {
    const stats = lstatOf(from);
    if (stats === null) {
      return;
    }
    this.#judge.remember(path);
    this.#judge.isNamedAsStored(path);
    if (stats.isSymbolicLink()) {
      this.#link(path, from, trees);
    } else if (stats.isDirectory()) {
      this.#isFolder(path, from);
      this.#folder(path, from, trees);
    } else if (stats.isFile()) {
      this.#isFile(path, from);
    } else {
      this.#judge.expect(
        path,
        this.#judge.says(path, 'leftOut'),
        'is neither file nor folder, and nobody says so',
      );
    }
  }

  #isFile(path: string, from: string): void {
    const [here, there] = [lstatOf(from), lstatOf(this.#judge.at(path))];
    if (
      this.#judge.isExcused(path) ||
      here === null ||
      (!isReadable(from) && this.#judge.says(path, 'unreadable'))
    ) {
      return;
    }
    if (there?.isFile() !== true) {
      this.#judge.wrong(path, `is no file at the target (${there === null ? 'nothing' : 'something else'})`);
      return;
    }
    if (
      here.size !== there.size ||
      (isReadable(from) && checksumOf(from) !== checksumOf(this.#judge.at(path)))
    ) {
      this.#judge.wrong(
        path,
        `has other content: ${here.size.toString()} and ${there.size.toString()} bytes`,
      );
    }
    this.#hasMeta(path, here, there);
    this.#judge.expect(path, !this.#judge.says(path, 'changed'), 'is said to have changed, and did not');
  }

  #isFolder(path: string, from: string): void {
    const [here, there] = [lstatOf(from), lstatOf(this.#judge.at(path))];
    if (this.#judge.isExcused(path) || here === null) {
      return;
    }
    if (there?.isDirectory() !== true) {
      this.#judge.wrong(path, 'is no folder at the target');
      return;
    }
    // Its time is of when it was listed; what happened in it since may have given it another.
    const quiet = this.#judge.arrival.changes.every(
      change => dirOf(change.path) !== path && dirOf(change.movedTo) !== path,
    );
    if (this.#judge.arrival.done && quiet) {
      this.#hasMeta(path, here, there);
    }
  }

  #hasMeta(
    path: string,
    here: { mode: number; mtimeMs: number },
    there: { mode: number; mtimeMs: number },
  ): void {
    if ((here.mode & 0o777) !== (there.mode & 0o777)) {
      this.#judge.wrong(
        path,
        `has mode ${(there.mode & 0o777).toString(8)}, not ${(here.mode & 0o777).toString(8)}`,
      );
    }
    const expected = Math.max(0, Math.floor(here.mtimeMs));
    if (Math.abs(expected - Math.floor(there.mtimeMs)) > SAME_TIME_MS) {
      this.#judge.wrong(path, `is of ${there.mtimeMs.toString()}, not of ${here.mtimeMs.toString()}`);
    }
  }

  // ---- links

  #link(path: string, from: string, trees: readonly Tree[]): void {
    if (this.#judge.isExcused(path)) {
      return;
    }
    const real = realOf(from);
    const isOut = real !== null && trees.every(tree => belowOf(tree.real, real) === null);
    const leadsUp = real !== null && trees.some(tree => belowOf(real, tree.real) !== null);
    const there = lstatOf(this.#judge.at(path));
    const isFollowed = this.#judge.arrival.follow && isOut && !leadsUp;
    if (there?.isSymbolicLink() === true) {
      this.#isLink(path, from, trees);
      // Or it leads to another link, in whose place lies what that one leads out to.
      const isSame =
        !isFollowed ||
        this.#judge.arrival.conflict === 'skip' ||
        this.#leadsOn(from) ||
        this.#leadsToSame(path, real);
      this.#judge.expect(path, isSame, 'does not lead to what it led out to');
      return;
    }
    if (!isFollowed) {
      this.#judge.wrong(path, 'is no link at the target');
      return;
    }
    const outer = lstatOf(real);
    if (outer?.isFile() === true) {
      this.#isFile(path, real);
    } else if (outer?.isDirectory() === true && there?.isDirectory() === true) {
      this.#isFolder(path, real);
      this.#folder(path, real, [{ real, path }, ...trees]);
    }
  }

  /** By one link after the other to something that went on changing, or to a name that is another one there. */
  #leadsOn(from: string): boolean {
    let at = from;
    for (let steps = 0; steps < 40 && lstatOf(at)?.isSymbolicLink() === true; steps++) {
      const text = linkTextOf(at);
      if (!text.isWellFormed()) {
        return true;
      }
      at = resolve(dirname(at), text);
      const names = (belowOf(this.#judge.arrival.tree.root, at) ?? '').split('/');
      if (names.some((_, index) => this.#judge.changed.has(names.slice(0, index + 1).join('/')))) {
        return true;
      }
    }
    return false;
  }

  #leadsToSame(path: string, outer: string): boolean {
    const [here, there] = [statSync(encodePath(outer)), realOf(this.#judge.at(path))];
    if (there === null) {
      return false;
    }
    return here.isFile()
      ? checksumOf(outer) === checksumOf(there)
      : here.isDirectory() === (lstatOf(there)?.isDirectory() === true);
  }

  /** It says the same, or leads to the same place where the same words would not. */
  #isLink(path: string, from: string, trees: readonly Tree[]): void {
    const [here, there] = [linkTextOf(from), linkTextOf(this.#judge.at(path))];
    const led = resolve(dirname(from), here);
    const tree = trees.find(each => belowOf(each.real, led) !== null);
    if (tree === undefined) {
      this.#judge.expect(path, here === there, `says ${there} and not ${here}`);
      this.#judge.expect(
        path,
        this.#judge.hasSaid(path, 'outsideLink') || !this.#judge.isNew(path),
        'leads out, and nobody says so',
      );
    } else if (isAbsolute(here) || climbsOut(dirname(from), here, tree.real)) {
      const place = [tree.path, belowOf(tree.real, led) ?? ''].filter(part => part !== '').join('/');
      const leads = relative(
        this.#judge.arrival.target,
        resolve(dirname(below(this.#judge.arrival.target, path)), there),
      );
      this.#judge.expect(path, leads === place, `leads to ${leads}, not to ${place}`);
    } else {
      this.#judge.expect(path, here === there, `says ${there} and not ${here}`);
    }
  }
}
