/** The ports of a cluster as rows below it. Listed when somebody opens the row, and again while it is open. */
import type { Cluster, ClusterId, ClusterPorts } from '@hitch/contract';
import { NO_PORTS, portPlace, portsInOrder, portTitle } from '@hitch/contract/src/port-words.ts';
import { clusterActions } from '@hitch/contract/src/words.ts';
import { sentence } from '../sentence.ts';
import type { Row } from '../tree/row.ts';

/** As long as notebooks can run there, programs can be looked at. */
export const hasPorts = (cluster: Cluster): boolean => clusterActions(cluster).includes('runOn');

export interface PortRow {
  readonly clusterId: string;
  readonly nodeIndex: number;
  readonly port: number;
}

const portsRowId = (clusterId: string): string => `below:${clusterId}:ports:`;

export const portRowId = ({ clusterId, nodeIndex, port }: PortRow): string =>
  `below:${clusterId}:port:${nodeIndex.toString()}:${port.toString()}`;

export function parsePortRow(rowId: string): PortRow | null {
  const [, clusterId, nodeIndex, port] = /^below:([^:]+):port:(\d+):(\d+)$/.exec(rowId) ?? [];
  return clusterId === undefined ? null : { clusterId, nodeIndex: Number(nodeIndex), port: Number(port) };
}

const AGAIN_MS = 5_000;

type Listed = ({ readonly found: ClusterPorts } | { readonly problem: string }) & { readonly atMs: number };

export interface PortRowsDeps {
  readonly list: (clusterId: ClusterId) => Promise<ClusterPorts>;
  readonly find: (clusterId: string) => Cluster | null;
  readonly now: () => number;
  /** Other rows are to be shown. */
  readonly changed: () => void;
}

export class PortRows {
  readonly #deps: PortRowsDeps;
  readonly #listed = new Map<string, Listed>();
  readonly #asking = new Set<string>();

  constructor(deps: PortRowsDeps) {
    this.#deps = deps;
  }

  rows(cluster: Cluster): readonly Row[] {
    return hasPorts(cluster)
      ? [
          {
            id: portsRowId(cluster.id),
            label: 'Ports',
            description: 'dashboards',
            icon: { name: 'plug' },
            contextValue: 'ports;',
            collapsible: 'collapsed',
            spoken: `Ports of ${cluster.name}`,
            tooltip: () => [
              'Web pages that programs there serve: TensorBoard, Ray’s dashboard and the like.',
            ],
          },
        ]
      : [];
  }

  /** What is known at once; what is old is asked for in the background. */
  below(rowId: string): readonly Row[] {
    const clusterId = /^below:([^:]+):ports:$/.exec(rowId)?.[1];
    const cluster = clusterId === undefined ? null : this.#deps.find(clusterId);
    if (cluster === null) {
      return [];
    }
    const listed = this.#listed.get(cluster.id);
    if (listed === undefined || this.#deps.now() - listed.atMs > AGAIN_MS) {
      void this.#ask(cluster);
    }
    if (listed === undefined) {
      return [note(cluster.id, 'Loading…')];
    }
    if ('problem' in listed) {
      return [note(cluster.id, listed.problem)];
    }
    const { ports, missing } = listed.found;
    return [
      ...portsInOrder(ports).map(port => portRow(cluster, port)),
      ...(ports.length === 0 && missing.length === 0 ? [note(cluster.id, NO_PORTS)] : []),
      ...missing.map(text => note(cluster.id, text)),
    ];
  }

  async #ask({ id }: Cluster): Promise<void> {
    if (this.#asking.has(id)) {
      return;
    }
    this.#asking.add(id);
    try {
      this.#listed.set(id, { found: await this.#deps.list(id), atMs: this.#deps.now() });
    } catch (error) {
      this.#listed.set(id, { problem: sentence(error), atMs: this.#deps.now() });
    } finally {
      this.#asking.delete(id);
    }
    this.#deps.changed();
  }
}

function note(clusterId: string, text: string): Row {
  return {
    id: `below:${clusterId}:port-note:${text}`,
    label: '',
    description: text,
    icon: null,
    contextValue: 'note;',
    collapsible: 'none',
    spoken: text,
    tooltip: () => [text],
  };
}

function portRow({ id: clusterId, nodes }: Cluster, port: ClusterPorts['ports'][number]): Row {
  const id = portRowId({ clusterId, ...port });
  const [title, place] = [portTitle(port), portPlace(port, nodes.length)];
  return {
    id,
    label: title,
    description: place,
    icon: { name: port.known === null ? 'globe' : 'dashboard' },
    contextValue: 'port;',
    collapsible: 'none',
    spoken: `${title}, ${place}`,
    tooltip: () => [`${title}, ${place}`, `Program: ${port.process}`],
    command: { id: 'hitch.ports.open', argument: id },
  };
}
