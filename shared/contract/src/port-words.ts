/** Ports and dashboards in words, the same in all clients. */
import type { ClusterPort, KnownPort } from './ports.ts';
import { shownName } from './shown/index.ts';

const TITLES: Readonly<Record<KnownPort, string>> = {
  ray: 'Ray dashboard',
  tensorboard: 'TensorBoard',
  gradio: 'Gradio',
  streamlit: 'Streamlit',
  mlflow: 'MLflow',
  spark: 'Spark',
  dask: 'Dask dashboard',
};

/** What it is called: the dashboard's name, else the program's. */
export const portTitle = ({ known, process }: Pick<ClusterPort, 'known' | 'process'>): string =>
  known === null ? shownName(process) : TITLES[known];

/** Where it is, beside its title: `port 6006`, and the node where there are several. */
export const portPlace = (
  { port, nodeIndex }: Pick<ClusterPort, 'port' | 'nodeIndex'>,
  nodes: number,
): string => `port ${port.toString()}${nodes > 1 ? `, node ${nodeIndex.toString()}` : ''}`;

/** Dashboards that are known by name first, then by node and port. */
export const portsInOrder = (ports: readonly ClusterPort[]): ClusterPort[] =>
  ports.toSorted(
    (one, other) =>
      Number(one.known === null) - Number(other.known === null) ||
      one.nodeIndex - other.nodeIndex ||
      one.port - other.port,
  );

export const NO_PORTS = 'Nothing on this cluster listens on a port.';

/** An address that a program printed of the machine that it runs on. */
export interface PrintedAddress {
  readonly port: number;
  /** Path, query and fragment. */
  readonly path: string;
}

/** Names that a program gives the machine that it runs on. */
const ITSELF = new Set(['localhost', '127.0.0.1', '0.0.0.0', '[::1]', '[::]']);

/** @returns null for an address that is no machine's own, or says no port. */
export function printedAddress(text: string): PrintedAddress | null {
  const url = URL.parse(text);
  if (url === null || url.protocol !== 'http:' || url.port === '' || !ITSELF.has(url.hostname)) {
    return null;
  }
  const path = `${url.pathname}${url.search}${url.hash}`;
  return { port: Number(url.port), path: /^\/(?![/\\])/.test(path) ? path : '/' };
}

/** Finds addresses of the machine itself in printed text. */
export const PRINTED_ADDRESS =
  /\bhttp:\/\/(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\]):\d{1,5}(?:[/?#][^\s"'<>`)\]]*)?/g;
