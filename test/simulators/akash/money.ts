/** What an account at the simulated Akash has, as `GET /v1/balances` says it. */
import { FINE, type Chain } from './chain.ts';

/** In dollars. */
export interface Money {
  /** Left beside what deposits hold. */
  readonly balance: number;
  /** What deposits hold now. */
  readonly deployments: number;
  readonly total: number;
}

/** @param paidIn dollars */
export function moneyOf(chain: Chain, paidIn: number): Money {
  const used = chain.deployments.reduce((sum, each) => sum + dollars(chain.transferred(each)), 0);
  const deployments = chain.deployments
    .filter(each => !chain.isOver(each))
    .reduce((sum, each) => sum + Math.max(0, dollars(each.deposit - chain.transferred(each))), 0);
  const balance = paidIn - used - deployments;
  return { balance, deployments, total: balance + deployments };
}

const dollars = (fine: bigint): number => Number(fine / FINE) / 1e6;
