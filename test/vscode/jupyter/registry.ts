/**
 * Collections of servers, as microsoft/vscode-jupyter keeps them. Sources, of its version 2026.6.1 as everywhere in this
 * folder: `createJupyterServerCollection` (src/standalone/api/servers/index.ts), `JupyterServerProviderRegistry` and
 * `JupyterServerCollectionImpl` (src/codespaces/index.ts).
 */
import type {
  JupyterServer,
  JupyterServerCollection,
  JupyterServerCommandProvider,
  JupyterServerProvider,
} from '@vscode/jupyter-extension';
import * as vscode from 'vscode';

/** Calls that the real extension ignores or answers with nothing: what would be silence there fails a test here. */
export const misuses: string[] = [];
export function misuse(what: string): never {
  misuses.push(what);
  throw new Error(`Jupyter would ignore this: ${what}`);
}

export const never = new vscode.CancellationTokenSource().token;
export const counts = { provided: 0, resolved: 0, disposed: 0 };

export interface Collection {
  readonly extensionId: string;
  readonly id: string;
  label: string;
  documentation?: vscode.Uri;
  commandProvider?: JupyterServerCommandProvider;
  readonly serverProvider: JupyterServerProvider;
  dispose(): void;
}

/** `JupyterServerProviderHandle` (src/kernels/jupyter/types.ts). */
export interface Handle {
  readonly extensionId: string;
  readonly id: string;
  readonly handle: string;
}

interface Changed {
  readonly added: readonly Collection[];
  readonly removed: readonly Collection[];
}

const collections = new Map<string, Collection>();
const changed = new vscode.EventEmitter<Changed>();
export const onDidChangeCollections = changed.event;
/** `jupyterCollections`. */
export const all = (): readonly Collection[] => [...collections.values()];
export const find = (extensionId: string, id: string): Collection | undefined =>
  all().find(known => known.extensionId === extensionId && known.id === id);

/** `stripCodicons` (src/platform/common/helpers.ts). */
const stripCodicons = (text: string): string => text.replace(/\$\([a-z0-9-~]+\)/gi, '').trim();

/** What the caller is given has neither the provider nor the extension's id. */
export function createCollection(
  extensionId: string,
  id: string,
  label: string,
  serverProvider: JupyterServerProvider,
): JupyterServerCollection {
  const key = `${extensionId}#${id}`;
  if (collections.has(key)) {
    throw new Error(`Jupyter Server Provider with id ${key} already exists`);
  }
  const collection: Collection = {
    extensionId,
    id,
    label: stripCodicons(label),
    serverProvider,
    dispose: () => {
      if (collections.delete(key)) {
        changed.fire({ added: [], removed: [collection] });
      }
    },
  };
  collections.set(key, collection);
  changed.fire({ added: [collection], removed: [] });
  return {
    id,
    dispose: () => collection.dispose(),
    get label() {
      return collection.label;
    },
    set label(value) {
      collection.label = stripCodicons(value);
    },
    get commandProvider() {
      return collection.commandProvider as JupyterServerCommandProvider;
    },
    set commandProvider(value) {
      collection.commandProvider = value;
    },
  };
}

/** One call of `provideJupyterServers`, whoever made it. */
export async function provided({ id, serverProvider }: Collection): Promise<readonly JupyterServer[]> {
  counts.provided += 1;
  const servers = (await serverProvider.provideJupyterServers(never)) ?? [];
  const wrong = servers.find(server => typeof server.id !== 'string' || typeof server.label !== 'string');
  return wrong === undefined ? servers : misuse(`a server of ${id} without an id and a label`);
}

/**
 * `determineExtensionFromCallStack` (src/platform/common/application/extensions.node.ts): the first frame that lies in
 * another extension's folder. It answers with an unknown extension where there is none, and that collection is of no use.
 */
export function callerOf(stack: string): string {
  for (const line of stack.split('\n')) {
    const found = vscode.extensions.all.find(
      ({ id, extensionPath }) => id !== 'ms-toolsai.jupyter' && line.includes(`${extensionPath}/`),
    );
    if (found !== undefined) {
      return found.id;
    }
  }
  return misuse(`a collection made outside of any extension's own call: ${stack}`);
}
