/** The simulators that there are; one that is added stands here too. */
import type { Clock } from '@hitch/platform/src/clock.ts';
import { AKASH_KEY, AkashSimulator } from './akash/akash-simulator.ts';
import type { SimMachines, Simulator } from './frame/simulator.ts';
import { IONET_KEY } from './ionet/door.ts';
import { IonetSimulator } from './ionet/ionet-simulator.ts';
import { NOSANA_KEY, NosanaSimulator } from './nosana/simulator.ts';
import { PRIME_KEY, PrimeSimulator } from './prime/prime-simulator.ts';
import { RUNPOD_KEY, RunpodSimulator } from './runpod/runpod-simulator.ts';
import { VAST_KEY, VastSimulator } from './vast/vast-simulator.ts';

export interface SimulatorBuild {
  readonly clock: Clock;
  readonly seed: number;
  /** Whether it refuses calls that come too early, as the real network does. */
  readonly limits: boolean;
  /** Left out: what is rented leads nowhere. */
  readonly machines?: SimMachines;
}

export interface KnownSimulator {
  /** The network's id in Hitch. */
  readonly id: string;
  readonly title: string;
  /** A login that it accepts; null: of this network only what is read without one is simulated. */
  readonly key: string | null;
  /** A command line for each client of the network's own that works here, by the simulator's address; else how it is read. */
  readonly ownClients: (url: string) => readonly string[];
  build(options: SimulatorBuild): Simulator;
}

export const SIMULATORS: readonly KnownSimulator[] = [
  {
    id: 'vast',
    title: 'Vast.ai',
    key: VAST_KEY,
    ownClients: url => [`VAST_URL=${url} VAST_API_KEY=${VAST_KEY} vastai search offers`],
    build: options => new VastSimulator(options),
  },
  {
    id: 'ionet',
    title: 'io.net',
    key: IONET_KEY,
    ownClients: url => [
      `IOCLOUD_BASE_URL=${url} IOCLOUD_API_KEY=${IONET_KEY} IOCLOUD_DISABLE_KEYRING=1 iocloud vm list`,
    ],
    build: options => new IonetSimulator(options),
  },
  {
    id: 'runpod',
    title: 'RunPod',
    key: RUNPOD_KEY,
    ownClients: url => [
      `RUNPOD_API_BASE_URL=${url} RUNPOD_API_KEY=${RUNPOD_KEY} npx @runpod/mcp-server`,
      `RUNPOD_API_BASE_URL=${url} python -c 'import runpod; runpod.api_key = "${RUNPOD_KEY}"; print(runpod.get_gpus())'`,
    ],
    build: options => new RunpodSimulator(options),
  },
  {
    id: 'prime',
    title: 'Prime Intellect',
    key: PRIME_KEY,
    ownClients: url => [`PRIME_API_BASE_URL=${url} PRIME_API_KEY=${PRIME_KEY} prime pods list`],
    build: options => new PrimeSimulator(options),
  },
  {
    id: 'akash',
    title: 'Akash',
    key: AKASH_KEY,
    ownClients: url => [`curl -H 'x-api-key: ${AKASH_KEY}' ${url}/v1/deployments`],
    build: options => new AkashSimulator(options),
  },
  {
    id: 'nosana',
    title: 'Nosana',
    key: NOSANA_KEY,
    ownClients: url => [
      `node -e 'import("@nosana/api").then(async ({ createNosanaApi: api }) => console.log(await api("mainnet", "${NOSANA_KEY}", { backend_url: "${url}" }).markets.list()))'`,
    ],
    build: ({ clock }) => new NosanaSimulator({ clock }),
  },
];

/** The variable that leads Hitch there, by the network's id. */
export const urlVariable = (id: string): string => `HITCH_${id.toUpperCase()}_URL`;
