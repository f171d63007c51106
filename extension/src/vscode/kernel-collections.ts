/** The clusters in Jupyter's kernel picker: one collection each, kept in step with the list of clusters. */
import * as vscode from 'vscode';
import type { Jupyter, JupyterServer, JupyterServerCollection } from '@vscode/jupyter-extension';
import { collectionIdOf, type ServerEntry } from '../kernel/servers.ts';
import type { Ending } from './module.ts';

interface Kept {
  readonly collection: JupyterServerCollection;
  readonly changed: vscode.EventEmitter<void>;
  /** What is listed: empty once the cluster is gone. */
  servers: readonly ServerEntry[];
}

export class KernelCollections implements Ending {
  readonly #jupyter: Jupyter;
  readonly #resolve: (server: JupyterServer) => Promise<JupyterServer>;
  readonly #kept = new Map<string, Kept>();

  /** @param resolve gives a server its address and its way there. */
  constructor(jupyter: Jupyter, resolve: (server: JupyterServer) => Promise<JupyterServer>) {
    this.#jupyter = jupyter;
    this.#resolve = resolve;
  }

  follow(entries: readonly ServerEntry[]): void {
    const ids = new Set(entries.map(({ id }) => id));
    for (const [id, kept] of [...this.#kept]) {
      if (!ids.has(id)) {
        this.#remove(id, kept);
      }
    }
    for (const entry of entries) {
      this.#keep(entry);
    }
  }

  dispose(): void {
    // Jupyter forgets nothing of servers whose collections end with the window: they come again with the next.
    for (const { collection, changed } of this.#kept.values()) {
      collection.dispose();
      changed.dispose();
    }
    this.#kept.clear();
  }

  #keep(entry: ServerEntry): void {
    const kept = this.#kept.get(entry.id);
    if (kept === undefined) {
      this.#kept.set(entry.id, this.#create(entry));
    } else if (kept.servers[0]?.label !== entry.label) {
      kept.servers = [entry];
      kept.collection.label = labelOf(entry);
      kept.changed.fire();
    }
  }

  #create(entry: ServerEntry): Kept {
    const changed = new vscode.EventEmitter<void>();
    const list = (): JupyterServer[] => (kept?.servers ?? [entry]).map(({ id, label }) => ({ id, label }));
    let kept: Kept | null = null;
    // Called from this very bundle: Jupyter finds out from the call stack whose collection it is.
    const collection = this.#jupyter.createJupyterServerCollection(collectionIdOf(entry.id), labelOf(entry), {
      onDidChangeServers: changed.event,
      provideJupyterServers: list,
      resolveJupyterServer: this.#resolve,
    });
    kept = { collection, changed, servers: [entry] };
    return kept;
  }

  /** Told first, so that Jupyter also forgets the server; then its line in the picker goes. */
  #remove(id: string, kept: Kept): void {
    this.#kept.delete(id);
    kept.servers = [];
    kept.changed.fire();
    kept.collection.dispose();
    kept.changed.dispose();
  }
}

/** In the picker it stands among the kernels of others. */
const labelOf = ({ label }: ServerEntry): string => `Hitch: ${label}`;
