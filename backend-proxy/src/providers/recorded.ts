/** Networks where somebody has rented for real, by the versions of their adapters that are recorded. */
import type { ProviderId } from '@hitch/contract';
import { VERIFIED } from './verified.ts';

export const isVerified = (network: ProviderId, adapterVersion: number): boolean =>
  VERIFIED.some(
    ({ network: recorded, adapterVersion: version }) => recorded === network && version === adapterVersion,
  );
