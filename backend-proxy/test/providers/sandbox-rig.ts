/** A practice market on a clock that a test moves. */
import assert from 'node:assert/strict';
import { type Offer, parseMicroUsd } from '@hitch/contract';
import { VirtualClock } from '@hitch/platform/src/clock.ts';
import type { FaultRule } from '../../src/providers/sandbox/faults.ts';
import { type MarketOptions, SandboxMarket } from '../../src/providers/sandbox/market.ts';
import { MarketRefusal } from '../../src/providers/sandbox/market-refusal.ts';
import { memoryStorage } from '../../src/providers/sandbox/market-storage.ts';
import { NullRuntime } from '../../src/providers/sandbox/null-runtime.ts';

export const signal: AbortSignal = new AbortController().signal;
export const HOUR_MS = 3_600_000;

export function open(options: Partial<MarketOptions> = {}, rules: readonly FaultRule[] = []) {
  const clock = new VirtualClock();
  const market = new SandboxMarket({
    clock,
    storage: memoryStorage(),
    runtime: new NullRuntime({ clock }),
    faults: { seed: 7, rules: [...rules] },
    ...options,
  });
  return { clock, market };
}

export async function rentOne(
  market: SandboxMarket,
  ref: string,
  wanted: (offer: Offer) => boolean = () => true,
) {
  const offer = (await market.offers(signal)).find(wanted);
  assert.ok(offer !== undefined);
  const order = {
    ref,
    entryId: offer.id.slice('sandbox:'.length),
    maxPricePerHourMicroUsd: parseMicroUsd(offer.pricePerHourMicroUsd),
    endAtMs: null,
  };
  return { offer, order, rental: await market.rent(order, signal) };
}

export function isRefusal(code: MarketRefusal['code']): (error: unknown) => boolean {
  return error => {
    assert.ok(error instanceof MarketRefusal, String(error));
    assert.equal(error.code, code);
    return true;
  };
}
