/** A dashboard or another port of a cluster, in a tab of the browser's own: on an origin of its own, with no handle of this page. */
import {
  type Cluster,
  type ClusterPort,
  NO_PORTS,
  portPlace,
  portsInOrder,
  portTitle,
  type PrintedAddress,
} from '@hitch/contract';
import type { Deps } from '../actions/deps.ts';
import { attempt, failed, said } from '../actions/report.ts';
import { isOnThisComputer } from '../approval/window.ts';
import { askItem, Dialog, showQuestion } from '../ui/dialogs.ts';

export interface Wanted {
  readonly nodeIndex: number;
  readonly port: number;
  /** Where in it to begin. */
  readonly path?: string;
}

/** Lists what listens there, and opens what the person chooses. */
export async function choosePort(deps: Deps, cluster: Cluster): Promise<void> {
  const { hitch, trans } = deps;
  const again = (): void => void choosePort(deps, cluster);
  const found = await attempt(deps, () => hitch.client.api.ports.list({ clusterId: cluster.id }), again);
  if (found === null) {
    return;
  }
  const ports = portsInOrder(found.ports);
  if (ports.length === 0) {
    failed([NO_PORTS, ...found.missing].join(' '), { label: trans.__('Try again'), run: again });
    return;
  }
  const nameOf = (port: ClusterPort): string =>
    `${portTitle(port)}, ${portPlace(port, cluster.nodes.length)}`;
  const chosen = await askItem(trans.__('Open a Port of %1', cluster.name), ports.map(nameOf));
  const port = ports.find(each => nameOf(each) === chosen);
  if (port !== undefined) {
    await openPort(deps, cluster, port);
  }
}

/** An address in an output is the cluster's, as a rule; a person may mean this computer all the same. */
export async function offerPort(
  deps: Deps,
  cluster: Cluster,
  { port, path }: PrintedAddress,
  address: string,
): Promise<void> {
  const { trans } = deps;
  const { button } = await showQuestion({
    title: trans.__('Open port %1 of %2?', port.toString(), cluster.name),
    body: trans.__(
      'The program that printed this runs on %1. On this computer, its address leads elsewhere.',
      cluster.name,
    ),
    buttons: [
      Dialog.cancelButton({ label: trans.__('Cancel') }),
      Dialog.createButton({ label: trans.__('On this computer'), actions: ['here'] }),
      Dialog.okButton({ label: trans.__('Open it'), actions: ['there'] }),
    ],
  });
  if (button.actions.includes('there')) {
    // A kernel runs on the head.
    await openPort(deps, cluster, { nodeIndex: 0, port, path });
  } else if (button.actions.includes('here')) {
    window.open(address, '_blank', 'noopener,noreferrer');
  }
}

/** Right after a click: a browser lets a page open a tab for a few seconds. */
export async function openPort(
  deps: Deps,
  cluster: Cluster,
  { nodeIndex, port, path }: Wanted,
): Promise<void> {
  const { hitch, trans } = deps;
  const command = `hitch open ${cluster.name} --port ${port.toString()}`;
  if (!isOnThisComputer(window.location)) {
    failed(trans.__('Hitch runs on another computer than this browser. Run “%1” there.', command));
    return;
  }
  const link = await attempt(
    deps,
    () =>
      hitch.client.api.ports.link({
        clusterId: cluster.id,
        nodeIndex,
        port,
        ...(path === undefined ? {} : { path }),
      }),
    () => void openPort(deps, cluster, { nodeIndex, port, ...(path === undefined ? {} : { path }) }),
  );
  if (link !== null) {
    window.open(link.url, '_blank', 'noopener,noreferrer');
    // With no handle of the tab nobody can tell whether the browser kept it back.
    said(
      trans.__(
        '%1 of %2 opens in a tab of its own.',
        portPlace({ port, nodeIndex }, cluster.nodes.length),
        cluster.name,
      ),
      { label: trans.__('Open again'), run: () => void openPort(deps, cluster, { nodeIndex, port }) },
    );
  }
}
