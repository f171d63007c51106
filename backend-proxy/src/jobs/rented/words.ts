/** What the records of jobs that rent say, in sentences. */
import { parseMicroUsd, showDollars } from '@hitch/contract';
import type { ClusterService } from '../../clusters/service.ts';
import type { ClusterState } from '../../ledger/cluster-state.ts';

/** Why its cluster ended by itself; '' where the job or a person ended it. */
export function endedWords(state: ClusterState | undefined): string {
  if (state === undefined) {
    return 'Its cluster is not there any more.';
  }
  const { stopCause, caps, message } = state.cluster;
  switch (stopCause) {
    case 'cap':
      return `It was ended at its spending limit of ${showDollars(parseMicroUsd(caps.totalMicroUsd))}.`;
    case 'stop_time':
      return 'It was ended when its time was over.';
    case 'term':
      return 'It was ended when the time that was paid ahead was over.';
    case 'idle':
      return 'Its machine was ended for being idle.';
    case 'failure':
      return message;
    case 'user':
    case null:
      return '';
  }
}

/** Events of one run of a cluster are few. */
const MOST_EVENTS = 1_000;

/** What was not saved when its cluster ended, a sentence; null: all was, or there was nothing to save. */
export async function unsavedWords(
  clusters: Pick<ClusterService, 'events'>,
  { cluster }: ClusterState,
): Promise<string | null> {
  if (cluster.stopCause === 'failure' && cluster.save.paths.length > 0) {
    return 'What it made was not saved: the machine was gone.';
  }
  const events = await clusters.events(
    cluster.id,
    Math.max(0, cluster.lastEventSeq - MOST_EVENTS),
    MOST_EVENTS,
  );
  return (
    events.findLast(
      ({ kind, value, atMs }) => kind === 'warning' && value === 'not_saved' && atMs >= cluster.startedAtMs,
    )?.message ?? null
  );
}
