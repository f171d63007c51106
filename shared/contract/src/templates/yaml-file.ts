/** Reads a template file as YAML 1.2 of the plainest kind, and knows the place of everything in it. */
import {
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  parseAllDocuments,
  visit,
  type Document,
  type YAMLError,
} from 'yaml';
import { TEMPLATE_FILE } from './schema.ts';
import type { TemplateProblem } from './problem.ts';
import type { Path } from './values.ts';

/** More is no template: forms, commands and limits take a few kilobytes. */
export const LONGEST_FILE_BYTES = 256 * 1024;
/** Deeper than anything the format has; the reader calls itself for each level. */
const DEEPEST = 40;

export interface Place {
  readonly line: number;
  readonly column: number;
}

export interface YamlText {
  readonly value: string;
  readonly place: Place;
  /** The keys above it, outermost first. */
  readonly keys: readonly string[];
  /** Its number in the list that it is an entry of; null: in none. */
  readonly index: number | null;
}

export interface YamlFile {
  readonly data: Readonly<Record<string, unknown>>;
  /** Of the value at a path, or of its key; of the nearest thing above it where it is not there. */
  at(path: Path, of?: 'key' | 'value'): Place;
  /** A value as it is written, such as `3.10` for the number 3.1. */
  source(path: Path): string | undefined;
  readonly texts: readonly YamlText[];
}

export type ReadYaml =
  | { readonly ok: true; readonly file: YamlFile }
  | { readonly ok: false; readonly problems: readonly TemplateProblem[] };

const problemAt = (place: Place, sentence: string): TemplateProblem => ({
  file: TEMPLATE_FILE,
  line: place.line,
  column: place.column,
  sentence,
});

const failed = (place: Place, sentence: string): ReadYaml => ({
  ok: false,
  problems: [problemAt(place, sentence)],
});

const placeIn = (text: string, index: number): Place => {
  const before = text.slice(0, index).split('\n');
  return { line: before.length, column: (before.at(-1) ?? '').length + 1 };
};

const START: Place = { line: 1, column: 1 };

/** Reads the bytes of a file; a byte order mark and the line ends of Windows are taken as they come. */
export function readYaml(bytes: Uint8Array | string): ReadYaml {
  const size = typeof bytes === 'string' ? new TextEncoder().encode(bytes).length : bytes.length;
  if (size > LONGEST_FILE_BYTES) {
    return failed(
      START,
      `The file has ${Math.ceil(size / 1024)} kB; a template file has at most ${LONGEST_FILE_BYTES / 1024} kB. Put data into files beside it.`,
    );
  }
  const text = typeof bytes === 'string' ? bytes.replace(/^\uFEFF/, '') : decoded(bytes);
  if (text === null) {
    return failed(START, 'This is no text in UTF-8. Save the file with that encoding.');
  }
  const control = text.search(CONTROL);
  if (control >= 0) {
    const code = text.charCodeAt(control).toString(16).toUpperCase().padStart(4, '0');
    return failed(placeIn(text, control), `A control character (U+${code}) stands here; take it out.`);
  }
  const deep = tooDeep(text);
  if (deep !== null) {
    return failed(placeIn(text, deep), 'This is nested deeper than anything in a template; take levels out.');
  }
  return parsed(text);
}

// Everything that YAML does not allow as it is; made of codes, since a pattern with the characters themselves is unreadable.
const CONTROL = new RegExp('[\\u0000-\\u0008\\u000B\\u000C\\u000E-\\u001F\\u007F\\uFFFE\\uFFFF]');

function decoded(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** Where brackets, list marks or indentation go deeper than the reader may call itself; null: nowhere. */
function tooDeep(text: string): number | null {
  let open = 0;
  for (let index = 0; index < text.length; index++) {
    const character = text[index];
    if (character === '[' || character === '{') {
      open += 1;
      if (open > DEEPEST) {
        return index;
      }
    } else if ((character === ']' || character === '}') && open > 0) {
      open -= 1;
    }
  }
  const [marks] = /(?:[-?:][ \t]+){40}/.exec(text) ?? [];
  return marks === undefined ? null : text.indexOf(marks);
}

function parsed(text: string): ReadYaml {
  const lines = new LineCounter();
  const placeOf = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  let documents: readonly Document.Parsed[];
  try {
    const read = parseAllDocuments(text, {
      lineCounter: lines,
      version: '1.2',
      schema: 'core',
      merge: false,
      uniqueKeys: true,
      prettyErrors: false,
      strict: true,
      logLevel: 'error',
    });
    documents = Array.isArray(read) ? read : [];
  } catch (error) {
    if (error instanceof RangeError) {
      return failed(START, 'The file is nested too deeply to be read; take levels out.');
    }
    throw error;
  }
  const [document, second] = documents;
  if (document === undefined) {
    return failed(START, EMPTY);
  }
  const problems = [
    ...document.errors.map(error => problemAt(placeOf(error.pos[0]), yamlSentence(error, text))),
    ...notPlain(document, text, placeOf),
    ...(second === undefined
      ? []
      : [
          problemAt(
            placeOf(second.range[0]),
            'A second document begins here (---); a template is one. Put it into a folder of its own.',
          ),
        ]),
  ];
  if (problems.length > 0) {
    return { ok: false, problems };
  }
  if (document.contents === null || (isScalar(document.contents) && document.contents.value === null)) {
    return failed(START, EMPTY);
  }
  if (!isMap(document.contents)) {
    const what = isSeq(document.contents) ? 'a list' : 'a text';
    return failed(
      placeOf(document.contents.range[0]),
      `The file is ${what}; a template is a group of keys: schema, name, version, title and so on.`,
    );
  }
  return { ok: true, file: yamlFile(document, text, placeOf) };
}

const EMPTY = 'The file is empty. Write one with hitch template init.';

/** What is wrong as YAML, in words of our own where it is one of the usual mistakes. */
function yamlSentence(error: YAMLError, text: string): string {
  switch (error.code) {
    case 'DUPLICATE_KEY':
      return 'This key stands here twice; keep one.';
    case 'TAB_AS_INDENT':
      return 'A tab indents this line; YAML wants spaces.';
    case 'MISSING_CHAR':
      return 'Something that opens here, or before, is not closed: a quote or a bracket.';
    case 'BAD_INDENT':
      return 'This line is indented otherwise than its neighbours.';
    case 'MULTIPLE_DOCS':
      return 'A second document begins here (---); a template is one. Put it into a folder of its own.';
    default: {
      const [line = ''] = text.slice(error.pos[0]).split('\n');
      const near = line.trim().slice(0, 40);
      // The library repeats the token, which may be all of the file that is left; a piece of it is shown below.
      const [first = ''] = error.message.split('\n');
      const why = first.replace(/: ".*$/, '').replace(/[.:]?$/, '');
      return `This is not YAML (${why})${near === '' ? '' : `, at “${near}”`}. Look at the line above it too.`;
    }
  }
}

/** Aliases, anchors, tags, directives, merge keys and keys that are no words: all that YAML has beyond plain values. */
function notPlain(
  document: Document.Parsed,
  text: string,
  placeOf: (offset: number) => Place,
): readonly TemplateProblem[] {
  const problems: TemplateProblem[] = [];
  const say = (node: unknown, sentence: string): void => {
    const offset = isNode(node) ? (node.range?.[0] ?? 0) : 0;
    problems.push(problemAt(placeOf(offset), sentence));
  };
  const directive = /^%\S+.*$/m.exec(text);
  if (directive !== null && directive.index < document.range[0] + directive[0].length) {
    problems.push(
      problemAt(
        placeIn(text, directive.index),
        `Leave out “${directive[0].trim().slice(0, 40)}”: a template is YAML 1.2.`,
      ),
    );
  }
  let hasAliases = false;
  visit(document, {
    Alias: () => {
      hasAliases = true;
      return visit.BREAK;
    },
  });
  visit(document, {
    Alias: (_key, node) => say(node, 'A template has no aliases (*name): write the value here again.'),
    Node: (_key, node) => {
      if (node.tag !== undefined) {
        const tag = node.tag.replace('tag:yaml.org,2002:', '!!').slice(0, 40);
        say(node, `A template has no tags (${tag}): write the value as it is, in quotes where it is a text.`);
      }
      if (node.anchor !== undefined && !hasAliases) {
        say(node, 'A template has no anchors (&name): take it out.');
      }
    },
    Pair: (_key, pair) => {
      const key = pair.key;
      if (!isScalar(key) || typeof key.value !== 'string') {
        const shown = isScalar(key) ? (key.source ?? 'empty') : 'a list or a group';
        say(key, `A key is a word; this is ${shown}. Put it in quotes if it is meant as one.`);
      } else if (key.value === '<<') {
        say(key, 'A template has no merge keys (<<): write the keys here again.');
      } else if (key.value === '__proto__') {
        say(key, 'No key can be called “__proto__”.');
      }
    },
  });
  return problems;
}

function yamlFile(document: Document.Parsed, text: string, placeOf: (offset: number) => Place): YamlFile {
  const texts: YamlText[] = [];
  visit(document, {
    Scalar: (key, node, above) => {
      if (typeof node.value === 'string' && key !== 'key') {
        texts.push({
          value: node.value,
          place: placeOf(node.range?.[0] ?? 0),
          keys: above.flatMap(step => (isPair(step) && isScalar(step.key) ? [String(step.key.value)] : [])),
          index: typeof key === 'number' ? key : null,
        });
      }
    },
  });
  return {
    data: document.toJS({ maxAliasCount: 0 }) as Readonly<Record<string, unknown>>,
    texts,
    source: path => {
      const node: unknown = document.getIn(path, true);
      return isScalar(node) && node.range ? text.slice(node.range[0], node.range[1]) : undefined;
    },
    at: (path, of = 'value') => {
      let node: unknown = document.contents;
      let offset = isNode(node) ? (node.range?.[0] ?? 0) : 0;
      for (const [depth, step] of path.entries()) {
        if (isMap(node)) {
          const pair = node.items.find(({ key }) => isScalar(key) && key.value === step);
          if (pair === undefined) {
            break;
          }
          const isLast = depth === path.length - 1;
          const from = isLast && of === 'key' ? pair.key : (pair.value ?? pair.key);
          offset = isNode(from) ? (from.range?.[0] ?? offset) : offset;
          node = pair.value;
        } else if (isSeq(node) && typeof step === 'number') {
          node = node.items[step];
          offset = isNode(node) ? (node.range?.[0] ?? offset) : offset;
        } else {
          break;
        }
      }
      return placeOf(offset);
    },
  };
}
