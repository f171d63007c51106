/**
 * An environment of a cluster's own, from its file to a kernel: locked, made beside Hitch's packages, changed while it runs, added to
 * by hand, and the same again at the next start.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Cluster, LockedEnvironment } from '@hitch/contract';
import { DaemonHome } from '../support/daemon-home.ts';
import { needsRealNodes } from '../support/processes.ts';
import { until } from '../support/waiting.ts';
import { makeWheel } from '../support/wheel.ts';

const LOOK = 'import sys, importlib.metadata as m; print("has", m.version("iniconfig"), sys.prefix)';

describe('an environment of a cluster’s own', function () {
  this.timeout(900_000);
  const home = new DaemonHome({ HITCH_PROVIDERS: 'local,sandbox' });
  const python = process.env['HITCH_PYTHON'] ?? '';
  let cluster: Cluster;
  let lock: LockedEnvironment;

  before(async function () {
    needsRealNodes(this);
    await home.start();
    lock = await locked('requirements.txt', 'iniconfig==2.1.0\nipykernel==7.4.0\n');
    cluster = await home.rent({ filter: { practice: 'only' }, environment: lock.id }, 'own');
    await home.untilKernel(cluster.id);
  });

  after(() => home.dispose());

  async function locked(name: string, text: string): Promise<LockedEnvironment> {
    const { environment, problems } = await home.client.api.environments.lock({
      file: { name, text },
      platform: 'this-computer',
    });
    assert.deepEqual(problems, []);
    assert.ok(environment !== null);
    return environment;
  }

  async function cell(code: string): Promise<string> {
    const ran = await home.cli(['run', 'own', '-c', code]);
    assert.equal(ran.code, 0, ran.stdout + ran.stderr);
    return ran.stdout;
  }

  const now = (): Promise<Cluster> => home.client.api.clusters.get({ clusterId: cluster.id });

  it('is what kernels run in, and Hitch’s own packages are not in it', async () => {
    assert.match(await cell(LOOK), /^has 2\.1\.0 /m);
    assert.match(
      await cell('import importlib.util; print("lab", importlib.util.find_spec("jupyter_server"))'),
      /^lab None/m,
    );
    const { environment } = await now();
    assert.equal(environment?.id, lock.id);
    assert.equal(environment.packages, lock.packages.length);
  });

  it('is one folder for all clusters that have it, with its marker', async () => {
    const other = await home.rent({ filter: { practice: 'only' }, environment: lock.id }, 'second');
    await home.untilKernel(other.id);
    const folders = readdirSync(join(home.root, 'envs')).filter(name => !name.includes('.'));
    assert.deepEqual(folders, [lock.id]);
    assert.ok(existsSync(join(home.root, 'envs', lock.id, '.hitch-complete')));
    await home.client.api.clusters.stop({ clusterId: other.id, skipSave: true });
  });

  it('takes what is installed in a notebook into a layer of its own, and says so', async () => {
    const wheel = await makeWheel(python, home.root, 'by_hand');
    await cell(`%pip install --no-index --no-input ${wheel}`);
    assert.match(await cell('import by_hand; print("there", by_hand.__file__)'), /^there .*machines/m);
    const added = await until('it is written down', async () => {
      const found = (await now()).environment?.added ?? [];
      return found.some(({ name }) => name === 'by-hand') ? found : null;
    });
    assert.equal(added.length, 1);
    const shared = join(home.root, 'envs', lock.id);
    assert.ok(
      !readdirSync(join(shared, 'lib')).some(name =>
        existsSync(join(shared, 'lib', name, 'site-packages', 'by_hand.py')),
      ),
    );
  });

  it('refuses a file with mistakes by its lines, and rents nothing', async () => {
    writeFileSync(join(home.root, 'requirements.lock'), 'iniconfig>=2\nipykernel==7.4.0\n-e .\n');
    const before = (await home.client.api.clusters.list()).length;
    const ran = await home.cli([
      'rent',
      '--practice',
      '--env',
      join(home.root, 'requirements.lock'),
      '--yes',
      '--max',
      '5',
    ]);
    assert.equal(ran.code, 2);
    assert.match(ran.stderr, /requirements\.lock:1 {2}“iniconfig>=2” is no exact version/);
    assert.match(ran.stderr, /requirements\.lock:3 {2}“-e \.” is a folder of your own/);
    assert.equal((await home.client.api.clusters.list()).length, before);
  });

  it('becomes another one while it runs; kernels that run keep theirs until they are restarted', async () => {
    const file = join(home.root, 'requirements.txt');
    writeFileSync(file, 'iniconfig==2.0.0\nipykernel==7.4.0\n');
    const ran = await home.cli(['env', 'own', 'set', file, '--yes']);
    assert.equal(ran.code, 0, ran.stdout + ran.stderr);
    const changed = await until('its agent has it', async () => {
      const { environment } = await now();
      return environment !== undefined && environment.id !== lock.id ? environment : null;
    });
    assert.deepEqual([changed.change, changed.problem, changed.added], [null, null, []]);
    assert.match(
      await until('a new kernel has it', async () => {
        const said = await cell(LOOK);
        return said.includes('has 2.0.0') ? said : null;
      }),
      /python-1/,
    );
  });

  it('stays as it was where another one cannot be made', async () => {
    const before = (await now()).environment;
    const { id } = await locked('requirements.txt', 'iniconfig==2.1.0\nipykernel==7.4.0\ntqdm==4.67.1\n');
    // As if its lock had been written for files that are not there any more.
    const path = join(home.root, 'locks', `${id}.json`);
    assert.ok(readFileSync(path, 'utf8').includes('tqdm'));
    writeFileSync(join(home.root, 'envs', id), 'in the way');
    await home.client.api.clusters.changeEnvironment({ clusterId: cluster.id, environment: id });
    const after = await until('the change is over', async () => {
      const { environment } = await now();
      return environment?.change === null ? environment : null;
    });
    assert.equal(after.id, before?.id);
    assert.match(after.problem ?? '', /^The environment stays as it was\./);
  });

  it('takes what uv and pip fetch for a notebook, and has it again when the cluster is started again', async () => {
    await cell('%uv pip install einops==0.8.1');
    await cell('%pip install --no-input tqdm==4.67.1');
    const look = 'import importlib.metadata as m; print("both", m.version("einops"), m.version("tqdm"))';
    assert.match(await cell(look), /^both 0\.8\.1 4\.67\.1$/m);
    const added = (found: Cluster): readonly string[] =>
      (found.environment?.added ?? []).map(({ name, version }) => `${name} ${version}`).toSorted();
    const wanted = ['einops 0.8.1', 'tqdm 4.67.1'];
    const before = await until('they are written down', async () => {
      const found = await now();
      return added(found).length === wanted.length ? found : null;
    });
    assert.deepEqual(added(before), wanted);
    await home.stopCluster(cluster.id);
    const again = await home.cli(['start', 'own', '--yes', '--max', '5']);
    assert.equal(again.code, 0, again.stdout + again.stderr);
    assert.match(
      again.stdout,
      /Packages that its machines had beside its own are installed again: .*einops 0\.8\.1/,
    );
    await home.untilKernel(cluster.id);
    assert.match(await cell(look), /^both 0\.8\.1 4\.67\.1$/m);
    assert.match(await cell(LOOK), /^has 2\.0\.0 /m);
    const after = await until('its agent says so', async () => {
      const found = await now();
      return added(found).length === wanted.length ? found : null;
    });
    assert.deepEqual(
      [added(after), after.environment?.id, after.environment?.problem],
      [wanted, before.environment?.id, null],
    );
  });
});
