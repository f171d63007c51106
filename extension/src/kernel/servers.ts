/**
 * The clusters as Jupyter servers. The list is memory only and loses a cluster only when its network has confirmed that
 * it is gone: Jupyter drops the kernel of a server that is missing from one single answer. Ids and base URLs never
 * change while a window is open, whatever port and token the daemon has by then.
 */
import type { Cluster } from '@hitch/contract';
import { HitchError } from '@hitch/contract/src/errors.ts';
import { editorLine } from '@hitch/contract/src/shown/places.ts';
import { isGone } from '@hitch/contract/src/words.ts';
import * as z from 'zod';
import { canRun, type State } from '../daemon/state.ts';

export interface ServerEntry {
  readonly id: string;
  readonly label: string;
}

/**
 * Each cluster is a collection of its own with one server. Jupyter takes the only server of a collection without asking,
 * and asks about more than one whatever it is told (`RemoteNotebookKernelSourceSelector.getRemoteServersFromProvider`).
 */
export const collectionIdOf = (clusterId: string): string => `cluster-${clusterId}`;

/** What outlives the window, so that a restored notebook finds its server before the daemon has answered. */
export const rememberedSchema = z.array(z.object({ id: z.string(), label: z.string() }));

export interface ServersDeps {
  readonly state: () => State;
  /** What an earlier window remembered. */
  readonly remembered: readonly ServerEntry[];
  /** Starts the daemon where there is none. @returns its base URL. */
  readonly baseUrl: () => Promise<string>;
}

export class KernelServers {
  readonly #deps: ServersDeps;
  /** The first base URL ever used here; Jupyter tells servers apart by it. */
  #origin: Promise<string> | null = null;
  #ownOrigin: string | null = null;

  constructor(deps: ServersDeps) {
    this.#deps = deps;
  }

  list(): readonly ServerEntry[] {
    const { clusters } = this.#deps.state();
    return clusters === null
      ? this.#deps.remembered
      : clusters.filter(cluster => !isGone(cluster)).map(entryOf);
  }

  /** Whether a request to this URL is meant for a cluster: only those may carry the daemon's bearer. */
  isOurs(url: string): boolean {
    const parsed = URL.parse(url);
    if (parsed === null || this.#ownOrigin === null || !parsed.pathname.startsWith('/clusters/')) {
      return false;
    }
    const own = new URL(this.#ownOrigin);
    return parsed.host === own.host && /^(?:https?|wss?):$/.test(parsed.protocol);
  }

  /** The stable base URL of a cluster's Jupyter, ending with a slash. @throws HitchError with a sentence. */
  async resolve(id: string): Promise<string> {
    const cluster = this.#deps.state().clusters?.find(known => known.id === id);
    if (cluster !== undefined && isGone(cluster)) {
      throw new HitchError('NOT_FOUND', `${cluster.name} is gone.`, {
        next: 'Choose another kernel, or rent again.',
      });
    }
    if (cluster !== undefined && !canRun(cluster)) {
      throw new HitchError('UNREACHABLE', `${cluster.name} cannot run a notebook yet.`, {
        next: 'Wait until it is ready, then try again.',
      });
    }
    this.#origin ??= this.#deps.baseUrl().then(
      origin => (this.#ownOrigin = origin),
      (error: unknown) => {
        this.#origin = null;
        throw error;
      },
    );
    return `${await this.#origin}/clusters/${id}/jupyter/`;
  }
}

/** The label is the only thing shown, and what servers are sorted by. */
export function entryOf(cluster: Cluster): ServerEntry {
  const { id, name, nodes, practice } = cluster;
  const machine = nodes[0]?.title.split(',')[0] ?? '';
  const size = nodes.length > 1 ? `${nodes.length} nodes` : machine;
  const words = [name, ...(size === '' ? [] : [size]), ...(practice ? ['practice'] : [])];
  // Jupyter shows it in a picker, which reads icons.
  return { id, label: editorLine(words.join(', ')) };
}
