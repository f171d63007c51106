/** Run on…: gives the open notebook a kernel on a cluster. */
import * as vscode from 'vscode';
import type { Cluster } from '@hitch/contract';
import { HitchError } from '@hitch/contract/src/errors.ts';
import { canRun } from '../daemon/state.ts';
import { notebookName } from '../kernel/notebooks.ts';
import { COLLECTION_ID, type KernelApi, type RentForKernel } from './kernel-module.ts';
import { JUPYTER_ID } from './jupyter-api.ts';
import { clusterOf } from './which-cluster.ts';
import type { Host, Module } from './module.ts';
import { pickOne } from './screen.ts';

const NOTEBOOK = 'jupyter-notebook';

export interface RunOnApi {
  /** Notebooks that this window attached to a cluster, by their names. */
  notebooksOn(clusterId: string): readonly string[];
}

export function createRunOn(host: Host, kernel: KernelApi | null, rent: RentForKernel): Module<RunOnApi> {
  const { commands, connection, contextKeys, context } = host;
  const { model } = connection;
  /** By the notebook's URI: the cluster it was given. */
  const attached = new Map<string, string>();

  const runOn = async (argument: unknown): Promise<boolean> => {
    await kernel?.whenReady();
    const problem =
      kernel === null ? 'Kernels could not be set up in this window: see the log.' : kernel.problem();
    if (kernel === null || problem !== null) {
      throw new HitchError('CONFLICT', problem ?? '');
    }
    const notebook = await openNotebook();
    if (notebook === null) {
      return false;
    }
    await model.need();
    await model.refresh();
    const named = clusterOf(argument, model.state);
    const usable = (model.state.clusters ?? []).filter(canRun);
    const cluster = named ?? (usable.length === 1 ? usable[0] : undefined) ?? null;
    if (usable.length === 0 && (await rent()) === null) {
      return false;
    }
    await vscode.window.showNotebookDocument(notebook);
    const done = await kernel.withoutCommands(() => attach(cluster));
    if (done) {
      const chosen = cluster ?? usable[0];
      if (chosen !== undefined) {
        attached.set(notebook.uri.toString(), chosen.id);
      }
      contextKeys.set('hitch.did.runOn', true);
    }
    return done;
  };

  return {
    api: {
      notebooksOn: clusterId =>
        [...attached]
          .filter(([, id]) => id === clusterId)
          .map(([uri]) => notebookName(vscode.Uri.parse(uri).path)),
    },
    disposables: [
      commands.register('hitch.cluster.runOn', runOn),
      vscode.workspace.onDidCloseNotebookDocument(({ uri }) => attached.delete(uri.toString())),
    ],
  };

  async function attach(cluster: Cluster | null): Promise<boolean> {
    const controller = await serverOf(context.extension.id, cluster);
    if (controller !== null) {
      const chosen: unknown = await vscode.commands.executeCommand('notebook.selectKernel', {
        id: controller,
        extension: JUPYTER_ID,
      });
      return chosen !== false;
    }
    // The picker: Select Another Kernel → Hitch → the cluster.
    await vscode.commands.executeCommand('notebook.selectKernel');
    return false;
  }
}

/**
 * Lets the person, or where there is but one cluster nobody, choose a kernel on our servers. Neither this command nor
 * the argument of `notebook.selectKernel` is documented; vscode-jupyter has no supported way (microsoft/vscode-jupyter
 * 15188), so whatever goes wrong here leads to the picker.
 */
async function serverOf(extensionId: string, cluster: Cluster | null): Promise<string | null> {
  try {
    const controller: unknown = await vscode.commands.executeCommand(
      'jupyter.kernel.selectJupyterServerKernel',
      extensionId,
      COLLECTION_ID,
      ...(cluster === null ? [] : [cluster.id]),
    );
    return typeof controller === 'string' && controller !== '' ? controller : null;
  } catch (error) {
    if (error instanceof vscode.CancellationError) {
      throw error;
    }
    return null;
  }
}

/** The notebook in front; without one a person chooses among the open ones, or makes one. */
async function openNotebook(): Promise<vscode.NotebookDocument | null> {
  const active = vscode.window.activeNotebookEditor?.notebook;
  if (active?.notebookType === NOTEBOOK) {
    return active;
  }
  const open = vscode.workspace.notebookDocuments.filter(
    ({ notebookType, isClosed }) => notebookType === NOTEBOOK && !isClosed,
  );
  if (open.length === 1) {
    return open[0] ?? null;
  }
  const fresh = { label: 'New notebook', description: '', notebook: null };
  const items = [
    ...open.map(notebook => ({
      label: notebookName(notebook.uri.path),
      description: notebook.uri.fsPath,
      notebook,
    })),
    fresh,
  ];
  const picked = await pickOne(items, {
    title: 'Run on…',
    placeholder: 'Which notebook? Its variables do not move: a kernel on a cluster starts empty.',
  });
  if (picked === undefined) {
    return null;
  }
  return (
    picked.notebook ??
    vscode.workspace.openNotebookDocument(
      NOTEBOOK,
      new vscode.NotebookData([new vscode.NotebookCellData(vscode.NotebookCellKind.Code, '', 'python')]),
    )
  );
}
