/** What a failed cell of an open notebook missed, and where that would be here and on the cluster. */
import { posix } from 'node:path';
import type { Kernel } from '@hitch/contract';
import { type CellError, missingModule, missingPath, modulePaths } from '@hitch/contract/src/missing.ts';
import * as z from 'zod';
import { notebookName } from './notebooks.ts';

/** Of VS Code's own (`NotebookCellOutputItem.error`). */
export const ERROR_MIME = 'application/vnd.code.notebook.error';

const errorSchema = z.object({ name: z.string(), message: z.string() });

/** @param text of an output of {@link ERROR_MIME}. */
export function cellErrorOf(text: string): CellError | null {
  try {
    const { name, message } = errorSchema.parse(JSON.parse(text));
    return { ename: name, evalue: message };
  } catch {
    return null;
  }
}

export interface Missed {
  /** Below the notebook's folder here, and below the work folder there, where kernels begin. The first that is here is meant. */
  readonly paths: readonly string[];
  /** Null: it was a file. */
  readonly module: string | null;
}

/** Null: nothing that could be brought. */
export function missedBy(error: CellError): Missed | null {
  const module = missingModule(error);
  if (module !== null) {
    return { paths: modulePaths(module), module };
  }
  const path = missingPath(error);
  const tidy = path === null ? null : posix.normalize(path);
  return tidy === null || tidy === '.' || tidy.startsWith('/') || tidy.startsWith('..')
    ? null
    : { paths: [tidy], module: null };
}

/** Whether one of a cluster's kernels is that of this notebook. */
export const isKernelOf = (notebookPath: string, kernels: readonly Pick<Kernel, 'path'>[]): boolean =>
  kernels.some(
    ({ path }) => path !== null && path !== '' && notebookName(path) === notebookName(notebookPath),
  );
