/** Any network that is simulated, its adapter in front of it: for what has to hold of all of them alike. */
import assert from 'node:assert/strict';
import { VirtualClock } from '@hitch/platform/src/clock.ts';
import { seededRandom } from '@hitch/platform/src/random.ts';
import type { Transport } from '../../backend-proxy/src/providers/http/transport.ts';
import { NETWORKS } from '../../backend-proxy/src/providers/folders.ts';
import type { LoginValues, Provider } from '../../backend-proxy/src/providers/provider.ts';
import { type KnownSimulator, SIMULATORS } from '../simulators/all.ts';
import { type FaultRule, Faults } from '../simulators/frame/faults.ts';
import type { Simulator } from '../simulators/frame/simulator.ts';
import { transportTo } from '../simulators/frame/transport.ts';
import { toolsWith } from './network-tools.ts';
import { farWays } from './far-subject.ts';
import type { ProviderSubject } from './provider-rig.ts';

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

/** A simulator that keeps what an adapter sent and its network does not know. */
interface Strict extends Simulator {
  readonly complaints: readonly string[];
}

/** An adapter on a simulator that a test has made as it wants it. */
export interface SubjectOver<Adapter extends Provider, Sim extends Strict> extends ProviderSubject {
  readonly provider: Adapter;
  readonly simulator: Sim;
  readonly clock: VirtualClock;
  readonly faults: Faults;
}

interface Over<Adapter extends Provider, Sim extends Strict> {
  readonly simulator: (clock: VirtualClock) => Sim;
  readonly adapter: (around: { readonly transport: Transport; readonly clock: VirtualClock }) => Adapter;
  /** What goes wrong on the way. */
  readonly rules: readonly FaultRule[];
  readonly unknownId?: string;
  /** Why nobody comes in where it says that ssh leads; left out: that way is real. */
  readonly leadsNowhere?: string | undefined;
  /** Rented with the same account by no means of Hitch's. */
  readonly boughtElsewhere: (simulator: Sim) => Promise<string>;
}

/** Its end fails where the adapter sent what the network does not know. */
export function subjectOver<Adapter extends Provider, Sim extends Strict>({
  simulator: build,
  adapter,
  rules,
  unknownId,
  leadsNowhere,
  boughtElsewhere,
}: Over<Adapter, Sim>): SubjectOver<Adapter, Sim> {
  const clock = new VirtualClock();
  const simulator = build(clock);
  const ways = farWays();
  const faults = new Faults(rules, () => seededRandom(1).next());
  const transport = transportTo(simulator, { clock, faults });
  const open = (): Adapter => adapter({ transport, clock });
  return {
    provider: open(),
    restarted: open,
    far: ways.far,
    simulator,
    clock,
    faults,
    ...(unknownId === undefined ? {} : { unknownId }),
    ...(leadsNowhere === undefined ? {} : { leadsNowhere }),
    boughtElsewhere: () => boughtElsewhere(simulator),
    pass: ms => {
      clock.jump(ms);
      return Promise.resolve();
    },
    dispose: async () => {
      await ways.close();
      await simulator.close();
      assert.deepEqual(simulator.complaints, [], 'it was asked for nothing that the network does not know');
    },
  };
}
