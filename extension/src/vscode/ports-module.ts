/**
 * Dashboards and other ports of clusters: rows below each, and addresses that programs print. A port is opened by a person's click
 * alone, in the editor's own browser or outside, on an origin of its own; nothing of it is shown in a page of this extension.
 */
import * as vscode from 'vscode';
import type { Cluster } from '@hitch/contract';
import { HitchError } from '@hitch/contract/src/errors.ts';
import {
  NO_PORTS,
  portPlace,
  portsInOrder,
  portTitle,
  PRINTED_ADDRESS,
  type PrintedAddress,
  printedAddress,
} from '@hitch/contract/src/port-words.ts';
import { PrintedAddresses } from './printed-addresses.ts';
import { hasPorts, parsePortRow, type PortRow, PortRows } from '../ports/rows.ts';
import type { ClustersViewApi } from './clusters-view.ts';
import type { Host, Module } from './module.ts';
import type { RunOnApi } from './run-on.ts';
import { pickOne } from './screen.ts';
import type { TerminalsApi } from './terminals.ts';
import { clusterOf, fittingCluster } from './which-cluster.ts';

/** The editor's own browser (`extensions/simple-browser` of VS Code), which shows a page in a frame. */
const IN_EDITOR = 'simpleBrowser.show';

interface PrintedLink extends vscode.TerminalLink {
  readonly clusterId: string;
  readonly address: PrintedAddress;
}

export interface PortsApi {
  /** Asks for an address that opens the port once, and opens it. */
  open(port: PortRow, how: 'editor' | 'outside', path?: string): Promise<void>;
}

export interface PortsDeps {
  readonly clusters: ClustersViewApi | null;
  readonly terminals: TerminalsApi | null;
  readonly runOn: RunOnApi | null;
}

export function createPorts(host: Host, { clusters, terminals, runOn }: PortsDeps): Module<PortsApi> {
  const { commands, connection } = host;
  const { model } = connection;
  const find = (id: string): Cluster | null => clusterOf(id, model.state);
  clusters?.addBelow(
    new PortRows({
      list: clusterId => model.client.api.ports.list({ clusterId }, { signal: model.signal }),
      find,
      now: () => Date.now(),
      changed: () => clusters.refresh(),
    }),
  );

  const open: PortsApi['open'] = async ({ clusterId, nodeIndex, port }, how, path = '/') => {
    await model.need();
    const cluster = find(clusterId);
    if (cluster === null) {
      throw new HitchError('NOT_FOUND', 'There is no such cluster any more.');
    }
    const { url } = await model.client.api.ports.link({ clusterId: cluster.id, nodeIndex, port, path });
    await forwarded(url);
    if (how === 'editor') {
      await vscode.commands.executeCommand(IN_EDITOR, url);
    } else if (!(await vscode.env.openExternal(vscode.Uri.parse(url)))) {
      throw new HitchError('CONFLICT', 'The browser was not opened.', {
        next: `Run hitch open ${cluster.name} --port ${port.toString()} in a terminal of this computer.`,
      });
    }
  };

  /** A row's port, or one that the person chooses. */
  const chosen = async (argument: unknown, title: string): Promise<PortRow | null> => {
    const row = typeof argument === 'string' ? parsePortRow(argument) : null;
    if (row !== null) {
      return row;
    }
    const cluster = await fittingCluster(
      model,
      argument,
      title,
      hasPorts,
      ({ name }) => `The ports of ${name} cannot be reached now.`,
    );
    if (cluster === null) {
      return null;
    }
    const { ports, missing } = await model.client.api.ports.list({ clusterId: cluster.id });
    if (ports.length === 0) {
      throw new HitchError('NOT_FOUND', [NO_PORTS, ...missing].join(' '), {
        next: 'Start a program there first.',
      });
    }
    const items = portsInOrder(ports).map(port => ({
      label: portTitle(port),
      description: portPlace(port, cluster.nodes.length),
      row: { clusterId: cluster.id, ...port },
    }));
    return (await pickOne(items, { title, placeholder: `Which port of ${cluster.name}?` }))?.row ?? null;
  };

  const opens =
    (how: 'editor' | 'outside', title: string) =>
    async (argument: unknown, path?: unknown): Promise<void> => {
      const port = await chosen(argument, title);
      if (port !== null) {
        await open(port, how, typeof path === 'string' ? path : '/');
      }
    };
  const printed = new PrintedAddresses(notebook => runOn?.clusterOf(notebook) ?? null);

  return {
    api: { open },
    disposables: [
      commands.register('hitch.ports.open', opens('editor', 'Open Port…')),
      commands.register('hitch.ports.openOutside', opens('outside', 'Open Port in Browser…')),
      vscode.window.registerTerminalLinkProvider({
        provideTerminalLinks: ({ line, terminal }) => {
          const shown = terminals?.of(terminal) ?? null;
          return shown === null ? [] : linksIn(line, shown.clusterId);
        },
        handleTerminalLink: ({ clusterId, address: { port, path } }: PrintedLink) =>
          // A terminal is a shell on the head.
          open({ clusterId, nodeIndex: 0, port }, 'editor', path).catch((error: unknown) =>
            commands.tell('hitch.ports.open', error),
          ),
      }),
      vscode.notebooks.registerNotebookCellStatusBarItemProvider('jupyter-notebook', printed),
      printed,
    ],
  };
}

/** Addresses of the machine itself, which mean this computer to everybody else. */
function linksIn(line: string, clusterId: string): PrintedLink[] {
  return [...line.matchAll(PRINTED_ADDRESS)].flatMap(match => {
    const address = printedAddress(match[0]);
    const tooltip = `Open port ${String(address?.port)} of the cluster`;
    return address === null
      ? []
      : [{ startIndex: match.index, length: match[0].length, tooltip, clusterId, address }];
  });
}

/**
 * Where the daemon runs on another computer than the window, VS Code forwards its port to this one; the address holds only where
 * that is the same port here. @throws HitchError
 */
async function forwarded(url: string): Promise<void> {
  if (vscode.env.remoteName === undefined || vscode.env.uiKind === vscode.UIKind.Web) {
    return;
  }
  const { port } = new URL(url);
  const here = await vscode.env.asExternalUri(vscode.Uri.parse(`http://localhost:${port}`));
  if (!here.authority.endsWith(`:${port}`)) {
    throw new HitchError('CONFLICT', `VS Code does not forward port ${port} of that computer to this one.`, {
      next: `Forward it under the same number in the Ports panel, and open it again.`,
    });
  }
}
