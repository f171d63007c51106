/**
 * A live check of each network that Hitch rents from, on its simulator with real machines: what it rents is used, ended and
 * recorded; and while a machine stands there, nothing on it opens anything.
 */
import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { checkedRecordingSchema, type Cluster } from '@hitch/contract';
import { systemClock } from '@hitch/platform/src/clock.ts';
import { homeAt } from '@hitch/platform/src/paths.ts';
import { AKASH_KEY, AkashSimulator } from '../simulators/akash/akash-simulator.ts';
import { Faults } from '../simulators/frame/faults.ts';
import { serveSimulator, type SimulatorServer } from '../simulators/frame/server.ts';
import type { Simulator } from '../simulators/frame/simulator.ts';
import { SshdMachines } from '../simulators/frame/sshd-machines.ts';
import { IONET_KEY } from '../simulators/ionet/door.ts';
import { IonetSimulator } from '../simulators/ionet/ionet-simulator.ts';
import { PRIME_KEY, PrimeSimulator } from '../simulators/prime/prime-simulator.ts';
import { RUNPOD_KEY, RunpodSimulator } from '../simulators/runpod/runpod-simulator.ts';
import { VAST_KEY, VastSimulator } from '../simulators/vast/vast-simulator.ts';
import { DaemonHome } from '../support/daemon-home.ts';
import { gpuTools } from '../support/gpu-tools.ts';
import { needsOpenssh } from '../support/openssh.ts';
import { needsRealNodes, skip } from '../support/processes.ts';
import { privateKeysOf, secretsOn } from '../support/secrets-on.ts';

const UNMARKED = 'a-secret-that-no-cluster-was-given';

interface Checked {
  readonly id: string;
  readonly key: string;
  readonly max: string;
  readonly gpu: Parameters<typeof gpuTools>[0];
  readonly build: (machines: SshdMachines) => Simulator;
}

export const NETWORKS = [
  {
    id: 'vast',
    key: VAST_KEY,
    max: '0.30',
    gpu: { name: 'NVIDIA GeForce RTX 3060', memoryMiB: 12_288 },
    build: (machines: SshdMachines) => new VastSimulator({ clock: systemClock, machines }),
  },
  {
    id: 'ionet',
    key: IONET_KEY,
    max: '0.80',
    // Its smallest machine is sold with 1,500 GB.
    gpu: { name: 'NVIDIA GeForce RTX 4090', memoryMiB: 24_576, freeDiskGiB: 1500 },
    build: (machines: SshdMachines) =>
      new IonetSimulator({ clock: systemClock, machines, bootMs: 1_000, endMs: 1_000 }),
  },
  {
    id: 'runpod',
    key: RUNPOD_KEY,
    max: '0.40',
    gpu: { name: 'NVIDIA GeForce RTX 4090', memoryMiB: 24_576 },
    build: (machines: SshdMachines) => new RunpodSimulator({ clock: systemClock, machines }),
  },
  {
    id: 'akash',
    key: AKASH_KEY,
    max: '0.60',
    // Its orders name the disk: 50 GB.
    gpu: { name: 'NVIDIA GeForce RTX 4090', memoryMiB: 24_576, freeDiskGiB: 60 },
    build: (machines: SshdMachines) =>
      new AkashSimulator({ clock: systemClock, machines, lies: { bidsAfterMs: 2_000 } }),
  },
  {
    id: 'prime',
    key: PRIME_KEY,
    max: '0.40',
    gpu: { name: 'NVIDIA GeForce RTX 4090', memoryMiB: 24_576 },
    build: (machines: SshdMachines) => new PrimeSimulator({ clock: systemClock, machines }),
  },
] as const satisfies readonly Checked[];
type NetworkId = (typeof NETWORKS)[number]['id'];

interface Open extends Checked {
  readonly simulator: Simulator;
  readonly machines: SshdMachines;
  readonly server: SimulatorServer;
  readonly tools: string;
}

export interface LiveChecks {
  readonly checked: readonly NetworkId[];
  /** Where what the machine holds is looked through. */
  readonly lookedThrough: readonly NetworkId[];
}

/** Tests of one suite, which has said how long each may take. */
export function liveChecks({ checked, lookedThrough }: LiveChecks): void {
  const open: Open[] = [];
  let begun: DaemonHome | null = null;
  const home = () => begun ?? assert.fail('no daemon was started');
  const at = (id: string): Open => open.find(one => one.id === id) ?? assert.fail(id);

  before(async function () {
    needsOpenssh(this);
    needsRealNodes(this);
    if (process.getuid?.() !== 0) {
      skip(this, 'its machines are reached as root, which nobody is here');
    }
    const programs = [process.execPath, process.env['HITCH_PYTHON'] ?? process.execPath].map(dirname);
    for (const network of NETWORKS) {
      const tools = gpuTools(network.gpu);
      const machines = new SshdMachines([tools, ...programs]);
      const simulator = network.build(machines);
      const server = await serveSimulator(simulator, { clock: systemClock, faults: new Faults([], () => 1) });
      open.push({ ...network, tools, machines, simulator, server });
    }
    begun = new DaemonHome({
      HITCH_PROVIDERS: [...NETWORKS.map(({ id }) => id), 'sandbox'].join(','),
      ...Object.fromEntries(open.map(({ id, server }) => [`HITCH_${id.toUpperCase()}_URL`, server.url])),
    });
    await begun.start();
    await begun.api.secrets.set({ name: 'UNMARKED_TOKEN', value: UNMARKED });
  });

  after(async () => {
    for (const { id } of open) {
      await begun?.api.networks.logout({ provider: id }).catch(() => undefined);
    }
    await begun?.api.secrets.remove({ name: 'UNMARKED_TOKEN' }).catch(() => undefined);
    await begun?.dispose();
    for (const { server, simulator, tools } of open) {
      await server[Symbol.asyncDispose]();
      await simulator.close();
      rmSync(tools, { recursive: true, force: true });
    }
  });

  const check = (...args: readonly string[]) => home().cli(['live-check', ...args]);

  it('is refused with a sentence where there is no login, nothing to rent, or nothing to check', async () => {
    const outcomes = [
      [await check('vast', '--max', '0.30', '--yes'), 14, /You are not logged in to Vast\.ai\./],
      [
        await check('sandbox', '--max', '1', '--yes'),
        4,
        /rents nothing from anybody: there is nothing to check/,
      ],
      [await check('elsewhere', '--max', '1', '--yes'), 3, /There is no network “elsewhere” here\./],
      [await check('vast'), 2, /say what the check may cost at most/],
    ] as const;
    for (const [{ code, stderr }, expected, sentence] of outcomes) {
      assert.match(stderr, sentence);
      assert.equal(code, expected, stderr);
    }
  });

  it('is refused with a sentence where all of it costs more than is allowed, or nobody said yes', async () => {
    for (const { id, key } of open) {
      await home().api.networks.login({ provider: id, values: { apiKey: key } });
    }
    const poor = await check('runpod', '--max', '0.01', '--yes');
    assert.equal(poor.code, 5, poor.stderr);
    assert.match(
      poor.stderr,
      /costs up to \$0\.\d+ for a check, more than --max \$0\.01; nothing was rented/,
    );
    const unasked = await check('vast', '--max', '0.30');
    assert.equal(unasked.code, 6, unasked.stderr);
    assert.match(unasked.stderr, /there is no terminal to ask in; nothing was rented/);
    assert.deepEqual(
      open.map(({ simulator }) => simulator.rentals().length),
      NETWORKS.map(() => 0),
    );
  });

  for (const { id, key, max } of NETWORKS.filter(network => checked.includes(network.id))) {
    it(`rents, uses and ends a machine of ${id}, and records it without key and address`, async () => {
      const { simulator, server } = at(id);
      const path = join(home().root, `${id}.json`);
      const { code, stdout, stderr } = await check(id, '--max', max, '--yes', '--file', path);
      assert.equal(code, 0, stderr + stdout);
      assert.match(stdout, new RegExp(`It costs at most \\$${max.replace('.', '\\.')}`));
      assert.match(stdout, /The price is the one of the quote: |The network asks /);
      assert.match(stdout, /Hitch counted|Meter and bill agree/);
      const [rental, ...others] = simulator.rentals();
      assert.ok(rental !== undefined && others.length === 0 && rental.endedAtMs !== null);
      const text = readFileSync(path, 'utf8');
      const recording = checkedRecordingSchema.parse(JSON.parse(text));
      assert.equal(recording.check.outcome, 'passed');
      assert.deepEqual(
        recording.check.steps.map(({ name }) => name),
        ['ordered', 'ready', 'a cell ran', 'gone'],
      );
      assert.equal(recording.api, server.url);
      assert.ok(
        recording.exchanges.some(
          ({ method, status }) => (method !== 'GET' && status === 200) || status === 201,
        ),
      );
      const secret = [
        key,
        rental.mark ?? '',
        '127.0.0.1:',
        'ssh-ed25519',
        ...privateKeysOf(homeAt(home().root)),
      ];
      const bare = text.replaceAll(server.url, '');
      assert.deepEqual(
        secret.filter(one => one !== '' && bare.includes(one)),
        [],
      );
      // A mark that is chosen is another name everywhere; one that is a hash is another word.
      assert.match(text, id === 'akash' ? /"hash": "text-\d+"/ : /hitch-recording1/);
    });
  }

  it('asks for a bill again', async () => {
    const [cluster] = (await home().api.clusters.list()).filter(({ nodes }) =>
      nodes.some(({ attempts }) => attempts.some(({ provider }) => provider === 'vast')),
    );
    assert.ok(cluster !== undefined);
    const { code, stdout, stderr } = await check(
      'vast',
      '--bill',
      cluster.name,
      '--file',
      join(home().root, 'vast.json'),
    );
    assert.equal(code, 0, stderr);
    assert.match(stdout, /Meter and bill agree|Hitch counted|billed/);
  });

  it('leaves what is not ours alone, until a person has it adopted and ended', async () => {
    const { simulator, server, key } = at('runpod');
    await home().api.networks.login({ provider: 'runpod', values: { apiKey: key } });
    const answer = await fetch(`${server.url}/v2/pods`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'web-1', image: 'nginx', gpu: { id: 'NVIDIA A40' } }),
    });
    const id = String(Reflect.get(Object(await answer.json()), 'id'));
    await home().cli(['doctor']);
    const { stdout: listed } = await home().cli(['networks', 'ls']);
    assert.match(
      listed,
      new RegExp(`Not ours, never touched: web-1 \\(${id}\\).*\n.*hitch adopt runpod ${id}`),
    );
    const unasked = await home().cli(['adopt', 'runpod', id]);
    assert.equal(unasked.code, 6, unasked.stderr);
    const unknown = await home().cli(['adopt', 'runpod', 'pod99', '--yes']);
    assert.equal(unknown.code, 3, unknown.stderr);
    const atOnce = await home().cli(['adopt', 'runpod', id, '--cap', '0', '--yes']);
    assert.equal(atOnce.code, 2, atOnce.stderr);
    assert.match(atOnce.stderr, /--cap: \$0\.00 would end it at once/);
    const mine = () => simulator.rentals().find(rental => rental.id === id);
    assert.equal(mine()?.endedAtMs, null);
    const { code, stdout, stderr } = await home().cli(['adopt', 'runpod', id, '--end', '--yes']);
    assert.equal(code, 0, stderr);
    assert.match(
      stdout,
      new RegExp(`^web-1 \\(${id}\\) at RunPod: .*, \\$0\\.\\d+/h\\. This Hitch did not rent it`),
    );
    assert.notEqual(mine()?.endedAtMs, null);
  });

  // Vast.ai’s and Akash’s are looked at where a notebook runs on them.
  for (const id of lookedThrough) {
    it(`leaves a machine of ${id} without a login, a secret of others, and anything that opens anything`, async () => {
      const { machines, simulator } = at(id);
      const { id: clusterId } = await home().rent(
        { filter: { providers: [id], gpuModels: ['RTX 4090'], maxGpuCount: 1 }, engine: 'single', idleMs: 0 },
        `keys-${id}`,
      );
      const cluster: Cluster = await home().untilCluster(
        clusterId,
        'it is ready',
        ({ phase }) => phase === 'ready',
        420_000,
      );
      const instance = cluster.nodes[0]?.attempts[0]?.instanceId ?? '';
      const machine = {
        home: machines.folderOf(instance),
        processes: () => machines.processesOn(instance),
      };
      assert.ok(machine.processes().length > 1, 'its sshd, and what the cluster runs there');
      const keys = NETWORKS.map(({ key }) => key);
      const opens = [...keys, UNMARKED, home().place().token, ...privateKeysOf(homeAt(home().root))];
      assert.deepEqual(await secretsOn(machine, opens), []);
      assert.notDeepEqual(await secretsOn(machine, [cluster.id]), [], 'what is there is found');
      await home().stopCluster(clusterId);
      assert.ok(simulator.rentals().every(({ endedAtMs }) => endedAtMs !== null));
    });
  }
}
