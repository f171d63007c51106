/** Which of the things in a tree are left out, by files such as `.gitignore` in each of its folders. */
import { constants, existsSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { HitchError } from '@hitch/contract/src/errors.ts';
import createIgnore, { type Ignore } from 'ignore';
import { codeOf, reasonOf } from './disk-calls.ts';
import { lstat, open } from './disk-now.ts';
import type { WalkRules } from './entry.ts';
import { encodePath, plainPath } from './names.ts';

/** A rule file larger than this is not read. */
const MOST_RULE_BYTES = 1024 * 1024;
/** A pipe of that name must not make anybody wait for its writer; Windows does not have the flag, and counts it as 0. */
const READ = constants.O_RDONLY | constants.O_NONBLOCK;

/** A file that should have rules and gives none. */
export interface Unread {
  readonly name: string;
  readonly why: string;
}

interface Level {
  /** Absolute. */
  readonly folder: string;
  readonly matcher: Ignore;
}

/** The rules that hold in one folder: its own, then those of the folders above it. */
export class IgnoreRules {
  readonly #rules: WalkRules;
  readonly #names: ReadonlySet<string>;
  readonly #levels: readonly Level[];
  /** In this folder. What they would have left out is copied. */
  readonly unread: readonly Unread[];

  private constructor(
    rules: WalkRules,
    names: ReadonlySet<string>,
    levels: readonly Level[],
    unread: readonly Unread[] = [],
  ) {
    this.#rules = rules;
    this.#names = names;
    this.#levels = levels;
    this.unread = unread;
  }

  /**
   * @param folder absolute; rules of the folders above it count up to the one that holds the repository, but for those
   * that would leave out the folder itself: it was named.
   */
  static async at(folder: string, rules: WalkRules): Promise<IgnoreRules> {
    let found = new IgnoreRules(rules, new Set(rules.ignoreNames), []);
    if (rules.ignoreFiles.length === 0) {
      return found;
    }
    for (const above of repositoryAbove(folder)) {
      const named = `${belowOf(above, folder)}/`;
      const { lines, unread } = await found.#linesIn(above);
      const leavesItOut = matcherOf(lines).ignores(named);
      found = found.#with(
        above,
        leavesItOut ? lines.filter(line => !matcherOf([line]).ignores(named)) : lines,
        [...found.unread, ...unread.map(({ name, why }) => ({ name: join(above, name), why }))],
      );
    }
    return found;
  }

  /** The rules inside a folder below. */
  async in(folder: string): Promise<IgnoreRules> {
    const { lines, unread } = await this.#linesIn(folder);
    return this.#with(folder, lines, unread);
  }

  async #linesIn(
    folder: string,
  ): Promise<{ readonly lines: readonly string[]; readonly unread: readonly Unread[] }> {
    const lines: string[] = [];
    const unread: Unread[] = [];
    for (const name of this.#rules.ignoreFiles) {
      try {
        lines.push(...(await textOf(join(folder, name))).split(/\r?\n/));
      } catch (error) {
        // A folder of that name is no rule file, nor is a link to nothing or in circles.
        // In a folder that cannot be entered, nothing else can be read either.
        const isNone = ['ENOENT', 'ENOTDIR', 'EISDIR', 'ELOOP'].includes(codeOf(error));
        if (!isNone && (await stands(join(folder, name)))) {
          unread.push({ name, why: error instanceof HitchError ? error.message : reasonOf(error) });
        }
      }
    }
    return { lines: lines.filter(line => line.trim() !== ''), unread };
  }

  #with(folder: string, lines: readonly string[], unread: readonly Unread[]): IgnoreRules {
    const [first] = unread;
    if (first !== undefined && this.#rules.follow) {
      throw new HitchError(
        'CONFLICT',
        `The rules in ${plainPath(resolve(folder, first.name))} cannot be read: ${first.why}.`,
        { next: 'Mend that file, or copy everything with --all: what it leaves out may be secret.' },
      );
    }
    const levels = lines.length === 0 ? [] : [{ folder, matcher: matcherOf(lines) }];
    return levels.length + unread.length + this.unread.length === 0
      ? this
      : new IgnoreRules(this.#rules, this.#names, [...levels, ...this.#levels], unread);
  }

  /** Whether a thing is left out; the nearest folder whose rules speak of it decides. */
  leavesOut(absolute: string, name: string, isFolder: boolean): boolean {
    if (this.#names.has(name)) {
      return true;
    }
    for (const { folder, matcher } of this.#levels) {
      const below = belowOf(folder, absolute);
      const said = matcher.test(isFolder ? `${below}/` : below);
      if (said.ignored || said.unignored) {
        return said.ignored;
      }
    }
    return false;
  }
}

const stands = (path: string): Promise<boolean> =>
  lstat(encodePath(path)).then(
    () => true,
    () => false,
  );

/** @throws the system's error, or HitchError where it is no file to read. */
async function textOf(path: string): Promise<string> {
  const file = await open(encodePath(path), READ);
  try {
    const stats = await file.stat();
    if (stats.isDirectory()) {
      return '';
    }
    if (!stats.isFile()) {
      throw new HitchError('CONFLICT', 'not a file');
    }
    if (stats.size > MOST_RULE_BYTES) {
      throw new HitchError('TOO_LARGE', 'larger than 1 MB');
    }
    const bytes = Buffer.alloc(stats.size);
    const { bytesRead } = await file.read(bytes, 0, bytes.length, 0);
    return bytes.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}

const matcherOf = (lines: readonly string[]): Ignore => createIgnore({ allowRelativePaths: true }).add(lines);

const belowOf = (folder: string, path: string): string => relative(folder, path).split(sep).join('/');

/** The folders above this one, from its repository's first on; none where it lies in no repository. */
function repositoryAbove(folder: string): readonly string[] {
  const above: string[] = [];
  if (existsSync(join(folder, '.git'))) {
    return above;
  }
  for (let at = dirname(folder); at !== dirname(at); at = dirname(at)) {
    above.unshift(at);
    if (existsSync(join(at, '.git'))) {
      return above;
    }
  }
  return [];
}
