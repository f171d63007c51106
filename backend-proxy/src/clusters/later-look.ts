/**
 * A machine whose door was opened from what was known of it is looked at a little later: what it says of itself may have
 * changed while nobody reached it (it started again, a GPU is gone), and its lease may have ended.
 */
import type { NodeId } from '@hitch/contract';
import { errorText } from '@hitch/platform/src/log.ts';
import { HostError } from '../access/host.ts';
import type { Door } from '../access/links.ts';
import type { NodeRecord } from '../ledger/records.ts';
import { LATER_LOOK_MS } from './limits.ts';
import type { Parts } from './parts.ts';

type Needed = Pick<Parts, 'clock' | 'calls' | 'links' | 'runner' | 'log' | 'ending'>;

/** Never rejects. */
export async function lookLater(
  parts: Needed,
  { id, clusterId }: Pick<NodeRecord, 'id' | 'clusterId'>,
  door: Door,
): Promise<void> {
  if (!door.isFromMemory) {
    return;
  }
  try {
    await parts.clock.sleep(LATER_LOOK_MS, AbortSignal.any([door.closed, parts.ending]));
    const facts = await parts.calls.limited('facts', signal => door.host.facts(signal));
    const hasChanged = JSON.stringify(facts) !== JSON.stringify(door.facts);
    parts.links.learn(id, door, facts);
    if (hasChanged) {
      parts.runner.touch(clusterId);
    }
  } catch (error) {
    noteFailed(parts, id, door, error);
  }
}

/** What cannot be used any more is closed, and whoever opens it again hears why. All else shows by the door itself. */
function noteFailed({ links, log, ending }: Needed, id: NodeId, door: Door, error: unknown): void {
  if (door.closed.aborted || ending.aborted) {
    return;
  }
  if (error instanceof HostError && error.fatal) {
    door.host.forgetFacts?.();
    if (links.get(id) === door) {
      links.drop(id, error.message);
    }
    return;
  }
  log.debug('A machine that is reached did not say what it is.', { node: id, error: errorText(error) });
}
