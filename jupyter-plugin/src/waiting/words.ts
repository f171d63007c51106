/** What to say of a cluster that a notebook waits for, and what can be done about it. */
import { clusterActions, clusterLine, isGone, type Cluster, type TitleOf } from '@hitch/contract';
import type { TranslationBundle } from '@jupyterlab/translation';

export interface Away {
  /** `over`: nothing comes by itself · `coming`: it is being set up · `silent`: it has to answer first. */
  readonly kind: 'over' | 'coming' | 'silent';
  readonly sentence: string;
  /** What rents machines for it once more; null where nothing can. */
  readonly again: 'startAgain' | 'nextOffer' | null;
}

export interface AwayOptions {
  readonly trans: TranslationBundle;
  readonly titleOf: TitleOf;
  readonly nowMs: number;
  /** How many `who` names. */
  readonly count: number;
}

/**
 * @param who such as `train.ipynb, console-1`
 * @param cluster undefined where the list has none of that name
 */
export function awayWords(
  who: string,
  name: string,
  cluster: Cluster | undefined,
  { trans, titleOf, nowMs, count }: AwayOptions,
): Away {
  if (cluster === undefined) {
    const sentence = trans._n(
      '%2 is no longer in the list of clusters; %3 has no kernel.',
      '%2 is no longer in the list of clusters; %3 have no kernel.',
      count,
      name,
      who,
    );
    return { kind: 'over', sentence, again: null };
  }
  const line = clusterLine(cluster, nowMs, { titleOf });
  const actions = clusterActions(cluster);
  const waits = trans._n(
    '%2: %3. %4 is waiting for it.',
    '%2: %3. %4 are waiting for it.',
    count,
    name,
    line,
    who,
  );
  switch (cluster.phase) {
    case 'stopped':
    case 'expired':
    case 'failed':
      return {
        kind: 'over',
        sentence:
          cluster.phase !== 'failed' && isGone(cluster)
            ? trans._n(
                '%2 has stopped; %3 has no kernel.',
                '%2 has stopped; %3 have no kernel.',
                count,
                name,
                who,
              )
            : trans._n('%2: %3. %4 has no kernel.', '%2: %3. %4 have no kernel.', count, name, line, who),
        again: actions.includes('startAgain')
          ? 'startAgain'
          : actions.includes('nextOffer')
            ? 'nextOffer'
            : null,
      };
    case 'stopping':
    case 'paused':
    case 'unreachable':
      return {
        kind: 'silent',
        sentence: waits,
        again: null,
      };
    case 'requested':
    case 'purchasing':
    case 'bootstrapping':
    case 'starting':
    case 'ready':
    case 'degraded':
      return {
        kind: 'coming',
        sentence: waits,
        again: null,
      };
  }
}
