/** The Networks view: where machines come from, who is logged in there, and machines of one's own. Asked for while visible. */
import * as vscode from 'vscode';
import type { NetworkInfo } from '@hitch/contract';
import { isForeignRow, networkOfRow, networkRow, rowsBelowNetwork } from '../networks/rows.ts';
import { sentence } from '../sentence.ts';
import { RowTree } from './row-tree.ts';
import { disposable, type Host, type Module } from './module.ts';
import { setMessage } from './screen.ts';

export interface NetworksViewApi {
  readonly tree: RowTree;
  /** As the daemon says them now. @throws HitchError with a sentence. */
  networks(): Promise<readonly NetworkInfo[]>;
  /** Something was changed: shows it, as far as the daemon answers. */
  refresh(): Promise<void>;
}

const EVERY_MS = 20_000;

export function createNetworksView({ connection, commands, memory }: Host): Module<NetworksViewApi> {
  const { model } = connection;
  let known: readonly NetworkInfo[] = [];
  const find = (rowId: string): NetworkInfo | undefined => known.find(({ id }) => `network:${id}` === rowId);
  const tree = new RowTree({
    roots: () => known.map(network => networkRow(network, Date.now())),
    below: rowId => {
      const network = find(rowId);
      return network === undefined
        ? []
        : rowsBelowNetwork(network, Date.now(), new Set(memory.get('leftAlone')));
    },
  });
  const view = vscode.window.createTreeView('hitch.networks', { treeDataProvider: tree });

  const networks = async (): Promise<readonly NetworkInfo[]> => {
    await model.need();
    known = await model.client.api.networks.list(undefined, { signal: model.signal });
    tree.refresh();
    return known;
  };
  /** The last known list stays where the daemon does not answer, and a line says so. */
  const refresh = async (): Promise<void> => {
    try {
      await networks();
      setMessage(view, '');
    } catch (error) {
      setMessage(view, messageOf(error));
    }
  };
  /** While the daemon is looked for, the view's own welcome says so. */
  const messageOf = (error: unknown): string => {
    if (known.length > 0) {
      return `${sentence(error)} This is what was last known.`;
    }
    return model.state.connection === 'live' ? sentence(error) : '';
  };
  const lookIfSeen = (): void => {
    if (view.visible && model.state.connection === 'live') {
      void refresh();
    }
  };
  let was = model.state.connection;
  const connected = (): void => {
    if (model.state.connection !== was) {
      was = model.state.connection;
      lookIfSeen();
      if (was === 'lost' && known.length > 0) {
        setMessage(view, 'Hitch’s daemon does not answer. This is what was last known.');
      }
    }
  };
  const tick = setInterval(lookIfSeen, EVERY_MS);

  return {
    api: { tree, networks, refresh },
    disposables: [
      view,
      tree,
      disposable(model.onChange(connected)),
      view.onDidChangeVisibility(lookIfSeen),
      disposable(() => clearInterval(tick)),
      commands.register('hitch.networks.refresh', async () => {
        await networks();
        setMessage(view, '');
      }),
      commands.register('hitch.foreign.leave', rowId => {
        if (isForeignRow(rowId)) {
          memory.set('leftAlone', [...new Set([...memory.get('leftAlone'), rowId])]);
          tree.refresh();
        }
        return Promise.resolve();
      }),
      commands.register('hitch.foreign.show', rowId => {
        const network = networkOfRow(rowId);
        const isMeant = (row: string): boolean => network === null || row.startsWith(`foreign:${network}:`);
        memory.set(
          'leftAlone',
          memory.get('leftAlone').filter(row => !isMeant(row)),
        );
        tree.refresh();
        return Promise.resolve();
      }),
    ],
  };
}
