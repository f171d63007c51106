/** One machine of ours, asked after at its network. */
import type { AttemptRecord } from '../ledger/records.ts';
import type { Instance, Provider } from '../providers/provider.ts';
import { isCertainlyGone } from './billing.ts';
import { loseMachine, loseMembers, membersGone } from './transitions.ts';
import { forgetStatus, type Parts } from './parts.ts';
import { isPriceNews, notePrice } from './price.ts';

/** Notes what the network says. @returns null when the machine is certainly gone. @throws ProviderError */
export async function askAfter(
  parts: Parts,
  provider: Provider,
  attempt: AttemptRecord,
): Promise<Instance | null> {
  const id = attempt.instanceId ?? '';
  const instance = await parts.calls.provider(provider, 'get', signal => provider.get(id, signal));
  if (!isCertainlyGone(instance, attempt, provider, parts.clock.now())) {
    await lookAtInstance(parts, attempt, instance);
    return instance;
  }
  attempt.members.forEach(({ nodeId }) => {
    parts.links.drop(nodeId, 'the machine is gone');
    forgetStatus(parts, nodeId);
  });
  await parts.ledger.change(attempt.clusterId, tx => {
    if (tx.attempt(attempt.id)?.state === 'owned') {
      loseMachine(tx, attempt, instance, parts.lastBusy.get(attempt.nodeId));
    }
  });
  return null;
}

/** Notes a price, or a part of one, that is another than what is written down, and machines of it that are gone. */
export async function lookAtInstance(
  parts: Pick<Parts, 'ledger' | 'links' | 'live' | 'clockOffsets'>,
  attempt: AttemptRecord,
  instance: Instance,
): Promise<void> {
  const { ledger } = parts;
  const state = ledger.state(attempt.clusterId);
  if (state === undefined) {
    return;
  }
  if (isPriceNews(state, attempt, instance)) {
    await ledger.change(attempt.clusterId, tx => notePrice(tx, attempt.id, instance));
  }
  const gone = membersGone(state, attempt, instance);
  if (gone.length > 0) {
    gone.forEach(({ id }) => {
      parts.links.drop(id, 'the machine is gone');
      forgetStatus(parts, id);
    });
    await ledger.change(attempt.clusterId, tx => loseMembers(tx, attempt, instance));
  }
}
