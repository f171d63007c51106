/** Times as people type them. */
import { cutText, format } from '@hitch/contract';

const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * Reads `90s`, `30m`, `2h`, `1d` or `1h30m`. A number without a unit is refused: it could be anything.
 * @throws RangeError with a sentence.
 */
export function parseDuration(text: string): number {
  const trimmed = text.trim().toLowerCase();
  if (!/^(?:\d{1,6}[smhd])+$/.test(trimmed)) {
    throw new RangeError(`"${cutText(text, 40)}" is not a length of time: write it like 30m, 2h or 1h30m.`);
  }
  const total = Array.from(trimmed.matchAll(/(\d+)([smhd])/g)).reduce(
    (sum, [, amount = '0', unit = '']) => sum + Number(amount) * (UNIT_MS[unit] ?? 0),
    0,
  );
  if (total === 0 || total > 366 * 86_400_000) {
    throw new RangeError(`"${cutText(text, 40)}" is not between one second and a year.`);
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
    return nextTime(Number(clock[1]), Number(clock[2]), nowMs);
  }
  const day = /^(\d{4})-(\d{2})-(\d{2})[T ]\d{2}:\d{2}/.exec(trimmed);
  const at = day === null ? Number.NaN : new Date(trimmed).getTime();
  if (day === null || Number.isNaN(at)) {
    throw new RangeError(`"${cutText(text, 40)}" is not a time: write it like 18:10 or 2026-11-22 18:10.`);
  }
  const [year, month, date] = day.slice(1).map(Number);
  // A date takes the 31st of February for the 3rd of March.
  if (new Date(Date.UTC(year ?? 0, (month ?? 0) - 1, date)).getUTCDate() !== date) {
    throw new RangeError(`"${cutText(text, 40)}" is on a day that there is not.`);
  }
  if (at <= nowMs) {
    throw new RangeError(`"${cutText(text, 40)}" has passed.`);
  }
  return at;
}

/** Zones set their clocks by these. */
const CLOCK_SHIFTS_MS = [0, 30 * 60_000, 60 * 60_000];

/** The next moment at which the clock shows it: one is shown twice on a day, another never, where clocks are set. */
function nextTime(hours: number, minutes: number, nowMs: number): number {
  for (let days = 0; ; days += 1) {
    const at = new Date(nowMs);
    at.setHours(0, 0, 0, 0);
    at.setDate(at.getDate() + days);
    at.setHours(hours, minutes);
    const shown = CLOCK_SHIFTS_MS.map(shift => new Date(at.getTime() + shift)).find(
      time => time.getHours() === hours && time.getMinutes() === minutes && time.getTime() > nowMs,
    );
    if (shown !== undefined) {
      return shown.getTime();
    }
  }
}

/** `18:10:05` on this computer's clock. */
export function showSecond(atMs: number): string {
  return `${format.clock(atMs)}:${new Date(atMs).getSeconds().toString().padStart(2, '0')}`;
}
