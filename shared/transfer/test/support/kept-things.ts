/** Whether what was at the target before is there still, and nothing came that nobody asked for. */
import { dirname, join, relative } from 'node:path';
import { isPartName, partStem, plainPath } from '../../src/names.ts';
import { datedBeside, dirOf } from './arrival-paths.ts';
import { below, lstatOf, namesIn, viewOf } from './disk-view.ts';
import { differences, type Planted } from './in-the-way.ts';
import type { Judge } from './judge.ts';

export class KeptThings {
  readonly #judge: Judge;

  constructor(judge: Judge) {
    this.#judge = judge;
  }

  check(): void {
    const { inTheWay, changes, before = [], target, wasCutShort } = this.#judge.arrival;
    inTheWay?.planted.forEach(planted => this.#stillThere(planted));
    this.#keptForAReason();
    for (const { path, movedTo } of before) {
      this.#judge.allowBelow(this.#judge.stored(path));
      this.#judge.allowBelow(this.#judge.stored(movedTo));
    }
    if (wasCutShort) {
      // What a try had brought of a thing that changed before the next try, of which nobody heard.
      [...changes, ...before]
        .flatMap(({ path }) => datedBeside(this.#judge.at(path)))
        .forEach(at => this.#judge.allowBelow(relative(target, at)));
    }
    this.#judge.problems.push(...(inTheWay?.spoiltVictims() ?? []));
    this.#nothingElse('');
  }

  #stillThere(planted: Planted): void {
    const { conflict, wasCutShort } = this.#judge.arrival;
    const names = [
      planted.at,
      ...this.#judge
        .accounts()
        .flatMap(account => account.details(planted.path, 'keptBeside'))
        .map(name => join(dirname(planted.at), name)),
    ];
    // Nobody speaks of what a thing came to that was there, and then changed into what cannot come.
    if (wasCutShort || this.#judge.hasChanged(planted.path)) {
      names.push(...datedBeside(planted.at));
    }
    names.forEach(at => this.#judge.allowBelow(relative(this.#judge.arrival.target, at)));
    const kept = names.some(at => differences(planted.view, viewOf(at), false).length === 0);
    const mayGo = conflict === 'replace' && planted.kind !== 'folder';
    if (!kept && !mayGo) {
      this.#judge.wrong(
        planted.path,
        `was there as a ${planted.kind} before the copy, and is lost (${names.join(', ')})`,
      );
    }
  }

  /** Only what a person had there, or what an earlier copy brought of a thing that has changed since. */
  #keptForAReason(): void {
    const { account, before = [] } = this.#judge.arrival;
    for (const { path, outcome, detail } of this.#judge.accounts().flatMap(each => each.all())) {
      if (outcome !== 'keptBeside') {
        continue;
      }
      const own = account.pathOf(path);
      for (const stored of this.#judge.byPlainPath.get(own) ?? [own]) {
        const folder = dirOf(stored);
        this.#judge.allowBelow(folder === '' ? detail : `${folder}/${detail}`);
      }
      const isReason =
        [...this.#judge.planted.keys()].some(each => plainPath(each) === own) ||
        [...this.#judge.changed.keys(), ...before.flatMap(change => [change.path, change.movedTo])].some(
          each => plainPath(each) === own || own.startsWith(`${plainPath(each)}/`),
        );
      this.#judge.expect(own, isReason, `made something be kept as ${detail} that no person had there`);
    }
  }

  // ---- nothing came that nobody asked for

  #nothingElse(path: string): void {
    for (const name of namesIn(below(this.#judge.arrival.target, path))) {
      const each = path === '' ? name : `${path}/${name}`;
      if (isPartName(name)) {
        this.#judge.expect(each, this.#mayBeLeft(each), 'is half of a file that was left behind');
      } else if (!this.#judge.known.has(each)) {
        this.#judge.wrong(each, 'is at the target, and nowhere else');
      } else if (lstatOf(below(this.#judge.arrival.target, each))?.isDirectory() === true) {
        this.#nothingElse(each);
      }
    }
  }

  /** Of a copy that was ended in its middle, when the file had gone by the time of the next. */
  #mayBeLeft(part: string): boolean {
    const { done, wasCutShort, changes, before = [] } = this.#judge.arrival;
    const stems = [...changes, ...before].map(({ path }) => {
      const stored = this.#judge.stored(path);
      return below(dirOf(stored), partStem(stored.split('/').at(-1) ?? ''));
    });
    const isOfOne = stems.some(stem => part.startsWith(stem.replace(/^\//, '')));
    const isBelow = [...changes, ...before].some(({ path }) =>
      part.startsWith(`${this.#judge.stored(path)}/`),
    );
    return !done || (wasCutShort && (isOfOne || isBelow));
  }
}
