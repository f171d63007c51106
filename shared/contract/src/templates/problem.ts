/** A mistake in a template's folder, with its place and what to do: `hitch.yaml:12:1  There is no key “paramters”…` */
import * as z from 'zod';

export const templateProblemSchema = z.object({
  /** Inside the template's folder, with `/`. */
  file: z.string(),
  /** From 1; null: the file as a whole. */
  line: z.number().int().min(1).nullable(),
  /** From 1, in UTF-16 units; null: the line as a whole. */
  column: z.number().int().min(1).nullable(),
  sentence: z.string(),
});
export type TemplateProblem = z.infer<typeof templateProblemSchema>;

/** One line, as compilers write it and editors understand it. */
export const templateProblemLine = ({ file, line, column, sentence }: TemplateProblem): string =>
  `${[file, line, column].filter(part => part !== null).join(':')}  ${sentence}`;

const order = (one: TemplateProblem, other: TemplateProblem): number =>
  (one.line ?? 0) - (other.line ?? 0) || (one.column ?? 0) - (other.column ?? 0);

/** By file in the order they came, and by place in each; a sentence is said once at a place. */
export function sortedProblems(problems: readonly TemplateProblem[]): readonly TemplateProblem[] {
  const files = [...new Set(problems.map(({ file }) => file))];
  const seen = new Set<string>();
  return files
    .flatMap(file => problems.filter(problem => problem.file === file).sort(order))
    .filter(problem => {
      const line = templateProblemLine(problem);
      const isNew = !seen.has(line);
      seen.add(line);
      return isNew;
    });
}
