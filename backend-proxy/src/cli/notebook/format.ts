/** Notebook files (nbformat 4): read with care, written as Jupyter writes them. */
import { HitchError, type JsonObject, outputSchema, type NotebookOutput } from '@hitch/contract';
import * as z from 'zod';
import { readJson, writeJson } from './exact-json.ts';

/** Text stands as one string or as a list of lines. */
const multilineSchema = z
  .union([z.string(), z.array(z.string())])
  .transform(text => (typeof text === 'string' ? text : text.join('')));

const cellSchema = z.looseObject({
  cell_type: z.enum(['code', 'markdown', 'raw'], { error: 'is not code, markdown or raw' }),
  id: z.string().min(1).max(64).optional(),
  source: multilineSchema,
  metadata: z.looseObject({}).default({}),
  outputs: z.array(outputSchema).optional(),
});
export type NotebookCell = z.output<typeof cellSchema>;

const notebookSchema = z.looseObject({
  nbformat: z.literal(4),
  nbformat_minor: z.number().int().min(0),
  metadata: z.looseObject({}).default({}),
  cells: z.array(cellSchema),
});
export type Notebook = z.output<typeof notebookSchema>;

const formatSchema = z.looseObject({ nbformat: z.number().int() });

const notANotebook = (name: string, why: string, next: string): HitchError =>
  new HitchError('BAD_INPUT', `${name} is not a notebook that can run: ${why}.`, { field: 'notebook', next });

function parseJson(name: string, text: string): unknown {
  try {
    return readJson(text.replace(/^\uFEFF/, ''));
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

/** Where Python's `splitlines` ends a line, which is what Jupyter saves texts by. */
const LINE = /[^\n\r\v\f\x1c-\x1e\x85\u2028\u2029]*(?:\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029])|[^]+$/g;
const lines = (text: string): string[] => text.match(LINE) ?? [];

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !JSON.isRawJSON(value);

const isJson = (type: string): boolean => /^application\/(?:json|.*\+json)$/s.test(type);
const isSplit = (type: string): boolean =>
  type.startsWith('text/') || type === 'application/javascript' || type === 'image/svg+xml';

/** A text, or the list of its lines as a file may have it; null for anything else. */
function textOf(value: unknown): string | null {
  if (typeof value === 'string') {
    return value;
  }
  return Array.isArray(value) && value.every(line => typeof line === 'string') ? value.join('') : null;
}

/** Files are compared line by line, so texts are written as lists of lines. */
function writtenBundle(bundle: unknown): unknown {
  if (!isObject(bundle)) {
    return bundle;
  }
  const written = Object.entries(bundle).map(([type, value]) => {
    const text = isJson(type) ? null : textOf(value);
    return [type, text === null ? value : isSplit(type) ? lines(text) : text];
  });
  return Object.fromEntries(written) as JsonObject;
}

function writtenOutput(output: NotebookOutput): NotebookOutput {
  switch (output.output_type) {
    case 'stream':
      return { ...output, text: lines(textOf(output['text']) ?? '') };
    case 'display_data':
    case 'execute_result':
      return { ...output, data: writtenBundle(output['data']) };
    default:
      return output;
  }
}

/** What an editor puts there while it has the notebook. */
function writtenMetadata(metadata: JsonObject, transient: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(metadata).filter(([key]) => !transient.includes(key)));
}

function writtenCell(cell: NotebookCell): JsonObject {
  const { attachments } = cell;
  return {
    ...cell,
    metadata: writtenMetadata(cell.metadata, ['trusted']),
    source: lines(cell.source),
    ...(isObject(attachments)
      ? {
          attachments: Object.fromEntries(
            Object.entries(attachments).map(([name, bundle]) => [name, writtenBundle(bundle)]),
          ),
        }
      : {}),
    ...(cell.cell_type === 'code'
      ? {
          outputs: (cell.outputs ?? []).map(writtenOutput),
          execution_count: cell['execution_count'] ?? null,
        }
      : {}),
  };
}

/** As Jupyter saves it: whoever opens and saves the file there changes no line of it. */
export function formatNotebook(notebook: Notebook): string {
  const metadata = writtenMetadata(notebook.metadata, ['orig_nbformat', 'orig_nbformat_minor', 'signature']);
  return `${writeJson({ ...notebook, metadata, cells: notebook.cells.map(writtenCell) })}\n`;
}

const isTagged = (cell: NotebookCell, tag: string): boolean => {
  const { tags } = cell.metadata;
  return Array.isArray(tags) && tags.includes(tag);
};

/** Whether the person said that this cell may fail: the tag that nbclient knows too. */
export const mayFail = (cell: NotebookCell): boolean => isTagged(cell, 'raises-exception');

/** Whether the person said that this cell is left out of runs: the tag that nbclient knows too. */
export const isSkipped = (cell: NotebookCell): boolean => isTagged(cell, 'skip-execution');
