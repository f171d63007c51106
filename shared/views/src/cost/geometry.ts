/** What a cluster cost at each moment, from its parts: exact in micro-dollars, linear between the moments given. */
import {
  costAhead,
  costOver,
  format,
  parseMicroUsd,
  type Cluster,
  type MicroUsd,
  type Usage,
} from '@hitch/contract';

export interface CostPoint {
  readonly atMs: number;
  readonly microUsd: MicroUsd;
}

type Part = Usage['parts'][number];

/** What one part had cost by then. A part that is over cost what it says, to the micro-dollar. */
function partAt(part: Part, atMs: number): MicroUsd {
  if (atMs < part.startMs) {
    return 0n;
  }
  if (part.endMs !== null && atMs >= part.endMs) {
    return parseMicroUsd(part.costMicroUsd);
  }
  return costOver(parseMicroUsd(part.ratePerHourMicroUsd), atMs - part.startMs);
}

const sumAt = (parts: readonly Part[], atMs: number): MicroUsd =>
  parts.reduce((sum, part) => sum + partAt(part, atMs), 0n);

/** Where the line bends until `nowMs`; an amount paid at once is two points at one moment. */
export function accrued({ usage, createdAtMs }: Cluster, nowMs: number): readonly CostPoint[] {
  const { parts } = usage;
  const moments = new Set([createdAtMs, nowMs]);
  for (const { startMs, endMs } of parts) {
    moments.add(startMs);
    if (endMs !== null) {
      moments.add(endMs);
    }
  }
  const sorted = [...moments].filter(atMs => atMs >= createdAtMs && atMs <= nowMs).sort((a, b) => a - b);
  return sorted.flatMap(atMs => {
    const before = sumAt(
      parts.filter(({ startMs }) => startMs < atMs),
      atMs,
    );
    const after = sumAt(parts, atMs);
    return before === after
      ? [{ atMs, microUsd: after }]
      : [
          { atMs, microUsd: before },
          { atMs, microUsd: after },
        ];
  });
}

/** The cap on the line of all that a cluster has cost: what earlier runs cost is not part of it. */
export const capInAll = (usage: Cluster['usage']): MicroUsd =>
  parseMicroUsd(usage.capMicroUsd) +
  parseMicroUsd(usage.accruedMicroUsd) -
  parseMicroUsd(format.costOfRun(usage));

/** When it will end and what it will have cost then at today's rate; null where nothing costs or nothing ends it. */
export function forecast({ usage, caps, endedAtMs }: Cluster, nowMs: number): CostPoint | null {
  const rate = parseMicroUsd(usage.ratePerHourMicroUsd);
  const ends = [caps.stopAtMs, usage.capReachedAtMs].filter(atMs => atMs !== null && atMs > nowMs);
  if (rate === 0n || endedAtMs !== null || ends.length === 0) {
    return null;
  }
  const atMs = Math.min(...ends.map(Number));
  const charge = { ratePerHourMicroUsd: rate, paidMicroUsd: parseMicroUsd(usage.paidAheadMicroUsd) };
  const spent = parseMicroUsd(usage.accruedMicroUsd) + costAhead([charge], atMs - nowMs);
  const cap = capInAll(usage);
  return { atMs, microUsd: spent > cap ? cap : spent };
}

export interface PlotBox {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

export interface PlotScale {
  readonly x: (atMs: number) => number;
  readonly y: (amount: MicroUsd) => number;
}

/** Only places on the screen are floats; the amounts they stand for stay whole. */
export function scale(box: PlotBox, fromMs: number, toMs: number, most: MicroUsd): PlotScale {
  const span = Math.max(1, toMs - fromMs);
  const top = most === 0n ? 1n : most;
  return {
    x: atMs => box.left + ((atMs - fromMs) / span) * box.width,
    y: amount => box.top + box.height - Number((amount * 1_000_000n) / top) * (box.height / 1_000_000),
  };
}

export function polyline(points: readonly CostPoint[], { x, y }: PlotScale): string {
  return points.map(({ atMs, microUsd }) => `${x(atMs).toFixed(1)},${y(microUsd).toFixed(1)}`).join(' ');
}
