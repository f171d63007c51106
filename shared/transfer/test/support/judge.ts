/** What is known and said of a copy while it is checked, and what is wrong with it. */
import type { Conflict, Outcome } from '@hitch/contract/src/copies.ts';
import { relative } from 'node:path';
import { plainPath, storablePath } from '../../src/names.ts';
import type { Account } from './account.ts';
import { below, pathsIn } from './disk-view.ts';
import type { InTheWay, Planted } from './in-the-way.ts';
import type { Change } from './mutator.ts';
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
  readonly conflict: Conflict;
  /** The copy came to its end: nothing may be named as not copied, and no half of a file be left. */
  readonly done: boolean;
}

/** After any of these a thing need not be there. */
export const NOT_THERE: readonly Outcome[] = ['gone', 'unreadable', 'leftOut', 'notCopied'];

export class Judge {
  readonly arrival: Arrival;
  readonly problems: string[] = [];
  /** Paths below the target that have a reason to be there. */
  readonly known = new Set<string>(['']);
  /** Where things are stored, by the names that accounts have for them. */
  readonly byPlainPath = new Map<string, Set<string>>();
  readonly changed = new Map<string, Change>();
  readonly planted = new Map<string, Planted>();

  constructor(arrival: Arrival) {
    this.arrival = arrival;
    for (const change of arrival.changes) {
      this.changed.set(change.path, change);
      this.changed.set(change.movedTo, change);
    }
    for (const planted of arrival.inTheWay?.planted ?? []) {
      this.planted.set(planted.path, planted);
    }
  }

  /** A path below the target. */
  stored(path: string): string {
    return storablePath(path, process.platform);
  }

  isNamedAsStored(path: string): void {
    const { base, target } = this.arrival;
    const stored = relative(base, below(target, this.stored(path)));
    const isNamed = this.accounts().some(account => account.details(path, 'renamed').includes(stored));
    const isOther = this.stored(path) !== path && this.isNew(path) && !this.isExcused(path);
    this.expect(
      path,
      isNamed || !isOther || this.says(path, ...NOT_THERE),
      `is stored as ${stored}, and nobody says so`,
    );
  }

  accounts(): readonly Account[] {
    return [...this.arrival.earlier, this.arrival.account];
  }

  at(path: string): string {
    return below(this.arrival.target, this.stored(path));
  }

  says(path: string, ...outcomes: readonly Outcome[]): boolean {
    return this.arrival.account.has(path, ...outcomes);
  }

  hasSaid(path: string, ...outcomes: readonly Outcome[]): boolean {
    return this.accounts().some(account => account.has(path, ...outcomes));
  }

  /** It is not there for a reason that is named and can be true. */
  isExcused(path: string): boolean {
    return (!this.arrival.done && this.says(path, 'notCopied')) || this.isSkipped(path);
  }

  isSkipped(path: string): boolean {
    return (
      this.arrival.conflict === 'skip' &&
      (this.says(path, 'skipped') || this.arrival.wasCutShort) &&
      (this.hasChanged(path) ||
        path.split('/').some((_, index, names) => this.planted.has(names.slice(0, index + 1).join('/'))))
    );
  }

  /** Where a thing is that an account may speak of. */
  remember(path: string): void {
    const plain = plainPath(path);
    const stored = this.byPlainPath.get(plain) ?? new Set();
    this.byPlainPath.set(plain, stored.add(this.stored(path)));
    this.known.add(this.stored(path));
  }

  /** It, or a folder that it lies in. */
  hasChanged(path: string): boolean {
    const { changes, before = [] } = this.arrival;
    return [...changes, ...before].some(change =>
      [change.path, change.movedTo].some(changed => path === changed || path.startsWith(`${changed}/`)),
    );
  }

  /** It was not there before this copy. */
  isNew(path: string): boolean {
    return (
      !this.arrival.wasCutShort &&
      this.arrival.earlier.length === 0 &&
      this.arrival.inTheWay?.paths.has(this.stored(path)) !== true
    );
  }

  expect(path: string, holds: boolean, problem: string): void {
    if (!holds) {
      this.wrong(path, problem);
    }
  }

  wrong(path: string, problem: string): void {
    const said = this.arrival.account.of(path).map(({ outcome, detail }) => `${outcome} ${detail}`);
    this.problems.push(`${JSON.stringify(plainPath(path))} ${problem} [${said.join('; ')}]`);
  }

  allowBelow(stored: string): void {
    this.known.add(stored);
    for (const path of pathsIn(below(this.arrival.target, stored))) {
      this.known.add(path === '' ? stored : `${stored}/${path}`);
    }
  }
}
