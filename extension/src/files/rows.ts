/** The files of a cluster as rows below it. Listed when somebody opens a row, and again while it is open. */
import type { Cluster, ClusterId, FileEntry } from '@hitch/contract';
import * as format from '@hitch/contract/src/format.ts';
import { clusterActions } from '@hitch/contract/src/words.ts';
import { MOST_LISTED } from '@hitch/contract/src/runtime.ts';
import { sentence } from '../sentence.ts';
import type { Row } from '../tree/row.ts';

export const hasFiles = (cluster: Cluster): boolean => clusterActions(cluster).includes('files');

export interface FileRow {
  readonly clusterId: string;
  readonly kind: 'files' | 'folder' | 'file' | 'more';
  readonly path: string;
}

export const fileRowId = ({ clusterId, kind, path }: FileRow): string => `below:${clusterId}:${kind}:${path}`;

export function parseFileRow(rowId: string): FileRow | null {
  const match = /^below:([^:]+):(files|folder|file|more):(.*)$/s.exec(rowId);
  const [, clusterId, kind, path] = match ?? [];
  return clusterId === undefined || path === undefined
    ? null
    : { clusterId, kind: kind as FileRow['kind'], path };
}

const SHOWN = 500;
const AGAIN_MS = 5_000;

type Listed =
  | { readonly entries: readonly FileEntry[]; readonly atMs: number }
  | { readonly problem: string; readonly atMs: number };

export interface FileRowsDeps {
  readonly list: (clusterId: ClusterId, path: string) => Promise<readonly FileEntry[]>;
  readonly now: () => number;
  /** Other rows are to be shown. */
  readonly changed: () => void;
}

export class FileRows {
  readonly #deps: FileRowsDeps;
  readonly #listed = new Map<string, Listed>();
  readonly #asking = new Set<string>();

  constructor(deps: FileRowsDeps) {
    this.#deps = deps;
  }

  rows(cluster: Cluster): readonly Row[] {
    if (!hasFiles(cluster)) {
      return [];
    }
    return [
      {
        id: fileRowId({ clusterId: cluster.id, kind: 'files', path: '' }),
        label: 'Files',
        description: '~/work',
        icon: { name: 'root-folder' },
        contextValue: 'files;',
        collapsible: 'collapsed',
        spoken: `Files of ${cluster.name}`,
        tooltip: () => [`The work folder of ${cluster.name}, where its notebooks and terminals start.`],
      },
    ];
  }

  /** What is known at once; what is old is asked for in the background. */
  below(rowId: string): readonly Row[] {
    const row = parseFileRow(rowId);
    if (row === null || row.kind === 'file' || row.kind === 'more') {
      return [];
    }
    const listed = this.#listed.get(rowId);
    if (listed === undefined || this.#deps.now() - listed.atMs > AGAIN_MS) {
      void this.#ask(rowId, row);
    }
    if (listed === undefined) {
      return [note(row, 'Loading…')];
    }
    if ('problem' in listed) {
      return [note(row, listed.problem)];
    }
    const { entries } = listed;
    return [
      ...entries.slice(0, SHOWN).map(entry => entryRow(row.clusterId, entry)),
      ...(entries.length === 0 ? [note(row, 'Empty so far.')] : []),
      ...(entries.length > SHOWN ? [note(row, moreWords(entries.length))] : []),
    ];
  }

  /** Something changed there. */
  forget(clusterId: string): void {
    for (const [rowId, listed] of this.#listed) {
      if (parseFileRow(rowId)?.clusterId === clusterId) {
        this.#listed.set(rowId, { ...listed, atMs: 0 });
      }
    }
    this.#deps.changed();
  }

  async #ask(rowId: string, { clusterId, path }: FileRow): Promise<void> {
    if (this.#asking.has(rowId)) {
      return;
    }
    this.#asking.add(rowId);
    try {
      // The id came from a cluster of the list.
      const entries = await this.#deps.list(clusterId as ClusterId, path);
      this.#listed.set(rowId, { entries, atMs: this.#deps.now() });
    } catch (error) {
      this.#listed.set(rowId, { problem: sentence(error), atMs: this.#deps.now() });
    } finally {
      this.#asking.delete(rowId);
    }
    this.#deps.changed();
  }
}

/** A machine lists no more than so many of a folder. */
const moreWords = (count: number): string =>
  `${count >= MOST_LISTED ? 'At least ' : ''}${(count - SHOWN).toLocaleString('en')} more: ${
    count >= MOST_LISTED ? 'fetch the folder to get all' : 'open its files to see all'
  }.`;

function note({ clusterId, path }: FileRow, text: string): Row {
  return {
    id: fileRowId({ clusterId, kind: 'more', path }),
    label: '',
    description: text,
    icon: null,
    contextValue: 'note;',
    collapsible: 'none',
    spoken: text,
    tooltip: () => [text],
  };
}

function entryRow(clusterId: string, entry: FileEntry): Row {
  const isFolder = entry.kind === 'folder';
  const id = fileRowId({ clusterId, kind: isFolder ? 'folder' : 'file', path: entry.path });
  const size = entry.kind === 'file' ? format.bytes(entry.sizeBytes) : '';
  return {
    id,
    label: entry.name,
    description: size,
    icon: { name: isFolder ? 'folder' : entry.kind === 'file' ? 'file' : 'file-symlink-file' },
    contextValue: `${entry.kind};`,
    collapsible: isFolder ? 'collapsed' : 'none',
    spoken: `${isFolder ? 'Folder' : 'File'} ${entry.name}${size === '' ? '' : `, ${size}`}`,
    tooltip: () => [
      `~/work/${entry.path}`,
      ...(size === '' ? [] : [size]),
      `changed ${new Date(entry.modifiedAtMs).toLocaleString()}`,
    ],
    ...(entry.kind === 'file' ? { command: { id: 'hitch.files.openFile' as const, argument: id } } : {}),
  };
}
