/** Our own history of hosts, as offers show it and are ranked by it. */
import type { HostHistory, Offer, ProviderId } from '@hitch/contract';
import { hostHistories, type HostHistoryRecord, hostKey } from '../ledger/kinds/host-history.ts';
import type { KeptRecords } from '../ledger/kept-records.ts';

export interface Histories {
  of(offer: Pick<Offer, 'id' | 'provider' | 'hostId'>): HostHistory | undefined;
  /** Another number once anything of a network's hosts has changed; 0: there is none of it. */
  versionOf(provider: ProviderId): number;
}

export const NO_HISTORIES: Histories = { of: () => undefined, versionOf: () => 0 };

export const historiesOf = (kept: Pick<KeptRecords, 'get' | 'all'>): Histories => ({
  of: offer => {
    const row = kept.get(hostHistories, hostKey(offer));
    return row === undefined ? undefined : shownHistory(row, offer);
  },
  versionOf: provider => {
    let sum = 0;
    for (const row of kept.all(hostHistories)) {
      // None of these ever becomes less.
      sum += row.provider === provider ? row.purchases + row.cameUp + row.notUp + row.died : 0;
    }
    return sum;
  },
});

function shownHistory(row: HostHistoryRecord, { hostId }: Pick<Offer, 'hostId'>): HostHistory {
  const { purchases, cameUp, notUp, failedChecks, died, readyMs, lastFailure } = row;
  return {
    of: hostId === undefined ? 'offer' : 'machine',
    purchases,
    cameUp,
    notUp,
    failedChecks,
    died,
    usualReadyMs: median(readyMs),
    lastFailure: lastFailure === null ? null : { ...lastFailure },
  };
}

const median = (values: readonly number[]): number | null =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? null;
