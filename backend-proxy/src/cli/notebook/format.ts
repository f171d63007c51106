/** Notebook files (nbformat 4): read with care, written as Jupyter writes them. */
import { HitchError, outputSchema, type NotebookOutput } from '@hitch/contract';
import * as z from 'zod';

/** Text stands as one string or as a list of lines. */
const multilineSchema = z
  .union([z.string(), z.array(z.string())])
  .transform(text => (typeof text === 'string' ? text : text.join('')));

const cellSchema = z.looseObject({
  cell_type: z.enum(['code', 'markdown', 'raw'], { error: 'is not code, markdown or raw' }),
  id: z.string().min(1).max(64).optional(),
  source: multilineSchema,
  metadata: z.looseObject({ tags: z.array(z.string()).optional().catch(undefined) }).default({}),
  outputs: z.array(outputSchema).optional(),
  execution_count: z.number().int().nullable().optional(),
});
export type NotebookCell = z.output<typeof cellSchema>;

const notebookSchema = z.looseObject({
  nbformat: z.literal(4),
  nbformat_minor: z.number().int().min(0),
  metadata: z
    .looseObject({
      kernelspec: z.looseObject({ name: z.string().optional() }).optional().catch(undefined),
    })
    .default({}),
  cells: z.array(cellSchema),
});
export type Notebook = z.output<typeof notebookSchema>;

const formatSchema = z.looseObject({ nbformat: z.number().int() });

const notANotebook = (name: string, why: string, next: string): HitchError =>
  new HitchError('BAD_INPUT', `${name} is not a notebook that can run: ${why}.`, { field: 'notebook', next });

function parseJson(name: string, text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new HitchError(
      'BAD_INPUT',
      text.trim() === ''
        ? `${name} is not a notebook that can run: the file is empty.`
        : `${name} is not a notebook that can run: it is not JSON (${error instanceof Error ? error.message : 'unreadable'}).`,
      {
        field: 'notebook',
        next: 'Give a .ipynb file; a script runs with hitch run <cluster> -c "…" or from standard input.',
        cause: error,
      },
    );
  }
}

/** `cells.3.source: …` in words. */
function placeOf(path: readonly PropertyKey[]): string {
  const [first, index, ...rest] = path.map(String);
  return first === 'cells' && index !== undefined
    ? `cell ${Number(index) + 1}${rest.length === 0 ? '' : ` (${rest.join('.')})`}`
    : path.map(String).join('.') || 'the file';
}

/** @throws HitchError BAD_INPUT with a sentence that names the file and the place in it. */
export function parseNotebook(name: string, text: string): Notebook {
  const value = parseJson(name, text);
  const format = formatSchema.safeParse(value);
  if (!format.success) {
    throw notANotebook(name, 'it does not say its nbformat', 'Open it in JupyterLab and save it again.');
  }
  if (format.data.nbformat !== 4) {
    throw notANotebook(
      name,
      `it is nbformat ${format.data.nbformat}, and Hitch runs nbformat 4`,
      `Convert it: jupyter nbconvert --to notebook --nbformat 4 ${name}`,
    );
  }
  const parsed = notebookSchema.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw notANotebook(
      name,
      `${placeOf(issue?.path ?? [])}: ${issue?.message ?? 'is not valid'}`,
      'Open it in JupyterLab and save it again.',
    );
  }
  return parsed.data;
}

/** The id a cell is known by on the cluster; older notebooks have none, their cells count. */
export const cellIdOf = (cell: NotebookCell, index: number): string => cell.id ?? `cell-${index + 1}`;

const lines = (text: string): string[] => text.match(/[^\n]*\n|[^\n]+$/g) ?? [];

/** Text inside outputs is written as lists of lines too, so that files differ line by line. */
function writtenOutput(output: NotebookOutput): NotebookOutput {
  if (output.output_type === 'stream' && typeof output['text'] === 'string') {
    return { ...output, text: lines(output['text']) };
  }
  const data = output['data'];
  if (typeof data !== 'object' || data === null) {
    return output;
  }
  const written = Object.entries(data).map(([type, value]: [string, unknown]) => [
    type,
    typeof value === 'string' && !type.startsWith('application/') ? lines(value) : value,
  ]);
  return { ...output, data: Object.fromEntries(written) };
}

export function formatNotebook(notebook: Notebook): string {
  const cells = notebook.cells.map(cell => ({
    ...cell,
    source: lines(cell.source),
    ...(cell.cell_type === 'code'
      ? { outputs: (cell.outputs ?? []).map(writtenOutput), execution_count: cell.execution_count ?? null }
      : {}),
  }));
  return `${JSON.stringify({ ...notebook, cells }, null, 1)}\n`;
}

/** Whether the person said that this cell may fail: the tag that nbclient knows too. */
export const mayFail = (cell: NotebookCell): boolean =>
  cell.metadata.tags?.includes('raises-exception') === true;
