/** Renting once more for a cluster that is there: start again, the next offer, and other machines for lost nodes. */
import { HitchError, type Cluster, type Quote } from '@hitch/contract';
import { PageConfig } from '@jupyterlab/coreutils';
import type { Deps } from './deps.ts';
import { COMMANDS } from './ids.ts';
import { failed, said, sentenceOf, showPanelStep } from './report.ts';

export type Again = 'start-again' | 'next-offer' | 'replace';

/**
 * The daemon knows what was ordered: its quote, a yes to it, and the cluster under its old name.
 * @returns whether it is being rented.
 */
export async function rentAgain(deps: Deps, cluster: Cluster, again: Again): Promise<boolean> {
  const { hitch, trans, commands } = deps;
  const { approve } = await import('../approval/approve.ts');
  let send: readonly string[] = [];
  let hours: { readonly termMs?: number | null } = {};
  /** What was quoted already and is as it is wanted. */
  let first: Quote | null = null;
  const quoted = () =>
    hitch.client.api.quotes.again({
      clusterId: cluster.id,
      skipTried: again === 'next-offer',
      sendsFrom: PageConfig.getOption('serverRoot'),
      ...hours,
    });
  const action = async () => {
    const quote = first ?? (await quoted());
    first = null;
    ({ send } = quote);
    return { kind: 'start-again' as const, clusterId: cluster.id, quoteId: quote.id };
  };
  let started;
  try {
    // What replaces a lost machine is paid as the others are.
    if (again !== 'replace') {
      const asOrdered = await quoted();
      const { askHours, sellsTime } = await import('./hours-again.ts');
      if (sellsTime(asOrdered)) {
        const wanted = await askHours(
          deps,
          cluster.name,
          asOrdered,
          () => void rentAgain(deps, cluster, again),
        );
        if (wanted === null) {
          return false;
        }
        hours = wanted;
      } else {
        first = asOrdered;
      }
    }
    started = await approve(deps, action);
  } catch (error) {
    const step = {
      label: trans.__('New cluster…'),
      run: () => void commands.execute(COMMANDS.newCluster),
    };
    // Another cluster is a way out only where nothing fits: what is not gone yet, or not lost, only has to be waited for.
    const isWanting =
      error instanceof HitchError && (error.code === 'NO_OFFERS' || error.code === 'CAP_TOO_LOW');
    failed(sentenceOf(error), ...(isWanting ? [step] : []));
    return false;
  }
  if (started !== null) {
    await hitch.refresh();
    const { sendLater } = await import('../new-cluster/send-later.ts');
    sendLater(hitch, commands).add(cluster.id, send);
    said(trans.__('%1 is being rented.', cluster.name), showPanelStep(deps));
    void commands.execute(COMMANDS.showTimeline, { clusterId: cluster.id });
  }
  return started !== null;
}
