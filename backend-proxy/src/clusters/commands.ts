/** What a person's yes does to the records: a new cluster, the same one again, or other machines for lost nodes. */
import {
  type Caps,
  type ClusterId,
  format,
  HitchError,
  type LimitChange,
  parseMicroUsd,
  type Quote,
  type QuoteId,
  showDollars,
} from '@hitch/contract';
import { isLost, isUnfinished, presentNodes } from '../ledger/cluster-state.ts';
import { type EnvironmentRecord, HITCHS_OWN } from '../ledger/kinds/cluster.ts';
import type { ClusterRecord, NodeRecord, QuoteRecord } from '../ledger/records.ts';
import type { ClusterTransaction } from '../ledger/transaction.ts';
import { committed } from '../spend/budget.ts';
import { checkStopTime } from '../spend/quotes.ts';
import type { Ids } from '@hitch/platform/src/random.ts';

/** The quote was used for this cluster by an earlier call. */
export class AlreadyUsed extends Error {
  readonly by: ClusterId;

  constructor(by: ClusterId) {
    super(`used by ${by}`);
    this.by = by;
  }
}

/** @throws AlreadyUsed, or HitchError NOT_FOUND or QUOTE_EXPIRED. */
function useQuote(tx: ClusterTransaction, quoteId: QuoteId, by: ClusterId): QuoteRecord {
  const record = tx.quote(quoteId);
  if (record === undefined) {
    throw new HitchError('NOT_FOUND', `There is no quote ${quoteId}.`, { next: 'Ask for a quote first.' });
  }
  if (record.usedBy !== null) {
    throw new AlreadyUsed(record.usedBy);
  }
  if (tx.nowMs >= record.quote.expiresAtMs) {
    throw new HitchError('QUOTE_EXPIRED', 'The quote is more than ten minutes old; prices may have moved.', {
      next: 'Ask for another one.',
    });
  }
  checkStopTime(record.quote.caps.stopAtMs, tx.nowMs);
  tx.putQuote({ ...record, usedBy: by });
  return record;
}

export function newNode(
  ids: Ids,
  tx: Pick<ClusterTransaction, 'nowMs'>,
  clusterId: ClusterId,
  quoteId: QuoteId,
  index: number,
): NodeRecord {
  return {
    id: ids.next('nod'),
    clusterId,
    quoteId,
    index,
    phase: 'requested',
    phaseSinceMs: tx.nowMs,
    deadlineMs: null,
    message: '',
    attemptId: null,
    wasUp: false,
    agentToken: ids.secret(),
  };
}

export function conditionsAtFirst(sinceMs: number): ClusterRecord['conditions'] {
  const no = (reason: string) => ({ status: 'no', reason, message: '', sinceMs }) as const;
  return {
    kernel: no('requested'),
    engine: no('requested'),
    billing: no('nothing_rented'),
    cleanup: { status: 'yes', reason: 'nothing_left', message: '', sinceMs },
  };
}

function ordered(
  quote: Quote,
): Pick<ClusterRecord, 'practice' | 'engine' | 'template' | 'quoteId' | 'save' | 'secrets'> {
  const { practice, engine, template, id: quoteId, save, secrets } = quote;
  return { practice, engine, template, quoteId, save, secrets };
}

const orderOf = ({ order, quote }: QuoteRecord): ClusterRecord['order'] =>
  order === null ? null : { request: order, atMs: quote.createdAtMs };

/** @throws as `useQuote`, or HitchError NAME_TAKEN. */
export function placeOrder(
  ids: Ids,
  tx: ClusterTransaction,
  order: { id: ClusterId; quoteId: QuoteId; name: string },
): void {
  const record = useQuote(tx, order.quoteId, order.id);
  checkForWhole(record, null);
  if (record.forCluster !== null) {
    throw new HitchError('CONFLICT', 'The quote is for a cluster that is there, not for a new one.', {
      next: 'Ask for another quote.',
    });
  }
  const { quote } = record;
  if (tx.nameTaken(order.name)) {
    throw new HitchError('NAME_TAKEN', `There is a cluster named ${order.name} already.`, {
      field: 'name',
      next: 'Choose another name, or remove that one from the list.',
    });
  }
  tx.createCluster({
    id: order.id,
    owner: 'local',
    project: 'default',
    leaseEpoch: tx.leaseEpoch,
    name: order.name,
    ...ordered(quote),
    order: orderOf(record),
    environment: { ...HITCHS_OWN, id: quote.environment ?? null },
    desired: 'up',
    stopCause: null,
    skipSave: false,
    phase: 'requested',
    phaseSinceMs: tx.nowMs,
    message: '',
    conditions: conditionsAtFirst(tx.nowMs),
    caps: quote.caps,
    capFromMs: tx.nowMs,
    saved: [],
    saveDone: false,
    engineToken: ids.secret(),
    createdAtMs: tx.nowMs,
    startedAtMs: tx.nowMs,
    endedAtMs: null,
    removedAtMs: null,
    lastEventSeq: 0,
  });
  tx.say({ kind: 'phase', value: 'requested', message: `${order.name} was ordered.` });
  for (let index = 0; index < quote.nodes; index++) {
    tx.addNode(newNode(ids, tx, order.id, quote.id, index));
  }
}

/** What people had added to the same environment is to be there again. */
const environmentAgain = (before: EnvironmentRecord, id: string | null): EnvironmentRecord => ({
  ...HITCHS_OWN,
  id,
  added: before.id === id ? before.added : [],
});

/** @throws as `useQuote`, or HitchError CONFLICT. */
export function startAgain(ids: Ids, tx: ClusterTransaction, quoteId: QuoteId): void {
  const { cluster } = tx;
  if (cluster.desired === 'up') {
    replaceLost(ids, tx, quoteId);
    return;
  }
  if (tx.attempts.some(isUnfinished)) {
    throw new HitchError('CONFLICT', `${cluster.name} is not confirmed gone yet.`, {
      next: 'Wait until it is stopped, then start it again.',
    });
  }
  const record = useQuote(tx, quoteId, cluster.id);
  checkForThis(record, cluster);
  checkForWhole(record, cluster.name);
  const { quote } = record;
  tx.setCluster({
    ...ordered(quote),
    order: orderOf(record),
    environment: environmentAgain(cluster.environment, quote.environment ?? null),
    desired: 'up',
    stopCause: null,
    skipSave: false,
    saveDone: false,
    message: '',
    startedAtMs: tx.nowMs,
    engineToken: ids.secret(),
    caps: quote.caps,
    capFromMs: tx.nowMs,
  });
  for (let index = 0; index < quote.nodes; index++) {
    tx.addNode(newNode(ids, tx, cluster.id, quote.id, index));
  }
}

/** Of two clusters with as many nodes, or as many lost ones, each has limits and an order of its own. */
function checkForThis({ forCluster }: QuoteRecord, { id, name }: ClusterRecord): void {
  if (forCluster !== null && forCluster !== id) {
    throw new HitchError('CONFLICT', `The quote is for another cluster, not for ${name}.`, {
      next: `Ask for one that is: “hitch start ${name}”, or POST /clusters/{clusterId}/quotes.`,
    });
  }
}

/** A quote for lost nodes says nothing of a whole cluster: what is ordered, saved and allowed stands in its record. */
function checkForWhole({ keepsCaps }: QuoteRecord, stopped: string | null): void {
  if (keepsCaps) {
    throw new HitchError(
      'CONFLICT',
      stopped === null
        ? 'The quote is for lost nodes of a cluster that is there, not for a new one.'
        : `The quote is for lost nodes, and ${stopped} has stopped since the quote was made.`,
      { next: 'Ask for another quote.' },
    );
  }
}

function replaceLost(ids: Ids, tx: ClusterTransaction, quoteId: QuoteId): void {
  const { cluster } = tx;
  const nodes = presentNodes(tx.state);
  const lost = nodes.filter(isLost);
  if (lost.length === 0 && tx.quote(quoteId)?.usedBy !== cluster.id) {
    throw new HitchError('CONFLICT', `${cluster.name} is running; no node of it is lost.`, {
      next: 'Stop it first, or rent another cluster.',
    });
  }
  const record = useQuote(tx, quoteId, cluster.id);
  const { quote, keepsCaps } = record;
  checkForThis(record, cluster);
  if (!keepsCaps) {
    // What a person was shown with it is another cap than the one that holds here.
    throw new HitchError('CONFLICT', `The quote is not for the lost nodes of ${cluster.name}.`, {
      next: `Ask for one that is: “hitch start ${cluster.name}”, or POST /clusters/{clusterId}/quotes.`,
    });
  }
  if (quote.nodes !== lost.length) {
    throw new HitchError(
      'CONFLICT',
      `${lost.length.toString()} of ${nodes.length.toString()} nodes are lost, but the quote is for ${quote.nodes.toString()}.`,
      { next: `Ask for a quote for ${lost.length.toString()}.` },
    );
  }
  for (const node of nodes.filter(other => !isLost(other))) {
    tx.setNode(node.id, { quoteId });
  }
  tx.setCluster({ quoteId });
  lost.forEach(({ index }) => tx.addNode(newNode(ids, tx, cluster.id, quoteId, index)));
}

/** Whether it may cost more, or run for longer, after the change. */
export function allowsMore({ totalMicroUsd, stopAtMs, idleMs }: Caps, change: LimitChange): boolean {
  const isLater = (before: number | null, after: number | null | undefined) =>
    after !== undefined && before !== null && (after === null || after > before);
  return (
    (change.capMicroUsd !== undefined && parseMicroUsd(change.capMicroUsd) > parseMicroUsd(totalMicroUsd)) ||
    isLater(stopAtMs, change.stopAtMs) ||
    isLater(idleMs, change.idleMs)
  );
}

/** @throws HitchError APPROVAL_NEEDED */
export function checkOnlyLess(
  { name, caps }: Pick<ClusterRecord, 'name' | 'caps'>,
  change: LimitChange,
): void {
  if (allowsMore(caps, change)) {
    throw new HitchError(
      'APPROVAL_NEEDED',
      `${name} would get higher limits, which a person has to approve.`,
      {
        next: 'Ask for it with POST /approvals, or run “hitch extend”.',
      },
    );
  }
}

/** @throws HitchError CONFLICT, CAP_TOO_LOW or BAD_INPUT. */
export function changeLimits(tx: ClusterTransaction, change: LimitChange): void {
  const { cluster } = tx;
  if (cluster.desired !== 'up') {
    throw new HitchError(
      'CONFLICT',
      `${cluster.name} is ${cluster.phase}; its limits can no longer be changed.`,
      {
        next: 'Start it again with another quote.',
      },
    );
  }
  if (change.stopAtMs !== undefined) {
    checkStopTime(change.stopAtMs, tx.nowMs);
  }
  const total = change.capMicroUsd ?? cluster.caps.totalMicroUsd;
  const needed = committed(tx.state, tx.nowMs);
  if (change.capMicroUsd !== undefined && parseMicroUsd(total) < needed) {
    throw new HitchError(
      'CAP_TOO_LOW',
      `${showDollars(needed)} is already spent or needed to save and delete it.`,
      {
        field: 'capMicroUsd',
        next: `Choose a spending limit over ${showDollars(needed)}, or stop the cluster.`,
      },
    );
  }
  const caps: Caps = {
    totalMicroUsd: total,
    stopAtMs: change.stopAtMs === undefined ? cluster.caps.stopAtMs : change.stopAtMs,
    idleMs: change.idleMs === undefined ? cluster.caps.idleMs : change.idleMs,
  };
  // Less may stand in memory where the disk is full: it ends something sooner.
  if (allowsMore(cluster.caps, change)) {
    tx.insistOnDisk();
  }
  tx.setCluster({ caps });
  tx.say({
    kind: 'condition',
    value: 'limits',
    message: `New limits: ${showDollars(parseMicroUsd(total))}${stopWords(caps, tx.nowMs)}.`,
  });
}

function stopWords({ stopAtMs, idleMs }: Caps, nowMs: number): string {
  const stop = stopAtMs === null ? '' : `, ${format.clock(stopAtMs, nowMs)}`;
  return idleMs === null ? stop : `${stop}, ${Math.round(idleMs / 60_000).toString()} min idle`;
}
