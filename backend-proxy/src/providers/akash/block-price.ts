/**
 * Money on the chain. A lease costs so much a block, in millionths of a dollar (uact); what an hour costs follows from the six
 * seconds that a block is meant to take (`averageBlockTime`, `averageBlockCountInAnHour` of apps/api/src/utils/constants.ts of
 * akash-network/console). Blocks take a little more or less, which is why prices are estimates.
 */
import type { MicroUsd } from '@hitch/contract';
import * as z from 'zod';
import { microUsdOf } from '../http/dollars.ts';

export const BLOCK_MS = 6_000;
const BLOCKS_AN_HOUR = 600n;
/** Of a dollar. Prices in AKT (`uakt`) cannot be held against a limit in dollars. */
export const DENOM = 'uact';

export const coinSchema = z.object({ denom: z.string(), amount: z.string() });
export type Coin = z.output<typeof coinSchema>;

/** What an hour at so much a block costs, rounded up; null: it is in another currency, or no amount. */
export function perHour({ denom, amount }: Coin): MicroUsd | null {
  return denom === DENOM ? read(amount, BLOCKS_AN_HOUR) : null;
}

/** An amount on the chain; null: it is in another currency, or no amount. */
export function microUsdIn({ denom, amount }: Coin): MicroUsd | null {
  return denom === DENOM ? read(amount, 1n) : null;
}

function read(amount: string, times: bigint): MicroUsd | null {
  try {
    return microUsdOf(amount, { times, over: 1_000_000n });
  } catch {
    return null;
  }
}

/** The most that a block may cost for an hour to cost no more than this, in whole uact. */
export const mostPerBlock = (mostPerHour: MicroUsd): bigint => mostPerHour / BLOCKS_AN_HOUR;
