/** Run on…: gives the open notebook a kernel on a cluster. */
import * as vscode from 'vscode';
import type { Cluster } from '@hitch/contract';
import { HitchError } from '@hitch/contract/src/errors.ts';
import { shownName } from '@hitch/contract/src/shown/text.ts';
import { clusterLine } from '@hitch/contract/src/words.ts';
import { ordered } from '../clusters/rows.ts';
import { canRun, titlesOf } from '../daemon/state.ts';
import { notebookName, runsOn } from '../kernel/notebooks.ts';
import { attach } from './attach.ts';
import type { KernelApi, RentForKernel } from './kernel-module.ts';
import { inform } from './messages.ts';
import { clusterOf } from './which-cluster.ts';
import type { Host, Module } from './module.ts';
import { pickOne } from './screen.ts';

const NOTEBOOK = 'jupyter-notebook';

export interface RunOnApi {
  /** Notebooks that this window attached to a cluster, by their names. */
  notebooksOn(clusterId: string): readonly string[];
}

export function createRunOn(host: Host, kernel: KernelApi | null, rent: RentForKernel): Module<RunOnApi> {
  const { commands, connection, contextKeys } = host;
  const { model } = connection;
  /** By the notebook's URI: the cluster it was given. */
  const attached = new Map<string, string>();

  /** @param uri of a notebook, as text; otherwise it is the one in front. A view hands rows over in its place. */
  const runOn = async (argument: unknown, uri?: unknown): Promise<boolean> => {
    await kernel?.whenReady();
    const problem =
      kernel === null
        ? 'Kernels on clusters could not be set up in this window: see the log.'
        : kernel.problem();
    if (kernel === null || problem !== null) {
      throw new HitchError('CONFLICT', problem ?? '');
    }
    const notebook = typeof uri === 'string' ? notebookOf(uri) : await openNotebook();
    if (notebook === null) {
      return false;
    }
    await model.need();
    await model.refresh();
    const cluster = await whichCluster(argument);
    if (cluster === null) {
      return false;
    }
    const editor = await vscode.window.showNotebookDocument(notebook);
    const done = await attach({ host, kernel }, editor, cluster);
    if (done) {
      const key = notebook.uri.toString();
      void inform(runsOn(notebook.uri.path, cluster.name, attached.get(key) === cluster.id));
      attached.set(key, cluster.id);
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

  /** The named one, else the only one, else one that the person chooses or rents; null when nobody did. */
  async function whichCluster(argument: unknown): Promise<Cluster | null> {
    const named = clusterOf(argument, model.state);
    if (named !== null && !canRun(named)) {
      throw new HitchError('CONFLICT', `${named.name} cannot run a notebook yet.`, {
        next: 'Wait until it is ready, then try again.',
      });
    }
    const usable = ordered((model.state.clusters ?? []).filter(canRun));
    const [only, ...others] = usable;
    if (named !== null || only === undefined) {
      return named ?? rent();
    }
    return others.length === 0 ? only : chooseOrRent(usable);
  }

  async function chooseOrRent(usable: readonly Cluster[]): Promise<Cluster | null> {
    const titleOf = titlesOf(model.state.providers);
    const items = [
      ...usable.map(cluster => ({
        label: cluster.name,
        description: clusterLine(cluster, Date.now(), { titleOf }),
        take: () => Promise.resolve<Cluster | null>(cluster),
      })),
      { label: 'Rent GPUs…', description: 'You see the price before anything is rented', take: rent },
    ];
    const picked = await pickOne(items, { title: 'Run on…', placeholder: 'Which cluster?' });
    return picked?.take() ?? null;
  }
}

/** @throws HitchError where it was closed meanwhile: no other one gets its kernel. */
function notebookOf(uri: string): vscode.NotebookDocument {
  const notebook = vscode.workspace.notebookDocuments.find(open => open.uri.toString() === uri);
  if (notebook === undefined) {
    const name = shownName(notebookName(vscode.Uri.parse(uri).path));
    throw new HitchError('CONFLICT', `${name} is no longer open, so its kernel was not changed.`, {
      next: 'Open it, then press Run on… above it.',
    });
  }
  return notebook;
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
    placeholder: 'Which notebook? Its variables are lost: the new kernel starts empty',
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
