/**
 * The questions. Sources: `RemoteNotebookKernelSourceSelector` (src/notebooks/controllers/kernelSource/
 * remoteNotebookKernelSourceSelector.ts), `MultiStepInput` (src/platform/common/utils/multiStepInput.ts),
 * `BaseProviderBasedQuickPick` (src/platform/common/providerBasedQuickPick.ts).
 */
import type { JupyterServer, JupyterServerCommand } from '@vscode/jupyter-extension';
import * as vscode from 'vscode';
import type { Connection } from './connections.ts';
import { allFinders, type Finder, getOrCreateFinder } from './finders.ts';
import { type Collection, type Handle, misuse, never, provided } from './registry.ts';

/** Each list that stood, by its title, and how it ended: what a person saw. */
export const asked: { readonly title: string; ended: 'open' | 'chosen' | 'closed' }[] = [];

/** `InputFlowAction.back`. */
const BACK = Symbol('back');

type ServerItem =
  | { readonly label: string; readonly finder: Finder }
  | { readonly label: string; readonly server: JupyterServer }
  | { readonly label: string; readonly command: JupyterServerCommand };

let latest: vscode.CancellationTokenSource | null = null;

/** `selectRemoteKernel`: a second call cancels the first. @throws CancellationError where a list was closed. */
export async function selectRemoteKernel(
  notebook: vscode.NotebookDocument,
  collection: Collection,
): Promise<Connection | undefined> {
  if (!/^(?:jupyter-notebook|interactive)$/.test(notebook.notebookType)) {
    return misuse(`a kernel for a ${notebook.notebookType}`);
  }
  latest?.cancel();
  const source = (latest = new vscode.CancellationTokenSource());
  for (;;) {
    const item = await selectServer(collection);
    if (source.token.isCancellationRequested) {
      return undefined;
    }
    const chosen = await kernelOfItem(notebook, collection, item.item, source.token);
    if (chosen !== BACK) {
      return chosen;
    }
    if (item.isDefault) {
      // Back from the only server leaves the whole.
      throw new vscode.CancellationError();
    }
  }
}

/** `getRemoteServersFromProvider`: the only server, or the only command that says so, is taken without a question. */
async function selectServer(collection: Collection): Promise<{ item: ServerItem; isDefault: boolean }> {
  const servers = [...(await provided(collection))].sort((a, b) => a.label.localeCompare(b.label));
  const commands = (await collection.commandProvider?.provideCommands(undefined, never)) ?? [];
  // The real one compares the collection's id with the ids of servers, so that a known server is rarely found.
  const known = allFinders().filter(
    ({ handle }) => handle.id === collection.id && servers.some(({ id }) => id === handle.id),
  );
  const items: ServerItem[] = [
    ...known.map(finder => ({ label: finder.displayName, finder })),
    ...servers.map(server => ({ label: server.label, server })),
    ...commands.map(command => ({ label: command.label, command })),
  ];
  const [only] = items;
  if (
    only !== undefined &&
    items.length === 1 &&
    !('command' in only && only.command.canBeAutoSelected !== true)
  ) {
    return { item: only, isDefault: true };
  }
  const picked = await list<ServerItem>('Select a Jupyter Server', pick => {
    pick.placeholder = 'Select a remote server';
    pick.items = items.map(item => ({ label: item.label, item }));
    return null;
  });
  if (picked === undefined) {
    throw new vscode.CancellationError();
  }
  return { item: picked.item, isDefault: false };
}

async function kernelOfItem(
  notebook: vscode.NotebookDocument,
  collection: Collection,
  item: ServerItem,
  token: vscode.CancellationToken,
): Promise<Connection | typeof BACK> {
  if ('finder' in item) {
    return selectKernel(notebook, item.finder, token);
  }
  const server = 'server' in item ? item.server : await handled(collection, item.command);
  if (server === undefined) {
    return BACK;
  }
  const handle: Handle = { extensionId: collection.extensionId, id: collection.id, handle: server.id };
  return selectKernel(notebook, getOrCreateFinder(handle, server.label), token);
}

/** `selectRemoteServerFromRemoteKernelFinder`: an answer without a server is a step back. */
async function handled(
  { id, commandProvider }: Collection,
  command: JupyterServerCommand,
): Promise<JupyterServer | undefined> {
  const server = (await commandProvider?.handleCommand(command, never)) ?? undefined;
  return server === undefined || typeof server.id === 'string'
    ? server
    : misuse(`a server of ${id} without an id`);
}

/** `selectRemoteKernelFromPicker`: always a list, also of one kernel; the recommended one is only put first. */
async function selectKernel(
  notebook: vscode.NotebookDocument,
  finder: Finder,
  token: vscode.CancellationToken,
): Promise<Connection> {
  if (token.isCancellationRequested) {
    throw new vscode.CancellationError();
  }
  const picked = await list<Connection>(`Select a Kernel from ${finder.displayName}`, pick => {
    const show = (): void => {
      const recommended = preferred(notebook, finder.kernels);
      const items = finder.kernels.map(item => ({
        label: item === recommended ? `$(star-full) ${item.label}` : item.label,
        description: item.kind === 'live' ? 'Jupyter Session' : 'Jupyter Kernel',
        item,
      }));
      pick.items = items;
      pick.activeItems = items.filter(({ item }) => item === recommended);
      pick.busy = finder.status === 'discovering';
      if (finder.lastError !== undefined) {
        pick.placeholder = 'Unable to connect to the remote server';
      }
    };
    pick.busy = true;
    show();
    return finder.onDidChange(show);
  });
  if (picked === undefined) {
    throw new vscode.CancellationError();
  }
  return picked.item;
}

/** `findPreferredRemoteKernelConnection`, where no earlier window knew the notebook: by the kernel's name, else by language. */
function preferred(
  { metadata }: vscode.NotebookDocument,
  kernels: readonly Connection[],
): Connection | undefined {
  const inner: unknown = metadata['metadata'];
  const name = JSON.stringify(inner ?? {});
  const specs = kernels.filter(({ kind }) => kind === 'spec');
  return (
    specs.find(({ specName }) => name.includes(`"name":"${specName}"`)) ??
    specs.find(({ language }) => language === 'python')
  );
}

/** A list that stays when the focus goes elsewhere, until something is chosen or it is closed. */
function list<T>(
  title: string,
  fill: (pick: vscode.QuickPick<vscode.QuickPickItem & { readonly item: T }>) => vscode.Disposable | null,
): Promise<{ readonly item: T } | undefined> {
  const pick = vscode.window.createQuickPick<vscode.QuickPickItem & { readonly item: T }>();
  const entry: (typeof asked)[number] = { title, ended: 'open' };
  asked.push(entry);
  pick.title = title;
  pick.ignoreFocusOut = true;
  const filling = fill(pick);
  pick.show();
  return new Promise(resolve => {
    pick.onDidChangeSelection(([chosen]) => {
      if (chosen !== undefined) {
        entry.ended = 'chosen';
        resolve(chosen);
        pick.hide();
      }
    });
    pick.onDidHide(() => {
      entry.ended = entry.ended === 'open' ? 'closed' : entry.ended;
      filling?.dispose();
      pick.dispose();
      resolve(undefined);
    });
  });
}
