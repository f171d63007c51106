/** What is wrong with a template's folder, as marks in its files. */
import type { TemplateCheck, TemplateProblem } from '@hitch/contract';

export { isTemplateText } from '@hitch/contract/src/templates/is-template.ts';

export interface Mark {
  /** Inside the template's folder, with `/`. */
  readonly file: string;
  /** From 0. */
  readonly line: number;
  readonly from: number;
  /** Null: to the end of the line. */
  readonly to: number | null;
  readonly sentence: string;
  /** A note is worth knowing, and nothing that has to be mended. */
  readonly isNote: boolean;
}

/** One word or quoted text from a place on; what follows it has another meaning. */
function endOf(line: string, from: number): number | null {
  const rest = line.slice(from);
  const [token] = /^(?:"(?:[^"\\]|\\.)*"|'[^']*'|[^\s,:{}[\]]+)/.exec(rest) ?? [];
  return token === undefined ? null : from + token.length;
}

/** @param textOf the text of a file as the editor has it; undefined where it is not open. */
export function marksOf(
  { problems, notes }: Pick<TemplateCheck, 'problems' | 'notes'>,
  textOf: (file: string) => string | undefined,
): readonly Mark[] {
  const mark = ({ file, line, column, sentence }: TemplateProblem, isNote: boolean): Mark => {
    const row = Math.max(0, (line ?? 1) - 1);
    const from = Math.max(0, (column ?? 1) - 1);
    const text = textOf(file)?.split(/\r?\n/)[row];
    return {
      // What is wrong with the folder as a whole is said in the file that makes it a template.
      file: file === '' ? 'hitch.yaml' : file,
      line: row,
      from,
      to: line === null || column === null || text === undefined ? null : endOf(text, from),
      sentence,
      isNote,
    };
  };
  return [...problems.map(each => mark(each, false)), ...notes.map(each => mark(each, true))];
}
