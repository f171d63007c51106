/** The simulated networks with far more to rent than they have otherwise. */
import { systemClock } from '@hitch/platform/src/clock.ts';
import { AkashSimulator } from '../simulators/akash/akash-simulator.ts';
import { AKASH_MODELS } from '../simulators/akash/models.ts';
import type { Simulator } from '../simulators/frame/simulator.ts';
import { HARDWARE } from '../simulators/ionet/hardware.ts';
import { IonetSimulator } from '../simulators/ionet/ionet-simulator.ts';
import { NOSANA_MARKETS } from '../simulators/nosana/markets.ts';
import { NosanaSimulator } from '../simulators/nosana/simulator.ts';
import { PRIME_ROWS } from '../simulators/prime/availability.ts';
import { PrimeSimulator } from '../simulators/prime/prime-simulator.ts';
import { RUNPOD_GPUS } from '../simulators/runpod/catalogue.ts';
import { RunpodSimulator } from '../simulators/runpod/runpod-simulator.ts';
import { VastSimulator } from '../simulators/vast/vast-simulator.ts';

/** Rows of each catalogue. */
export interface Crowd {
  /** Computers, let in one way or in several, on demand and by bids. */
  readonly vast: number;
  readonly ionet: number;
  readonly prime: number;
  readonly akash: number;
  readonly nosana: number;
  readonly runpod: number;
}

/** Money is no matter there. */
const DOLLARS = 10_000_000;

/**
 * None of them refuses calls that come too often.
 * @param startMs from a purchase until its machine runs
 */
export function crowdedNetworks(rows: Crowd, startMs = 1_000): ReadonlyMap<string, Simulator> {
  const clock = systemClock;
  const akash = new AkashSimulator({ clock, balance: DOLLARS, bootMs: startMs });
  // Models that cannot be ordered are left out of its offers.
  akash.models = many(rows.akash, AKASH_MODELS.slice(0, 5), (row, at) => ({
    ...row,
    ram: `${(8 + at).toString()}Gi`,
  }));
  const nosana = new NosanaSimulator({ clock });
  nosana.markets = many(rows.nosana, NOSANA_MARKETS.slice(0, 4), (row, at) => ({
    ...row,
    address: `${row.address}${at.toString()}`,
  }));
  const all: readonly Simulator[] = [
    new VastSimulator({
      clock,
      machineCount: rows.vast,
      bootMs: startMs,
      creditMicroUsd: BigInt(DOLLARS) * 1_000_000n,
    }),
    new IonetSimulator({
      clock,
      limits: false,
      bootMs: startMs,
      endMs: 0,
      hardware: many(rows.ionet, HARDWARE.slice(0, 5), (row, at) => ({
        ...row,
        deployId: `${row.deployId}.${at.toString()}`,
      })),
    }),
    new RunpodSimulator({
      clock,
      balance: DOLLARS,
      startMs: 0,
      pullMs: startMs,
      gpus: many(rows.runpod, RUNPOD_GPUS.slice(0, 3), (row, at) => ({
        ...row,
        id: `${row.id} ${at.toString()}`,
      })),
    }),
    new PrimeSimulator({
      clock,
      balance: DOLLARS,
      startMs: 0,
      installMs: startMs,
      rows: many(rows.prime, PRIME_ROWS.slice(0, 5), (row, at) => ({
        ...row,
        cloudId: `${row.cloudId}.${at.toString()}`,
      })),
    }),
    akash,
    nosana,
  ];
  return new Map(all.map(simulator => [simulator.id, simulator]));
}

const many = <Row>(count: number, rows: readonly Row[], changed: (row: Row, at: number) => Row): Row[] =>
  Array.from({ length: count }, (_, at) => rows[at % rows.length]).flatMap((row, at) =>
    row === undefined ? [] : [changed(row, at)],
  );
