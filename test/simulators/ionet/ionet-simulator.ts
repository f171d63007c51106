/**
 * io.net, here: virtual machines (VMaaS) and containers (CaaS). What it does is read in io.net's own client, `ionet-cloud` 0.4.1 (PyPI, MIT,
 * imported as `iocloud`), and in its documentation; what neither says is said where it is decided. The list of hardware and
 * prices are for everybody (`iocloud/resources/hardware.py`, `pricing.py`), everything else wants a key (`x-api-key`).
 */
import type { Clock } from '@hitch/platform/src/clock.ts';
import { seededRandom } from '@hitch/platform/src/random.ts';
import type {
  SimAnswer,
  SimBill,
  SimContainers,
  SimMachines,
  SimRental,
  SimRequest,
  Simulator,
} from '../frame/simulator.ts';
import { data, detail } from './answers.ts';
import { CONTAINER_HARDWARE, containerRow } from './container-hardware.ts';
import { costOf, type Deployment, endedAt, type Product } from './deployment.ts';
import { type Asked, IonetDesk } from './desk.ts';
import { Door, IONET_KEY } from './door.ts';
import { HARDWARE, type Hardware, hardwareRow } from './hardware.ts';
import type { IonetLies } from './lies.ts';
import { ContainerWays, Ways } from './ways.ts';

export interface IonetOptions {
  readonly clock: Clock;
  readonly seed?: number;
  /** Keys that are accepted; left out: one. */
  readonly keys?: readonly string[];
  /** Whether whoever asks too often is refused, as the real network does; left out: yes. */
  readonly limits?: boolean;
  readonly hardware?: readonly Hardware[];
  /** What it has of containers. */
  readonly containerHardware?: readonly Hardware[];
  readonly lies?: IonetLies;
  /** Left out: 90 s. */
  readonly bootMs?: number;
  /** From the end that is asked for to the end ("eventually consistent", `VmInstances.delete`); left out: 20 s. */
  readonly endMs?: number;
  /** What is behind it; left out: nothing, and addresses that lead nowhere. */
  readonly machines?: SimMachines;
  /** The same behind its containers. */
  readonly containers?: SimContainers;
}

const ENTERPRISE = /^\/enterprise\/v1\/io-cloud\/(vmaas|caas)(\/.*)$/;
const ANONYMOUS = '/v1/io-cloud/vmaas/hardware';

export class IonetSimulator implements Simulator {
  readonly id = 'ionet';
  /** What Hitch sent that io.net does not know: a test that finds anything here has failed. */
  readonly complaints: string[] = [];
  lies: IonetLies;
  readonly #clock: Clock;
  readonly #hardware: readonly Hardware[];
  readonly #containerHardware: readonly Hardware[];
  readonly deployments: Deployment[] = [];
  readonly #door: Door;
  readonly #ways: Ways;
  readonly #containerWays: ContainerWays;
  readonly #desks: Readonly<Record<Product, IonetDesk>>;

  constructor(options: IonetOptions) {
    const { clock } = options;
    this.#clock = clock;
    this.#hardware = options.hardware ?? HARDWARE;
    this.#containerHardware = options.containerHardware ?? CONTAINER_HARDWARE;
    this.lies = options.lies ?? {};
    this.#ways = new Ways(options.machines);
    this.#containerWays = new ContainerWays(options.containers);
    this.#door = new Door(clock, options.keys ?? [IONET_KEY], options.limits ?? true);
    const common = {
      clock,
      random: seededRandom(options.seed ?? 1),
      lies: () => this.lies,
      complain: (what: string) => this.complaints.push(what),
      deployments: this.deployments,
      bootMs: options.bootMs ?? 90_000,
      endMs: options.endMs ?? 20_000,
    };
    this.#desks = {
      vmaas: new IonetDesk({
        ...common,
        product: 'vmaas',
        hardware: this.#hardware,
        wayTo: deployment => this.#ways.to(deployment, this.lies.sshAccess),
      }),
      caas: new IonetDesk({
        ...common,
        product: 'caas',
        hardware: this.#containerHardware,
        wayTo: deployment => this.#containerWays.to(deployment),
      }),
    };
  }

  async handle(request: SimRequest): Promise<SimAnswer> {
    const nowMs = this.#clock.now();
    await this.#ways.endOver(this.deployments, nowMs);
    await this.#containerWays.endOver(this.deployments, nowMs);
    const key = request.headers['x-api-key'] ?? null;
    const isHitch = request.headers['user-agent'] === 'hitch';
    return this.#answer({ request, key, isHitch });
  }

  rentals(): readonly SimRental[] {
    const nowMs = this.#clock.now();
    return this.deployments.map(deployment => ({
      id: deployment.id,
      mark: deployment.name,
      boughtAtMs: deployment.createdAtMs,
      endedAtMs: endedAt(deployment, nowMs),
      perHourMicroUsd: deployment.perHourMicroUsd,
    }));
  }

  bill(): readonly SimBill[] {
    const nowMs = this.#clock.now();
    return this.deployments.map(deployment => ({
      id: deployment.id,
      mark: deployment.name,
      label: 'GPU',
      amountMicroUsd: costOf(deployment, nowMs),
    }));
  }

  async close(): Promise<void> {
    await this.#ways.close();
    await this.#containerWays.close();
  }

  #answer(asked: Asked): SimAnswer | Promise<SimAnswer> {
    const { method, path } = asked.request;
    const [, product, rest = ''] = ENTERPRISE.exec(path) ?? [];
    if (method === 'GET' && (path === ANONYMOUS || (product === 'vmaas' && rest === '/hardware'))) {
      return data({ hardware: this.#hardware.map(row => hardwareRow(row, this.lies.listsPerGpu === true)) });
    }
    if (product !== 'vmaas' && product !== 'caas') {
      return detail(404, 'Not Found');
    }
    if (method === 'GET' && rest === '/hardware') {
      // A bare list: so people read it there, and its client takes it either way (`unwrap_items` of `resources/_base.py`).
      return data(this.#containerHardware.map(containerRow));
    }
    const desk = this.#desks[product];
    return method === 'GET' && rest === '/price'
      ? desk.price(asked)
      : (this.#door.refusal(asked.key) ?? desk.answer(asked, asked.key ?? '', rest));
  }
}
