/**
 * How a machine that this Hitch did not rent becomes one to work on: the cluster's own key gets there, by its network or by one
 * connection with a person's key; from then on it is reached and set up as every rented machine is.
 */
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { homedir } from 'node:os';
import { type ClusterId, HitchError, type NotOurs, type SetUpWay, shownName } from '@hitch/contract';
import { HostError } from '../access/host.ts';
import { type ClusterState, isOnlyWatched, memberRef, presentNodes } from '../ledger/cluster-state.ts';
import type { AttemptRecord, ClusterRecord, NodeRecord } from '../ledger/records.ts';
import type { Instance, Provider } from '../providers/provider.ts';
import { phaseLimitMs } from './limits.ts';
import { letsIn } from './order.ts';
import type { Parts } from './parts.ts';

/** How a machine that is not ours could be set up, by what its network's list says of it. */
export function howSetUp(
  provider: Provider,
  { status, members: [member, ...others] }: Instance,
): { readonly canBeSetUp?: NonNullable<NotOurs['canBeSetUp']> } {
  return status !== 'running' || member?.ssh?.kind !== 'rented' || others.length > 0
    ? {}
    : { canBeSetUp: takesKeysLater(provider) ? 'by_network' : 'with_key' };
}

const takesKeysLater = (provider: Provider): boolean => provider.letIn !== undefined && letsIn(provider);

interface Keyless {
  readonly cluster: Pick<ClusterRecord, 'id'>;
  readonly node: Pick<NodeRecord, 'id'>;
  readonly attempt: AttemptRecord;
  readonly instance: Instance;
}

/** The purchase's record once the cluster's key is there, or its network can be asked for that. @throws HitchError where it cannot. */
export async function withKey(
  parts: Parts,
  provider: Provider,
  { cluster, node, attempt, instance }: Keyless,
  setUp: SetUpWay | undefined,
): Promise<AttemptRecord> {
  if (setUp === undefined) {
    return attempt;
  }
  const ssh = instance.members[0]?.ssh ?? null;
  if (ssh?.kind !== 'rented' || howSetUp(provider, instance).canBeSetUp === undefined) {
    throw new HitchError(
      'CONFLICT',
      `${instance.id} cannot be set up: ${whyNot(provider, instance)}. It was not adopted.`,
      { next: 'Adopt it without setting it up, to have it counted and ended.' },
    );
  }
  if (setUp.by === 'network') {
    if (!takesKeysLater(provider)) {
      throw new HitchError('CONFLICT', `${provider.title} lets no key in to a machine that runs already.`, {
        field: 'setUp',
        next: 'Name your own key that opens it: --identity FILE',
      });
    }
    return attempt;
  }
  const { far } = parts;
  if (far === null) {
    throw new HitchError('CONFLICT', 'Hitch cannot reach machines by ssh here.');
  }
  const identityFile = setUp.file.replace(/^~(?=\/)/, () => homedir());
  await access(identityFile, constants.R_OK).catch((cause: unknown) => {
    throw new HitchError('BAD_INPUT', `There is no key that Hitch can read at ${shownName(setUp.file)}.`, {
      field: 'setUp',
      next: 'Name the private key’s file on the computer where Hitch’s daemon runs.',
      cause,
    });
  });
  const publicKey = await parts.keyOf(cluster.id);
  const machine = {
    clusterId: cluster.id,
    ref: memberRef(attempt, node.id),
    ssh,
    known: null,
    secret: null,
    promised: null,
    privateAddress: null,
  };
  const address = await parts.calls
    .limited('connect', signal => far.letInWith(machine, { identityFile, publicKey }, signal))
    .catch((error: unknown) => {
      throw error instanceof HostError
        ? new HitchError('CONFLICT', `${error.message} It was not adopted.`, {
            field: 'setUp',
            next: 'Name a key that opens it, or adopt it without setting it up.',
            cause: error,
          })
        : error;
    });
  return { ...attempt, members: [{ nodeId: node.id, address }] };
}

function whyNot({ title }: Provider, { status, members }: Instance): string {
  return members.length > 1
    ? `it is ${members.length.toString()} machines`
    : status === 'running'
      ? `${title} does not say where ssh leads to it`
      : `it is ${status} and does not run`;
}

interface Before {
  readonly state: ClusterState;
  readonly node: NodeRecord;
  readonly attempt: AttemptRecord;
}

/** One that was taken over to be watched, or could not be set up then. */
export function adoptedBefore({ ledger }: Parts, { id }: Provider, instanceId: string): Before | undefined {
  for (const state of ledger.states()) {
    const attempt = state.attempts.find(
      each =>
        each.provider === id &&
        each.instanceId === instanceId &&
        each.state === 'owned' &&
        isOnlyWatched(each),
    );
    const node = presentNodes(state).find(({ attemptId }) => attemptId === attempt?.id);
    if (attempt !== undefined && node !== undefined && state.cluster.desired === 'up') {
      return { state, node, attempt };
    }
  }
  return undefined;
}

/** Its limits stay as they are. */
export async function setUpLater(
  parts: Parts,
  provider: Provider,
  { state: { cluster }, node, attempt }: Before,
  setUp: SetUpWay,
): Promise<ClusterId> {
  const instance = await parts.calls.provider(provider, 'get', signal =>
    provider.get(attempt.instanceId ?? '', signal),
  );
  const { members } = await withKey(parts, provider, { cluster, node, attempt, instance }, setUp);
  await parts.ledger.change(cluster.id, tx => {
    const current = tx.attempt(attempt.id);
    if (current?.state !== 'owned' || current.adopted === null || tx.cluster.desired !== 'up') {
      throw new HitchError('CONFLICT', `${cluster.name} is ending.`);
    }
    tx.setAttempt(attempt.id, { adopted: { ...current.adopted, isSetUp: true }, members, letInAtMs: null });
    tx.nodePhase(
      node.id,
      'booting',
      `Adopted: ${instance.id} at ${provider.title} is set up.`,
      phaseLimitMs('booting', provider.capabilities.phaseLimitsMs),
    );
  });
  return cluster.id;
}
