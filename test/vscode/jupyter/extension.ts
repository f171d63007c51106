/**
 * A stand-in for Jupyter's extension, which no registry carries: its typed API, and what it was seen to do with the
 * servers of others. It lists from memory again and again, resolves for each session, drops a server that is missing
 * from one answer together with its controller, and finds out from the call stack whose collection one is.
 */
import type {
  JupyterServer,
  JupyterServerCollection,
  JupyterServerProvider,
} from '@vscode/jupyter-extension';
import * as vscode from 'vscode';
import type { ConnectionInformation } from '../../../extension/src/vscode/jupyter-api.ts';
import { StandInKernel } from './kernel.ts';

interface Registered extends JupyterServerCollection {
  readonly extensionId: string;
  readonly serverProvider: JupyterServerProvider;
}

interface Used {
  readonly server: JupyterServer;
  readonly collection: Registered;
  readonly controller: vscode.NotebookController;
  readonly kernels: Map<string, Promise<StandInKernel>>;
}

/** What the tests look at. */
export interface StandIn {
  readonly collections: readonly Registered[];
  readonly counts: { provided: number; resolved: number; disposed: number };
  createJupyterServerCollection(
    id: string,
    label: string,
    provider: JupyterServerProvider,
  ): JupyterServerCollection;
  /** The running kernel of a notebook. */
  kernelOf(notebook: vscode.NotebookDocument): Promise<StandInKernel | undefined>;
}

const collections: Registered[] = [];
const used = new Map<string, Used>();
const counts = { provided: 0, resolved: 0, disposed: 0 };
const never = new vscode.CancellationTokenSource().token;

function callerOf(stack: string): string {
  const caller = vscode.extensions.all.find(
    ({ id, extensionPath }) => id !== 'ms-toolsai.jupyter' && stack.includes(`${extensionPath}/`),
  );
  if (caller === undefined) {
    throw new Error(`no extension is in this stack: ${stack}`);
  }
  return caller.id;
}

async function listOf(collection: Registered): Promise<readonly JupyterServer[]> {
  counts.provided += 1;
  return (await collection.serverProvider.provideJupyterServers(never)) ?? [];
}

/** What it does when servers change, and when a socket has closed: a server that is missing is gone, without a word. */
async function forgetMissing(collection: Registered): Promise<void> {
  const ids = new Set((await listOf(collection)).map(({ id }) => id));
  for (const [key, entry] of [...used]) {
    if (entry.collection === collection && !ids.has(entry.server.id)) {
      used.delete(key);
      counts.disposed += 1;
      entry.controller.dispose();
      for (const kernel of entry.kernels.values()) {
        void kernel.then(started => started.dispose());
      }
    }
  }
}

async function informationOf(collection: Registered, server: JupyterServer): Promise<ConnectionInformation> {
  counts.resolved += 1;
  const resolved = (await collection.serverProvider.resolveJupyterServer(server, never)) ?? server;
  const info = resolved.connectionInformation;
  if (info === undefined || !('fetch' in info) || !('WebSocket' in info)) {
    throw new Error('the server came without its overrides');
  }
  return info as ConnectionInformation;
}

function controllerFor(collection: Registered, server: JupyterServer): Used {
  const key = `${collection.extensionId}/${collection.id}/${server.id}`;
  const known = used.get(key);
  if (known !== undefined) {
    return known;
  }
  const kernels = new Map<string, Promise<StandInKernel>>();
  const controller = vscode.notebooks.createNotebookController(
    key.replaceAll('/', '-'),
    'jupyter-notebook',
    `Python 3 (${server.label})`,
  );
  controller.supportedLanguages = ['python'];
  let order = 0;
  controller.executeHandler = async (cells, notebook) => {
    const id = notebook.uri.toString();
    let kernel = kernels.get(id);
    if (kernel === undefined) {
      kernel = informationOf(collection, server).then(info =>
        StandInKernel.start(
          info,
          notebook.uri.path.split('/').at(-1) ?? '',
          () => void forgetMissing(collection),
        ),
      );
      kernels.set(id, kernel);
    }
    for (const cell of cells) {
      const execution = controller.createNotebookCellExecution(cell);
      execution.executionOrder = ++order;
      execution.start(Date.now());
      await execution.clearOutput();
      try {
        execution.end(await (await kernel).run(cell.document.getText(), execution), Date.now());
      } catch (error) {
        kernels.delete(id);
        const item = vscode.NotebookCellOutputItem.error(
          error instanceof Error ? error : new Error(String(error)),
        );
        await execution.appendOutput(new vscode.NotebookCellOutput([item]));
        execution.end(false, Date.now());
      }
    }
  };
  const entry = { server, collection, controller, kernels };
  used.set(key, entry);
  return entry;
}

/** The undocumented command: our list for the active notebook; one server and no command beside it is taken at once. */
async function selectServer(extensionId: string, collectionId: string): Promise<string | undefined> {
  const collection = collections.find(
    entry => entry.extensionId === extensionId && entry.id === collectionId,
  );
  if (collection === undefined) {
    throw new Error(`there is no collection ${collectionId} of ${extensionId}`);
  }
  const servers = [...(await listOf(collection))].sort((a, b) => a.label.localeCompare(b.label));
  const offered = (await collection.commandProvider?.provideCommands('', never)) ?? [];
  let server = servers.length === 1 && offered.length === 0 ? servers[0] : undefined;
  if (server === undefined) {
    const picked = await vscode.window.showQuickPick(
      [
        ...servers.map(entry => ({ label: entry.label, server: entry, command: null })),
        ...offered.map(entry => ({ label: entry.label, server: null, command: entry })),
      ],
      { title: 'Select a Jupyter Server' },
    );
    server =
      picked?.server ??
      (picked === undefined || picked.command === null
        ? undefined
        : ((await collection.commandProvider?.handleCommand(picked.command, never)) ?? undefined));
  }
  if (server === undefined) {
    return undefined;
  }
  const info = await informationOf(collection, server);
  const answer = await info.fetch(`${info.baseUrl.toString(true)}api/kernelspecs`);
  if (!answer.ok) {
    throw new Error(`the kernelspecs were refused: HTTP ${answer.status.toString()}`);
  }
  return controllerFor(collection, server).controller.id;
}

export function activate(context: vscode.ExtensionContext): StandIn {
  context.subscriptions.push(
    vscode.commands.registerCommand('jupyter.kernel.selectJupyterServerKernel', selectServer),
  );
  return {
    collections,
    counts,
    createJupyterServerCollection: (id, label, serverProvider) => {
      const extensionId = callerOf(new Error('who calls').stack ?? '');
      if (collections.some(entry => entry.extensionId === extensionId && entry.id === id)) {
        throw new Error(`${extensionId} has registered a collection ${id} before`);
      }
      const collection: Registered = {
        id,
        label,
        extensionId,
        serverProvider,
        dispose: () => {
          collections.splice(collections.indexOf(collection), 1);
        },
      };
      collections.push(collection);
      serverProvider.onDidChangeServers?.(() => void forgetMissing(collection));
      return collection;
    },
    kernelOf: async notebook => {
      const found = [...used.values()].flatMap(entry => entry.kernels.get(notebook.uri.toString()) ?? []);
      return found[0];
    },
  };
}
