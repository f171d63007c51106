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
import type { KernelApi } from './kernel-module.ts';
import { inform } from './messages.ts';
import { clusterOf } from './which-cluster.ts';
import type { Host, Module } from './module.ts';
import { QuickRent, selectedCell, type Take } from './quick-rent.ts';
import type { RentApi } from './rent-module.ts';
import { pickOne } from './screen.ts';
import { type Choice, pick } from './wizard.ts';

const NOTEBOOK = 'jupyter-notebook';

export interface RunOnApi {
  /** Notebooks that this window attached to a cluster, by their names. */
  notebooksOn(clusterId: string): readonly string[];
  /** The cluster that this window attached a notebook to; null: none. */
  clusterOf(notebook: vscode.NotebookDocument): string | null;
}

export function createRunOn(host: Host, kernel: KernelApi | null, rent: RentApi | null): Module<RunOnApi> {
  const { commands, connection, contextKeys } = host;
  const { model } = connection;
  /** By the notebook's URI: the cluster it was given. */
  const attached = new Map<string, string>();

  const give = async (notebook: vscode.NotebookDocument, cluster: Cluster): Promise<boolean> => {
    await kernel?.whenReady();
    const problem =
      kernel === null
        ? 'Kernels on clusters could not be set up in this window: see the log.'
        : kernel.problem();
    if (kernel === null || problem !== null) {
      throw new HitchError('CONFLICT', problem ?? '');
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
  const quick = rent === null ? null : new QuickRent({ host, rent, attach: give });

  /** @param uri of a notebook, as text; otherwise it is the one in front. A view hands rows over in its place. */
  const runOn = async (argument: unknown, uri?: unknown): Promise<boolean> => {
    const notebook = typeof uri === 'string' ? notebookOf(uri) : await openNotebook();
    if (notebook === null) {
      return false;
    }
    await model.need();
    await model.refresh();
    const named = clusterOf(argument, model.state);
    if (named !== null && !canRun(named)) {
      throw new HitchError('CONFLICT', `${named.name} cannot run a notebook yet.`, {
        next: 'Wait until it is ready, then try again.',
      });
    }
    const usable = ordered((model.state.clusters ?? []).filter(canRun));
    const [first, ...others] = usable;
    const only = others.length === 0 ? (first ?? null) : null;
    const cluster = named ?? only;
    return cluster === null ? choose(notebook, usable) : give(notebook, cluster);
  };

  return {
    api: {
      clusterOf: notebook => attached.get(notebook.uri.toString()) ?? null,
      notebooksOn: clusterId =>
        [...attached]
          .filter(([, id]) => id === clusterId)
          .map(([uri]) => notebookName(vscode.Uri.parse(uri).path)),
    },
    disposables: [
      commands.register('hitch.cluster.runOn', runOn),
      commands.register('hitch.rent.quick', async (preset, uri) => {
        await model.need();
        await model.refresh();
        const notebook = typeof uri === 'string' ? notebookOf(uri) : notebookInFront();
        const known =
          typeof preset === 'string'
            ? (await model.listPresets()).presets.find(({ id }) => id === preset)
            : undefined;
        return known === undefined || quick === null
          ? choose(notebook, [])
          : take(notebook, quick.take(known));
      }),
      ...(quick === null ? [] : [quick.follow()]),
      vscode.workspace.onDidCloseNotebookDocument(({ uri }) => attached.delete(uri.toString())),
    ],
  };

  /** One of these, or what is usually rented, or whatever is for rent. */
  async function choose(
    notebook: vscode.NotebookDocument | null,
    usable: readonly Cluster[],
  ): Promise<boolean> {
    const titleOf = titlesOf(model.state.providers);
    const clusters: readonly Choice<() => Promise<boolean>>[] =
      notebook === null
        ? []
        : usable.map(cluster => ({
            icon: 'server',
            label: cluster.name,
            description: clusterLine(cluster, Date.now(), { titleOf }),
            value: () => give(notebook, cluster),
          }));
    const rentLine = (choice: Choice<Take>): Choice<() => Promise<boolean>> => ({
      ...choice,
      value: () => take(notebook, choice.value),
    });
    const rest: readonly Choice<() => Promise<boolean>>[] = [
      {
        icon: 'add',
        label: 'Rent GPUs…',
        description: 'Choose an offer, limits and packages; you see the price before anything is rented',
        value: () => take(notebook, ordered => rent?.rentAndWait({}, ordered) ?? Promise.resolve(null)),
      },
      {
        icon: 'edit',
        label: 'Edit Presets…',
        description: 'What you usually rent',
        value: async () => {
          await vscode.commands.executeCommand('hitch.rent.editPresets');
          return false;
        },
      },
    ];
    const lines = await quick?.lines();
    const all = (quickly: readonly Choice<Take>[]) => [...clusters, ...quickly.map(rentLine), ...rest];
    const chosen = await pick({
      title: notebook === null ? 'Rent' : 'Run on…',
      step: 1,
      totalSteps: 1,
      placeholder: notebook === null ? 'What?' : `Where does ${notebookName(notebook.uri.path)} run?`,
      items: all(lines?.now ?? []),
      ...(lines === undefined ? {} : { later: lines.later.then(all) }),
    });
    return chosen.kind === 'value' && chosen.value();
  }

  async function take(notebook: vscode.NotebookDocument | null, order: Take): Promise<boolean> {
    // As it is when it is asked for: until somebody has said yes the selection may move.
    const cell =
      notebook !== null && host.settings.get('hitch.rent.runSelectedCell') ? selectedCell(notebook) : null;
    let isOrdered = false;
    await order(cluster => {
      isOrdered = true;
      if (notebook !== null) {
        quick?.begin(notebook, cluster, cell);
      }
    });
    quick?.look();
    return isOrdered;
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

const notebookInFront = (): vscode.NotebookDocument | null => {
  const active = vscode.window.activeNotebookEditor?.notebook;
  return active?.notebookType === NOTEBOOK ? active : null;
};

/** The notebook in front; without one a person chooses among the open ones, or makes one. */
async function openNotebook(): Promise<vscode.NotebookDocument | null> {
  const active = notebookInFront();
  if (active !== null) {
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
