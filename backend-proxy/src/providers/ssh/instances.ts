/** How uses of own machines are named, and what is said of one. */
import type { Offer } from '@hitch/contract';
import type { Instance } from '../provider.ts';
import { type Lease, leaseFolder } from './leases.ts';
import { hostNameSchema } from './own-hosts.ts';

export interface Place {
  readonly name: string;
  readonly ref: string;
}

/** `ssh:gpu-box:gpu` is an offer of `gpu-box`; its name may have colons of its own. */
export function hostOf(network: string, { id }: Offer): string {
  return id.slice(`${network}:`.length, id.lastIndexOf(':'));
}

/** `gpu-box/hitch-…`: which machine, and which use of it. Null: no id of ours. */
export function placeOf(instanceId: string): Place | null {
  const [, name, ref] = /^([^/]+)\/(hitch-[a-z0-9]+)$/.exec(instanceId) ?? [];
  return name === undefined || ref === undefined || !hostNameSchema.safeParse(name).success
    ? null
    : { name, ref };
}

type Used = Pick<Lease, 'ref' | 'pricePerHourMicroUsd' | 'fromMs' | 'privateAddress'>;

export const instanceOf = (
  name: string,
  { ref, pricePerHourMicroUsd, fromMs, privateAddress }: Used,
): Instance => ({
  id: `${name}/${ref}`,
  mark: ref,
  status: 'running',
  members: [
    {
      id: `${name}/${ref}`,
      rank: 0,
      status: 'running',
      ssh: { kind: 'own', name, lease: leaseFolder(ref) },
      privateAddress,
    },
  ],
  rates: [{ label: 'Machine', perHourMicroUsd: BigInt(pricePerHourMicroUsd), fromMs }],
  message: `Your machine ${name}.`,
});

export const goneInstance = (id: string, message: string): Instance => ({
  id,
  mark: null,
  status: 'gone',
  members: [],
  rates: [],
  message,
});
