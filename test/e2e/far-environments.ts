/**
 * Environments of clusters' own on machines that ssh leads to: one lock with a Ray of its own for two machines, made once on each
 * whoever dies meanwhile, the same for engine, kernels and jobs; another one while they run; and two clusters that want one at once.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Cluster } from '@hitch/contract';
import { DaemonHome } from '../support/daemon-home.ts';
import { FarMachine } from '../support/far-machine.ts';
import { FarNetwork, withoutNetworks } from '../support/far-network.ts';
import { needsOpenssh } from '../support/openssh.ts';
import { needsRealNodes, sendSignal, skip } from '../support/processes.ts';
import { until } from '../support/waiting.ts';

const NAMES = ['box-one', 'box-two'];
/** Another one than Hitch's own packages have. */
const RAY = '2.55.1';
const MARKER = '.hitch-complete';

/** The Python of this system's own path, which is what the machines of this test have; null: there is none that Ray exists for. */
function pythonOfSystem(): string | null {
  const probe = 'import sys, venv; print("%d.%d" % sys.version_info[:2])';
  try {
    const version = execFileSync('/usr/bin/env', ['-i', 'PATH=/usr/bin:/bin', 'python3', '-c', probe]);
    return /^3\.1[0-4]$/.exec(version.toString().trim())?.[0] ?? null;
  } catch {
    return null;
  }
}

/** What each process of the cluster runs on: the driver, and a task on each node. */
const WHERE = `
import importlib.metadata as m, importlib.util, os, sys
def here():
    import importlib.metadata as m, importlib.util, os, sys
    site = [path for path in sys.path if '/envs/' in path]
    has = [name for name in ('iniconfig', 'tqdm', 'einops') if importlib.util.find_spec(name) is not None]
    return ' '.join(['ray', m.version('ray'), 'python', '%d.%d' % sys.version_info[:2], 'env', site[0].split('/envs/')[1][:16], *has])
print('driver', here())
import ray
ray.init(log_to_driver=False, ignore_reinit_error=True)
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy as On
task = ray.remote(num_cpus=0)(here)
for node in ray.nodes():
    if node['Alive']:
        print('node', ray.get(task.options(scheduling_strategy=On(node['NodeID'], soft=False)).remote(), timeout=240))
`;

/** Each says by which address of its own it meets the head, once it has. */
const MEET = `
import importlib.metadata as m, importlib.util, os, socket, time
place = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
if os.environ["RANK"] == "0":
    with socket.create_server(place) as server:
        met = server.accept()[0]
else:
    for _ in range(600):
        try:
            met = socket.create_connection(place)
            break
        except OSError:
            time.sleep(0.1)
has = "iniconfig" if importlib.util.find_spec("iniconfig") else ""
print("at", met.getsockname()[0], os.environ["GLOO_SOCKET_IFNAME"], m.version("ray"), has)
`;

/**
 * Tests of one suite, which has said how long each may take.
 * @param isWhole also that they go back, are cancelled, and are wanted by two clusters at once
 */
export function farEnvironments({ isWhole }: { readonly isWhole: boolean }): void {
  const python = pythonOfSystem();
  const machines: FarMachine[] = [];
  let network: FarNetwork;
  let home: DaemonHome;
  let second: DaemonHome;
  let cluster: Cluster;
  /** Both machines are its own until then. */
  let isRented = false;

  before(async function prepare() {
    needsOpenssh(this);
    needsRealNodes(this);
    const reason =
      withoutNetworks() ??
      (python === null ? 'the system has no Python from 3.10 to 3.14 in /usr/bin' : null);
    if (reason !== null) {
      skip(this, reason);
    }
    network = await FarNetwork.make();
    for (const name of ['one', 'two']) {
      machines.push(await FarMachine.start({ place: network.join(name) }));
    }
    const [first] = machines;
    assert.ok(first !== undefined);
    const config = join(first.folder, 'both');
    const configs = machines.map(({ config: file }, index) =>
      readFileSync(file, 'utf8').replace('Host gpu-box', `Host ${NAMES[index] ?? ''}`),
    );
    writeFileSync(config, configs.join('\n'));
    home = new DaemonHome({ HITCH_PROVIDERS: 'ssh', HITCH_SSH_CONFIG: config });
    second = new DaemonHome({ HITCH_PROVIDERS: 'ssh', HITCH_SSH_CONFIG: config });
    await home.start();
    for (const name of NAMES) {
      const added = await home.cli(['networks', 'add', 'ssh', name]);
      assert.equal(added.code, 0, added.stderr);
    }
    await until(
      'both are offered for clusters',
      async () => {
        const { offers } = await home.api.offers.query({ filter: { multiNode: true }, limit: 10 });
        return offers.length === NAMES.length;
      },
      180_000,
    );
  });

  after(async () => {
    await second?.dispose();
    await home?.dispose();
    for (const machine of machines) {
      await machine.dispose();
    }
    await network?.dispose();
  });

  function requirements(...lines: readonly string[]): string {
    const file = join(home.root, 'requirements.txt');
    writeFileSync(file, `${lines.join('\n')}\n`);
    return file;
  }

  const envsOf = (machine: FarMachine): string => join(machine.home, '.hitch', 'far', 'envs');
  const made = (machine: FarMachine): readonly string[] =>
    existsSync(envsOf(machine)) ? readdirSync(envsOf(machine)).toSorted() : [];

  async function hitch(...args: readonly string[]): Promise<string> {
    const ran = await home.cli(args);
    assert.equal(ran.code, 0, `hitch ${args.join(' ')}\n${ran.stdout}${ran.stderr}`);
    return ran.stdout;
  }

  const named = async (name: string, where = home): Promise<Cluster> => {
    const found = (await where.api.clusters.list()).find(each => each.name === name);
    assert.ok(found !== undefined);
    return found;
  };

  const withRay = (what: string): Promise<Cluster> =>
    home.untilCluster(cluster.id, what, ({ conditions }) => conditions.engine.status === 'yes', 600_000);

  /** Every process of the cluster runs on it, by what it says of itself. */
  function areAll(said: string, id: string, ray: string, ...has: readonly string[]): void {
    const all = `ray ${ray} python ${python ?? ''} env ${id}${has.map(name => ` ${name}`).join('')}`;
    const lines = said.split('\n').filter(line => /^(?:driver|node) /.test(line));
    assert.deepEqual(lines, [`driver ${all}`, `node ${all}`, `node ${all}`], said);
  }

  /** Agents are told after a change is one, and Ray's nodes join one after the other. */
  async function everywhere(id: string, ...has: readonly string[]): Promise<void> {
    await until(
      'all of it runs on that one',
      async () => {
        const { stdout } = await home.cli(['run', 'both', '-c', WHERE]);
        const lines = stdout.split('\n').filter(line => line.startsWith('node '));
        return lines.length === 2 && lines.every(line => line.includes(`env ${id}`)) ? stdout : null;
      },
      420_000,
    ).then(said => areAll(said, id, RAY, ...has));
  }

  it('are made whole though their set-up was killed in the middle, once on each machine', async () => {
    const file = requirements(`ray[default]==${RAY}`, 'ipykernel==7.4.0', 'iniconfig==2.1.0');
    const offers = NAMES.map(name => `ssh:${name}:cpu`);
    const how = ['--nodes', '2', '--engine', 'ray', '--python', python ?? '', '--yes', '--max', '5'];
    const rent = ['rent', '--name', 'both', '--no-wait', '--offer', ...offers, '--env', file, ...how];
    const ordered = await hitch(...rent);
    assert.match(
      ordered,
      new RegExp(`requirements\\.txt, Python ${python ?? ''}, \\d+ packages \\(ray ${RAY}\\)`),
    );
    cluster = await named('both');
    isRented = true;
    const [first] = machines;
    assert.ok(first !== undefined);
    // In the middle of its packages: the folder is there, and is none yet.
    await until(
      'its packages come',
      () => {
        const [id] = made(first);
        const packages = id === undefined ? null : join(envsOf(first), id, 'lib');
        return (
          packages !== null && existsSync(packages) && !existsSync(join(envsOf(first), id ?? '', MARKER))
        );
      },
      600_000,
    );
    const killed = first.processes().filter(({ command }) => command.includes('/bootstrap.sh'));
    assert.ok(killed.length > 0);
    killed.forEach(({ pid }) => sendSignal(pid, 'SIGKILL'));
    cluster = await withRay('Ray on both machines');
    const id = cluster.environment?.id ?? '';
    for (const machine of machines) {
      assert.deepEqual(made(machine), [id]);
      assert.ok(existsSync(join(envsOf(machine), id, MARKER)));
    }
  });

  it('are what engine, kernels and jobs run on, with one Ray for driver and cluster', async () => {
    const id = cluster.environment?.id ?? '';
    areAll(await hitch('run', 'both', '-c', WHERE), id, RAY, 'iniconfig');
    const job = await hitch('job', 'run', 'both', '--no-send', '--', 'python', '-c', WHERE);
    areAll(job, id, RAY, 'iniconfig');
    assert.match(await hitch('env', 'both'), new RegExp(`^  ray ${RAY}$`, 'm'));
  });

  it('are what a job of both machines runs on, which meet over their own network', async () => {
    const ran = await hitch('job', 'run', 'both', '--nodes', '2', '--no-send', '--', 'python', '-c', MEET);
    const [one, other] = machines.map(({ host }) => host);
    assert.deepEqual(
      ran
        .split('\n')
        .filter(line => line.includes('] at '))
        .toSorted(),
      [one, other].map((host, at) => `[node ${(at + 1).toString()}] at ${host ?? ''} eth0 ${RAY} iniconfig`),
    );
  });

  it('become others while they run, on every machine, and what Ray has starts again with them', async () => {
    const before = cluster.environment?.id ?? '';
    const said = await hitch('env', 'both', 'add', 'tqdm==4.67.1', '--yes');
    assert.match(said, /^Changed\. /m);
    cluster = await home.cluster(cluster.id);
    const id = cluster.environment?.id ?? '';
    assert.notEqual(id, before);
    for (const machine of machines) {
      assert.ok(existsSync(join(envsOf(machine), id, MARKER)));
    }
    await everywhere(id, 'iniconfig', 'tqdm');
  });

  if (!isWhole) {
    return;
  }

  it('go back to what the cluster was rented with, without what was installed by hand', async () => {
    const { environment } = await home.api.clusters.get({ clusterId: cluster.id });
    await hitch('run', 'both', '-c', '%uv pip install einops==0.8.1');
    await until('it is written down', async () =>
      (await home.cluster(cluster.id)).environment?.added.some(({ name }) => name === 'einops'),
    );
    await hitch('env', 'both', 'reset', '--yes');
    cluster = await home.cluster(cluster.id);
    assert.notEqual(cluster.environment?.id, environment?.id);
    assert.deepEqual(cluster.environment?.added, []);
    await everywhere(cluster.environment?.id ?? '', 'iniconfig');
  });

  it('stay what they are where a change is cancelled', async () => {
    const before = cluster.environment?.id ?? '';
    const file = requirements(
      `ray[default]==${RAY}`,
      'ipykernel==7.4.0',
      'scipy==1.16.3',
      'pyarrow==22.0.0',
      'pandas==2.3.3',
    );
    const changing = home.cli(['env', 'both', 'set', file, '--yes']);
    await until(
      'it changes',
      async () => (await home.cluster(cluster.id)).environment?.change !== null,
      240_000,
    );
    await hitch('env', 'both', 'cancel');
    const { code, stderr } = await changing;
    assert.equal(code, 130, stderr);
    assert.match(stderr, /The change was cancelled; the environment is what it was\./);
    const after = await home.cluster(cluster.id);
    assert.equal(after.environment?.id, before);
    await everywhere(before, 'iniconfig');
  });

  it('are made once where two clusters want one at the same time', async () => {
    const file = requirements('ipykernel==7.4.0', 'iniconfig==2.0.0', 'tqdm==4.67.1');
    const how = ['--python', python ?? '', '--yes', '--max', '5', '--no-wait', '--env', file];
    const offer = ['--offer', `ssh:${NAMES[0] ?? ''}:cpu`];
    const [first] = machines;
    assert.ok(first !== undefined);
    // Another computer's Hitch: this one's own rents a machine without GPUs to one cluster at a time.
    await second.start();
    const added = await second.cli(['networks', 'add', 'ssh', NAMES[0] ?? '']);
    assert.equal(added.code, 0, added.stderr);
    if (isRented) {
      await home.stopCluster(cluster.id);
    }
    const before = made(first);
    await hitch('rent', '--name', 'left', ...offer, ...how);
    await until('the first one makes it', () => made(first).some(name => !before.includes(name)), 600_000);
    // Held until the other one has come, however fast the packages are.
    const makers = first.processes().filter(({ command }) => /bootstrap\.sh|\/uv /.test(command));
    makers.forEach(({ pid }) => sendSignal(pid, 'SIGSTOP'));
    const ordered = await second.cli(['rent', '--name', 'right', ...offer, ...how]);
    assert.equal(ordered.code, 0, ordered.stdout + ordered.stderr);
    const logs = join(first.home, '.hitch', 'far', 'bootstrap');
    const logOf = ({ nodes }: Cluster): string => {
      const file = join(logs, `${nodes[0]?.attempts.at(-1)?.ref ?? ''}.log`);
      return existsSync(file) ? readFileSync(file, 'utf8') : '';
    };
    // Whoever is not waiting says first that it looks at the place.
    await until(
      'the other one waits',
      async () => {
        const log = logOf(await named('right', second));
        return log.includes('::stage') && !log.includes('::stage place');
      },
      600_000,
    );
    makers.forEach(({ pid }) => sendSignal(pid, 'SIGCONT'));
    const left = await home.untilKernel((await named('left')).id);
    const right = await second.untilKernel((await named('right', second)).id);
    const id = left.environment?.id ?? '';
    assert.equal(right.environment?.id, id);
    const makes = [left, right].filter(found => /^Creating virtual environment at: /m.test(logOf(found)));
    assert.deepEqual(
      makes.map(({ name }) => name),
      ['left'],
    );
    assert.match(logOf(right), new RegExp(`/envs/${id}/bin/python$`, 'm'));
    assert.match(await hitch('run', 'left', '-c', 'import iniconfig, tqdm; print("both")'), /^both$/m);
    const ran = await second.cli(['run', 'right', '-c', 'import iniconfig, tqdm; print("both")']);
    assert.match(ran.stdout, /^both$/m, ran.stderr);
  });
}
