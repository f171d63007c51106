/**
 * A container that is rented at a network, simulated, and that a web address alone leads to: set up over its gateway, a cell that
 * prints on while the gateway cuts everything, ssh and copies on it, and nothing left in the end.
 */
import assert from 'node:assert/strict';
import { existsSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Cluster, parseMicroUsd } from '@hitch/contract';
import { type Clock, systemClock } from '@hitch/platform/src/clock.ts';
import { homeAt } from '@hitch/platform/src/paths.ts';
import { urlVariable } from '../simulators/all.ts';
import { Faults } from '../simulators/frame/faults.ts';
import { serveSimulator, type SimulatorServer } from '../simulators/frame/server.ts';
import type { SimContainers, Simulator } from '../simulators/frame/simulator.ts';
import { WebContainers } from '../simulators/frame/web-containers.ts';
import { type Container, withoutContainers } from '../support/container.ts';
import { DaemonHome } from '../support/daemon-home.ts';
import { gpuTools } from '../support/gpu-tools.ts';
import { NotebookPage, startKernel } from '../support/notebook-page.ts';
import { needsOpenssh, openssh } from '../support/openssh.ts';
import { nodeProcesses, needsRealNodes, skip } from '../support/processes.ts';
import { privateKeysOf, secretsOn } from '../support/secrets-on.ts';
import { until } from '../support/waiting.ts';
import { WebGateway } from '../support/web-gateway.ts';

const LINES = 160;
const PRINTING = `
import time
for number in range(${LINES.toString()}):
    print('line', number, flush=True)
    time.sleep(0.25)
`;

interface StrictSimulator extends Simulator {
  readonly complaints: readonly string[];
}

export interface WebRental {
  /** Its id in Hitch. */
  readonly id: string;
  readonly title: string;
  /** A login that it accepts. */
  readonly key: string;
  /** What it offers first. */
  readonly gpu: { readonly name: string; readonly memoryMiB: number };
  readonly build: (of: { readonly clock: Clock; readonly containers: SimContainers }) => StrictSimulator;
  /** The simulator's id of what Hitch calls so. */
  readonly containerOf: (instanceId: string) => string;
}

export function describeWebRental({ id: network, title, key, gpu, build, containerOf }: WebRental): void {
  describe(`a container rented at ${title}, simulated`, function () {
    this.timeout(900_000);
    const close = new AsyncDisposableStack();
    let gateway: WebGateway;
    let simulator: StrictSimulator;
    let machines: WebContainers;
    let home: DaemonHome;
    let cluster: Cluster;
    let page: NotebookPage | null = null;

    before(async function () {
      needsOpenssh(this);
      needsRealNodes(this);
      const reason = withoutContainers();
      if (reason !== null) {
        skip(this, reason);
      }
      const tools = gpuTools(gpu);
      close.defer(() => rmSync(tools, { recursive: true, force: true }));
      const programs = [process.execPath, process.env['HITCH_PYTHON'] ?? process.execPath];
      gateway = await WebGateway.start();
      close.defer(() => gateway.close());
      machines = new WebContainers(gateway, {
        path: [tools, ...programs.map(program => dirname(program))],
        keeps: programs
          .map(program => dirname(dirname(realpathSync(program))))
          .filter(folder => folder.startsWith('/root/')),
      });
      simulator = build({ clock: systemClock, containers: machines });
      close.defer(() => simulator.close());
      const server: SimulatorServer = await serveSimulator(simulator, {
        clock: systemClock,
        faults: new Faults([], () => 1),
      });
      close.use(server);
      home = new DaemonHome({
        HITCH_PROVIDERS: network,
        [urlVariable(network)]: server.url,
        NODE_EXTRA_CA_CERTS: gateway.authority,
      });
      close.defer(() => home.dispose());
      await home.start();
      close.defer(async () => {
        page?.leave();
        await home.api.networks.logout({ provider: network }).catch(() => undefined);
      });
      await home.api.networks.login({ provider: network, values: { apiKey: key } });
    });
    after(() => close.disposeAsync());

    const attempt = () => cluster.nodes[0]?.attempts[0] ?? assert.fail('nothing was bought');
    const container = (): Container =>
      machines.containers.get(containerOf(attempt().instanceId ?? '')) ??
      assert.fail('there is no container');

    it('is set up over its gateway, with a host key that it proved, and runs a cell', async () => {
      const { id } = await home.rent(
        { filter: { providers: [network] }, engine: 'single', idleMs: 0 },
        'web',
      );
      cluster = await home.untilCluster(id, 'it is ready', ({ phase }) => phase === 'ready', 600_000);
      assert.equal(simulator.rentals()[0]?.mark, attempt().ref);
      assert.ok(!cluster.nodes[0]?.machine?.warnings.includes('host key not proved'));
      const kernelId = await startKernel(home, cluster);
      page = await NotebookPage.open(home, cluster, kernelId);
      assert.equal(await page.result('print(40 + 2)'), '42\n');
    });

    it('loses no line of a cell that prints while the gateway cuts everything, in the middle too, and is away', async () => {
      assert.ok(page !== null);
      const cell = page.run(PRINTING, 'printing');
      const printed = (count: number) =>
        until(
          `line ${count.toString()} is there`,
          () => cell.text.includes(`line ${count.toString()}\n`),
          240_000,
        );
      await printed(5);
      gateway.cut();
      await printed(25);
      gateway.cutAfterBytes = 3_000;
      gateway.cut();
      await printed(50);
      gateway.down(true);
      await until('it is noticed', () => gateway.asked.length > 0);
      gateway.down(false);
      const text = await cell.over(300_000);
      assert.deepEqual(
        text.trimEnd().split('\n'),
        Array.from({ length: LINES }, (_, number) => `line ${number.toString()}`),
      );
      assert.ok(gateway.cuts > 0, 'one of them was in the middle');
      await home.untilCluster(cluster.id, 'it is ready again', ({ phase }) => phase === 'ready', 240_000);
    });

    it('is entered by ssh, and takes and gives files', async () => {
      const said = await openssh('ssh', [
        '-F',
        join(home.root, 'ssh', 'config'),
        'hitch-web',
        'echo from there',
      ]);
      assert.equal(said.code, 0, said.stderr);
      assert.equal(said.stdout, 'from there\n');
      const file = join(home.root, 'sent.txt');
      writeFileSync(file, 'x'.repeat(300_000));
      const sent = await home.cli(['cp', file, 'web:sent.txt']);
      assert.equal(sent.code, 0, sent.stderr);
      const back = join(home.root, 'back.txt');
      const came = await home.cli(['cp', 'web:sent.txt', back]);
      assert.equal(came.code, 0, came.stderr);
      assert.ok(existsSync(back));
    });

    it('holds no login of its network, and nothing that opens anything', async () => {
      const { token } = home.place();
      const opens = [key, token, ...privateKeysOf(homeAt(home.root))];
      const there = { home: container().folder, processes: () => nodeProcesses(attempt().ref) };
      assert.ok(there.processes().length > 0, 'what the cluster runs there');
      assert.deepEqual(await secretsOn(there, opens), []);
    });

    it('is ended, counted as it is billed, and nothing of it is left', async () => {
      page?.leave();
      const { folder } = container();
      const over = await home.stopCluster(cluster.id);
      assert.equal(over.conditions.cleanup.status, 'yes', over.message);
      assert.ok(simulator.rentals().every(({ endedAtMs }) => endedAtMs !== null));
      assert.deepEqual(simulator.complaints, []);
      const billed = simulator.bill().reduce((sum, { amountMicroUsd }) => sum + amountMicroUsd, 0n);
      const counted = parseMicroUsd(over.usage.accruedMicroUsd);
      const difference = counted > billed ? counted - billed : billed - counted;
      assert.ok(
        billed > 0n && difference < 5_000n,
        `${counted.toString()} counted, ${billed.toString()} billed`,
      );
      await until('nothing of it is left', () => home.leftovers([over]).length === 0);
      await until('nothing runs there', () => nodeProcesses(attempt().ref).length === 0);
      await until('nothing lies there', () => !existsSync(folder));
    });
  });
}
