/** The Offers view: saved searches, and under each the cheapest offer of every GPU it finds. Asked for while visible. */
import * as vscode from 'vscode';
import type { Offer } from '@hitch/contract';
import { titlesOf, verifiedOf } from '../daemon/state.ts';
import {
  cheapestPerGpu,
  givenSearches,
  offerOfRow,
  offerRow,
  type Search,
  searchRow,
  type SearchResult,
} from '../offers/searches.ts';
import { sentence } from '../sentence.ts';
import { ask } from './messages.ts';
import { RowTree } from './row-tree.ts';
import { disposable, type Host, type Module } from './module.ts';

export interface OffersViewApi {
  /** The offer of a row, as it was last seen. */
  offer(rowId: string): { readonly search: Search; readonly offer: Offer } | null;
  readonly tree: RowTree;
}

const PAGE = 300;
const EVERY_MS = 60_000;

export function createOffersView(host: Host): Module<OffersViewApi> {
  const { connection, memory, commands } = host;
  const { model } = connection;
  const results = new Map<string, SearchResult>();
  let own: readonly Search[] = [];
  const searches = (): readonly Search[] => [...givenSearches(model.state.presets), ...own];
  const offersOf = (searchId: string): readonly Offer[] => {
    const result = results.get(searchId);
    return result !== undefined && result !== null && 'page' in result
      ? cheapestPerGpu(result.page.offers)
      : [];
  };
  const isUp = (): boolean => model.state.connection === 'live';

  const tree = new RowTree({
    roots: () =>
      isUp() || results.size > 0
        ? searches().map(search => searchRow(search, results.get(search.id) ?? null))
        : [],
    below: rowId => {
      const search = searches().find(({ id }) => `search:${id}` === rowId);
      const titleOf = titlesOf(model.state.providers);
      return search === undefined
        ? []
        : offersOf(search.id).map(offer =>
            offerRow(search, offer, titleOf, Date.now(), verifiedOf(model.state.providers)),
          );
    },
  });
  const view = vscode.window.createTreeView('hitch.offers', { treeDataProvider: tree });

  const query = async (): Promise<void> => {
    if (!isUp()) {
      return;
    }
    await Promise.all(
      searches().map(async search => {
        try {
          const page = await model.client.api.offers.query(
            { filter: search.filter, limit: PAGE },
            { signal: model.signal },
          );
          results.set(search.id, { page });
        } catch (error) {
          results.set(search.id, { problem: sentence(error) });
        }
      }),
    );
    tree.refresh();
  };
  const readOwn = async (): Promise<void> => {
    const stored = memory.get('searches');
    own = stored.length === 0 ? [] : (await import('../offers/stored.ts')).storedSearches(stored);
    tree.refresh();
  };
  void readOwn();
  const queryIfSeen = (): void => {
    if (view.visible) {
      void query();
    }
  };
  let was = model.state.connection;
  const connected = (): void => {
    if (model.state.connection !== was) {
      was = model.state.connection;
      tree.refresh();
      queryIfSeen();
    }
  };
  const tick = setInterval(queryIfSeen, EVERY_MS);

  return {
    api: {
      tree,
      offer: rowId => {
        const place = offerOfRow(rowId);
        const search = searches().find(({ id }) => id === place?.searchId);
        const offer = offersOf(place?.searchId ?? '').find(({ id }) => id === place?.offerId);
        return search === undefined || offer === undefined ? null : { search, offer };
      },
    },
    disposables: [
      view,
      tree,
      disposable(model.onChange(connected)),
      view.onDidChangeVisibility(queryIfSeen),
      disposable(() => clearInterval(tick)),
      commands.register('hitch.offers.refresh', async () => {
        await model.need();
        await model.client.api.offers.refresh({});
        await query();
      }),
      commands.register('hitch.offers.saveSearch', async () => {
        const search = await (await import('./search-input.ts')).askForSearch();
        if (search !== null) {
          memory.set('searches', [...memory.get('searches'), search]);
          await readOwn();
          await query();
        }
      }),
      commands.register('hitch.offers.removeSearch', async rowId => {
        const yes = 'Remove';
        const search = own.find(({ id }) => `search:${id}` === rowId);
        if (search === undefined || (await ask(`Remove the search ${search.label}?`, '', yes)) !== yes) {
          return;
        }
        const kept = own.filter(({ id }) => `search:${id}` !== rowId);
        memory.set(
          'searches',
          kept.map(({ own: _own, ...search }) => search),
        );
        await readOwn();
      }),
    ],
  };
}
