/**
 * Controllers of kernels. Sources: `ControllerRegistration` (src/notebooks/controllers/controllerRegistration.ts),
 * `VSCodeNotebookController` (vscodeNotebookController.ts beside it), `RemoteKernelControllerWatcher`
 * (remoteKernelControllerWatcher.ts), `KernelAutoReconnectMonitor.handleRemoteServerShutdown`
 * (src/kernels/kernelAutoReConnectMonitor.ts). Left out: the interactive window, local kernels.
 */
import * as vscode from 'vscode';
import { type Connection, connectionTo } from './connections.ts';
import { allKernels, kernelStarted, onDidChangeKernels, removeFinder } from './finders.ts';
import { StandInKernel } from './kernel.ts';
import {
  all,
  type Collection,
  counts,
  find,
  type Handle,
  onDidChangeCollections,
  provided,
} from './registry.ts';

interface Controller {
  readonly connection: Connection;
  readonly controller: vscode.NotebookController;
  readonly notebooks: Set<vscode.NotebookDocument>;
  readonly kernels: Map<vscode.NotebookDocument, Promise<StandInKernel>>;
}

const controllers = new Map<string, Controller>();
const isOf = ({ handle }: Connection, collection: Pick<Collection, 'extensionId' | 'id'>): boolean =>
  handle.extensionId === collection.extensionId && handle.id === collection.id;

/** `addOrUpdate`. */
export function addOrUpdate(connection: Connection): vscode.NotebookController {
  return (controllers.get(connection.id) ?? create(connection)).controller;
}

/** `loadControllers`: each kernel that is known has a controller; a session that has gone loses its own. */
function loadControllers(): void {
  const kernels = allKernels();
  kernels.forEach(addOrUpdate);
  const ids = new Set(kernels.map(({ id }) => id));
  for (const entry of [...controllers.values()]) {
    const { connection, notebooks } = entry;
    if (!ids.has(connection.id) && (connection.kind === 'live' || notebooks.size === 0)) {
      disposeController(entry);
    }
  }
}

function create(connection: Connection): Controller {
  const controller = vscode.notebooks.createNotebookController(
    connection.id,
    'jupyter-notebook',
    connection.label,
  );
  // `updateDisplayData`: the server's name stands in the description.
  controller.description = find(connection.handle.extensionId, connection.handle.id)?.label ?? '';
  controller.supportedLanguages = [connection.language];
  controller.supportsExecutionOrder = true;
  const entry: Controller = { connection, controller, notebooks: new Set(), kernels: new Map() };
  controller.onDidChangeSelectedNotebooks(({ notebook, selected }) => {
    if (selected) {
      entry.notebooks.add(notebook);
    } else {
      // The kernel of a server is left running when its notebook goes (`JupyterSessionWrapper.canShutdownSession`).
      entry.notebooks.delete(notebook);
      letGo(entry, notebook);
    }
  });
  controller.executeHandler = (cells, notebook) => execute(entry, cells, notebook);
  controllers.set(connection.id, entry);
  return entry;
}

let order = 0;
async function execute(
  entry: Controller,
  cells: readonly vscode.NotebookCell[],
  notebook: vscode.NotebookDocument,
): Promise<void> {
  const { controller } = entry;
  for (const cell of cells) {
    const execution = controller.createNotebookCellExecution(cell);
    execution.executionOrder = ++order;
    execution.start(Date.now());
    await execution.clearOutput();
    try {
      const kernel = await kernelFor(entry, notebook);
      execution.end(await kernel.run(cell.document.getText(), execution), Date.now());
    } catch (error) {
      entry.kernels.delete(notebook);
      const item = vscode.NotebookCellOutputItem.error(
        error instanceof Error ? error : new Error(String(error)),
      );
      await execution.appendOutput(new vscode.NotebookCellOutput([item]));
      execution.end(false, Date.now());
    }
  }
}

function kernelFor(entry: Controller, notebook: vscode.NotebookDocument): Promise<StandInKernel> {
  const { connection, kernels } = entry;
  const running = kernels.get(notebook);
  if (running !== undefined) {
    return running;
  }
  const started = connectionTo(connection.handle).then(info =>
    StandInKernel.start(info, connection, notebook, () => void shutDownServer(connection.handle)),
  );
  kernels.set(notebook, started);
  void started.then(kernelStarted, () => undefined);
  return started;
}

function letGo({ kernels }: Controller, notebook: vscode.NotebookDocument): void {
  void kernels.get(notebook)?.then(kernel => kernel.dispose());
  kernels.delete(notebook);
}

function disposeController(entry: Controller): void {
  controllers.delete(entry.connection.id);
  counts.disposed += 1;
  [...entry.kernels.keys()].forEach(notebook => letGo(entry, notebook));
  entry.controller.dispose();
}

/** `handleRemoteServerShutdown`, when a socket has closed: a server that is missing is removed, without a word. */
async function shutDownServer(handle: Handle): Promise<void> {
  const collection = find(handle.extensionId, handle.id);
  if (collection !== undefined && !(await provided(collection)).some(({ id }) => id === handle.handle)) {
    removeServer(handle);
  }
}

/** `onDidRemoveServers`, and `urisRemoved` of the finders. */
function removeServer(handle: Handle): void {
  removeFinder(handle);
  for (const entry of [...controllers.values()]) {
    if (isOf(entry.connection, handle) && entry.connection.handle.handle === handle.handle) {
      disposeController(entry);
    }
  }
}

const watched = new WeakSet<Collection>();
/** `checkExpiredServersInJupyterCollection`: now, and whenever the servers change. */
async function checkExpired(collection: Collection): Promise<void> {
  if (!watched.has(collection)) {
    watched.add(collection);
    collection.serverProvider.onDidChangeServers?.(() => void checkExpired(collection));
  }
  const ids = new Set((await provided(collection)).map(({ id }) => id));
  for (const { connection } of [...controllers.values()]) {
    if (isOf(connection, collection) && !ids.has(connection.handle.handle)) {
      removeServer(connection.handle);
    }
  }
}

export function watchControllers(): vscode.Disposable {
  all().forEach(collection => void checkExpired(collection));
  return vscode.Disposable.from(
    onDidChangeKernels(loadControllers),
    onDidChangeCollections(({ added, removed }) => {
      added.forEach(collection => void checkExpired(collection));
      // `removeControllersBelongingToDisposedProvider`.
      for (const entry of [...controllers.values()]) {
        if (removed.some(collection => isOf(entry.connection, collection))) {
          disposeController(entry);
        }
      }
    }),
  );
}

/** For the tests: the running kernel of a notebook, and the server it runs on. */
export async function kernelOf(notebook: vscode.NotebookDocument): Promise<StandInKernel | undefined> {
  const entry = [...controllers.values()].find(({ kernels }) => kernels.has(notebook));
  return entry?.kernels.get(notebook);
}
export const serverOfNotebook = (notebook: vscode.NotebookDocument): string | undefined =>
  [...controllers.values()].find(({ notebooks }) => notebooks.has(notebook))?.connection.handle.handle;
/** For the tests: the servers whose kernels have controllers. */
export const serversInUse = (): readonly string[] =>
  [...controllers.values()].map(({ connection }) => connection.handle.handle);
