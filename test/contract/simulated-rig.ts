/** Any network that is simulated, its adapter in front of it: for what has to hold of all of them alike. */
import { VirtualClock } from '@hitch/platform/src/clock.ts';
import { seededRandom } from '@hitch/platform/src/random.ts';
import { NETWORKS } from '../../backend-proxy/src/providers/folders.ts';
import type { LoginValues, Provider } from '../../backend-proxy/src/providers/provider.ts';
import { type KnownSimulator, SIMULATORS } from '../simulators/all.ts';
import { Faults } from '../simulators/frame/faults.ts';
import type { Simulator } from '../simulators/frame/simulator.ts';
import { transportTo } from '../simulators/frame/transport.ts';
import { toolsWith } from './catalogue-suite.ts';

export interface SimulatedRig extends AsyncDisposable {
  readonly known: KnownSimulator;
  readonly simulator: Simulator;
  readonly clock: VirtualClock;
  /** What goes wrong on the way; nothing at first. */
  readonly faults: Faults;
  /** Another adapter object on the same account, or with another login. */
  adapter(login?: LoginValues): Provider;
}

/** @param aheadMs by how much the network's clock is ahead of this computer's */
export function simulatedRig(known: KnownSimulator, aheadMs = 0): SimulatedRig {
  const network = NETWORKS.find(({ id }) => id === known.id);
  if (network === undefined) {
    throw new Error(`There is no adapter for ${known.id}.`);
  }
  const clock = new VirtualClock();
  const itsClock = new VirtualClock();
  itsClock.jump(aheadMs);
  const simulator = known.build({ clock: itsClock, seed: 1, limits: false });
  const random = seededRandom(1);
  const faults = new Faults([], () => random.next());
  const transport = transportTo(simulator, { clock: itsClock, faults });
  const own = known.key === null ? null : { apiKey: known.key };
  return {
    known,
    simulator,
    clock: itsClock,
    faults,
    adapter: login => network.build({}, toolsWith({ clock, transport, login: login ?? own })).provider,
    [Symbol.asyncDispose]: async () => simulator.close(),
  };
}

export const SIMULATED: readonly KnownSimulator[] = SIMULATORS;
