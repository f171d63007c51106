/**
 * `hitch:` in VS Code: the files of clusters as if they lay here. What this window does is told at once; what others do
 * there is found by looking again at the folders that were looked at, while the window has the focus.
 */
import * as vscode from 'vscode';
import type { Cluster, FileEntry } from '@hitch/contract';
import { HitchError } from '@hitch/contract/src/errors.ts';
import type { HitchModel } from '../daemon/model.ts';
import type { Change, SeenFolders } from '../files/changes.ts';
import { authorityOf, clusterAt, folderOf, isIn, SCHEME, workPathOf } from '../files/places.ts';
import type { FileFailure, RemoteFiles } from '../files/remote.ts';
import { isLive } from '../daemon/state.ts';
import { editorText } from '@hitch/contract/src/shown/places.ts';
import { shownName } from '@hitch/contract/src/shown/text.ts';
import { sentence } from '../sentence.ts';
import { warn } from './messages.ts';
import type { Ending } from './module.ts';

const LOOK_AGAIN_MS = 4_000;

const load = async () => ({
  ...(await import('../files/remote.ts')),
  ...(await import('../files/changes.ts')),
});

export interface FileSystem extends vscode.FileSystemProvider, Ending {
  /** A file of a cluster as VS Code names it. */
  uriOf(cluster: Pick<Cluster, 'id'>, path: string): vscode.Uri;
  /** Something was copied into this folder of its. */
  changed(cluster: Pick<Cluster, 'id'>, folder: string): void;
}

/** @param told a cluster's files are other than before. */
export function createFileSystem(model: HitchModel, told: (clusterId: string) => void): FileSystem {
  const changes = new vscode.EventEmitter<vscode.FileChangeEvent[]>();
  const seen = new Map<string, SeenFolders>();
  const watched = new Map<string, number>();
  const clusterOf = (authority: string): Cluster | undefined => clusterAt(authority, model.state.clusters);
  const uriAt = (authority: string, path: string): vscode.Uri =>
    vscode.Uri.from({ scheme: SCHEME, authority, path: `/${path}` });

  const cut = new Set<string>();
  /** Once a folder: it is listed again and again. */
  const sayIfCut = async (uri: vscode.Uri, count: number): Promise<void> => {
    const { MOST_LISTED: most } = await import('@hitch/contract/src/runtime.ts');
    if (count >= most && !cut.has(uri.toString())) {
      cut.add(uri.toString());
      const path = workPathOf(uri.path);
      const name = path === '' ? '~/work' : (path.split('/').at(-1) ?? '');
      void warn(
        `Only ${most.toLocaleString('en')} entries of ${shownName(name)} are listed: it may have more. Fetch the folder to get all.`,
      );
    }
  };

  const isListed = (): boolean => model.state.clusters !== null;
  /** A restored window asks before anything is known; clusters have files only while a daemon looks after them. */
  const known = async (): Promise<void> => {
    if (!isListed()) {
      await model.need();
      await model.refresh();
      if (!isListed()) {
        throw new HitchError('UNREACHABLE', 'The list of clusters is still loading.', {
          next: 'Try again in a moment.',
        });
      }
    }
  };

  const on = async <T>(
    uri: vscode.Uri,
    run: (files: RemoteFiles, path: string) => Promise<T>,
  ): Promise<T> => {
    const { FileFailure: Failure, RemoteFiles: Files } = await load();
    try {
      await known();
      return await run(new Files(model.client, clusterOf(uri.authority)), workPathOf(uri.path));
    } catch (error) {
      throw error instanceof Failure
        ? failureOf(error, uri)
        : vscode.FileSystemError.Unavailable(editorText(sentence(error)));
    }
  };

  const tell = (authority: string, found: readonly Change[]): void => {
    if (found.length > 0) {
      changes.fire(found.map(({ kind, path }) => ({ type: TYPES[kind], uri: uriAt(authority, path) })));
      const cluster = clusterOf(authority);
      if (cluster !== undefined) {
        told(cluster.id);
      }
    }
  };
  const note = async (authority: string, path: string, entries: readonly FileEntry[]): Promise<void> => {
    const { SeenFolders: Seen } = await load();
    const folders = seen.get(authority) ?? new Seen();
    seen.set(authority, folders);
    tell(authority, folders.note(path, entries));
  };
  const look = async (authority: string, path: string): Promise<void> => {
    try {
      const { RemoteFiles: Files } = await load();
      await note(authority, path, await new Files(model.client, clusterOf(authority)).list(path));
    } catch {
      // Gone, or out of reach: whoever opens it is told.
      seen.get(authority)?.forget(path);
    }
  };
  let looking = false;
  const lookAgain = async (): Promise<void> => {
    if (looking || !vscode.window.state.focused || model.state.connection !== 'live') {
      return;
    }
    looking = true;
    try {
      for (const [authority, folders] of seen) {
        const cluster = clusterOf(authority);
        const wanted = watched.has(authority) && cluster !== undefined && isLive(cluster);
        for (const path of wanted ? folders.paths : []) {
          await look(authority, path);
        }
      }
    } finally {
      looking = false;
    }
  };
  const tick = setInterval(() => void lookAgain(), LOOK_AGAIN_MS);
  /** What this window did itself: told at once, and no news when the folders are looked at again. */
  const did = (authority: string, done: readonly Change[]): void => {
    for (const folder of new Set(done.map(({ path }) => folderOf(path)))) {
      if (seen.get(authority)?.paths.includes(folder) === true) {
        seen.get(authority)?.forget(folder);
        void look(authority, folder);
      }
    }
    tell(authority, done);
  };
  const didAt = (uri: vscode.Uri, kind: Change['kind']): void =>
    did(uri.authority, [{ kind, path: workPathOf(uri.path) }]);

  return {
    onDidChangeFile: changes.event,
    uriOf: (cluster, path) => uriAt(authorityOf(cluster), path),
    changed: (cluster, folder) => {
      const authority = authorityOf(cluster);
      // What is above may have received the folder itself, what is below more than before.
      for (const path of seen.get(authority)?.paths ?? []) {
        if (isIn(path, folder) || isIn(folder, path)) {
          void look(authority, path);
        }
      }
      told(cluster.id);
    },
    watch: uri => {
      const { authority } = uri;
      watched.set(authority, (watched.get(authority) ?? 0) + 1);
      // Of a file, its folder is looked at; of a folder, what was opened in it.
      void look(authority, folderOf(workPathOf(uri.path)));
      return new vscode.Disposable(() => {
        const left = (watched.get(authority) ?? 1) - 1;
        if (left > 0) {
          watched.set(authority, left);
        } else {
          watched.delete(authority);
        }
      });
    },
    stat: uri => on(uri, async (files, path) => statOf(await files.stat(path))),
    readDirectory: uri =>
      on(uri, async (files, path) => {
        const entries = await files.list(path);
        await note(uri.authority, path, entries);
        await sayIfCut(uri, entries.length);
        return entries.map(({ name, kind }): [string, vscode.FileType] => [name, KINDS[kind]]);
      }),
    readFile: uri => on(uri, (files, path) => files.read(path)),
    createDirectory: async uri => {
      await on(uri, (files, path) => files.makeFolder(path));
      didAt(uri, 'created');
    },
    writeFile: async (uri, content, options) => {
      const isNew = await on(uri, (files, path) => files.write(path, content, options));
      didAt(uri, isNew ? 'created' : 'changed');
    },
    delete: async (uri, { recursive }) => {
      await on(uri, (files, path) => files.remove(path, recursive));
      didAt(uri, 'deleted');
    },
    rename: async (from, to, { overwrite }) => {
      if (from.authority !== to.authority) {
        throw vscode.FileSystemError.NoPermissions(
          'A file does not move from one cluster to another: fetch it here, then send it there.',
        );
      }
      await on(from, (files, path) => files.move(path, workPathOf(to.path), overwrite));
      didAt(from, 'deleted');
      didAt(to, 'created');
    },
    dispose: () => {
      clearInterval(tick);
      changes.dispose();
    },
  };
}

const TYPES = {
  created: vscode.FileChangeType.Created,
  changed: vscode.FileChangeType.Changed,
  deleted: vscode.FileChangeType.Deleted,
} as const;

const KINDS = {
  file: vscode.FileType.File,
  folder: vscode.FileType.Directory,
  other: vscode.FileType.Unknown,
} as const;

const statOf = (entry: FileEntry): vscode.FileStat => ({
  type: KINDS[entry.kind],
  ctime: entry.modifiedAtMs,
  mtime: entry.modifiedAtMs,
  size: entry.sizeBytes,
  ...(entry.writable ? {} : { permissions: vscode.FilePermission.Readonly }),
});

/** The editor shows its sentence in messages of its own. */
function failureOf({ problem, message: text }: FileFailure, uri: vscode.Uri): vscode.FileSystemError {
  const message = editorText(text);
  switch (problem) {
    case 'missing':
      // VS Code asks for many files that are not there, and compares the URI.
      return vscode.FileSystemError.FileNotFound(uri);
    case 'exists':
      return vscode.FileSystemError.FileExists(message);
    case 'is-folder':
      return vscode.FileSystemError.FileIsADirectory(message);
    case 'not-folder':
      return vscode.FileSystemError.FileNotADirectory(message);
    case 'refused':
      return vscode.FileSystemError.NoPermissions(message);
    case 'away':
      return vscode.FileSystemError.Unavailable(message);
  }
}
