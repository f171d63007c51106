/** Files of clusters: the `hitch:` file system, rows below each cluster, and copies both ways. */
import * as vscode from 'vscode';
import type { Cluster } from '@hitch/contract';
import { HitchError } from '@hitch/contract/src/errors.ts';
import { isGone } from '@hitch/contract/src/words.ts';
import type { State } from '../daemon/state.ts';
import { clusterAt, SCHEME, workPathOf } from '../files/places.ts';
import { FileRows, hasFiles, parseFileRow } from '../files/rows.ts';
import type { ClustersViewApi } from './clusters-view.ts';
import { createFileSystem } from './file-system.ts';
import { inform } from './messages.ts';
import { disposable, type Host, type Module } from './module.ts';
import type { ReportsApi } from './reports.ts';
import { pickOne } from './screen.ts';
import { clusterOf, fittingCluster } from './which-cluster.ts';

export interface FilesApi {
  uriOf(cluster: Pick<Cluster, 'id'>, path: string): vscode.Uri;
  /** Sends files and folders here into a folder there. @returns whether all of it arrived. */
  send(cluster: Cluster, sources: readonly string[], folder: string): Promise<boolean>;
  /** Fetches work paths into a folder here that exists. @returns whether all of it arrived. */
  fetch(cluster: Cluster, sources: readonly string[], folder: string): Promise<boolean>;
}

interface Remote {
  readonly cluster: Cluster;
  readonly path: string;
}

const isUri = (value: unknown): value is vscode.Uri => value instanceof vscode.Uri;
/** A menu gives what it was opened on, and all that is selected. */
const urisOf = ([first, all]: readonly unknown[]): readonly vscode.Uri[] => {
  const selected = Array.isArray(all) ? all.filter(isUri) : [];
  return selected.length > 0 ? selected : isUri(first) ? [first] : [];
};

export function createFiles(
  host: Host,
  { clusters, reports }: { readonly clusters: ClustersViewApi | null; readonly reports: ReportsApi | null },
): Module<FilesApi> {
  const { commands, connection, contextKeys } = host;
  const { model } = connection;
  const rows = new FileRows({
    list: (clusterId, path) => model.client.api.files.list({ clusterId, path }, { signal: model.signal }),
    now: () => Date.now(),
    changed: () => clusters?.refresh(),
  });
  clusters?.addBelow(rows);
  const system = createFileSystem(model, clusterId => rows.forget(clusterId));
  const copying = () => import('./copying.ts');
  const deps = {
    model,
    reports,
    sent: (cluster: Cluster, folder: string) => system.changed(cluster, folder),
  };

  const target = (argument: unknown, title: string): Promise<Cluster | null> =>
    fittingCluster(
      model,
      argument,
      title,
      hasFiles,
      ({ name }) => `The files of ${name} cannot be reached now.`,
    );

  const send = async (...args: readonly unknown[]): Promise<void> => {
    const { localPaths, isMeant, askFolder, send: sendFiles } = await copying();
    const cluster = await target(args[0], 'Send to Cluster…');
    const row = typeof args[0] === 'string' ? parseFileRow(args[0]) : null;
    // What comes with a row is of no menu of ours: its files are chosen by the person.
    const given = typeof args[0] === 'string' ? [] : urisOf(args);
    const sources = cluster === null ? null : await localPaths(given);
    if (cluster === null || sources === null) {
      return;
    }
    if (given.length > 0 && !(await isMeant(cluster, sources))) {
      return;
    }
    const folder = row?.kind === 'folder' ? row.path : await askFolder(cluster, sources);
    if (folder !== null) {
      await sendFiles(deps, cluster, sources, folder);
    }
  };

  const remoteOf = (rowId: unknown): Remote | null => {
    const row = typeof rowId === 'string' ? parseFileRow(rowId) : null;
    const cluster = row === null ? null : clusterOf(row.clusterId, model.state);
    return row === null || cluster === null ? null : { cluster, path: row.path };
  };
  const fetch = async (...args: readonly unknown[]): Promise<void> => {
    await model.need();
    const fromRow = remoteOf(args[0]);
    const remotes =
      fromRow === null
        ? urisOf(args).flatMap(({ scheme, authority, path }): Remote[] => {
            const cluster = scheme === SCHEME ? clusterAt(authority, model.state.clusters) : undefined;
            return cluster === undefined ? [] : [{ cluster, path: workPathOf(path) }];
          })
        : [fromRow];
    if (remotes.length === 0) {
      throw new HitchError('BAD_INPUT', 'Nothing on a cluster is selected.', {
        next: 'Choose files below a cluster in the GPUs view.',
      });
    }
    const { askWhere, fetchFiles } = await copying();
    // A window may show several clusters, and files of more than one be selected.
    for (const [cluster, chosen] of Map.groupBy(remotes, remote => remote.cluster)) {
      const folder = await askWhere(cluster);
      if (folder !== null) {
        const paths = chosen.map(({ path }) => path);
        await fetchFiles(deps, cluster, paths, folder);
      }
    }
  };

  /** A folder of this window whose cluster is gone can only fail from now on. */
  const offered = new Set<string>();
  const offerRemoval = async ({ clusters: list }: State): Promise<void> => {
    for (const folder of vscode.workspace.workspaceFolders ?? []) {
      const cluster = folder.uri.scheme === SCHEME ? clusterAt(folder.uri.authority, list) : undefined;
      if (cluster !== undefined && isGone(cluster) && !offered.has(cluster.id)) {
        offered.add(cluster.id);
        const remove = 'Remove Its Folder';
        const said = await inform(
          `${cluster.name} has stopped, and its files are deleted. Files that were saved are on this computer.`,
          remove,
        );
        const at = (vscode.workspace.workspaceFolders ?? []).findIndex(
          ({ uri }) => uri.toString() === folder.uri.toString(),
        );
        if (said === remove && at >= 0) {
          vscode.workspace.updateWorkspaceFolders(at, 1);
        }
      }
    }
  };

  const openFile = async (rowId: unknown): Promise<void> => {
    const remote = remoteOf(rowId);
    if (remote !== null) {
      await vscode.commands.executeCommand('vscode.open', system.uriOf(remote.cluster, remote.path));
    }
  };

  const openFiles = async (argument: unknown): Promise<void> => {
    const cluster = await target(argument, 'Open Files');
    if (cluster !== null) {
      await showFolder(cluster, system.uriOf(cluster, ''), async () => {
        await vscode.commands.executeCommand('hitch.clusters.focus');
        await clusters?.reveal(cluster.id);
      });
    }
  };

  return {
    api: {
      uriOf: (cluster, path) => system.uriOf(cluster, path),
      send: async (cluster, sources, folder) => (await copying()).send(deps, cluster, sources, folder),
      fetch: async (cluster, sources, folder) => (await copying()).fetchFiles(deps, cluster, sources, folder),
    },
    disposables: [
      system,
      vscode.workspace.registerFileSystemProvider(SCHEME, system, { isCaseSensitive: true }),
      disposable(
        model.onChange(state => {
          contextKeys.set('hitch.hasFiles', (state.clusters ?? []).some(hasFiles));
          void offerRemoval(state);
        }),
      ),
      commands.register('hitch.cluster.files', openFiles),
      commands.register('hitch.files.openFile', openFile),
      commands.register('hitch.files.send', send),
      commands.register('hitch.files.fetch', fetch),
    ],
  };
}

/** In the explorer where it is one of this window's folders already; else as the person wants it. */
async function showFolder(cluster: Cluster, uri: vscode.Uri, showInView: () => Promise<void>): Promise<void> {
  const folders = vscode.workspace.workspaceFolders ?? [];
  const add = (): void => {
    vscode.workspace.updateWorkspaceFolders(folders.length, 0, { uri, name: `${cluster.name} (cluster)` });
  };
  if (folders.some(folder => folder.uri.toString() === uri.toString())) {
    await vscode.commands.executeCommand('revealInExplorer', uri);
    return;
  }
  if (vscode.workspace.workspaceFile !== undefined) {
    add();
    return;
  }
  const choices = [
    { icon: 'list-tree', label: 'In the GPUs view', detail: 'Browse, open and fetch files', run: showInView },
    {
      icon: 'empty-window',
      label: 'In a new window',
      detail: 'With its own explorer. VS Code cannot search in these files; a terminal on the cluster can',
      run: async () => {
        await vscode.commands.executeCommand('vscode.openFolder', uri, { forceNewWindow: true });
      },
    },
    {
      icon: 'add',
      label: 'In this window, as another folder',
      detail: 'Extensions restart: kernels on this computer end, kernels on clusters stay',
      run: async () => add(),
    },
  ];
  const chosen = await pickOne(choices, {
    title: `Files of ${cluster.name}`,
    placeholder: 'Where do you want to see them?',
  });
  await chosen?.run();
}
