/** Terminals on clusters. Closing one leaves it running; a reloaded window and a new daemon come back to it. */
import * as vscode from 'vscode';
import type { Cluster, ClusterId } from '@hitch/contract';
import { clusterActions } from '@hitch/contract/src/words.ts';
import { editorLine } from '@hitch/contract/src/shown/places.ts';
import { systemClock } from '@hitch/platform/src/clock.ts';
import { TERMINAL_PROFILE } from '../declared/views.ts';
import { isLive } from '../daemon/state.ts';
import {
  chooseTerminal,
  isSame,
  type Shown,
  socketPath,
  terminalState,
  titleOf,
} from '../terminals/places.ts';
import type { TerminalSession } from '../terminals/session.ts';
import { disposable, type Host, type Module } from './module.ts';
import { createTerminal } from './screen.ts';
import { fittingCluster } from './which-cluster.ts';

export interface TerminalsApi {
  /** Opens one that runs there and is not shown, else a new one. */
  open(clusterId: ClusterId): Promise<vscode.Terminal>;
  /** What this window shows. */
  shown(): readonly Shown[];
  /** Which terminal of a cluster it is; null: none. */
  of(terminal: vscode.Terminal): Shown | null;
}

const ICON = new vscode.ThemeIcon('terminal');
const hasTerminal = (cluster: Cluster): boolean => clusterActions(cluster).includes('terminal');

export function createTerminals(host: Host): Module<TerminalsApi> {
  const { commands, connection, windowMemory } = host;
  const { model } = connection;
  const open = new Map<vscode.Terminal, Shown>();
  /** Made by VS Code from a profile: which terminal it became is known when it is there. */
  const promised: Shown[] = [];
  const shown = (): readonly Shown[] => [...open.values()];
  const find = (id: string): Cluster | undefined => model.state.clusters?.find(cluster => cluster.id === id);
  const areAllOurs = (): boolean => vscode.window.terminals.every(terminal => open.has(terminal));
  const inFront = (): Shown | undefined => {
    const { activeTerminal } = vscode.window;
    return activeTerminal === undefined ? undefined : open.get(activeTerminal);
  };
  const remember = (): void => {
    windowMemory.set('terminals', [...shown()]);
    windowMemory.set('frontTerminal', (areAllOurs() ? inFront() : null) ?? null);
  };

  const nameOf = (what: Shown): string => titleOf(find(what.clusterId)?.name ?? 'cluster', what);

  const optionsOf = (what: Shown): vscode.ExtensionTerminalOptions => ({
    name: editorLine(nameOf(what)),
    iconPath: ICON,
    // Not kept by VS Code, which could not give it its way back; kept here.
    isTransient: true,
    pty: terminalOf(host, what, () => find(what.clusterId)),
  });
  const make = (what: Shown): vscode.Terminal => {
    const terminal = createTerminal(optionsOf(what));
    open.set(terminal, what);
    remember();
    return terminal;
  };
  const choose = (clusterId: ClusterId): Promise<Shown> =>
    chooseTerminal(model.client.api.terminals, clusterId, shown());
  const fresh = async (clusterId: ClusterId): Promise<Shown> => ({
    clusterId,
    name: (await model.client.api.terminals.create({ clusterId })).name,
  });
  const target = (argument: unknown): Promise<Cluster | null> =>
    fittingCluster(
      model,
      argument,
      'Open Terminal',
      hasTerminal,
      ({ name }) => `${name} has no terminals now.`,
    );

  /** What the window showed before it was reloaded; without taking the focus, once it is known what lives. */
  const before = windowMemory.get('terminals');
  const front = windowMemory.get('frontTerminal');
  let areBack = false;
  let returning: vscode.Terminal | null = null;
  /** An open panel without a terminal is given a shell of this computer, where that is faster than ours. */
  const toTheFront = (terminal: vscode.Terminal): void => {
    if (terminal === returning) {
      returning = null;
      if (!areAllOurs()) {
        terminal.show(true);
      }
    }
  };
  const stopWaiting = model.onChange(({ clusters }) => {
    if (clusters !== null) {
      stopWaiting();
      areBack = true;
      for (const what of before) {
        const cluster = find(what.clusterId);
        if (cluster !== undefined && isLive(cluster) && !shown().some(one => isSame(one, what))) {
          const terminal = make(what);
          if (front !== null && isSame(front, what)) {
            returning = terminal;
          }
        }
      }
      remember();
    }
  });

  return {
    api: {
      open: async clusterId => {
        const terminal = make(await choose(clusterId));
        terminal.show();
        return terminal;
      },
      shown,
      of: terminal => open.get(terminal) ?? null,
    },
    disposables: [
      disposable(stopWaiting),
      commands.register('hitch.cluster.terminal', async argument => {
        const cluster = await target(argument);
        if (cluster !== null) {
          make(await choose(cluster.id)).show();
        }
      }),
      vscode.window.registerTerminalProfileProvider(TERMINAL_PROFILE, {
        provideTerminalProfile: async () => {
          const cluster = await target(undefined);
          if (cluster === null) {
            return undefined;
          }
          const what = await fresh(cluster.id);
          promised.push(what);
          return new vscode.TerminalProfile(optionsOf(what));
        },
      }),
      vscode.window.onDidOpenTerminal(terminal => {
        const at = promised.findIndex(what => terminal.name === editorLine(nameOf(what)));
        const [what] = at < 0 ? [] : promised.splice(at, 1);
        if (what !== undefined) {
          open.set(terminal, what);
          remember();
        }
        toTheFront(terminal);
      }),
      vscode.window.onDidChangeActiveTerminal(terminal => {
        if (areBack && terminal !== undefined) {
          remember();
        }
      }),
      vscode.window.onDidCloseTerminal(terminal => {
        const reloads = terminal.exitStatus?.reason === vscode.TerminalExitReason.Shutdown;
        if (open.delete(terminal) && !reloads) {
          remember();
        }
      }),
    ],
  };
}

function terminalOf(host: Host, what: Shown, cluster: () => Cluster | undefined): vscode.Pseudoterminal {
  const { model, place } = host.connection;
  const wrote = new vscode.EventEmitter<string>();
  const closed = new vscode.EventEmitter<number>();
  let session: TerminalSession | null = null;
  let size: vscode.TerminalDimensions | undefined;
  let early = '';
  let left = false;
  const begin = async (): Promise<void> => {
    const [{ TerminalSession: Session }, { openTerminalSocket }] = await Promise.all([
      import('../terminals/session.ts'),
      import('@hitch/client-node/src/terminal-socket.ts'),
    ]);
    if (left) {
      return;
    }
    const name = cluster()?.name ?? 'The cluster';
    const address = async () => {
      place.doubt();
      return place.current();
    };
    session = new Session({
      clusterName: name,
      open: openTerminalSocket({ address }, socketPath(what)),
      state: () => terminalState(model.client.api.terminals, what, cluster()),
      write: text => wrote.fire(text),
      ended: () => closed.fire(0),
      setTimer: (run, ms) => systemClock.setTimer(run, ms),
    });
    session.start(size ?? null);
    if (early !== '') {
      session.type(early);
    }
  };
  return {
    onDidWrite: wrote.event,
    onDidClose: closed.event,
    open: initial => {
      size = initial;
      begin().catch((error: unknown) => host.log.error('A terminal failed', String(error)));
    },
    close: () => {
      left = true;
      session?.dispose();
    },
    handleInput: text => {
      if (session === null) {
        early += text;
      } else {
        session.type(text);
      }
    },
    setDimensions: dimensions => {
      size = dimensions;
      session?.resize(dimensions);
    },
  };
}
