/** Opens the way to a machine again that was set up before, and starts its agent anew where only that is silent. */
import { errorText } from '@hitch/platform/src/log.ts';
import type { Host } from '../access/host.ts';
import type { Door } from '../access/links.ts';
import { engineFor } from '../engines/engines.ts';
import type { ClusterState } from '../ledger/cluster-state.ts';
import type { AttemptRecord, NodeRecord } from '../ledger/records.ts';
import type { Instance, Provider } from '../providers/provider.ts';
import { dial, hostNow, isSame, knownAddress, type Lived } from './addresses.ts';
import { askAfter } from './ask-after.ts';
import { startAgent } from './bootstrap.ts';
import { environmentOn } from './environment.ts';
import { RESTART_AGENT_AFTER_FAILURES } from './limits.ts';
import { type Parts, providerOf } from './parts.ts';

/** The way to a machine, and whether it was open before the machine was asked. */
export interface WayBefore {
  readonly host: Host;
  readonly wasOpen: boolean;
}

/** Whether an agent is still needed: to work with, or to bring what is to be saved. */
const isWanted = ({ cluster: { desired, skipSave, saveDone } }: ClusterState): boolean =>
  desired === 'up' || (!skipSave && !saveDone);

/**
 * Dials the machine where it was reached last, and asks its network beside that: one that is down keeps nobody from a
 * machine that runs. Where nobody answers there, the network's word decides. @throws Error when the machine does not answer.
 */
export async function reopen(
  parts: Parts,
  state: ClusterState,
  node: NodeRecord,
  attempt: AttemptRecord,
  failures: number,
  onHost: (host: Host) => WayBefore,
): Promise<Door> {
  const provider = providerOf(parts, attempt.provider);
  const restarts = failures > 0 && failures % RESTART_AGENT_AFTER_FAILURES === 0 && isWanted(state);
  const said = askAfter(parts, provider, attempt);
  // The sweep asks again.
  said.catch(() => undefined);
  const open = async (host: Host): Promise<Door> => {
    const { wasOpen } = onHost(host);
    // Of a machine that was silent itself nobody knows whether its agent answers.
    const answered =
      restarts && !wasOpen ? await openOwned(parts, node, attempt, host).catch(() => null) : null;
    if (answered !== null) {
      return answered;
    }
    if (restarts) {
      await restartAgent(parts, state, node, attempt, host);
    }
    return openOwned(parts, node, attempt, host);
  };
  const known = knownAddress({ attempt, node });
  if (known === null) {
    return open(await hostThere(parts, provider, { attempt, node }, await said));
  }
  try {
    return await open(await dial(parts, provider, { attempt, node }, known));
  } catch (silence) {
    const host = await hostThere(
      parts,
      provider,
      { attempt, node },
      await said.catch((error: unknown) => {
        throw new Error(`${errorText(silence)} ${errorText(error)}`, { cause: silence });
      }),
    );
    if (isSame(host.address, known)) {
      throw silence;
    }
    return open(host);
  }
}

/** Where its network says that it is; kept for the next time. @throws Error where it is gone. */
async function hostThere(
  parts: Parts,
  provider: Provider,
  lived: Lived,
  instance: Instance | null,
): Promise<Host> {
  if (instance === null) {
    throw new Error('The machine is gone.');
  }
  return hostNow(parts, provider, lived, instance);
}

async function restartAgent(
  parts: Parts,
  state: ClusterState,
  node: NodeRecord,
  attempt: AttemptRecord,
  host: Host,
): Promise<void> {
  const facts = await parts.calls.limited('facts', signal => host.facts(signal));
  const { needs } = engineFor(state.cluster.engine);
  const python = await parts.calls.limited('python', signal =>
    host.ensurePython(needs, () => undefined, signal),
  );
  const environment = await environmentOn(parts, state, node, { host, python, say: () => undefined });
  await startAgent(parts, node, attempt, host, { facts, python, environment });
}

async function openOwned(parts: Parts, node: NodeRecord, attempt: AttemptRecord, host: Host): Promise<Door> {
  const door = await parts.calls.limited('connect', signal =>
    parts.links.open(node.id, host, node.agentToken, signal),
  );
  if (parts.ledger.attempt(attempt.id)?.state !== 'owned') {
    // Its network said so meanwhile.
    parts.links.drop(node.id, 'the machine is gone');
    throw new Error('The machine is gone.');
  }
  return door;
}
