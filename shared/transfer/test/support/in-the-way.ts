/**
 * What lies at a target before a copy: other content under the names that are to arrive, links to places that no copy may
 * write to, and things that have nothing to do with it. None of it may be lost.
 */
import { copyFileSync, lutimesSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { codeOf } from '../../src/disk-calls.ts';
import { encodePath, storablePath } from '../../src/names.ts';
import type { Chance } from './chance.ts';
import { below, lstatOf, namesIn, pathsIn, type Seen, viewOf } from './disk-view.ts';
import type { RandomTree } from './random-tree.ts';

export interface Planted {
  /** Below the root of what is copied. */
  readonly path: string;
  /** Absolute, below the target. */
  readonly at: string;
  /** All of it, as it was. */
  readonly view: ReadonlyMap<string, Seen>;
  readonly kind: 'file' | 'folder' | 'link';
  /** What arrives there can share the place with it: a folder in which others lie. */
  readonly merges: boolean;
}

export class InTheWay {
  readonly planted: Planted[] = [];
  /** Paths below the target of all that was there. */
  readonly paths: ReadonlySet<string>;
  /** A folder outside of the target that planted links lead to, as it was. */
  readonly victims: ReadonlyMap<string, Seen>;
  readonly #chance: Chance;
  readonly #tree: RandomTree;
  readonly #target: string;
  readonly #elsewhere: string;

  /**
   * @param target where the root of the tree is to stand.
   * @param elsewhere a folder that is made for links to lead to.
   */
  constructor(chance: Chance, tree: RandomTree, target: string, elsewhere: string, count: number) {
    this.#chance = chance;
    this.#tree = tree;
    this.#target = target;
    this.#elsewhere = elsewhere;
    mkdirSync(join(elsewhere, 'sub'), { recursive: true });
    writeFileSync(join(elsewhere, 'victim'), 'must stay as it is', { mode: 0o640 });
    const shares = count === 0 ? [] : this.#draw(count);
    for (const [path, kind] of shares) {
      this.#plant(path, kind);
    }
    this.victims = viewOf(elsewhere);
    this.paths = new Set(pathsIn(target));
  }

  /** What of it is left where nobody meant to change anything, a line each. */
  spoiltVictims(): string[] {
    return differences(this.victims, viewOf(this.#elsewhere)).map(line => `elsewhere: ${line}`);
  }

  #draw(count: number): [string, 'file' | 'folder' | 'link'][] {
    const { files, folders, links } = this.#tree;
    const each = Math.ceil(count / 3);
    return [
      ...this.#chance
        .some(folders, each)
        .filter(path => path !== '')
        .map((path): [string, 'folder'] => [path, 'folder']),
      ...this.#chance.some(files, each).map((path): [string, 'file'] => [path, 'file']),
      ...this.#chance.some(links, each).map((path): [string, 'link'] => [path, 'link']),
    ];
  }

  #plant(path: string, kind: 'file' | 'folder' | 'link'): void {
    const at = below(this.#target, storablePath(path, process.platform));
    try {
      mkdirSync(encodePath(dirname(at)), { recursive: true });
    } catch (error) {
      if (['EEXIST', 'ENOTDIR', 'ENOENT'].includes(codeOf(error))) {
        // Something planted stands there already.
        return;
      }
      throw error;
    }
    if (lstatOf(at) !== null || this.#behindLink(at)) {
      return;
    }
    const source = below(this.#tree.root, path);
    const ways = ['file', 'link', 'folder', ...(kind === 'folder' ? [] : (['alike'] as const))] as const;
    const way = this.#chance.pick(ways);
    switch (way) {
      case 'file':
        writeFileSync(encodePath(at), this.#chance.content(this.#chance.int(0, 3_000)), {
          mode: this.#chance.pick([0o644, 0o400]),
        });
        break;
      case 'link':
        this.#plantLink(at, source, kind);
        break;
      case 'folder':
        this.#plantFolder(at, kind);
        break;
      case 'alike':
        this.#plantAlike(at, source, kind);
        break;
    }
    const planted = lstatOf(at);
    if (planted !== null) {
      const is = planted.isDirectory() ? 'folder' : planted.isSymbolicLink() ? 'link' : 'file';
      this.planted.push({
        path,
        at,
        view: viewOf(at),
        kind: is,
        merges: is === 'folder' && kind === 'folder',
      });
    }
  }

  #behindLink(at: string): boolean {
    for (let folder = dirname(at); folder.length > this.#target.length; folder = dirname(folder)) {
      if (lstatOf(folder)?.isSymbolicLink() === true) {
        return true;
      }
    }
    return false;
  }

  /** Where a folder is to go: a link to one that holds the same names, with the same sizes and times. */
  #plantLink(at: string, source: string, kind: 'file' | 'folder' | 'link'): void {
    if (kind !== 'folder') {
      symlinkSync(join(this.#elsewhere, this.#chance.pick(['victim', 'sub', 'nothing'])), encodePath(at));
      return;
    }
    const double = join(this.#elsewhere, `double-${this.planted.length.toString()}`);
    mkdirSync(double);
    for (const name of namesIn(source)) {
      const stats = lstatOf(`${source}/${name}`);
      const to = encodePath(`${double}/${storablePath(name, process.platform)}`);
      if (stats?.isFile() === true && stats.size < 100_000 && (stats.mode & 0o400) !== 0) {
        copyFileSync(encodePath(`${source}/${name}`), to);
        utimesSync(to, stats.mtimeMs / 1000, stats.mtimeMs / 1000);
      } else if (stats?.isDirectory() === true) {
        mkdirSync(to);
      }
    }
    symlinkSync(double, encodePath(at));
  }

  #plantFolder(at: string, kind: 'file' | 'folder' | 'link'): void {
    mkdirSync(encodePath(at), { mode: 0o750 });
    writeFileSync(encodePath(`${at}/a person’s own file`), this.#chance.content(500));
    mkdirSync(encodePath(`${at}/own`));
    if (kind === 'folder') {
      symlinkSync(this.#elsewhere, encodePath(`${at}/own link`));
    }
  }

  /** The same content at another time, or a link that says the same. */
  #plantAlike(at: string, source: string, kind: 'file' | 'folder' | 'link'): void {
    const stats = lstatOf(source);
    if (kind === 'file' && stats !== null && stats.size < 100_000 && (stats.mode & 0o400) !== 0) {
      copyFileSync(encodePath(source), encodePath(at));
      utimesSync(encodePath(at), 12_345, 12_345);
    } else if (kind === 'link') {
      symlinkSync('some/other place', encodePath(at));
      lutimesSync(encodePath(at), 12_345, 12_345);
    }
  }
}

const isContentSame = (one: Seen, other: Seen): boolean =>
  one.kind === other.kind && one.content === other.content;

/** What is missing or other in `now`, a line each. @param metaToo modes and times count as well. */
export function differences(
  before: ReadonlyMap<string, Seen>,
  now: ReadonlyMap<string, Seen>,
  metaToo = true,
): string[] {
  const lines: string[] = [];
  for (const [path, seen] of before) {
    const found = now.get(path);
    if (found === undefined) {
      lines.push(`${JSON.stringify(path)} is gone`);
    } else if (!isContentSame(seen, found)) {
      lines.push(`${JSON.stringify(path)} is other: ${JSON.stringify(seen)} became ${JSON.stringify(found)}`);
    } else if (metaToo && (seen.mode !== found.mode || seen.modifiedAtMs !== found.modifiedAtMs)) {
      lines.push(`${JSON.stringify(path)} has another mode or time: ${JSON.stringify([seen, found])}`);
    }
  }
  if (metaToo) {
    for (const path of now.keys()) {
      if (!before.has(path)) {
        lines.push(`${JSON.stringify(path)} is new`);
      }
    }
  }
  return lines;
}
