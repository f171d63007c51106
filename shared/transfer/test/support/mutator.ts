/** Programs that go on working in a tree while it is copied. What each touched file has ever held is remembered. */
import {
  appendFileSync,
  closeSync,
  mkdirSync,
  openSync,
  renameSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { codeOf } from '../../src/disk-calls.ts';
import { encodePath } from '../../src/names.ts';
import type { Chance } from './chance.ts';
import { below, bytesOfFile, lstatOf } from './disk-view.ts';
import type { RandomTree } from './random-tree.ts';

const KINDS = [
  'grown',
  'shrunk',
  'rewritten',
  'replaced',
  'removed',
  'renamed',
  'toFolder',
  'toLink',
  'toPipe',
  'folderRenamed',
] as const;
export type ChangeKind = (typeof KINDS)[number];

export interface Change {
  readonly kind: ChangeKind;
  /** Below the root, as it was called. */
  readonly path: string;
  /** What it is called now. */
  readonly movedTo: string;
  /** All it has held, the oldest first; of a folder nothing. */
  readonly versions: readonly Buffer[];
  /** It went before its folder was listed for the last time. */
  readonly early: boolean;
}

interface Planned {
  kind: ChangeKind;
  path: string;
  movedTo: string;
  versions: Buffer[];
  early: boolean;
  stepsLeft: number;
}

/** What a file is replaced by a link to: it lies outside of the tree, and nobody may bring it from there unasked. */
export const SECRET = 'other/secret';

export class Mutator {
  readonly #tree: RandomTree;
  readonly #chance: Chance;
  readonly #waiting: Planned[];
  readonly #changes: Planned[] = [];
  #clockS = 1_750_000_000;

  /** @param share of the files that are touched. */
  constructor(chance: Chance, tree: RandomTree, share: number) {
    this.#chance = chance;
    this.#tree = tree;
    const count = Math.ceil(tree.files.length * share);
    const folder = chance.pick(tree.folders.filter(path => path !== ''));
    const inFolder = (path: string): boolean => path.startsWith(`${folder}/`);
    const files = chance.some(
      tree.files.filter(path => !inFolder(path)),
      count,
    );
    this.#waiting = files.map(path => this.#planned(path));
    this.#waiting.push({
      kind: 'folderRenamed',
      path: folder,
      movedTo: '',
      versions: [],
      early: false,
      stepsLeft: 1,
    });
  }

  get changes(): readonly Change[] {
    return this.#changes;
  }

  #planned(path: string): Planned {
    const { large } = this.#tree;
    // A link or a pipe in the place of a file is a file no more.
    const kind = this.#chance.pick(
      large.includes(path)
        ? (['grown', 'shrunk', 'rewritten', 'removed', 'renamed'] as const)
        : KINDS.slice(0, -1),
    );
    const stepsLeft =
      kind === 'grown' || kind === 'rewritten' || kind === 'replaced' ? this.#chance.int(1, 6) : 1;
    return { kind, path, movedTo: path, versions: [], early: false, stepsLeft };
  }

  /** What has changed so far was so before the tree was listed. */
  listedAnew(): void {
    this.#changes.forEach(change => {
      change.early = true;
    });
  }

  /** Changes one thing. @param listing the tree has not been listed to its end. */
  step(listing: boolean): void {
    const change = this.#waiting.length === 0 ? null : this.#chance.pick(this.#waiting);
    if (change === null) {
      return;
    }
    change.stepsLeft -= 1;
    if (change.stepsLeft <= 0) {
      this.#waiting.splice(this.#waiting.indexOf(change), 1);
    }
    try {
      this.#change(change);
    } catch (error) {
      if (['EACCES', 'EPERM'].includes(codeOf(error))) {
        return;
      }
      throw error;
    }
    change.early = listing;
    this.#setTime(change);
  }

  /**
   * Each time another one: two changes in one moment that leave a file as long as it was are nothing that a second copy
   * could see.
   */
  #setTime({ kind, path }: Planned): void {
    if (kind === 'rewritten' || kind === 'replaced') {
      this.#clockS += 0.05;
      utimesSync(encodePath(below(this.#tree.root, path)), this.#clockS, this.#clockS);
    }
  }

  #change(change: Planned): void {
    const path = encodePath(below(this.#tree.root, change.path));
    if (change.kind !== 'folderRenamed' && change.versions.length === 0) {
      change.versions.push(bytesOfFile(below(this.#tree.root, change.path)));
    }
    if (!this.#changes.includes(change)) {
      this.#changes.push(change);
    }
    const before = change.versions.at(-1) ?? Buffer.alloc(0);
    switch (change.kind) {
      case 'grown': {
        const more = this.#chance.content(this.#chance.int(1, 20_000));
        appendFileSync(path, more);
        change.versions.push(Buffer.concat([before, more]));
        return;
      }
      case 'shrunk': {
        const length = this.#chance.int(0, Math.max(0, before.length - 1));
        truncateSync(path, length);
        change.versions.push(before.subarray(0, length));
        return;
      }
      case 'rewritten':
        this.#rewrite(change, path, before);
        return;
      case 'replaced': {
        const content = this.#chance.content(this.#chance.int(0, 5_000));
        const beside = `${below(this.#tree.root, '')}.new`;
        writeFileSync(beside, content);
        renameSync(beside, path);
        change.versions.push(content);
        return;
      }
      case 'removed':
        unlinkSync(path);
        return;
      case 'renamed':
      case 'folderRenamed':
        change.movedTo = this.#freeName(change.path);
        renameSync(path, encodePath(below(this.#tree.root, change.movedTo)));
        return;
      case 'toFolder':
        unlinkSync(path);
        mkdirSync(path);
        return;
      case 'toLink':
        unlinkSync(path);
        symlinkSync(below(this.#tree.outside, SECRET), path);
        return;
      case 'toPipe': {
        const pipe = this.#tree.pipes.pop();
        if (pipe !== undefined) {
          renameSync(pipe, path);
        }
        return;
      }
    }
  }

  /** The same length, another content in its middle. */
  #rewrite(change: Planned, path: string | Buffer, before: Buffer): void {
    const length = Math.min(before.length, this.#chance.int(1, 4_000));
    const at = this.#chance.int(0, before.length - length);
    const file = openSync(path, 'r+');
    const content = this.#chance.content(length);
    writeSync(file, content, 0, length, at);
    closeSync(file);
    const after = Buffer.from(before);
    content.copy(after, at);
    change.versions.push(after);
  }

  #freeName(path: string): string {
    const folder = path.split('/').slice(0, -1);
    for (let number = 0; ; number++) {
      const renamed = [...folder, `moved-${number.toString()}`].join('/');
      if (lstatOf(below(this.#tree.root, renamed)) === null) {
        return renamed;
      }
    }
  }
}
