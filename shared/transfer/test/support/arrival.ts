/**
 * Whether what lies at a target is what the source holds, or the account says of it that it is not. Everything that is
 * wrong is told, a line each; an empty list is the requirement itself: nothing is missing without a word, nothing local
 * was replaced.
 */
import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import type { Outcome } from '@hitch/contract/src/copies.ts';
import { isPartName, partStem, plainPath, storablePath, decodeName, encodePath } from '../../src/names.ts';
import type { Account } from './account.ts';
import {
  below,
  bytesOfFile,
  checksumOf,
  linkTextOf,
  lstatOf,
  namesIn,
  pathsIn,
  seenAt,
} from './disk-view.ts';
import { differences, type InTheWay, type Planted } from './in-the-way.ts';
import { viewOf } from './disk-view.ts';
import { type Change, SECRET } from './mutator.ts';
import type { RandomTree } from './random-tree.ts';

export interface Arrival {
  readonly tree: RandomTree;
  /** Absolute: the root’s copy, and the folder that names in the account start from. */
  readonly target: string;
  readonly base: string;
  /** What links lead out to was to come in their place. */
  readonly follow: boolean;
  /** Of the copy, and of those before it that were for the same. */
  readonly account: Account;
  readonly earlier: readonly Account[];
  /** A copy was ended in its middle, and another one went on: nobody may have heard of the last things it did. */
  readonly wasCutShort: boolean;
  /** What went on changing while it was copied. */
  readonly changes: readonly Change[];
  /** What changed before it, and may have left older things at the target. */
  readonly before?: readonly Change[];
  readonly inTheWay: InTheWay | null;
  readonly conflict: 'keep-both' | 'replace' | 'skip';
  /** The copy came to its end: nothing may be named as not copied, and no half of a file be left. */
  readonly done: boolean;
}

export const problemsOf = (arrival: Arrival): string[] => new Check(arrival).run();

/** A folder of the source with its place at the target: the root, or what a link leads out to. */
interface Tree {
  readonly real: string;
  readonly path: string;
}

const NOT_THERE: readonly Outcome[] = ['gone', 'unreadable', 'leftOut', 'notCopied'];
const SAME_TIME_MS = 1;

class Check {
  readonly #arrival: Arrival;
  readonly #problems: string[] = [];
  /** Paths below the target that have a reason to be there. */
  readonly #known = new Set<string>(['']);
  /** Where things are stored, by the names that accounts have for them. */
  readonly #byPlainPath = new Map<string, string>();
  readonly #changed = new Map<string, Change>();
  readonly #planted = new Map<string, Planted>();

  constructor(arrival: Arrival) {
    this.#arrival = arrival;
    for (const change of arrival.changes) {
      this.#changed.set(change.path, change);
      this.#changed.set(change.movedTo, change);
    }
    for (const planted of arrival.inTheWay?.planted ?? []) {
      this.#planted.set(planted.path, planted);
    }
  }

  run(): string[] {
    const { tree, changes, inTheWay } = this.#arrival;
    this.#folder('', tree.root, [{ real: tree.root, path: '' }]);
    changes.forEach(change => this.#change(change));
    inTheWay?.planted.forEach(planted => this.#stillThere(planted));
    this.#keptForAReason();
    for (const { path, movedTo } of this.#arrival.before ?? []) {
      this.#allowBelow(this.#stored(path));
      this.#allowBelow(this.#stored(movedTo));
    }
    this.#problems.push(...(inTheWay?.spoiltVictims() ?? []));
    this.#nothingElse('');
    return this.#problems;
  }

  // ---- what nobody touched

  #folder(path: string, from: string, trees: readonly Tree[]): void {
    for (const name of namesIn(from)) {
      const each = path === '' ? name : `${path}/${name}`;
      if (!isPartName(name) && !this.#changed.has(each)) {
        this.#entry(each, `${from}/${name}`, trees);
      }
    }
  }

  #entry(path: string, from: string, trees: readonly Tree[]): void {
    const stats = lstatOf(from);
    if (stats === null) {
      return;
    }
    this.#known.add(this.#stored(path));
    this.#byPlainPath.set(plainPath(path), this.#stored(path));
    this.#isNamedAsStored(path);
    if (stats.isSymbolicLink()) {
      this.#link(path, from, trees);
    } else if (stats.isDirectory()) {
      this.#isFolder(path, from);
      this.#folder(path, from, trees);
    } else if (stats.isFile()) {
      this.#isFile(path, from);
    } else {
      this.#expect(path, this.#says(path, 'leftOut'), 'is neither file nor folder, and nobody says so');
    }
  }

  #isFile(path: string, from: string): void {
    const [here, there] = [lstatOf(from), lstatOf(this.#at(path))];
    if (this.#isExcused(path) || here === null || (!isReadable(from) && this.#says(path, 'unreadable'))) {
      return;
    }
    if (there?.isFile() !== true) {
      this.#wrong(path, `is no file at the target (${there === null ? 'nothing' : 'something else'})`);
      return;
    }
    if (here.size !== there.size || (isReadable(from) && checksumOf(from) !== checksumOf(this.#at(path)))) {
      this.#wrong(path, `has other content: ${here.size.toString()} and ${there.size.toString()} bytes`);
    }
    this.#hasMeta(path, here, there);
    this.#expect(path, !this.#says(path, 'changed'), 'is said to have changed, and did not');
  }

  #isFolder(path: string, from: string): void {
    const [here, there] = [lstatOf(from), lstatOf(this.#at(path))];
    if (this.#isExcused(path) || here === null) {
      return;
    }
    if (there?.isDirectory() !== true) {
      this.#wrong(path, 'is no folder at the target');
      return;
    }
    // Its time is of when it was listed; what happened in it since may have given it another.
    const quiet = this.#arrival.changes.every(
      change => dirOf(change.path) !== path && dirOf(change.movedTo) !== path,
    );
    if (this.#arrival.done && quiet) {
      this.#hasMeta(path, here, there);
    }
  }

  #hasMeta(
    path: string,
    here: { mode: number; mtimeMs: number },
    there: { mode: number; mtimeMs: number },
  ): void {
    if ((here.mode & 0o777) !== (there.mode & 0o777)) {
      this.#wrong(
        path,
        `has mode ${(there.mode & 0o777).toString(8)}, not ${(here.mode & 0o777).toString(8)}`,
      );
    }
    const expected = Math.max(0, Math.floor(here.mtimeMs));
    if (Math.abs(expected - Math.floor(there.mtimeMs)) > SAME_TIME_MS) {
      this.#wrong(path, `is of ${there.mtimeMs.toString()}, not of ${here.mtimeMs.toString()}`);
    }
  }

  // ---- links

  #link(path: string, from: string, trees: readonly Tree[]): void {
    if (this.#isExcused(path)) {
      return;
    }
    const real = realOf(from);
    const isOut = real !== null && trees.every(tree => belowOf(tree.real, real) === null);
    const leadsUp = real !== null && trees.some(tree => belowOf(real, tree.real) !== null);
    const there = lstatOf(this.#at(path));
    const isFollowed = this.#arrival.follow && isOut && !leadsUp;
    if (there?.isSymbolicLink() === true) {
      this.#isLink(path, from, trees);
      // Or it leads to another link, in whose place lies what that one leads out to.
      const isSame =
        !isFollowed ||
        this.#arrival.conflict === 'skip' ||
        this.#leadsOn(from) ||
        this.#leadsToSame(path, real);
      this.#expect(path, isSame, 'does not lead to what it led out to');
      return;
    }
    if (!isFollowed) {
      this.#wrong(path, 'is no link at the target');
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

  /** To something that went on changing, by one link after the other. */
  #leadsOn(from: string): boolean {
    let at = from;
    for (let steps = 0; steps < 40 && lstatOf(at)?.isSymbolicLink() === true; steps++) {
      at = resolve(dirname(at), linkTextOf(at));
      const names = (belowOf(this.#arrival.tree.root, at) ?? '').split('/');
      if (names.some((_, index) => this.#changed.has(names.slice(0, index + 1).join('/')))) {
        return true;
      }
    }
    return false;
  }

  #leadsToSame(path: string, outer: string): boolean {
    // The names of bytes that are no UTF-8 are others there, the words of links are not.
    if (!linkTextOf(this.#at(path)).isWellFormed()) {
      return true;
    }
    const [here, there] = [statSync(encodePath(outer)), realOf(this.#at(path))];
    if (there === null) {
      return false;
    }
    return here.isFile()
      ? checksumOf(outer) === checksumOf(there)
      : here.isDirectory() === (lstatOf(there)?.isDirectory() === true);
  }

  /** It says the same, or leads to the same place where the same words would not. */
  #isLink(path: string, from: string, trees: readonly Tree[]): void {
    const [here, there] = [linkTextOf(from), linkTextOf(this.#at(path))];
    const led = resolve(dirname(from), here);
    const tree = trees.find(each => belowOf(each.real, led) !== null);
    if (tree === undefined) {
      this.#expect(path, here === there, `says ${there} and not ${here}`);
      this.#expect(
        path,
        this.#hasSaid(path, 'outsideLink') || !this.#isNew(path),
        'leads out, and nobody says so',
      );
    } else if (isAbsolute(here) || climbsOut(dirname(from), here, tree.real)) {
      const place = [tree.path, belowOf(tree.real, led) ?? ''].filter(part => part !== '').join('/');
      const leads = relative(
        this.#arrival.target,
        resolve(dirname(below(this.#arrival.target, path)), there),
      );
      this.#expect(path, leads === place, `leads to ${leads}, not to ${place}`);
    } else {
      this.#expect(path, here === there, `says ${there} and not ${here}`);
    }
  }

  // ---- what went on changing

  #change(change: Change): void {
    const { path, movedTo, kind } = change;
    for (const each of new Set([path, movedTo])) {
      this.#known.add(this.#stored(each));
      this.#byPlainPath.set(plainPath(each), this.#stored(each));
    }
    if (kind === 'folderRenamed') {
      this.#allowBelow(this.#stored(path));
      this.#allowBelow(this.#stored(movedTo));
      this.#movedFolder(change, '');
      return;
    }
    if (kind === 'toFolder') {
      this.#allowBelow(this.#stored(path));
    }
    if (!this.#isSkipped(path)) {
      this.#changedFile(change);
    }
    if (kind === 'renamed') {
      this.#moved(below(this.#arrival.tree.root, movedTo), movedTo, true);
    }
  }

  #changedFile(change: Change): void {
    const { path, kind, early, versions } = change;
    const mayBeMissing =
      this.#says(path, ...NOT_THERE) || ((kind === 'removed' || kind === 'renamed') && early);
    const there = lstatOf(this.#at(path));
    if (there?.isFile() === true) {
      const arrived = bytesOfFile(this.#at(path));
      const isOne = versions.some(version => version.equals(arrived)) || this.#isPrefix(change, arrived);
      const isSecret = kind === 'toLink' && this.#arrival.follow && arrived.equals(this.#secret());
      const isTorn = kind !== 'grown' && this.#says(path, 'changed');
      if (isOne || isSecret || isTorn) {
        return;
      }
    }
    const isPlanted = this.#planted.get(path)?.view.get('')?.content === seenAt(this.#at(path))?.content;
    if (there === null || isPlanted) {
      this.#expect(path, mayBeMissing, `(${kind}) is missing, and nobody says so`);
    } else if (there.isFile()) {
      this.#wrong(path, `(${kind}) holds what it never held, ${there.size.toString()} bytes`);
    } else if (kind !== 'toFolder' && kind !== 'toLink') {
      this.#wrong(path, `(${kind}) is no file at the target`);
    }
  }

  /** All that was in a folder when it got another name: here under the old one, or named, or early enough under the new. */
  #movedFolder(change: Change, inside: string): void {
    const from = below(below(this.#arrival.tree.root, change.movedTo), inside);
    for (const name of namesIn(from)) {
      const each = inside === '' ? name : `${inside}/${name}`;
      const stats = lstatOf(`${from}/${name}`);
      if (stats?.isDirectory() === true) {
        this.#movedFolder(change, each);
      } else if (stats?.isFile() === true) {
        const names = `${change.path}/${each}`.split('/');
        const isNamed = names.some((_, at) => this.#says(names.slice(0, at + 1).join('/'), ...NOT_THERE));
        this.#moved(`${from}/${name}`, names.join('/'), isNamed || change.early);
        this.#moved(`${from}/${name}`, `${change.movedTo}/${each}`, true);
      }
    }
  }

  #moved(from: string, path: string, mayBeMissing: boolean): void {
    const there = lstatOf(this.#at(path));
    if (this.#isSkipped(path) || this.#planted.has(path)) {
      return;
    }
    if (there === null) {
      this.#expect(
        path,
        mayBeMissing,
        'was in a folder that got another name, is missing, and nobody says so',
      );
    } else if (isReadable(from)) {
      const isSame = there.isFile() && checksumOf(from) === checksumOf(this.#at(path));
      this.#expect(path, isSame, 'got another name, and came with other content');
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
    return bytesOfFile(join(this.#arrival.tree.outside, SECRET));
  }

  // ---- what was there before

  #stillThere(planted: Planted): void {
    const { conflict, wasCutShort } = this.#arrival;
    const names = [
      planted.at,
      ...this.#accounts()
        .flatMap(account => account.details(planted.path, 'keptBeside'))
        .map(name => join(dirname(planted.at), name)),
    ];
    // Nobody speaks of what a thing came to that was there, and then changed into what cannot come.
    if (wasCutShort || this.#hasChanged(planted.path)) {
      names.push(...datedBeside(planted.at));
    }
    names.forEach(at => this.#allowBelow(relative(this.#arrival.target, at)));
    const kept = names.some(at => differences(planted.view, viewOf(at), false).length === 0);
    const mayGo = conflict === 'replace' && planted.kind !== 'folder';
    if (!kept && !mayGo) {
      this.#wrong(
        planted.path,
        `was there as a ${planted.kind} before the copy, and is lost (${names.join(', ')})`,
      );
    }
  }

  /** Only what a person had there, or what an earlier copy brought of a thing that has changed since. */
  #keptForAReason(): void {
    const { account, before = [] } = this.#arrival;
    for (const { path, outcome, detail } of this.#accounts().flatMap(each => each.all())) {
      if (outcome !== 'keptBeside') {
        continue;
      }
      const own = account.pathOf(path);
      const folder = dirOf(this.#byPlainPath.get(own) ?? own);
      this.#allowBelow(folder === '' ? detail : `${folder}/${detail}`);
      const isReason =
        [...this.#planted.keys()].some(each => plainPath(each) === own) ||
        [...this.#changed.keys(), ...before.flatMap(change => [change.path, change.movedTo])].some(
          each => plainPath(each) === own || own.startsWith(`${plainPath(each)}/`),
        );
      this.#expect(own, isReason, `made something be kept as ${detail} that no person had there`);
    }
  }

  // ---- nothing came that nobody asked for

  #nothingElse(path: string): void {
    for (const name of namesIn(below(this.#arrival.target, path))) {
      const each = path === '' ? name : `${path}/${name}`;
      if (isPartName(name)) {
        this.#expect(each, this.#mayBeLeft(each), 'is half of a file that was left behind');
      } else if (!this.#known.has(each)) {
        this.#wrong(each, 'is at the target, and nowhere else');
      } else if (lstatOf(below(this.#arrival.target, each))?.isDirectory() === true) {
        this.#nothingElse(each);
      }
    }
  }

  /** Of a copy that was ended in its middle, when the file had gone by the time of the next. */
  #mayBeLeft(part: string): boolean {
    const { done, wasCutShort, changes, before = [] } = this.#arrival;
    const stems = [...changes, ...before].map(({ path }) => {
      const stored = this.#stored(path);
      return below(dirOf(stored), partStem(stored.split('/').at(-1) ?? ''));
    });
    return !done || (wasCutShort && stems.some(stem => part.startsWith(stem.replace(/^\//, ''))));
  }

  #allowBelow(stored: string): void {
    this.#known.add(stored);
    for (const path of pathsIn(below(this.#arrival.target, stored))) {
      this.#known.add(path === '' ? stored : `${stored}/${path}`);
    }
  }

  // ---- words

  /** A path below the target. */
  #stored(path: string): string {
    return storablePath(path, process.platform);
  }

  #isNamedAsStored(path: string): void {
    const { base, target } = this.#arrival;
    const stored = relative(base, below(target, this.#stored(path)));
    const isNamed = this.#accounts().some(account => account.details(path, 'renamed').includes(stored));
    const isOther = this.#stored(path) !== path && this.#isNew(path) && !this.#isExcused(path);
    this.#expect(
      path,
      isNamed || !isOther || this.#says(path, ...NOT_THERE),
      `is stored as ${stored}, and nobody says so`,
    );
  }

  #accounts(): readonly Account[] {
    return [...this.#arrival.earlier, this.#arrival.account];
  }

  #at(path: string): string {
    return below(this.#arrival.target, this.#stored(path));
  }

  #says(path: string, ...outcomes: readonly Outcome[]): boolean {
    return this.#arrival.account.has(path, ...outcomes);
  }

  #hasSaid(path: string, ...outcomes: readonly Outcome[]): boolean {
    return this.#accounts().some(account => account.has(path, ...outcomes));
  }

  /** It is not there for a reason that is named and can be true. */
  #isExcused(path: string): boolean {
    return (!this.#arrival.done && this.#says(path, 'notCopied')) || this.#isSkipped(path);
  }

  #isSkipped(path: string): boolean {
    return (
      this.#arrival.conflict === 'skip' &&
      (this.#says(path, 'skipped') || this.#arrival.wasCutShort) &&
      (this.#hasChanged(path) ||
        path.split('/').some((_, index, names) => this.#planted.has(names.slice(0, index + 1).join('/'))))
    );
  }

  #hasChanged(path: string): boolean {
    const { before = [] } = this.#arrival;
    return this.#changed.has(path) || before.some(change => change.path === path || change.movedTo === path);
  }

  /** It was not there before this copy. */
  #isNew(path: string): boolean {
    return (
      !this.#arrival.wasCutShort &&
      this.#arrival.earlier.length === 0 &&
      this.#arrival.inTheWay?.paths.has(this.#stored(path)) !== true
    );
  }

  #expect(path: string, holds: boolean, problem: string): void {
    if (!holds) {
      this.#wrong(path, problem);
    }
  }

  #wrong(path: string, problem: string): void {
    const said = this.#arrival.account.of(path).map(({ outcome, detail }) => `${outcome} ${detail}`);
    this.#problems.push(`${JSON.stringify(plainPath(path))} ${problem} [${said.join('; ')}]`);
  }
}

const dirOf = (path: string): string => path.split('/').slice(0, -1).join('/');

function isReadable(path: string): boolean {
  try {
    accessSync(encodePath(path), constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

function realOf(path: string): string | null {
  try {
    return decodeName(realpathSync.native(encodePath(path), { encoding: 'buffer' }));
  } catch {
    return null;
  }
}

/** '' for the folder itself; null: not in it. */
function belowOf(folder: string, path: string): string | null {
  const way = relative(folder, path);
  return way === '..' || way.startsWith('../') ? null : way;
}

/** A link that comes back into the tree by the name of one of the folders above it. */
function climbsOut(from: string, text: string, root: string): boolean {
  let at = from;
  return text.split('/').some(name => {
    at = resolve(at, name);
    return belowOf(root, at) === null;
  });
}

/** What stands beside a path under a name with a date. */
function datedBeside(at: string): string[] {
  return namesIn(dirname(at))
    .filter(name => / \(\d{4}-\d\d-\d\d \d\d\.\d\d\.\d\d/.test(name))
    .map(name => join(dirname(at), name));
}
