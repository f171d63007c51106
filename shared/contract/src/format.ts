/** Amounts, times and sizes as all clients write them. */
import { formatMicroUsd, type MicroUsd, parseMicroUsd, showDollars } from './money.ts';

const CENT = 10_000n;

/** `$0.42` from an amount on the wire; what is less than a cent, and not nothing, is `<$0.01`. */
export const dollars = (amount: string): string => spent(parseMicroUsd(amount));

/** The same of an amount that was computed. */
export const spent = (exact: MicroUsd): string =>
  exact > 0n && exact < CENT ? '<$0.01' : showDollars(exact);

/** What the present run has cost: what its cap counts. A daemon of an earlier version says nothing of runs. */
export const costOfRun = (usage: {
  readonly accruedMicroUsd: string;
  readonly spentBeforeMicroUsd?: string;
}): string =>
  formatMicroUsd(parseMicroUsd(usage.accruedMicroUsd) - parseMicroUsd(usage.spentBeforeMicroUsd ?? '0'));

/** `0:14`, `12:05`, `1:02:03`. */
export function elapsed(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (value: number) => value.toString().padStart(2, '0');
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

/** `30 min`, `4 h`, `45 s`: a length of time in words, rounded up. */
export function duration(ms: number): string {
  if (ms < 60_000) {
    return `${Math.ceil(ms / 1000)} s`;
  }
  return ms < 2 * 3_600_000 ? `${Math.ceil(ms / 60_000)} min` : `${Math.round(ms / 360_000) / 10} h`;
}

/** `18:10` on this computer's clock; with the day when that could be read as another time: not today, and not near. */
export function clock(atMs: number, nowMs: number = atMs): string {
  const at = new Date(atMs);
  const two = (value: number) => value.toString().padStart(2, '0');
  const time = `${two(at.getHours())}:${two(at.getMinutes())}`;
  const isToday = at.toDateString() === new Date(nowMs).toDateString();
  return isToday || Math.abs(atMs - nowMs) < 12 * 3_600_000
    ? time
    : `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${time}`;
}

/** `24 GB` from MiB, as cards are sold. */
export const gigabytes = (mib: number): string => `${Math.round(mib / 1024)} GB`;

/** `1.2 GB`, `340 MB`, `12 kB`, `7 bytes`. */
export function bytes(count: number): string {
  const units = ['kB', 'MB', 'GB', 'TB'];
  let value = count;
  let unit = 'bytes';
  for (const next of units) {
    if (value < 1000) {
      break;
    }
    value /= 1000;
    unit = next;
  }
  return `${unit === 'bytes' || value >= 100 ? Math.round(value) : Math.round(value * 10) / 10} ${unit}`;
}

/** Such as `1× RTX 4090, 24 GB`, or `8 CPU cores` for a machine without a GPU. */
export function machineTitle(machine: {
  gpuModel: string | null;
  gpuCount: number;
  vramMiB: number;
  cpuCores: number;
}): string {
  const { gpuModel, gpuCount, vramMiB, cpuCores } = machine;
  if (gpuModel === null) {
    return `${cpuCores} CPU cores`;
  }
  // 0 where nobody said how much memory it has, as of a machine that was adopted.
  return `${gpuCount}× ${gpuModel}${vramMiB === 0 ? '' : `, ${gigabytes(vramMiB)}`}`;
}

export const MARKET_WORDS = { on_demand: 'on demand', spot: 'spot' } as const;

/** Who stands behind a machine. */
export const TRUST_WORDS = {
  own: 'your own',
  data_center: 'data centre',
  verified: 'verified',
  community: 'community',
} as const;

/** An offer in one line: its machine, who rents it out, and where it stands. */
export const offerTitle = (
  offer: Parameters<typeof machineTitle>[0] & { country: string | null },
  network: string,
): string => [machineTitle(offer), network, ...(offer.country === null ? [] : [offer.country])].join(', ');

/** A sentence that goes into a line: without its full stop. */
export const clause = (sentence: string): string => sentence.trim().replace(/\.$/, '');
