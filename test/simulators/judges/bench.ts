/** A simulator over HTTP for a network's own client, and for Hitch beside it. */
import assert from 'node:assert/strict';
import { systemClock } from '@hitch/platform/src/clock.ts';
import { Faults } from '../frame/faults.ts';
import { serveSimulator, type SimulatorServer } from '../frame/server.ts';
import type { SimRequest, Simulator } from '../frame/simulator.ts';

/** Longer than these tests: what is rented here never boots, and nobody dials an address that is not there. */
export const NEVER_MS = 24 * 3_600_000;

export interface JudgedSimulator extends Simulator {
  /** What Hitch sent that the network would refuse. */
  readonly complaints: readonly string[];
}

export class Bench<Of extends JudgedSimulator = JudgedSimulator> {
  readonly simulator: Of;
  /** Every request of Hitch's. */
  readonly hitchAsked: SimRequest[] = [];
  #server: SimulatorServer | null = null;

  constructor(simulator: Of) {
    this.simulator = simulator;
  }

  get url(): string {
    return this.#server?.url ?? assert.fail('it is not open');
  }

  /** The ids of the machines that Hitch asked to end: keys that it put on the account are its own to take out. */
  hitchDestroyed(): readonly string[] {
    return this.hitchAsked
      .filter(
        ({ method, path }) =>
          (method === 'DELETE' && !path.includes('/ssh_keys/')) ||
          (method === 'POST' && path.endsWith('/stop')),
      )
      .map(({ path }) => path.split('/').findLast(part => part !== '' && part !== 'stop') ?? path);
  }

  async open(): Promise<void> {
    this.#server = await serveSimulator(this.simulator, {
      clock: systemClock,
      faults: new Faults([], () => 1),
      heard: request => {
        if (request.headers['user-agent'] === 'hitch') {
          this.hitchAsked.push(request);
        }
      },
    });
  }

  async close(): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]();
    await this.simulator.close();
    assert.deepEqual(this.simulator.complaints, [], 'Hitch sent what the network refuses');
  }
}
