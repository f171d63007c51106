/** The Clusters view. Others put their own rows under a cluster through {@link ClustersViewApi.addBelow}. */
import * as vscode from 'vscode';
import type { Cluster, Kernel } from '@hitch/contract';
import { clusterOfRow, clusterRow, clusterRowId, ordered, rowsBelow } from '../clusters/rows.ts';
import {
  canRun,
  connectionWord,
  isLive,
  isMoving,
  practiceOnly,
  type State,
  titlesOf,
} from '../daemon/state.ts';
import type { Row } from '../tree/row.ts';
import { RowTree } from './row-tree.ts';
import { setMessage } from './screen.ts';
import { disposable, type Host, type Module } from './module.ts';

/** Rows that another feature shows under each cluster, such as its files. Ids start with `below:<cluster id>:`. */
export interface BelowCluster {
  rows(cluster: Cluster): readonly Row[];
  /** The rows below one of its own rows. */
  below(rowId: string): readonly Row[];
}

export interface ClustersViewApi {
  /** Adds rows under every cluster; call `refresh` when they change. */
  addBelow(source: BelowCluster): void;
  refresh(): void;
  /** Shows a cluster's row, selected. */
  reveal(clusterId: string): Promise<void>;
  /** The kernels of a cluster as they were last listed. */
  kernelsOf(clusterId: string): readonly Kernel[];
  /** How many offers the quote of a cluster held, for its row. */
  noteCandidates(clusterId: string, count: number): void;
  readonly tree: RowTree;
}

const EACH_SECOND_MS = 1_000;
const KERNELS_EVERY_MS = 4_000;

export function createClustersView(host: Host): Module<ClustersViewApi> {
  const { connection, contextKeys, log } = host;
  const { model } = connection;
  const sources: BelowCluster[] = [];
  const kernels = new Map<string, { readonly list: readonly Kernel[]; readonly atMs: number }>();
  const asking = new Set<string>();
  const candidates = new Map<string, number>();
  const find = (id: string | null): Cluster | undefined =>
    model.state.clusters?.find(cluster => cluster.id === id);

  /** What is known at once; what is old is asked for in the background. */
  const kernelsOf = (cluster: Cluster): readonly Kernel[] => {
    const known = kernels.get(cluster.id);
    const old = known === undefined || Date.now() - known.atMs > KERNELS_EVERY_MS;
    if (old && canRun(cluster) && !asking.has(cluster.id)) {
      asking.add(cluster.id);
      model.client.api.kernels
        .list({ clusterId: cluster.id }, { signal: model.signal })
        .then(list => {
          kernels.set(cluster.id, { list, atMs: Date.now() });
          tree.refresh();
        })
        .catch((error: unknown) => {
          kernels.set(cluster.id, { list: known?.list ?? [], atMs: Date.now() });
          log.debug('Kernels could not be listed', String(error));
        })
        .finally(() => asking.delete(cluster.id));
    }
    return known?.list ?? [];
  };

  const tree = new RowTree({
    roots: () => {
      const context = {
        nowMs: Date.now(),
        titleOf: titlesOf(model.state.providers),
        candidates: (id: string) => candidates.get(id),
      };
      return ordered(model.state.clusters ?? []).map(cluster => clusterRow(cluster, context));
    },
    below: rowId => {
      const cluster = find(clusterOfRow(rowId));
      if (cluster === undefined) {
        return [];
      }
      return rowId === clusterRowId(cluster.id)
        ? [
            ...rowsBelow(cluster, kernelsOf(cluster), Date.now()),
            ...sources.flatMap(source => source.rows(cluster)),
          ]
        : sources.flatMap(source => source.below(rowId));
    },
  });
  const view = vscode.window.createTreeView('hitch.clusters', {
    treeDataProvider: tree,
    showCollapseAll: true,
  });

  const show = (state: State): void => {
    const clusters = state.clusters ?? [];
    contextKeys.set('hitch.hasClusters', clusters.length > 0);
    contextKeys.set('hitch.practiceOnly', practiceOnly(state));
    contextKeys.set('hitch.connection', connectionWord(state));
    setMessage(view, messageOf(state) ?? '');
    const live = clusters.filter(isLive).length;
    view.badge =
      live === 0
        ? undefined
        : { value: live, tooltip: live === 1 ? '1 cluster running' : `${live} clusters running` };
    tree.refresh();
  };
  // Rows that count seconds, and kernels of open rows; only while somebody looks.
  const tick = setInterval(() => {
    if (view.visible && (model.state.clusters ?? []).some(cluster => isMoving(cluster) || canRun(cluster))) {
      tree.refresh();
    }
  }, EACH_SECOND_MS);
  let looks = false;
  const visibility = (): void => {
    if (view.visible !== looks) {
      looks = view.visible;
      model.looking(looks ? 1 : -1);
    }
  };
  visibility();
  show(model.state);

  return {
    api: {
      tree,
      addBelow: source => sources.push(source),
      refresh: () => tree.refresh(),
      reveal: async clusterId => {
        await view.reveal(clusterRowId(clusterId), { select: true, focus: false, expand: true });
      },
      kernelsOf: clusterId => kernels.get(clusterId)?.list ?? [],
      noteCandidates: (clusterId, count) => candidates.set(clusterId, count),
    },
    disposables: [
      view,
      tree,
      disposable(model.onChange(show)),
      view.onDidChangeVisibility(visibility),
      disposable(() => clearInterval(tick)),
    ],
  };
}

/** Above the rows, while what they say may be old. */
function messageOf({ connection, problem, clusters }: State): string | undefined {
  if (connection === 'lost') {
    return 'Hitch’s daemon does not answer; showing the last known state. The button above starts it.';
  }
  if (connection === 'failed') {
    return clusters === null || clusters.length === 0
      ? (problem ?? undefined)
      : `${problem ?? ''} Showing the last known state.`;
  }
  return undefined;
}
