import assert from 'node:assert/strict';
import { closeBilling } from '../../src/clusters/billing.ts';
import { ClusterDraft } from '../../src/clusters/draft.ts';
import type { SegmentRecord } from '../../src/clusters/records.ts';
import { attempt as makeAttempt, cluster as makeCluster, node as makeNode } from '../store/records.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** One machine whose price changed at `changedAtMs`, in a draft of a clock that says `nowMs`. */
function twoPrices(changedAtMs: number, nowMs: number) {
  const cluster = makeCluster();
  const node = makeNode(cluster);
  const attempt = makeAttempt(node);
  const stretch = (index: number, startMs: number, endMs: number | null): SegmentRecord => ({
    attemptId: attempt.id,
    nodeId: node.id,
    clusterId: cluster.id,
    index,
    kind: 'rate',
    amountMicroUsd: BigInt(index + 1) * 1_000_000n,
    label: 'Machine',
    startMs,
    endMs,
  });
  const draft = new ClusterDraft({
    clusterId: cluster.id,
    state: {
      cluster,
      nodes: [node],
      attempts: [attempt],
      segments: [stretch(0, 0, changedAtMs), stretch(1, changedAtMs, null)],
    },
    nowMs,
    lastPosition: 0,
    leaseEpoch: 1,
    quote: () => undefined,
    nameTaken: () => false,
    titleOf: provider => provider,
  });
  return { draft, attempt };
}

const stretches = (draft: ClusterDraft) => draft.segments.map(({ startMs, endMs }) => [startMs, endMs]);

describe('the end of billing', () => {
  it('is where the network says, for every stretch that a clock that was ahead put behind it', () => {
    const { draft, attempt } = twoPrices(3 * DAY_MS, 3 * DAY_MS);
    closeBilling(draft, attempt, { billedUntilMs: HOUR_MS });
    assert.deepEqual(stretches(draft), [
      [0, HOUR_MS],
      [HOUR_MS, HOUR_MS],
    ]);
  });

  it('leaves alone what lies before it', () => {
    const { draft, attempt } = twoPrices(HOUR_MS, DAY_MS);
    closeBilling(draft, attempt, { billedUntilMs: 2 * HOUR_MS });
    assert.deepEqual(stretches(draft), [
      [0, HOUR_MS],
      [HOUR_MS, 2 * HOUR_MS],
    ]);
  });

  it('is never before its beginning, and now where the network does not say', () => {
    const before = twoPrices(HOUR_MS, DAY_MS);
    closeBilling(before.draft, before.attempt, { billedUntilMs: -HOUR_MS });
    assert.deepEqual(stretches(before.draft), [
      [0, 0],
      [0, 0],
    ]);
    const silent = twoPrices(HOUR_MS, DAY_MS);
    closeBilling(silent.draft, silent.attempt, null);
    assert.deepEqual(stretches(silent.draft), [
      [0, HOUR_MS],
      [HOUR_MS, DAY_MS],
    ]);
  });
});
