/**
 * What is found wrong in a template file. A rule names what it relies on; where that is wrong itself, the rule says nothing,
 * so that no sentence is the consequence of another.
 */
import type { TemplateProblem } from './problem.ts';
import { TEMPLATE_FILE } from './schema.ts';
import { isGroup, valueAt, type Path } from './values.ts';
import type { Place, YamlFile, YamlText } from './yaml-file.ts';

export interface FolderFiles {
  /** Paths inside the folder, with `/`; null: only the file itself is known, nothing is said of others. */
  readonly names: ReadonlySet<string> | null;
  /** A program in it trains with Ray Train. Left out: none does, or only the file itself is known. */
  readonly usesRayTrain?: boolean;
}

export class Findings {
  readonly #file: YamlFile;
  readonly #problems: TemplateProblem[] = [];
  readonly #broken: Path[] = [];

  constructor(file: YamlFile) {
    this.#file = file;
  }

  get data(): unknown {
    return this.#file.data;
  }

  get texts(): readonly YamlText[] {
    return this.#file.texts;
  }

  get problems(): readonly TemplateProblem[] {
    return this.#problems;
  }

  source(path: Path): string | undefined {
    return this.#file.source(path);
  }

  /** What stands at a path is not what it should be: rules that rely on it are silent. */
  breaks(path: Path): void {
    this.#broken.push(path);
  }

  isSound(path: Path): boolean {
    return !this.#broken.some(
      broken => broken.length <= path.length && broken.every((step, index) => step === path[index]),
    );
  }

  /** A sentence at the value of a path, or at its key. */
  say(path: Path, sentence: string, of: 'key' | 'value' = 'value'): void {
    this.sayAt(this.#file.at(path, of), sentence);
  }

  sayAt({ line, column }: Place, sentence: string): void {
    this.#problems.push({ file: TEMPLATE_FILE, line, column, sentence });
  }

  /** What one field says about another, unless something that it relies on is wrong already. */
  rule(relies: readonly Path[], path: Path, sentence: string, of: 'key' | 'value' = 'value'): void {
    if ([path, ...relies].every(each => this.isSound(each))) {
      this.say(path, sentence, of);
    }
  }

  has(path: Path): boolean {
    return valueAt(this.data, path) !== undefined;
  }

  /** The names in a group such as `parameters`; null where the group itself is wrong. */
  namesIn(path: Path): readonly string[] | null {
    const value = valueAt(this.data, path);
    if (!this.isSound(path) || (value !== undefined && !isGroup(value))) {
      return null;
    }
    return Object.keys(value ?? {});
  }
}
