/**
 * Where machines are reached: kept with their records, so that they are dialled before their networks are asked. The one
 * place where a way in is made, of what a network says or of what stands in a record.
 */
import { type Host, HostError, type MachineAddress } from '../access/host.ts';
import { memberOf, memberRef } from '../ledger/cluster-state.ts';
import type { AttemptRecord, NodeRecord, SshAddress } from '../ledger/records.ts';
import { type Instance, type Provider, ProviderError } from '../providers/provider.ts';
import { type Parts, providerOf } from './parts.ts';

/** A machine of ours, and the node that lives on it. */
export interface Lived {
  readonly attempt: AttemptRecord;
  readonly node: Pick<NodeRecord, 'id'>;
}

export const isSame = (a: MachineAddress, b: MachineAddress | null): boolean =>
  b !== null && a.at === b.at && a.hostKey === b.hostKey && a.privateAddress === b.privateAddress;

export const knownAddress = ({ attempt, node }: Lived): MachineAddress | null =>
  memberOf(attempt, node.id)?.address ?? null;

/** The way in to where it was reached last. Whether it still answers there shows when the host is used. */
export function dial(
  parts: Pick<Parts, 'calls' | 'far'>,
  provider: Provider,
  lived: Lived,
  address: MachineAddress,
): Promise<Host> {
  const { ssh, privateAddress } = address;
  if (ssh !== null) {
    return parts.calls.limited('host', signal => farHost(parts, lived, { ssh, privateAddress }, signal));
  }
  const id = lived.attempt.instanceId ?? '';
  return parts.calls.limited(
    'host',
    signal =>
      provider.dial?.(id, rankOf(lived), address, signal) ??
      Promise.reject(new HostError(`${provider.title} has no way in to ${id}.`, { fatal: false })),
  );
}

/** The way in to where its network says that it is. @throws ProviderError `retryable` while it is not reachable yet */
export async function hostNow(
  parts: Pick<Parts, 'calls' | 'far' | 'ledger'>,
  provider: Provider,
  lived: Lived,
  instance: Instance,
): Promise<Host> {
  const rank = rankOf(lived);
  const member = instance.members.find(other => other.rank === rank);
  const { ssh = null, privateAddress = null } = member ?? {};
  const host =
    ssh === null
      ? await parts.calls.provider(
          provider,
          'host',
          signal =>
            provider.host?.(instance, rank, signal) ??
            Promise.reject(
              new ProviderError('retryable', `${provider.title} has not said yet where ${instance.id} is.`),
            ),
        )
      : await parts.calls.limited('host', signal => farHost(parts, lived, { ssh, privateAddress }, signal));
  await noteAddress(parts, lived, host);
  return host;
}

/** The way in, where it was reached last or as its network says. @throws ProviderError or HostError */
export async function hostOf(
  parts: Pick<Parts, 'calls' | 'far' | 'ledger' | 'providers'>,
  lived: Lived,
): Promise<Host> {
  const provider = providerOf(parts, lived.attempt.provider);
  const known = knownAddress(lived);
  if (known !== null) {
    return dial(parts, provider, lived, known);
  }
  const id = lived.attempt.instanceId ?? '';
  const instance = await parts.calls.provider(provider, 'get', signal => provider.get(id, signal));
  return hostNow(parts, provider, lived, instance);
}

const rankOf = ({ attempt, node }: Lived): number => memberOf(attempt, node.id)?.rank ?? 0;

function farHost(
  { far }: Pick<Parts, 'far'>,
  lived: Lived,
  { ssh, privateAddress }: { readonly ssh: SshAddress; readonly privateAddress: string | null },
  signal: AbortSignal,
): Promise<Host> {
  if (far === null) {
    throw new HostError('Hitch cannot reach machines by ssh here.', { fatal: true });
  }
  const { attempt, node } = lived;
  const { clusterId, proof: secret } = attempt;
  return far.host(
    {
      clusterId,
      ref: memberRef(attempt, node.id),
      ssh,
      known: knownAddress(lived),
      secret,
      // What it lacks of what was bought is looked at before it is set up, and is no reason to stay away from it later.
      promised: null,
      privateAddress,
    },
    signal,
  );
}

/** For the machine's row; its event says it once more, with what to do. */
export const HOST_KEY_UNPROVED = 'host key not proved';

async function noteAddress(
  { ledger }: Pick<Parts, 'ledger'>,
  { attempt, node }: Lived,
  { address }: Host,
): Promise<void> {
  const now = ledger.attempt(attempt.id);
  if (now !== undefined && !isSame(address, knownAddress({ attempt: now, node }))) {
    await ledger.change(attempt.clusterId, tx => {
      const current = tx.attempt(attempt.id);
      if (current?.state === 'owned') {
        const members = current.members.map(member =>
          member.nodeId === node.id ? { ...member, address } : member,
        );
        tx.setAttempt(attempt.id, { members });
        if (
          address.proof === 'first_contact' &&
          knownAddress({ attempt: current, node })?.hostKey === undefined
        ) {
          tx.say({
            kind: 'warning',
            value: 'host_key',
            message: `The host key of ${address.at} is not proved: ${tx.titleOf(attempt.provider)} names none, and the machine cannot show that it is its own. The key that answered first is kept, and any other refused.`,
            nodeId: node.id,
            attemptId: attempt.id,
          });
        }
      }
    });
  }
}
