/** What to say of a cluster that a notebook waits for, and what can be done about it. */
import { clusterActions, clusterLine, type Cluster, type TitleOf } from '@hitch/contract';
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
}

/**
 * @param who such as `train.ipynb, console-1`
 * @param cluster undefined where the list has none of that name
 */
export function awayWords(
  who: string,
  name: string,
  cluster: Cluster | undefined,
  { trans, titleOf, nowMs }: AwayOptions,
): Away {
  if (cluster === undefined) {
    const sentence = trans.__('%1 is not in the list of clusters any more. Without a kernel: %2.', name, who);
    return { kind: 'over', sentence, again: null };
  }
  const line = clusterLine(cluster, nowMs, { titleOf });
  const actions = clusterActions(cluster);
  switch (cluster.phase) {
    case 'stopped':
    case 'expired':
    case 'failed':
      return {
        kind: 'over',
        sentence: trans.__('%1: %2. Without a kernel: %3.', name, line, who),
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
        sentence: trans.__('%1: %2. Waiting for it: %3.', name, line, who),
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
        sentence: trans.__('%1: %2. Waiting for it: %3.', name, line, who),
        again: null,
      };
  }
}
