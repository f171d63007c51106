/** Times as people type them. */
import { format } from '@hitch/contract';

const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * Reads `90s`, `30m`, `2h`, `1d` or `1h30m`. A number without a unit is refused: it could be anything.
 * @throws RangeError with a sentence.
 */
export function parseDuration(text: string): number {
  const trimmed = text.trim().toLowerCase();
  if (!/^(?:\d{1,6}[smhd])+$/.test(trimmed)) {
    throw new RangeError(`"${text.slice(0, 40)}" is not a length of time: write it like 30m, 2h or 1h30m.`);
  }
  const total = Array.from(trimmed.matchAll(/(\d+)([smhd])/g)).reduce(
    (sum, [, amount = '0', unit = '']) => sum + Number(amount) * (UNIT_MS[unit] ?? 0),
    0,
  );
  if (total === 0 || total > 366 * 86_400_000) {
    throw new RangeError(`"${text.slice(0, 40)}" is not between one second and a year.`);
  }
  return total;
}

/**
 * Reads a moment: `18:10` (the next time the clock shows it), `2026-11-22 18:10` (local time) or a full ISO time.
 * @throws RangeError with a sentence when it is none of these or has passed.
 */
export function parseMoment(text: string, nowMs: number): number {
  const trimmed = text.trim();
  const clock = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(trimmed);
  if (clock !== null) {
    const at = new Date(nowMs);
    at.setHours(Number(clock[1]), Number(clock[2]), 0, 0);
    if (at.getTime() <= nowMs) {
      at.setDate(at.getDate() + 1);
    }
    return at.getTime();
  }
  const at = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}/.test(trimmed) ? new Date(trimmed).getTime() : Number.NaN;
  if (Number.isNaN(at)) {
    throw new RangeError(`"${text.slice(0, 40)}" is not a time: write it like 18:10 or 2026-11-22 18:10.`);
  }
  if (at <= nowMs) {
    throw new RangeError(`"${text.slice(0, 40)}" has passed.`);
  }
  return at;
}

/** `18:10:05` on this computer's clock. */
export function showSecond(atMs: number): string {
  return `${format.clock(atMs)}:${new Date(atMs).getSeconds().toString().padStart(2, '0')}`;
}
