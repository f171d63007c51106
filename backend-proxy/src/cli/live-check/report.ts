/** What a check found: quote, meter and bill beside each other, and the file that a person can hand in. */
import {
  type BillCheck,
  checkedRecordingSchema,
  type CheckedRecording,
  type Cluster,
  HitchError,
  type LiveCheck,
  type MicroUsd,
  parseMicroUsd,
  type Quote,
  showDollars,
} from '@hitch/contract';
import { existsSync, readFileSync } from 'node:fs';
import type { Worked } from './work.ts';

/** What differs by less is rounding. */
const AGREES_PERCENT = 1n;

export function checkOf(quote: Quote, worked: Worked, bill: BillCheck | null): LiveCheck {
  const { cluster, steps, problem } = worked;
  const counted = parseMicroUsd(cluster?.usage.accruedMicroUsd ?? '0');
  const quoted = parseMicroUsd(quote.ratePerHourMicroUsd);
  return {
    outcome: problem === null ? 'passed' : 'failed',
    steps: [...steps],
    quotedPerHourMicroUsd: quote.ratePerHourMicroUsd,
    countedMicroUsd: cluster?.usage.accruedMicroUsd ?? '0',
    billedMicroUsd: bill === null || parseMicroUsd(bill.billedMicroUsd) === 0n ? null : bill.billedMicroUsd,
    notes: [
      ...(problem === null ? [] : [problem]),
      ...(cluster === null ? [] : [priceNote(quoted, cluster)]),
      ...billNotes(counted, bill),
    ],
  };
}

function priceNote(quoted: MicroUsd, { nodes }: Cluster): string {
  const bought = nodes.flatMap(({ attempts }) => attempts).findLast(({ instanceId }) => instanceId !== null);
  if (bought === undefined) {
    return 'Nothing was rented, so that there is no price to compare.';
  }
  const asked = parseMicroUsd(bought.pricePerHourMicroUsd);
  return isNear(quoted, asked)
    ? `The price is the one of the quote: ${showDollars(asked)}/h.`
    : `The network asks ${showDollars(asked)}/h; the quote said ${showDollars(quoted)}/h.`;
}

export function billNotes(counted: MicroUsd, bill: BillCheck | null): readonly string[] {
  const billed = parseMicroUsd(bill?.billedMicroUsd ?? '0');
  if (bill === null || billed === 0n) {
    return [`Hitch counted ${showDollars(counted)}. The network has no bill for it yet.`];
  }
  return [
    bill.warning ??
      (isNear(counted, billed)
        ? `Meter and bill agree: ${showDollars(counted)} counted, ${showDollars(billed)} billed.`
        : `Hitch counted ${showDollars(counted)}; ${showDollars(billed)} is billed so far, and the rest may come later.`),
  ];
}

function isNear(one: MicroUsd, other: MicroUsd): boolean {
  const difference = one > other ? one - other : other - one;
  return difference * 100n <= one * AGREES_PERCENT || difference < 1_000n;
}

/** @throws HitchError where there is no such file, or it is another. */
export function readRecording(path: string): CheckedRecording {
  if (!existsSync(path)) {
    throw new HitchError('NOT_FOUND', `${path}: there is no such file.`, { field: '--file' });
  }
  try {
    return checkedRecordingSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (cause) {
    throw new HitchError('BAD_INPUT', `${path} is no recording of a live check.`, { field: '--file', cause });
  }
}
