/** What may be wrong with the market, the machine or the disk around a real daemon: each with its sentence. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Cluster, errorEnvelopeSchema, type QuoteRequest } from '@hitch/contract';
import { ask, refusal } from '../support/asking.ts';
import { DaemonHome } from '../support/daemon-home.ts';
import { needsRealNodes, skip } from '../support/processes.ts';
import { until } from '../support/waiting.ts';

describe('what is wrong with the market or the machine', function () {
  this.timeout(240_000);
  const homes: DaemonHome[] = [];
  let folder = '';
  const newHome = (environment: Record<string, string>): DaemonHome => {
    const home = new DaemonHome(environment);
    homes.push(home);
    return home;
  };

  before(function () {
    needsRealNodes(this);
    folder = mkdtempSync(join(tmpdir(), 'he-fake-'));
  });

  afterEach(async () => {
    for (const home of homes.splice(0)) {
      await home.dispose();
    }
  });

  after(() => {
    if (folder !== '') {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  /** A program that answers like a Python with these packages. */
  const fakePython = (name: string, packages: string): string => {
    const path = join(folder, name);
    writeFileSync(path, `#!/bin/sh\nprintf '${packages}'\n`, { mode: 0o755 });
    return path;
  };
  const untilFailed = async (home: DaemonHome, request: Partial<QuoteRequest>): Promise<Cluster> => {
    const { id } = await home.rent(request);
    return until('it has failed and nothing is left', async () => {
      const cluster = await home.cluster(id);
      return cluster.phase === 'failed' && cluster.endedAtMs !== null ? cluster : null;
    });
  };

  it('says when every offer was sold a moment before, and owes nothing', async () => {
    const faults = JSON.stringify({ seed: 1, rules: [{ fault: 'vanished_offer' }] });
    const home = newHome({ HITCH_SANDBOX_RUNTIME: 'null', HITCH_SANDBOX_FAULTS: faults });
    await home.start();
    // Dear enough that there is more than one.
    const failed = await untilFailed(home, {
      filter: { practice: 'only' },
      maxNodePricePerHourMicroUsd: '100000',
    });
    assert.match(
      failed.message,
      /None of the offers could be rented\..*Somebody else rented .* in the meantime/,
    );
    assert.equal(failed.conditions.billing.status, 'no');
    assert.equal(failed.usage.accruedMicroUsd, '0');
  });

  for (const [what, python, engine, sentence] of [
    [
      'no Python at all',
      () => join(folder, 'missing'),
      'single',
      /no Python at .*missing: correct HITCH_PYTHON/,
    ],
    [
      'a Python without Jupyter',
      () => fakePython('bare', 'python 3.11.2\\nray 2.58.0\\n'),
      'single',
      /bare lacks jupyter_server and ipykernel: install them there/,
    ],
    [
      'a Ray that lets anybody in',
      () => fakePython('oldray', 'python 3.11.2\\njupyter_server 2.21.1\\nipykernel 7.4.0\\nray 2.40.0\\n'),
      'ray',
      /oldray has Ray 2\.40\.0, which lets anybody who reaches it run code: install ray\[default\] 2\.52 or newer/,
    ],
    [
      'a Python that is too old',
      () => fakePython('old', 'python 3.8.10\\njupyter_server 1\\nipykernel 6\\n'),
      'single',
      /old is Python 3\.8\.10, which is too old: install Python 3\.10 to 3\.14/,
    ],
  ] as const) {
    it(`fails with its sentence where there is ${what}, and leaves nothing`, async () => {
      const home = newHome({ HITCH_PROVIDERS: 'local', HITCH_PYTHON: python() });
      await home.start();
      const failed = await untilFailed(home, { engine });
      assert.match(failed.message, sentence);
      assert.deepEqual(home.leftovers([failed]), []);
      assert.deepEqual(home.machines(), []);
    });
  }

  it('lets no path of a client out of a machine’s work folder', async () => {
    const home = newHome({ HITCH_PROVIDERS: 'local' });
    await home.start();
    const { id, nodes } = await home.untilKernel((await home.rent({})).id);
    const ref = nodes[0]?.attempts[0]?.ref ?? '';
    const work = join(home.machineFolder(ref), 'work');
    symlinkSync('/etc', join(work, 'out'));
    symlinkSync('/etc/passwd', join(work, 'passwd'));
    mkdirSync(join(work, 'inside'));
    const before = readdirSync('/etc');
    const encoded = (path: string) => encodeURIComponent(path);
    for (const path of ['../machine.json', '/etc/passwd', 'inside/../../machine.json', 'a\u0000b']) {
      for (const [method, route] of [
        ['GET', `/api/clusters/${id}/files?path=${encoded(path)}`],
        ['GET', `/api/clusters/${id}/file?path=${encoded(path)}`],
        ['DELETE', `/api/clusters/${id}/file?path=${encoded(path)}`],
        ['GET', `/clusters/${id}/raw-files?path=${encoded(path)}`],
      ] as const) {
        const { status, code } = await refusal(home, method, route);
        assert.deepEqual([status, code], [400, 'BAD_INPUT'], `${method} ${route}`);
      }
    }
    for (const path of ['out', 'out/hostname', 'passwd']) {
      for (const [method, route] of [
        ['GET', `/api/clusters/${id}/file-checksum?path=${encoded(path)}`],
        ['GET', `/api/clusters/${id}/files?path=${encoded(path)}`],
        ['GET', `/clusters/${id}/raw-files?path=${encoded(path)}`],
      ] as const) {
        const { status, message } = await refusal(home, method, route);
        assert.ok(status === 400 || status === 404, `${method} ${route}: ${status.toString()} ${message}`);
      }
    }
    const body = JSON.stringify({ path: 'out/hitch-was-here' });
    assert.ok((await refusal(home, 'POST', `/api/clusters/${id}/folders`, { body })).status < 500);
    assert.deepEqual(readdirSync('/etc'), before);
    await home.stopCluster(id);
  });
});

describe('a home that cannot be written', function () {
  this.timeout(240_000);
  let mount = '';
  let home: DaemonHome | undefined;

  const mountHome = (context: Mocha.Context, size: string): DaemonHome => {
    mount = mkdtempSync(join(tmpdir(), 'he-'));
    if (process.platform !== 'linux' || process.getuid?.() !== 0) {
      skip(context, 'only root on Linux can mount a small disk');
    }
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', mount], { stdio: 'pipe' });
    } catch {
      skip(context, 'mounting a small disk is not permitted here');
    }
    home = new DaemonHome({ HITCH_SANDBOX_RUNTIME: 'null' }, mount);
    return home;
  };
  const fill = (name: string): void => {
    try {
      writeFileSync(join(mount, name), Buffer.alloc(64 * 1024 * 1024));
    } catch {
      // That is the point.
    }
  };

  afterEach(async () => {
    const used = home;
    home = undefined;
    await used?.stop();
    if (mount !== '') {
      try {
        execFileSync('umount', ['-l', mount], { stdio: 'pipe' });
      } catch {
        // It was never mounted.
      }
    }
    await used?.dispose();
    if (mount !== '') {
      rmSync(mount, { recursive: true, force: true });
    }
    mount = '';
  });

  it('says that the disk is full, loses nothing, and goes on once there is room', async function () {
    const small = mountHome(this, '64m');
    await small.start();
    const quote = await small.quote({ filter: { practice: 'only' } });
    const cluster = await small.api.clusters.create({ quoteId: quote.id, name: 'before' });
    fill('filler');
    const refused = await until('the disk is full', async () => {
      const body = JSON.stringify({ filter: { practice: 'only' } });
      const { status, text } = await ask(small, 'POST', '/api/quotes', { body });
      return status === 200 ? null : { status, ...errorEnvelopeSchema.parse(JSON.parse(text)) };
    });
    assert.deepEqual([refused.status, refused.code], [507, 'STORAGE_FULL']);
    assert.match(`${refused.message} ${refused.next ?? ''}`, /the disk is full.*Free some space/);
    assert.equal((await small.cluster(cluster.id)).name, 'before');
    rmSync(join(mount, 'filler'));
    const later = await small.rent({ filter: { practice: 'only' } }, 'after');
    await small.kill();
    await small.start();
    const names = (await small.api.clusters.list()).map(({ name }) => name);
    assert.deepEqual(names.sort(), ['after', 'before']);
    for (const { id } of [cluster, later]) {
      await small.stopCluster(id);
    }
  });

  it('says that the disk is full when a daemon starts on it', async function () {
    const small = mountHome(this, '1m');
    fill('filler');
    for (const args of [['daemon', '--foreground'], ['ls']]) {
      const { code, stderr } = await small.cli(args);
      assert.equal(code, 9, `${args.join(' ')}: ${stderr}`);
      assert.match(stderr, /Cannot write .*: the disk is full/);
      assert.match(stderr, /Free some space/);
    }
  });

  it('says that it is read-only', async function () {
    const small = mountHome(this, '8m');
    execFileSync('mount', ['-o', 'remount,ro', mount], { stdio: 'pipe' });
    for (const args of [['daemon', '--foreground'], ['ls']]) {
      const { code, stderr } = await small.cli(args);
      assert.equal(code, 9, stderr);
      assert.match(stderr, new RegExp(`Cannot write ${mount}.*: the file system is read-only`));
      assert.match(stderr, /point HITCH_HOME at a folder you can write/);
    }
  });

  it('says that a file is in its place', async () => {
    mount = mkdtempSync(join(tmpdir(), 'he-'));
    const file = join(mount, 'home');
    writeFileSync(file, 'mine');
    home = new DaemonHome({}, file);
    const { code, stderr } = await home.cli(['daemon', '--foreground']);
    assert.equal(code, 9, stderr);
    assert.match(stderr, /cannot be Hitch’s folder: a file is in its place/);
  });

  it('chooses a port where the kept one is no port', async () => {
    home = new DaemonHome({ HITCH_SANDBOX_RUNTIME: 'null' }).make();
    writeFileSync(join(home.root, 'port'), 'nonsense\n');
    await home.start();
    assert.match(home.place().baseUrl, /:\d+$/);
  });
});
