/**
 * The chain behind the simulated Akash: blocks, orders, bids, leases, and escrow accounts that are paid by the block. Amounts are
 * in millionths of an uact, which is a millionth of a dollar.
 */
import { createHash } from 'node:crypto';
import type { MicroUsd } from '@hitch/contract';
import type { SimBill } from '../frame/simulator.ts';
import type { Sdl } from './sdl.ts';

/** Millionths of an uact. */
export type Fine = bigint;
export const FINE = 1_000_000n;

export interface SimBid {
  readonly provider: string;
  readonly bseq: number;
  /** By the block. */
  readonly price: Fine;
  readonly fromMs: number;
  isClosed: boolean;
}

export interface SimLease {
  readonly bid: SimBid;
  readonly fromHeight: number;
  /** When its provider has it running; null: it was not told what to run. */
  readyAtMs: number | null;
  closedHeight: number | null;
  reason: string | null;
}

export interface SimDeployment {
  readonly dseq: string;
  readonly sdl: Sdl;
  readonly manifest: string;
  /** SHA-256 of the manifest. */
  readonly hash: Buffer;
  readonly height: number;
  readonly boughtAtMs: number;
  deposit: Fine;
  readonly bids: readonly SimBid[];
  lease: SimLease | null;
  /** When it is over; null: it stands. */
  closedAtMs: number | null;
  /** Up to which height what its escrow says is reckoned: until something is paid in or out it stays (`x/escrow`). */
  settledHeight: number;
}

const DAY_BLOCKS = 14_400n;

/** Some height of this chain, at the moment it began here. */
const FIRST_HEIGHT = 22_000_000;

export class Chain {
  readonly deployments: SimDeployment[] = [];
  readonly #now: () => number;
  readonly #startMs: number;
  readonly #blockMs: number;

  /** @param blockMs how long a block really takes: its console reckons with 6 s (`averageBlockTime`), and it is a little more */
  constructor(now: () => number, blockMs: number) {
    this.#now = now;
    this.#startMs = now();
    this.#blockMs = blockMs;
  }

  heightAt(ms: number): number {
    return FIRST_HEIGHT + Math.floor((ms - this.#startMs) / this.#blockMs);
  }

  height(): number {
    return this.heightAt(this.#now());
  }

  add(sdl: Sdl, deposit: Fine, bids: readonly SimBid[], manifest: string): SimDeployment {
    let ms = this.#now();
    // The console takes the moment for the id (`DeploymentWriterService.create`); two of one moment do not happen there.
    while (this.find(ms.toString()) !== undefined) {
      ms += 1;
    }
    const made: SimDeployment = {
      dseq: ms.toString(),
      sdl,
      manifest,
      hash: createHash('sha256').update(manifest).digest(),
      height: this.height(),
      boughtAtMs: this.#now(),
      deposit,
      bids,
      lease: null,
      closedAtMs: null,
      settledHeight: this.height(),
    };
    this.deployments.push(made);
    return made;
  }

  find(dseq: string): SimDeployment | undefined {
    return this.deployments.find(each => each.dseq === dseq);
  }

  isOver({ closedAtMs }: SimDeployment): boolean {
    return closedAtMs !== null && closedAtMs <= this.#now();
  }

  /** With it its lease is closed. */
  close(deployment: SimDeployment, atMs: number): void {
    deployment.closedAtMs ??= atMs;
    this.closeLease(deployment, this.heightAt(deployment.closedAtMs), null);
  }

  closeLease(deployment: SimDeployment, height: number, reason: string | null): void {
    const { lease } = deployment;
    if (lease !== null && lease.closedHeight === null) {
      lease.closedHeight = height;
      lease.reason = reason;
      deployment.settledHeight = height;
    }
  }

  /** Whether an order takes bids still. */
  isOpen(deployment: SimDeployment): boolean {
    return deployment.lease === null && !this.isOver(deployment);
  }

  /** What a bid's state is called. */
  wordOf(deployment: SimDeployment, bid: SimBid): string {
    const { lease } = deployment;
    if (lease?.bid === bid) {
      return 'active';
    }
    return bid.isClosed || this.isOver(deployment) ? 'closed' : lease === null ? 'open' : 'lost';
  }

  /** What the escrow says that has left it. */
  settled(deployment: SimDeployment): Fine {
    return this.transferred(deployment, this.isOver(deployment) ? this.height() : deployment.settledHeight);
  }

  /** What has left the escrow, by the block. */
  transferred({ lease }: SimDeployment, atHeight = this.height()): Fine {
    if (lease === null) {
      return 0n;
    }
    const until = Math.min(lease.closedHeight ?? Infinity, atHeight);
    return lease.bid.price * BigInt(Math.max(0, until - lease.fromHeight));
  }

  /** Fills the deposit of a lease up to two days where it would not last one (`AUTO_TOP_UP_LOOK_AHEAD_WINDOW_IN_H`). */
  topUp(deployment: SimDeployment): void {
    const { lease } = deployment;
    const used = this.transferred(deployment);
    const day = (lease?.bid.price ?? 0n) * DAY_BLOCKS;
    if (lease !== null && lease.closedHeight === null && deployment.deposit - used < day) {
      deployment.deposit = used + 2n * day;
      deployment.settledHeight = this.height();
    }
  }

  bill(): readonly SimBill[] {
    return this.deployments
      .filter(({ lease }) => lease !== null)
      .map(deployment => ({
        id: deployment.dseq,
        mark: deployment.hash.toString('hex'),
        label: 'Lease',
        amountMicroUsd: inMicroUsd(this.transferred(deployment)),
      }));
  }
}

export const inMicroUsd = (fine: Fine): MicroUsd => (fine + FINE - 1n) / FINE;

/** As the chain writes a decimal coin: eighteen places. */
export const coin = (fine: Fine) => ({
  denom: 'uact',
  amount: `${(fine / FINE).toString()}.${(fine % FINE).toString().padStart(6, '0')}${'0'.repeat(12)}`,
});
