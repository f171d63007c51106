/** A network, simulated with real machines behind sshds of their own, and a Hitch that rents there. */
import assert from 'node:assert/strict';
import { existsSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Cluster } from '@hitch/contract';
import { systemClock } from '@hitch/platform/src/clock.ts';
import { homeAt } from '@hitch/platform/src/paths.ts';
import { urlVariable } from '../simulators/all.ts';
import { Faults } from '../simulators/frame/faults.ts';
import { serveSimulator } from '../simulators/frame/server.ts';
import type { Simulator } from '../simulators/frame/simulator.ts';
import { SshdMachines } from '../simulators/frame/sshd-machines.ts';
import { DaemonHome } from '../support/daemon-home.ts';
import { gpuTools } from '../support/gpu-tools.ts';
import type { NotebookPage } from '../support/notebook-page.ts';
import { needsOpenssh } from '../support/openssh.ts';
import { needsRealNodes, skip } from '../support/processes.ts';
import { privateKeysOf, secretsOn } from '../support/secrets-on.ts';
import { until } from '../support/waiting.ts';

/** It is kept here, and no cluster is given it. */
const UNMARKED = 'a-secret-that-no-cluster-was-given';

interface Strict extends Simulator {
  readonly complaints: readonly string[];
}

export interface SshdRentalOptions<Sim extends Strict> {
  /** Its id in Hitch. */
  readonly id: string;
  /** A login that it accepts. */
  readonly key: string;
  /** What each machine says that it has. */
  readonly gpu: Parameters<typeof gpuTools>[0];
  readonly build: (machines: SshdMachines) => Sim;
  /** For the daemon. */
  readonly environment?: Readonly<Record<string, string>>;
}

export class SshdRental<Sim extends Strict> implements AsyncDisposable {
  readonly simulator: Sim;
  readonly machines: SshdMachines;
  readonly faults = new Faults([], () => 1);
  readonly #options: SshdRentalOptions<Sim>;
  readonly #close = new AsyncDisposableStack();
  #home: DaemonHome | null = null;
  /** What is rented, once a test has rented it. */
  cluster: Cluster | null = null;
  page: NotebookPage | null = null;

  private constructor(options: SshdRentalOptions<Sim>, tools: string) {
    this.#options = options;
    this.#close.defer(() => rmSync(tools, { recursive: true, force: true }));
    const programs = [process.execPath, process.env['HITCH_PYTHON'] ?? process.execPath];
    this.machines = new SshdMachines([tools, ...programs.map(program => dirname(program))]);
    this.simulator = options.build(this.machines);
    this.#close.defer(() => this.simulator.close());
  }

  /** Logged in; skips where its machines cannot be. */
  static async open<Sim extends Strict>(
    test: Mocha.Context,
    options: SshdRentalOptions<Sim>,
  ): Promise<SshdRental<Sim>> {
    needsOpenssh(test);
    needsRealNodes(test);
    if (process.getuid?.() !== 0) {
      skip(test, 'its machines are reached as root, which nobody is here');
    }
    const rental = new SshdRental(options, gpuTools(options.gpu));
    try {
      await rental.#start();
      return rental;
    } catch (error) {
      await rental[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #start(): Promise<void> {
    const { id, key, environment = {} } = this.#options;
    const server = this.#close.use(
      await serveSimulator(this.simulator, { clock: systemClock, faults: this.faults }),
    );
    const home = new DaemonHome({ HITCH_PROVIDERS: id, [urlVariable(id)]: server.url, ...environment });
    this.#home = home;
    this.#close.defer(() => home.dispose());
    await home.start();
    this.#close.defer(async () => {
      this.page?.leave();
      await home.api.networks.logout({ provider: id }).catch(() => undefined);
      await home.api.secrets.remove({ name: 'UNMARKED_TOKEN' }).catch(() => undefined);
    });
    await home.api.networks.login({ provider: id, values: { apiKey: key } });
    await home.api.secrets.set({ name: 'UNMARKED_TOKEN', value: UNMARKED });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close.disposeAsync();
  }

  get home(): DaemonHome {
    return this.#home ?? assert.fail('it is not open');
  }

  get rented(): Cluster {
    return this.cluster ?? assert.fail('nothing is rented');
  }

  get attempt() {
    return this.rented.nodes[0]?.attempts[0] ?? assert.fail('nothing was bought');
  }

  /** The network's id of the machine. */
  get machineId(): string {
    return this.attempt.instanceId ?? assert.fail('the network gave it no id');
  }

  /** It holds no login of its network, no secret that was not given to it, and nothing that opens anything. */
  async holdsNothingSecret(): Promise<void> {
    const { home, machines, machineId } = this;
    const opens = [this.#options.key, UNMARKED, home.place().token, ...privateKeysOf(homeAt(home.root))];
    const machine = {
      home: machines.folderOf(machineId),
      processes: () => machines.processesOn(machineId),
    };
    assert.ok(machine.processes().length > 1, 'its sshd, and what the cluster runs there');
    assert.deepEqual(await secretsOn(machine, opens), []);
    assert.notDeepEqual(await secretsOn(machine, [this.rented.id]), [], 'what is there is found');
  }

  /** Ends it. @returns the cluster when it is over, and what the network bills for everything */
  async end(): Promise<{ readonly over: Cluster; readonly billed: bigint }> {
    this.page?.leave();
    const over = await this.home.stopCluster(this.rented.id);
    assert.equal(over.conditions.cleanup.status, 'yes', over.message);
    assert.ok(this.simulator.rentals().every(({ endedAtMs }) => endedAtMs !== null));
    assert.deepEqual(this.simulator.complaints, []);
    const billed = this.simulator.bill().reduce((sum, { amountMicroUsd }) => sum + amountMicroUsd, 0n);
    assert.ok(billed > 0n);
    return { over, billed };
  }

  /** The network says that it is gone while it still ends what ran there. */
  async leavesNothing(): Promise<void> {
    const { machines, machineId } = this;
    await until('nothing of it is left', () => this.home.leftovers([this.rented]).length === 0);
    await until('nothing runs there', () => machines.processesOn(machineId).length === 0);
    await until('nothing lies there', () => !existsSync(machines.folderOf(machineId)));
  }
}
