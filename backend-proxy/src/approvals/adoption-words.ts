/** A machine that is not ours, as a page asks a person to adopt it. */
import {
  adoptionLines,
  type AdoptionRequest,
  HitchError,
  machineWords,
  type NetworkInfo,
  parseMicroUsd,
} from '@hitch/contract';
import type { Adoption } from '../clusters/adopt-machine.ts';
import type { ApprovalWords } from './approval-words.ts';

/** @throws HitchError NOT_FOUND for what no list has shown, CONFLICT where it costs more by now. */
export function adoptionWords(
  networks: readonly NetworkInfo[],
  { provider, instanceId, capMicroUsd, stopAtMs, setUp, pricePerHourMicroUsd: shown }: AdoptionRequest,
  nowMs: number,
): ApprovalWords {
  const network = networks.find(({ id }) => id === provider);
  const machine = network?.notOurs.find(({ id }) => id === instanceId);
  if (network === undefined || machine === undefined) {
    throw new HitchError('NOT_FOUND', 'No network shows such a machine that is not ours.', {
      field: 'instanceId',
      next: 'Look at the networks again.',
    });
  }
  const price = machine.pricePerHourMicroUsd;
  if (price !== null && (shown === null || parseMicroUsd(price) > parseMicroUsd(shown))) {
    throw new HitchError('CONFLICT', 'It costs more by now than was shown.', { next: 'Look at it again.' });
  }
  return {
    lines: [
      `Adopt ${machineWords(machine)}?`,
      ...adoptionLines(network, machine, { capMicroUsd, stopAtMs, setUp }, nowMs),
    ],
    yes: setUp === undefined ? 'Count it and end it' : 'Adopt it and set it up',
  };
}

/** As the clusters take it. */
export function adoptionIn({
  instanceId,
  pricePerHourMicroUsd: price,
  capMicroUsd,
  stopAtMs,
  name,
  setUp,
}: AdoptionRequest): Omit<Adoption, 'name'> & { readonly name?: string } {
  return {
    instanceId,
    stopAtMs,
    pricePerHourMicroUsd: price === null ? null : parseMicroUsd(price),
    capMicroUsd: parseMicroUsd(capMicroUsd),
    ...(name === undefined ? {} : { name }),
    ...(setUp === undefined ? {} : { setUp }),
  };
}
