/** Which of the things in a tree are left out, by files such as `.gitignore` in each of its folders. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import createIgnore, { type Ignore } from 'ignore';
import type { WalkRules } from './entry.ts';
import { encodePath } from './names.ts';

/** A rule file larger than this is no rule file. */
const MOST_RULE_BYTES = 1024 * 1024;

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

  private constructor(rules: WalkRules, names: ReadonlySet<string>, levels: readonly Level[]) {
    this.#rules = rules;
    this.#names = names;
    this.#levels = levels;
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
      const lines = await found.#linesIn(above);
      const leavesItOut = matcherOf(lines).ignores(named);
      found = found.#with(
        above,
        leavesItOut ? lines.filter(line => !matcherOf([line]).ignores(named)) : lines,
      );
    }
    return found;
  }

  /** The rules inside a folder below. */
  async in(folder: string): Promise<IgnoreRules> {
    return this.#with(folder, await this.#linesIn(folder));
  }

  async #linesIn(folder: string): Promise<readonly string[]> {
    const lines: string[] = [];
    for (const name of this.#rules.ignoreFiles) {
      const text = await readFile(encodePath(join(folder, name)), 'utf8').catch(() => '');
      lines.push(...(text.length > MOST_RULE_BYTES ? [] : text.split(/\r?\n/)));
    }
    return lines.filter(line => line.trim() !== '');
  }

  #with(folder: string, lines: readonly string[]): IgnoreRules {
    return lines.length === 0
      ? this
      : new IgnoreRules(this.#rules, this.#names, [{ folder, matcher: matcherOf(lines) }, ...this.#levels]);
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
