/** The file of what a person usually rents: read for every client that asks, written only when a person changes it. */
import { readFile, rm } from 'node:fs/promises';
import {
  HitchError,
  presetFileSchema,
  presetOf,
  PRESETS_SCHEMA,
  PRESETS_TEXT,
  type Preset,
  type PresetList,
} from '@hitch/contract';
import { writeFileAtomicAside } from '@hitch/platform/src/atomic-file.ts';
import { errorText } from '@hitch/platform/src/log.ts';
import { isNode, LineCounter, parseDocument, type Document } from 'yaml';
import type * as z from 'zod';

/** Thirty entries take a few kilobytes. */
const LONGEST_BYTES = 64 * 1024;

type Problem = PresetList['problems'][number];

interface Read {
  readonly presets: readonly Preset[];
  readonly problems: readonly Problem[];
}

export class Presets {
  readonly #file: string;

  /** @param file its absolute path; it need not be there. */
  constructor(file: string) {
    this.#file = file;
  }

  /** Never rejects: a file that cannot be read is a problem of the list. */
  async list(): Promise<PresetList> {
    let text: string;
    try {
      text = (await readFile(this.#file, 'utf8').catch(orNone)) ?? PRESETS_TEXT;
    } catch (error) {
      return this.#answer(PRESETS_TEXT, {
        presets: [],
        problems: [{ line: 1, column: 1, sentence: `The file cannot be read: ${errorText(error)}` }],
      });
    }
    return this.#answer(text, readPresets(text));
  }

  /**
   * @param text what the file is to hold; null: nothing of one's own.
   * @throws HitchError BAD_INPUT with every mistake; then nothing is written.
   */
  async keep(text: string | null): Promise<PresetList> {
    if (text === null) {
      await rm(this.#file, { force: true });
      return this.list();
    }
    const { problems } = readPresets(text);
    if (problems.length > 0) {
      throw new HitchError(
        'BAD_INPUT',
        problems
          .map(({ line, column, sentence }) => `Line ${line}, column ${column}: ${sentence}`)
          .join('\n'),
        { field: 'text', next: 'The presets are as they were.' },
      );
    }
    await writeFileAtomicAside(this.#file, text);
    return this.list();
  }

  #answer(text: string, { presets, problems }: Read): PresetList {
    const shown = problems.length > 0 ? readPresets(PRESETS_TEXT).presets : presets;
    return { presets: [...shown], file: this.#file, text, problems: [...problems] };
  }
}

function orNone(error: unknown): null {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
    return null;
  }
  throw error;
}

/** All of a text, or all that is wrong with it. */
export function readPresets(text: string): Read {
  if (Buffer.byteLength(text) > LONGEST_BYTES) {
    return wrong([{ line: 1, column: 1, sentence: `The file is longer than ${LONGEST_BYTES / 1024} kB.` }]);
  }
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    version: '1.2',
    schema: 'core',
    merge: false,
    uniqueKeys: true,
    prettyErrors: false,
    logLevel: 'error',
  });
  const placeOf = (offset: number): Pick<Problem, 'line' | 'column'> => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  if (document.errors.length > 0) {
    return wrong(
      document.errors.map(({ pos: [at], message }) => ({
        ...placeOf(at),
        sentence: `This is no YAML: ${message.split('\n')[0] ?? ''}`,
      })),
    );
  }
  let data: unknown;
  try {
    // Aliases are of no use here, and a few of them can stand for gigabytes.
    data = document.toJS({ maxAliasCount: 0 });
  } catch {
    return wrong([{ line: 1, column: 1, sentence: 'An alias (*) stands in the file; write it out.' }]);
  }
  const parsed = presetFileSchema.safeParse(data);
  if (!parsed.success) {
    return wrong(
      parsed.error.issues.flatMap(issue => problemsOf(issue, path => placeOf(offsetOf(document, path)))),
    );
  }
  const { presets } = parsed.data;
  const twice = presets.flatMap(({ id }, index) =>
    presets.findIndex(other => other.id === id) === index
      ? []
      : [
          {
            ...placeOf(offsetOf(document, ['presets', index, 'id'])),
            sentence: `${id} stands here twice: each preset has an id of its own.`,
          },
        ],
  );
  return twice.length > 0 ? wrong(twice) : { presets: presets.map(presetOf), problems: [] };
}

const wrong = (problems: readonly Problem[]): Read => ({ presets: [], problems });

/** Of the value at a path, or of the nearest thing above it. */
function offsetOf(document: Document, path: readonly PropertyKey[]): number {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) {
      return node.range[0];
    }
  }
  return 0;
}

type PlaceAt = (path: readonly PropertyKey[]) => Pick<Problem, 'line' | 'column'>;

function problemsOf(issue: z.core.$ZodIssue, placeAt: PlaceAt): readonly Problem[] {
  const place = placeAt(issue.path);
  const key = issue.path.filter(step => typeof step === 'string').at(-1);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map(name => ({
      ...placeAt([...issue.path, name]),
      sentence: `“${name}” is no key of ${issue.path.length === 0 ? 'the file' : 'a preset'}.`,
    }));
  }
  if (issue.path.length === 1 && key === 'schema') {
    return [{ ...place, sentence: `The file begins with “schema: ${PRESETS_SCHEMA}”.` }];
  }
  const what = key === undefined ? 'The file' : `“${key}”`;
  return [{ ...place, sentence: `${what}: ${issue.message}.`.replace('..', '.') }];
}
