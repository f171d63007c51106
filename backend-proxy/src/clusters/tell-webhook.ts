/** Tells the user's webhook when a cluster can be used and when it is over, whether or not a client is there to say so. */
import type { ClusterId } from '@hitch/contract';
import { postWarning } from '../agent/watchdog/webhook.ts';
import type { EventRecord } from '../ledger/kinds/event.ts';
import type { Parts } from './parts.ts';

const OVER: ReadonlySet<string> = new Set(['stopped', 'expired', 'failed']);

/**
 * Follows the ledger from now on. A cluster that can be used again after a trouble is told of no second time.
 * @param post as {@link postWarning}; a test brings its own.
 */
export function tellWebhook(
  { ledger, clock, log, webhookUrl }: Pick<Parts, 'ledger' | 'clock' | 'log' | 'webhookUrl'>,
  post: typeof postWarning = postWarning,
): void {
  if (webhookUrl === null) {
    return;
  }
  const usable = new Set<ClusterId>();
  const isNews = ({ kind, value, clusterId }: EventRecord): boolean => {
    if (kind !== 'phase') {
      return false;
    }
    if (OVER.has(value)) {
      usable.delete(clusterId);
      return true;
    }
    const isFirst = value === 'ready' && !usable.has(clusterId);
    if (isFirst) {
      usable.add(clusterId);
    }
    return isFirst;
  };
  ledger.onCommit((_, events) => {
    for (const { clusterId, value, message, atMs } of events.filter(isNews)) {
      const cluster = ledger.state(clusterId)?.cluster.name ?? clusterId;
      const sentence = message === '' ? `${cluster} is ${value}.` : `${cluster} is ${value}: ${message}`;
      void post(clock, log, webhookUrl, { cluster, node: '', sentence, atMs });
    }
  });
}
