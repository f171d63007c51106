/**
 * Whether an answer is about what was asked. A machine names paths and kernels itself, and a client that took its word
 * could be led to another place.
 */
import type { Execution, ExecutionQuery, FileEntry } from '@hitch/contract';
import type { UsePage, UseQuery } from '@hitch/contract/src/use/wire.ts';
import { useKey } from '@hitch/contract/src/use/wire.ts';
import { mustBe } from './not-understood.ts';

/** A path as an agent writes it: without '.', '//' and the like. */
const cleanPath = (path: string): string =>
  path
    .split('/')
    .filter(name => name !== '' && name !== '.')
    .join('/');

const lastName = (path: string): string => path.split('/').at(-1) ?? '';

/** An answer about one path. @throws NotUnderstood when it is about another. */
export function aboutPath<T extends { readonly path: string }>(asked: string, answer: T): T {
  mustBe(answer.path === cleanPath(asked), 'an answer about another path than the one that was asked');
  return answer;
}

/** A file or folder at one path. */
export function entryAt(asked: string, entry: FileEntry): FileEntry {
  mustBe(entry.name === lastName(entry.path), 'a file whose name is not the last of its path');
  return aboutPath(asked, entry);
}

/** What is in a folder: each right below it. @throws NotUnderstood */
export function entriesIn(folder: string, entries: readonly FileEntry[]): FileEntry[] {
  const clean = cleanPath(folder);
  for (const { path, name } of entries) {
    mustBe(
      name !== '' && name !== '.' && name !== '..' && !name.includes('/'),
      'a folder with a name in it that is none',
    );
    mustBe(
      path === (clean === '' ? name : `${clean}/${name}`),
      'a folder with something in it that lies elsewhere',
    );
  }
  return [...entries];
}

/** Executions of one kernel, of the cell and the message that were asked for. @throws NotUnderstood */
export function executionsOf(
  { kernelId, cellId, messageId }: ExecutionQuery & { readonly kernelId: string },
  executions: readonly Execution[],
): Execution[] {
  for (const execution of executions) {
    mustBe(execution.kernelId === kernelId, 'executions of another kernel than the one that was asked');
    mustBe(
      (cellId === undefined || execution.cellId === cellId) &&
        (messageId === undefined || execution.messageId === messageId),
      'other executions than those that were asked for',
    );
  }
  return [...executions];
}

/** How a node did after a moment: whoever reads page after page comes to an end. @throws NotUnderstood */
export function useAfter({ afterMs, most }: UseQuery, page: UsePage): UsePage {
  const { timesMs, series, more } = page;
  mustBe(timesMs.length <= most, 'more samples than were asked for');
  mustBe(
    timesMs.every((atMs, at) => atMs > (timesMs[at - 1] ?? afterMs)),
    'samples of another time than was asked for',
  );
  mustBe(!more || timesMs.length > 0, 'more samples without any');
  mustBe(
    series.every(({ values }) => values.length === timesMs.length),
    'other values than moments',
  );
  eachOnce('series', series, useKey);
  return page;
}

/** @throws NotUnderstood unless each key is there once: clients tell things apart by it. */
export function eachOnce<T>(what: string, things: readonly T[], key: (thing: T) => string): T[] {
  mustBe(new Set(things.map(key)).size === things.length, `the same ${what} twice`);
  return [...things];
}
