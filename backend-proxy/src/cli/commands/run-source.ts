/** What `run` is to run, and where its outputs go. */
import { HitchError } from '@hitch/contract';
import { readFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import type { Context } from '../context.ts';
import { parseNotebook, type Notebook } from '../notebook/format.ts';
import { readAll } from '../screen/prompt.ts';

export type RunSource =
  | {
      readonly kind: 'notebook';
      readonly notebook: Notebook;
      /** The file's name without its folders: what clients show beside the kernel. */
      readonly name: string;
      readonly outputPath: string;
    }
  | { readonly kind: 'cell'; readonly code: string; readonly name: string };

async function readNotebook(path: string, shown: string): Promise<Notebook> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : '';
    const why =
      code === 'ENOENT'
        ? 'there is no such file'
        : code === 'EISDIR'
          ? 'it is a folder'
          : 'it cannot be read';
    throw new HitchError(code === 'ENOENT' ? 'NOT_FOUND' : 'BAD_INPUT', `${shown}: ${why}.`, {
      field: 'notebook',
      next: 'Give the path of a .ipynb file on this computer.',
      cause: error,
    });
  }
  return parseNotebook(shown, text);
}

/** `train.ipynb` gives `train.out.ipynb`. */
export const outputPathFor = (path: string, inplace: boolean): string =>
  inplace ? path : path.replace(/(?:\.ipynb)?$/i, '.out.ipynb');

export async function readSource(
  context: Context,
  input: {
    readonly notebook?: string | undefined;
    readonly code?: string | undefined;
    readonly inplace: boolean;
  },
): Promise<RunSource> {
  if (input.notebook !== undefined && input.code !== undefined) {
    throw new HitchError('BAD_INPUT', 'Give a notebook or -c with code, not both.', { field: 'notebook' });
  }
  if (input.code !== undefined) {
    return { kind: 'cell', code: input.code, name: 'cell' };
  }
  if (input.notebook === undefined || input.notebook === '-') {
    if (context.io.stdin.isTTY === true && input.notebook === undefined) {
      throw new HitchError(
        'BAD_INPUT',
        'Say what to run: a notebook, -c with code, or code on standard input.',
        {
          field: 'notebook',
          next: 'For example: hitch run llm-dev train.ipynb',
        },
      );
    }
    return { kind: 'cell', code: await readAll(context.io), name: 'cell' };
  }
  const path = resolve(context.cwd, input.notebook);
  return {
    kind: 'notebook',
    notebook: await readNotebook(path, input.notebook),
    name: basename(path),
    outputPath: outputPathFor(path, input.inplace),
  };
}
