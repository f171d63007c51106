/**
 * A stand-in for Jupyter's extension, which no registry carries. It does what the public source of
 * microsoft/vscode-jupyter 2026.6.1 does and nothing else: each behaviour names the file and the function that it follows,
 * and what the real one ignores in silence is a misuse here, which fails the test.
 */
import type { JupyterServerCollection, JupyterServerProvider } from '@vscode/jupyter-extension';
import * as vscode from 'vscode';
import { addOrUpdate, kernelOf, serverOfNotebook, serversInUse, watchControllers } from './controllers.ts';
import type { StandInKernel } from './kernel.ts';
import {
  all,
  callerOf,
  type Collection,
  counts,
  createCollection,
  find,
  misuse,
  misuses,
} from './registry.ts';
import { asked, selectRemoteKernel } from './selector.ts';

/** What the tests look at. */
export interface StandIn {
  readonly collections: () => readonly Collection[];
  readonly counts: { provided: number; resolved: number; disposed: number };
  readonly misuses: string[];
  readonly asked: readonly { readonly title: string; readonly ended: 'open' | 'chosen' | 'closed' }[];
  createJupyterServerCollection(
    id: string,
    label: string,
    provider: JupyterServerProvider,
  ): JupyterServerCollection;
  /** The running kernel of a notebook. */
  kernelOf(notebook: vscode.NotebookDocument): Promise<StandInKernel | undefined>;
  /** The id of the server that a notebook's controller belongs to. */
  serverOf(notebook: vscode.NotebookDocument): string | undefined;
  /** The ids of the servers that any controller belongs to. */
  serversInUse(): readonly string[];
}

const isNotebook = (value: unknown): value is vscode.NotebookDocument =>
  vscode.workspace.notebookDocuments.some(known => known === value);

/**
 * `onSelectRemoteKernel` and `getSelectedController` (src/notebooks/controllers/kernelSource/
 * kernelSourceCommandHandler.ts). The real one answers nothing for a collection that it does not know, and where the third
 * argument is there but no notebook.
 */
async function selectJupyterServerKernel(...given: readonly unknown[]): Promise<string | undefined> {
  const [extensionId, collectionId, named] = given;
  if (typeof extensionId !== 'string' || typeof collectionId !== 'string' || given.length > 3) {
    return misuse(`the arguments ${JSON.stringify(given)}`);
  }
  if (named !== undefined && !isNotebook(named)) {
    return misuse(`${JSON.stringify(named)} in the place of a notebook`);
  }
  const notebook = named ?? vscode.window.activeNotebookEditor?.notebook;
  const collection = find(extensionId, collectionId);
  if (notebook === undefined || collection === undefined) {
    return misuse(notebook === undefined ? 'no notebook' : `no collection ${collectionId}`);
  }
  const connection = await selectRemoteKernel(notebook, collection);
  if (connection === undefined) {
    return undefined;
  }
  const controller = addOrUpdate(connection);
  controller.updateNotebookAffinity(notebook, vscode.NotebookControllerAffinity.Preferred);
  return controller.id;
}

/** `activate` of the real one: the parts that concern servers of others. */
export function activate(context: vscode.ExtensionContext): StandIn {
  context.subscriptions.push(
    vscode.commands.registerCommand('jupyter.kernel.selectJupyterServerKernel', selectJupyterServerKernel),
    watchControllers(),
  );
  return {
    collections: all,
    counts,
    misuses,
    asked,
    // `buildApi` (src/standalone/api/index.ts).
    createJupyterServerCollection: (id, label, provider) =>
      createCollection(callerOf(new Error('who calls').stack ?? ''), id, label, provider),
    kernelOf,
    serverOf: serverOfNotebook,
    serversInUse,
  };
}
