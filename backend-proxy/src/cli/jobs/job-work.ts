/** What `hitch job run` is to run, from its words: a file of this computer, or a command. */
import { HitchError, type JobWork } from '@hitch/contract';
import { stat } from 'node:fs/promises';
import { basename, dirname, relative, resolve, sep } from 'node:path';
import type { Context } from '../context.ts';

export interface Wanted {
  readonly words: readonly string[];
  readonly sh: string | undefined;
  readonly cells: string | undefined;
}

export interface LocalWork {
  /** The folder of this computer that it needs; null: none is known. */
  readonly folder: string;
  /** Once that folder is `target` in the work folder. */
  readonly work: (target: string) => JobWork;
}

/** A file runs with what its kind needs; every other first word is a program. */
const RUNS_WITH: Readonly<Record<string, readonly string[]>> = { '.py': ['python'], '.sh': ['bash'] };

export async function jobWork(context: Context, { words, sh, cells }: Wanted): Promise<LocalWork> {
  const here = (work: JobWork): LocalWork => ({ folder: resolve(context.cwd), work: () => work });
  if (sh !== undefined) {
    if (words.length > 0) {
      throw new HitchError('BAD_INPUT', 'Give --sh with a text, or a command, not both.', {
        field: 'command',
      });
    }
    return here({ kind: 'script', script: sh });
  }
  const [first, ...rest] = words;
  if (first === undefined) {
    throw new HitchError('BAD_INPUT', 'Say what to run: a file, or a command after --.', {
      field: 'command',
      next: 'For example: hitch job run llm-dev train.py, or hitch job run llm-dev -- python train.py --lr 3e-4',
    });
  }
  const extension = /\.(?:py|sh|ipynb)$/i.exec(first)?.[0].toLowerCase();
  if (cells !== undefined && extension !== '.ipynb') {
    throw new HitchError('BAD_INPUT', '--cells is for notebooks.', { field: '--cells' });
  }
  if (extension === undefined) {
    return here({ kind: 'command', command: [...words] });
  }
  const path = resolve(context.cwd, first);
  const isFile = (await stat(path).catch(() => null))?.isFile() === true;
  if (!isFile) {
    throw new HitchError('NOT_FOUND', `${first}: there is no such file here.`, {
      field: 'command',
      next: 'For a file that is on the cluster only, write the command: -- python file.py, with --no-send.',
    });
  }
  // Inside the folder one stands in, that whole folder is what its imports need.
  const isBelow = !relative(context.cwd, path).startsWith('..');
  const folder = isBelow ? resolve(context.cwd) : dirname(path);
  const name = isBelow ? relative(context.cwd, path).split(sep).join('/') : basename(path);
  if (extension === '.ipynb') {
    if (rest.length > 0) {
      throw new HitchError('BAD_INPUT', 'A notebook takes no arguments.', { field: 'command' });
    }
    return {
      folder,
      work: target => ({
        kind: 'notebook',
        path: target === '' ? name : `${target}/${name}`,
        cells: cellsOf(cells),
      }),
    };
  }
  return {
    folder,
    work: () => ({ kind: 'command', command: [...(RUNS_WITH[extension] ?? []), name, ...rest] }),
  };
}

/** `3`, `2-5` or `-5`, counted from 1 as editors do. */
export function cellsOf(text: string | undefined): { first: number; last: number } | null {
  if (text === undefined) {
    return null;
  }
  const match = /^(?:(\d{1,5})|(\d{0,5})-(\d{1,5}))$/.exec(text.trim());
  const last = Number(match?.[1] ?? match?.[3] ?? 0);
  const first = match?.[1] === undefined ? Number(match?.[2] === '' ? 1 : (match?.[2] ?? 0)) : last;
  if (first < 1 || last < first) {
    throw new HitchError(
      'BAD_INPUT',
      `--cells: "${text}" names no cells: write 3, 2-5 or -5 (the first five).`,
      {
        field: '--cells',
      },
    );
  }
  return { first: first - 1, last: last - 1 };
}
