/**
 * Gives a notebook a kernel on a cluster without a question. Jupyter has no supported way (microsoft/vscode-jupyter 15188):
 * it makes a kernel's controller only after somebody opened its list of kernels on that server. So its list is opened,
 * closed as soon as Jupyter asks where the server is, and the controller is chosen once Jupyter has made it, by its id.
 * Whatever goes wrong here leads to Jupyter's own list.
 */
import * as vscode from 'vscode';
import type { Cluster } from '@hitch/contract';
import { HitchError } from '@hitch/contract/src/errors.ts';
import { systemClock } from '@hitch/platform/src/clock.ts';
import { chooseSpec, controllerIdOf, type KernelSpecs, wishOf } from '../kernel/controller-id.ts';
import { notebookName } from '../kernel/notebooks.ts';
import { collectionIdOf } from '../kernel/servers.ts';
import { JUPYTER_ID } from './jupyter-api.ts';
import type { KernelApi } from './kernel-module.ts';
import { type Going, withProgress } from './screen.ts';
import type { Host } from './module.ts';

/** Jupyter itself gives its managers ten seconds each to come up. */
const CONTROLLER_WITHIN_MS = 30_000;
const LOOK_EVERY_MS = 100;

export interface AttachDeps {
  readonly host: Pick<Host, 'context' | 'log'>;
  readonly kernel: KernelApi;
}

/** @returns whether the notebook has a kernel there now. @throws HitchError with a sentence. */
export async function attach(
  { host, kernel }: AttachDeps,
  editor: vscode.NotebookEditor,
  cluster: Cluster,
): Promise<boolean> {
  const { notebook } = editor;
  const extensionId = host.context.extension.id;
  const controller = controllerFor(extensionId, notebook, cluster, await kernel.specsOf(cluster));
  // Jupyter knows its kernels where any notebook of this window has asked for that cluster before.
  if (await select(editor, controller)) {
    return true;
  }
  const title = `Hitch: ${notebookName(notebook.uri.path)} to ${cluster.name}`;
  const found = await withProgress('notification', title, going =>
    withoutQuestion(extensionId, editor, cluster, controller, kernel, going),
  );
  if (found !== 'not found') {
    return found;
  }
  host.log.warn('Jupyter made no controller of this id', controller);
  return byHand(extensionId, editor, cluster);
}

async function withoutQuestion(
  extensionId: string,
  editor: vscode.NotebookEditor,
  cluster: Cluster,
  controller: string,
  kernel: KernelApi,
  { cancelled }: Going,
): Promise<boolean | 'not found'> {
  // When it asks for the address its list stands, and it goes on reading the kernels when the list is closed.
  const resolving = kernel.onDidResolve(id => {
    if (id === cluster.id) {
      void closeList();
    }
  });
  const asked = { isOpen: true, chosen: null as string | null };
  const asking = askJupyter(extensionId, editor.notebook, cluster).then(chosen => {
    asked.isOpen = false;
    asked.chosen = chosen;
  });
  const deadlineMs = systemClock.now() + CONTROLLER_WITHIN_MS;
  try {
    while (systemClock.now() < deadlineMs && !cancelled.isCancellationRequested) {
      // Whoever was quicker in Jupyter's list has chosen.
      const wanted = asked.chosen ?? controller;
      if (await select(editor, wanted)) {
        return true;
      }
      await systemClock.sleep(LOOK_EVERY_MS);
    }
    return cancelled.isCancellationRequested ? false : 'not found';
  } finally {
    resolving.dispose();
    if (asked.isOpen) {
      await closeList();
      await asking;
    }
  }
}

/** Jupyter's list of the kernels on this cluster stays open for the person. */
async function byHand(
  extensionId: string,
  editor: vscode.NotebookEditor,
  cluster: Cluster,
): Promise<boolean> {
  const chosen = await askJupyter(extensionId, editor.notebook, cluster);
  return chosen !== null && (await select(editor, chosen));
}

/** `onSelectRemoteKernel` (vscode-jupyter, `kernelSourceCommandHandler.ts`). @returns a controller's id. */
async function askJupyter(
  extensionId: string,
  notebook: vscode.NotebookDocument,
  cluster: Cluster,
): Promise<string | null> {
  try {
    const controller: unknown = await vscode.commands.executeCommand(
      'jupyter.kernel.selectJupyterServerKernel',
      extensionId,
      collectionIdOf(cluster.id),
      notebook,
    );
    return typeof controller === 'string' && controller !== '' ? controller : null;
  } catch {
    // Its list was closed, or the command is not there.
    return null;
  }
}

/** False where no controller has this id. */
async function select(editor: vscode.NotebookEditor, id: string): Promise<boolean> {
  const done: unknown = await vscode.commands.executeCommand('notebook.selectKernel', {
    notebookEditor: editor,
    id,
    extension: JUPYTER_ID,
  });
  return done === true;
}

const closeList = (): Thenable<unknown> => vscode.commands.executeCommand('workbench.action.closeQuickOpen');

function controllerFor(
  extensionId: string,
  notebook: vscode.NotebookDocument,
  cluster: Cluster,
  specs: KernelSpecs,
): string {
  const code = notebook.getCells().find(({ kind }) => kind === vscode.NotebookCellKind.Code);
  const wish = wishOf(notebook.metadata, code?.document.languageId ?? 'python');
  const spec = chooseSpec(specs, wish);
  if (spec === null) {
    const there = Object.values(specs.kernelspecs).map(known => known.spec.display_name);
    throw new HitchError(
      'CONFLICT',
      `${notebookName(notebook.uri.path)} is written in ${wish.language}, and ${cluster.name} has no kernel for it. ` +
        `Available: ${there.length === 0 ? 'none' : there.join(', ')}.`,
      { next: 'Install a kernel for it on the cluster, or choose another notebook.' },
    );
  }
  const handle = { extensionId, collectionId: collectionIdOf(cluster.id), serverId: cluster.id };
  const rules = {
    isWindows: process.platform === 'win32',
    fsPath: (path: string) => vscode.Uri.file(path).fsPath,
  };
  return controllerIdOf(handle, spec, rules);
}
