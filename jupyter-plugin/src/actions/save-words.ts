/** Paths of the work folder as a person types them: commas between, `~/work` for the folder itself. */
import { workPathSchema } from '@hitch/contract';
import { workWords } from '@hitch/contract/src/stop-plan.ts';
import type { TranslationBundle } from '@jupyterlab/translation';

export interface TypedPaths {
  readonly paths: readonly string[];
  /** What to correct, a sentence; null: nothing. */
  readonly problem: string | null;
}

/** As they are typed: what {@link readPaths} reads. */
export const typedFrom = (paths: readonly string[]): string =>
  paths.map(path => (workWords(path) === '~/work' ? '~/work' : path)).join(', ');

export function readPaths(text: string, trans: TranslationBundle): TypedPaths {
  const typed = text
    .split(',')
    .map(part => part.trim())
    .filter(part => part !== '');
  const paths = typed.map(path =>
    path
      .replace(/^~\/work(?=\/|$)\/?/, '')
      .replace(/^(?:\.\/)+|\/+$/g, '')
      .replace(/^\.$/, ''),
  );
  const wrong = typed.find((_, at) => !workPathSchema.safeParse(paths[at]).success);
  const problem =
    wrong !== undefined
      ? trans.__('“%1” is outside of ~/work: enter a path inside it, such as results/run1.', wrong)
      : paths.length === 0
        ? trans.__('No path was entered: enter files or folders, or ~/work for everything.')
        : null;
  return { paths: [...new Set(paths)], problem };
}
