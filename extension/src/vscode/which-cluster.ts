/** The cluster that a command is about: a row, a link's argument, or one that the person chooses. */
import * as vscode from 'vscode';
import type { Cluster } from '@hitch/contract';
import { clusterLine } from '@hitch/contract/src/words.ts';
import { clusterOfRow, ordered } from '../clusters/rows.ts';
import { type State, titlesOf } from '../daemon/state.ts';
import type { HitchModel } from '../daemon/model.ts';

/** Commands get a row's id from a menu, a cluster's id from a link, and whatever else from elsewhere. */
export function clusterOf(argument: unknown, state: State): Cluster | null {
  if (typeof argument !== 'string') {
    return null;
  }
  const id = clusterOfRow(argument) ?? argument;
  return state.clusters?.find(cluster => cluster.id === id) ?? null;
}

/** Null when nobody chose. */
export async function chooseCluster(
  model: HitchModel,
  title: string,
  fits: (cluster: Cluster) => boolean,
): Promise<Cluster | null> {
  await model.need();
  await model.refresh();
  const { clusters, providers } = model.state;
  const candidates = ordered((clusters ?? []).filter(fits));
  if (candidates.length === 0) {
    void vscode.window.showInformationMessage(`${title}: there is no cluster for that at the moment.`);
    return null;
  }
  const items = candidates.map(cluster => ({
    label: cluster.name,
    description: clusterLine(cluster, Date.now(), { titleOf: titlesOf(providers) }),
    cluster,
  }));
  const picked = await vscode.window.showQuickPick(items, { title, placeHolder: 'Which cluster?' });
  return picked?.cluster ?? null;
}
