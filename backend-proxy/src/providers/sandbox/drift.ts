/**
 * How price and stock move: pure functions of the seed, the entry and the minute, so that any moment can be asked
 * for without having lived through the ones before it.
 */
import type { Offer } from '@hitch/contract';
import type { CatalogueEntry } from './catalogue.ts';

const MS_PER_MINUTE = 60_000;
/** Prices stay within this share of their middle, and move less than `MOST_STEP` of it in a minute. */
export const MOST_SWING = 0.15;
export const MOST_STEP = 0.02;

/** A number 0 ≤ x < 1 that depends on all of `keys` and looks random; the same on every platform. */
export function hashUnit(...keys: readonly (number | string)[]): number {
  let hash = 0x811c9dc5;
  const text = keys.join(' ');
  for (let at = 0; at < text.length; at++) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

/** −1 … 1, continuous over time: points drawn every `everyMinutes`, straight lines between them. */
function wander(seed: number, index: number, minute: number, everyMinutes: number): number {
  const step = Math.floor(minute / everyMinutes);
  const from = hashUnit(seed, index, everyMinutes, step);
  const to = hashUnit(seed, index, everyMinutes, step + 1);
  return 2 * (from + (to - from) * (minute / everyMinutes - step)) - 1;
}

/** A price, its parts and the stock in the minute that holds `nowMs`. The parts add up to the price exactly. */
export function quoteAt(
  seed: number,
  entry: CatalogueEntry,
  nowMs: number,
): Pick<Offer, 'pricePerHourMicroUsd' | 'priceParts' | 'stock'> {
  const minute = Math.floor(nowMs / MS_PER_MINUTE);
  const swing = 0.1 * wander(seed, entry.index, minute, 45) + 0.05 * wander(seed, entry.index, minute, 11);
  const machine = Math.round(entry.gpuMicroUsd * (1 + swing));
  const disk = entry.diskMicroUsd;
  const fees = Math.floor(((machine + disk) * entry.feeBasisPoints) / 10_000);
  const parts = [
    { label: entry.fixed.gpuCount > 0 ? 'GPU' : 'CPU', perHourMicroUsd: machine.toString() },
    { label: 'disk', perHourMicroUsd: disk.toString() },
    { label: 'fees', perHourMicroUsd: fees.toString() },
  ];
  const fill = wander(seed + 1, entry.index, minute, 30);
  return {
    pricePerHourMicroUsd: (machine + disk + fees).toString(),
    priceParts: parts,
    stock: Math.max(0, Math.round(entry.fullStock * Math.min(1, fill + 0.8))),
  };
}
