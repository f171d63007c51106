/** The cluster that a command is about: a row, a link's argument, or one that the person chooses. */
import type { Cluster } from '@hitch/contract';
import { HitchError } from '@hitch/contract/src/errors.ts';
import { clusterLine } from '@hitch/contract/src/words.ts';
import { clusterOfRow, ordered } from '../clusters/rows.ts';
import { type State, titlesOf } from '../daemon/state.ts';
import type { HitchModel } from '../daemon/model.ts';
import { inform } from './messages.ts';
import { pickOne } from './screen.ts';

/** Commands get a row's id from a menu, a cluster's id from a link, and whatever else from elsewhere. */
export function clusterOf(argument: unknown, state: State): Cluster | null {
  if (typeof argument !== 'string') {
    return null;
  }
  const id = clusterOfRow(argument) ?? argument;
  return state.clusters?.find(cluster => cluster.id === id) ?? null;
}

/**
 * The one that is named, else the only one that fits, else one that the person chooses; null when nobody chose.
 * @param refusal of a named one that does not fit. @throws HitchError with it.
 */
export async function fittingCluster(
  model: HitchModel,
  argument: unknown,
  title: string,
  fits: (cluster: Cluster) => boolean,
  refusal: (cluster: Cluster) => string,
): Promise<Cluster | null> {
  await model.need();
  const named = clusterOf(argument, model.state);
  if (named !== null && !fits(named)) {
    throw new HitchError('CONFLICT', refusal(named), { next: 'Wait until it is ready.' });
  }
  const [only, ...others] = (model.state.clusters ?? []).filter(fits);
  return named ?? (others.length === 0 ? only : null) ?? chooseCluster(model, title, fits);
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
    void inform(`${title}: no cluster can do that now.`);
    return null;
  }
  const items = candidates.map(cluster => ({
    label: cluster.name,
    description: clusterLine(cluster, Date.now(), { titleOf: titlesOf(providers) }),
    cluster,
  }));
  const picked = await pickOne(items, { title, placeholder: 'Which cluster?' });
  return picked?.cluster ?? null;
}
