/**
 * The price is read back after the purchase and at every look. Dearer than the yes before the machine was set up: it
 * goes back, and the next candidate is tried. Later a change opens a segment and warns; cheaper goes on.
 */
import { type MicroUsd, showDollars } from '@hitch/contract';
import type { Instance } from '../providers/provider.ts';
import { openRate } from './billing.ts';
import { type ClusterDraft, presentNodes } from './draft.ts';
import { nonRefundableWords, release, tryNext } from './outcomes.ts';
import type { AttemptRecord } from './records.ts';

/** Notes what the network says the machine costs now. */
export function notePrice(draft: ClusterDraft, attemptId: AttemptRecord['id'], instance: Instance): void {
  const attempt = draft.attempt(attemptId);
  const price = instance.pricePerHourMicroUsd;
  if (attempt?.state !== 'owned' || price === null) {
    return;
  }
  const node = presentNodes(draft.state).find(other => other.attemptId === attempt.id);
  const limit = draft.quote(draft.cluster.quoteId)?.maxNodePricePerHourMicroUsd;
  if (node?.phase === 'booting') {
    correctFromStart(draft, attempt, { price, floor: instance.floorMicroUsd });
    if (limit !== undefined && price > limit) {
      const sentence = `${draft.titleOf(attempt.provider)} charges ${showDollars(price)}/h, more than the ${showDollars(limit)}/h that you accepted; the machine is given back. ${nonRefundableWords(draft, attempt)}`;
      draft.say({
        kind: 'price',
        value: 'dearer',
        message: sentence,
        nodeId: node.id,
        attemptId: attempt.id,
      });
      release(draft, attempt, sentence, instance.id);
      tryNext(draft, node, sentence);
    }
    return;
  }
  changeFromNow(draft, attempt, price);
}

/** Before the machine was set up the price read back is the one it was rented at. */
function correctFromStart(
  draft: ClusterDraft,
  attempt: AttemptRecord,
  { price, floor }: { readonly price: MicroUsd; readonly floor: MicroUsd | undefined },
): void {
  const rate = openRate(draft, attempt);
  if (rate !== undefined && rate.amountMicroUsd !== price) {
    draft.setSegment(rate, { amountMicroUsd: price });
  }
  const least = draft.segmentsOf(attempt.id).find(({ kind }) => kind === 'floor');
  if (least !== undefined && floor !== undefined && least.amountMicroUsd !== floor) {
    draft.setSegment(least, { amountMicroUsd: floor });
  }
}

function changeFromNow(draft: ClusterDraft, attempt: AttemptRecord, price: MicroUsd): void {
  const segment = openRate(draft, attempt);
  if (segment === undefined || segment.amountMicroUsd === price) {
    return;
  }
  const before = segment.amountMicroUsd;
  const startMs = Math.max(segment.startMs, draft.nowMs);
  draft.setSegment(segment, { endMs: startMs });
  draft.addSegment(attempt, {
    kind: 'rate',
    amountMicroUsd: price,
    label: segment.label,
    startMs,
    endMs: null,
  });
  const title = draft.titleOf(attempt.provider);
  const change = `${title} now charges ${showDollars(price)}/h instead of ${showDollars(before)}/h.`;
  const { nodeId, id: attemptId } = attempt;
  if (price > before) {
    const message = `${change} The spending limit still holds; stop the cluster if this is too much.`;
    draft.say({ kind: 'price', value: 'dearer', message, nodeId, attemptId });
    draft.say({ kind: 'warning', value: 'price', message, nodeId, attemptId });
  } else {
    draft.say({ kind: 'price', value: 'cheaper', message: change, nodeId, attemptId });
  }
}
