/** Where machines are reached: kept with their records, so that they are dialled before their networks are asked. */
import type { Host, MachineAddress } from '../access/host.ts';
import type { AttemptRecord } from '../ledger/records.ts';
import type { Provider } from '../providers/provider.ts';
import { type Parts, providerOf } from './parts.ts';

export const isSame = (a: MachineAddress, b: MachineAddress | null): boolean =>
  b !== null && a.at === b.at && a.hostKey === b.hostKey;

/** The way in to where it was reached last. Whether it still answers there shows when the host is used. */
export function dial(
  { calls }: Pick<Parts, 'calls'>,
  provider: Provider,
  { instanceId }: AttemptRecord,
  address: MachineAddress,
): Promise<Host> {
  return calls.limited('host', signal => provider.dial(instanceId ?? '', address, signal));
}

/** The way in, where it was reached last or as its network says. @throws ProviderError or HostError */
export async function hostOf(
  parts: Pick<Parts, 'calls' | 'providers'>,
  attempt: AttemptRecord,
): Promise<Host> {
  const provider = providerOf(parts, attempt.provider);
  if (attempt.address !== null) {
    return dial(parts, provider, attempt, attempt.address);
  }
  const id = attempt.instanceId ?? '';
  const instance = await parts.calls.provider(provider, 'get', signal => provider.get(id, signal));
  return parts.calls.provider(provider, 'host', signal => provider.host(instance, signal));
}

export async function noteAddress(
  { ledger }: Pick<Parts, 'ledger'>,
  attempt: AttemptRecord,
  { address }: Host,
): Promise<void> {
  if (!isSame(address, ledger.attempt(attempt.id)?.address ?? null)) {
    await ledger.change(attempt.clusterId, tx => {
      if (tx.attempt(attempt.id)?.state === 'owned') {
        tx.setAttempt(attempt.id, { address });
      }
    });
  }
}
