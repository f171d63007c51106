/** What Vast.ai charged: lines of its bill, and machines that came and went. */
import type { MicroUsd } from '@hitch/contract';
import type { BillLine, Instance, Rate } from '../provider.ts';
import { MACHINE } from './offers.ts';
import type { Charge } from './shapes.ts';

const HOUR_MS = 3_600_000n;

/** The network's words for what is charged. Source: `GET /api/v0/charges/` in the API reference. */
const LABELS: Readonly<Record<string, string>> = {
  gpu: MACHINE,
  disk: 'Disk',
  bwd: 'Downloads',
  bwu: 'Uploads',
};

/** What carries no label is known by the machine that it is for. */
export const linesOf = (charge: Charge): readonly BillLine[] => {
  const mark = markOf(charge);
  const instanceId = mark === null ? instanceIdOf(charge) : null;
  const of = { mark, ...(instanceId === null ? {} : { instanceId }) };
  const items = charge.items ?? [];
  return items.length === 0
    ? [{ ...of, label: 'Charges', amountMicroUsd: charge.amount }]
    : items.map(({ type, amount }) => ({ ...of, label: labelOf(type), amountMicroUsd: amount }));
};

export const markOf = ({ metadata }: Charge): string | null => metadata?.label ?? null;

/** The machine that it is for; null: none. */
export const instanceIdOf = ({ source }: Charge): string | null =>
  /^instance-([0-9]+)$/.exec(source ?? '')?.[1] ?? null;

/** A machine that is over, by what was charged for it. */
export function pastInstance(id: string, charge: Charge): Instance {
  const ends = charge.end;
  return {
    id,
    mark: markOf(charge),
    status: 'gone',
    members: [],
    rates: ratesOf(charge),
    message: 'Vast.ai charged for it, and has it no more.',
    ...(typeof ends === 'number' ? { billedUntilMs: ends * 1000 } : {}),
  };
}

/** What was charged by time, by the hour, each from its start to the end of all. */
function ratesOf({ end, items }: Charge): readonly Rate[] {
  const parts = new Map<string, Rate>();
  for (const { type, start, amount } of items ?? []) {
    const byTime = type === 'gpu' || type === 'disk';
    if (byTime && typeof start === 'number' && typeof end === 'number' && end > start && amount > 0n) {
      const label = labelOf(type);
      parts.set(label, { label, perHourMicroUsd: perHour(amount, end - start), fromMs: start * 1000 });
    }
  }
  return [...parts.values()];
}

function perHour(amount: MicroUsd, seconds: number): MicroUsd {
  const ms = BigInt(Math.round(seconds * 1000));
  return (amount * HOUR_MS + ms - 1n) / ms;
}

const labelOf = (type: string | null | undefined): string => LABELS[type ?? ''] ?? type ?? 'Charges';
