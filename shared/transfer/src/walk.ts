/**
 * Walks what is to be copied. Nothing is followed unless the rules say so, no folder is held in memory, and an error
 * belongs to the thing it is about: the walk goes on.
 */
import type { Dirent, Stats } from 'node:fs';
import { opendir } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { cutText } from '@hitch/contract/src/said.ts';
import { lstat, readlink, realpath, stat } from './disk-now.ts';
import { codeOf, isMissing, lstatAll, reasonOf, timeOf } from './disk-calls.ts';
import type { Entry, Listed, Omission, WalkRules } from './entry.ts';
import { IgnoreRules } from './ignore-rules.ts';
import { decodeName, encodePath, isPartName, plainPath } from './names.ts';

/** So many names of a folder are looked at together. */
const AT_ONCE = 256;
/** What says that more was cut comes on top. */
const MOST_DETAIL = 950;

/** A folder that is copied as a tree: a root, or what a followed link leads to. */
interface Tree {
  /** With every link on the way to it followed. */
  readonly real: string;
  /** Where it lies in the manifest. */
  readonly path: string;
}

interface Place {
  readonly root: number;
  /** In the manifest. */
  readonly path: string;
  /** On the disk, absolute. */
  readonly absolute: string;
}

export interface WalkRoot {
  /** Absolute. */
  readonly absolute: string;
  /** It may be a link, and what it leads to may be read. */
  readonly follow: boolean;
}

/** What follows from an `lstat` for the manifest. */
const described = ({ root, path }: Place, stats: Stats, kind: Entry['kind']): Entry => ({
  root,
  path,
  kind,
  sizeBytes: kind === 'file' ? stats.size : 0,
  modifiedAtMs: timeOf(stats),
  mode: stats.mode & 0o777,
});

const omission = ({ root, path }: Place, omitted: Omission['omitted'], detail: string): Omission => ({
  root,
  path,
  omitted,
  detail,
});

const failed = (place: Place, error: unknown): Omission =>
  isMissing(error) || error === 'ENOENT' || error === 'ENOTDIR'
    ? omission(place, 'gone', '')
    : omission(place, 'unreadable', reasonOf(error));

/** Rules that are not obeyed; with `follow` there are none, because what they leave out must not go to a stranger. */
const unreadRules = (place: Place, { unread }: IgnoreRules): Omission[] =>
  unread.map(({ name, why }) => {
    const isAbove = isAbsolute(name);
    const which = isAbove ? `the rules in ${plainPath(name)}` : 'its rules';
    return omission(
      isAbove ? place : { ...place, path: joined(place.path, name) },
      'unreadable',
      cutText(`${which}, so nothing is left out by them: ${why}`, MOST_DETAIL),
    );
  });

function specialWords(stats: Stats): string {
  return stats.isFIFO() ? 'a pipe' : stats.isSocket() ? 'a socket' : 'a device';
}

export async function* walk(
  roots: readonly WalkRoot[],
  rules: WalkRules,
  signal: AbortSignal,
): AsyncGenerator<readonly Listed[]> {
  for (const [root, { absolute, follow }] of roots.entries()) {
    yield* new Walk(root, rules, signal).from(absolute, follow);
  }
}

class Walk {
  readonly #root: number;
  readonly #rules: WalkRules;
  readonly #signal: AbortSignal;

  constructor(root: number, rules: WalkRules, signal: AbortSignal) {
    this.#root = root;
    this.#rules = rules;
    this.#signal = signal;
  }

  /** The root itself counts even where a rule would leave it out: it was named. */
  async *from(absolute: string, follow: boolean): AsyncGenerator<readonly Listed[]> {
    const place: Place = { root: this.#root, path: '', absolute };
    let stats: Stats;
    try {
      stats = await (follow ? stat : lstat)(encodePath(absolute));
    } catch (error) {
      const link = await lstat(encodePath(absolute)).catch(() => null);
      yield [link?.isSymbolicLink() === true ? await this.#link(place, link, []) : failed(place, error)];
      return;
    }
    if (stats.isDirectory()) {
      const real = await realpath(encodePath(absolute), 'buffer').then(decodeName, () => absolute);
      const ignore = await IgnoreRules.at(real, this.#rules);
      yield [described(place, stats, 'folder'), ...unreadRules(place, ignore)];
      yield* this.#folder({ ...place, absolute: real }, [{ real, path: '' }], ignore);
    } else if (stats.isSymbolicLink()) {
      yield [await this.#link(place, stats, [])];
    } else {
      yield [
        stats.isFile() ? described(place, stats, 'file') : omission(place, 'leftOut', specialWords(stats)),
      ];
    }
  }

  /** @param trees those that the folder lies in, the innermost first. */
  async *#folder(
    place: Place,
    trees: readonly Tree[],
    outer: IgnoreRules,
  ): AsyncGenerator<readonly Listed[]> {
    const ignore = await outer.in(place.absolute);
    yield unreadRules(place, ignore);
    try {
      for await (const names of namesIn(place.absolute)) {
        this.#signal.throwIfAborted();
        const places = names.map(name => ({
          root: place.root,
          path: place.path === '' ? name : `${place.path}/${name}`,
          absolute: join(place.absolute, name),
        }));
        const folders: Place[] = [];
        const followed: { place: Place; tree: Tree }[] = [];
        const batch: Listed[] = [];
        const found = lstatAll(places.map(({ absolute }) => absolute));
        for (const [index, each] of places.entries()) {
          const stats = found[index] ?? 'ENOENT';
          const listed = await this.#listed(each, names[index] ?? '', stats, trees, ignore);
          batch.push(listed.entry);
          if (listed.tree !== undefined) {
            followed.push({ place: { ...each, absolute: listed.tree.real }, tree: listed.tree });
          } else if ('kind' in listed.entry && listed.entry.kind === 'folder') {
            folders.push(each);
          }
        }
        yield batch;
        for (const each of folders) {
          yield* this.#folder(each, trees, ignore);
        }
        for (const { place: at, tree } of followed) {
          yield* this.#folder(at, [tree, ...trees], ignore);
        }
      }
    } catch (error) {
      this.#signal.throwIfAborted();
      if (codeOf(error) === '') {
        throw error;
      }
      yield [failed(place, error)];
    }
  }

  async #listed(
    place: Place,
    name: string,
    stats: Stats | string,
    trees: readonly Tree[],
    ignore: IgnoreRules,
  ): Promise<{ entry: Listed; tree?: Tree }> {
    if (typeof stats === 'string') {
      return { entry: failed(place, stats) };
    }
    if (ignore.leavesOut(place.absolute, name, stats.isDirectory())) {
      return { entry: omission(place, 'ignored', '') };
    }
    if (stats.isDirectory()) {
      return { entry: described(place, stats, 'folder') };
    }
    if (stats.isFile()) {
      return { entry: described(place, stats, 'file') };
    }
    if (!stats.isSymbolicLink()) {
      return { entry: omission(place, 'leftOut', specialWords(stats)) };
    }
    const link = await this.#link(place, stats, trees);
    return this.#rules.follow && 'outside' in link && link.outside === true
      ? this.#followed(place, link, trees)
      : { entry: link };
  }

  /** A link as it is to be made at the other end: with another text where its own would lead elsewhere there. */
  async #link(place: Place, stats: Stats, trees: readonly Tree[]): Promise<Entry | Omission> {
    let text: string;
    try {
      text = decodeName(await readlink(encodePath(place.absolute), 'buffer'));
    } catch (error) {
      return failed(place, error);
    }
    const entry = described(place, stats, 'link');
    const lexical = resolve(dirname(place.absolute), text);
    // One step: what stands there may be a link too, and is looked at when its turn comes.
    const folder = await realpath(encodePath(dirname(lexical)), 'buffer').then(decodeName, () => null);
    const real = folder === null ? lexical : join(folder, basename(lexical));
    for (const tree of trees) {
      const below = belowOf(tree.real, real);
      if (below !== null) {
        const staysInside = !isAbsolute(text) && staysBelow(tree.real, dirname(place.absolute), text);
        return { ...entry, target: staysInside ? text : relativeLink(place.path, joined(tree.path, below)) };
      }
    }
    return { ...entry, target: text, outside: true };
  }

  /** What a link that leads out points to, in its place; a loop or a link to nothing stays a link. */
  async #followed(
    place: Place,
    link: Entry,
    trees: readonly Tree[],
  ): Promise<{ entry: Listed; tree?: Tree }> {
    let real: string;
    let stats: Stats;
    try {
      real = decodeName(await realpath(encodePath(place.absolute), 'buffer'));
      stats = await stat(encodePath(real));
    } catch {
      return { entry: link };
    }
    if (stats.isFile()) {
      return { entry: described(place, stats, 'file') };
    }
    if (!stats.isDirectory()) {
      return { entry: omission(place, 'leftOut', specialWords(stats)) };
    }
    return trees.some(tree => belowOf(real, tree.real) !== null)
      ? { entry: link }
      : { entry: described(place, stats, 'folder'), tree: { real, path: place.path } };
  }
}

/** The names in a folder, some at a time; the files that we put beside others while they arrive are not among them. */
async function* namesIn(folder: string): AsyncGenerator<readonly string[]> {
  // The type knows names as strings only; with this encoding they are buffers.
  const options: object = { encoding: 'buffer', bufferSize: AT_ONCE };
  const entries: AsyncIterable<Dirent<string | Buffer>> = await opendir(encodePath(folder), options);
  let names: string[] = [];
  for await (const { name } of entries) {
    const text = typeof name === 'string' ? name : decodeName(name);
    if (!isPartName(text)) {
      names.push(text);
    }
    if (names.length === AT_ONCE) {
      yield names;
      names = [];
    }
  }
  yield names;
}

/** `path` below `folder`, `/`-separated, '' for the folder itself; null: it is not in it. */
function belowOf(folder: string, path: string): string | null {
  const below = relative(folder, path);
  return below === '..' || below.startsWith(`..${sep}`) || isAbsolute(below)
    ? null
    : below.split(sep).join('/');
}

/** Whether a relative link stays below a folder on its whole way: who leaves it comes back by a name it may not have there. */
function staysBelow(folder: string, from: string, text: string): boolean {
  let at = from;
  return text.split('/').every(name => {
    at = resolve(at, name);
    return belowOf(folder, at) !== null;
  });
}

const joined = (one: string, other: string): string =>
  one === '' ? other : other === '' ? one : `${one}/${other}`;

/** From the folder of a link in the manifest to another place in it. */
function relativeLink(link: string, target: string): string {
  const from = link.split('/').slice(0, -1);
  const to = target === '' ? [] : target.split('/');
  let common = 0;
  while (common < from.length && common < to.length && from[common] === to[common]) {
    common += 1;
  }
  const up = from.slice(common).map(() => '..');
  return [...up, ...to.slice(common)].join('/') || '.';
}
