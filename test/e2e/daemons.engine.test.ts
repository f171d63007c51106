/** Several daemons and one home: who does the work, who steps down, who is believed. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DatabaseSync } from 'node:sqlite';
import { discoverySchema } from '@hitch/contract';
import { VERSION } from '@hitch/platform/src/version.ts';
import { DaemonHome } from '../support/daemon-home.ts';
import { NotebookPage, startKernel } from '../support/notebook-page.ts';
import { needsRealNodes, runs } from '../support/processes.ts';
import { httpAnswer, Stranger } from '../support/stranger.ts';
import { until } from '../support/waiting.ts';

const OTHER_VERSION = fileURLToPath(new URL('../support/other-version.ts', import.meta.url));
const NEWER = '99.0.0';

describe('daemons of one home', function () {
  this.timeout(300_000);
  const homes: DaemonHome[] = [];
  const newHome = (): DaemonHome => {
    const home = new DaemonHome({ HITCH_SANDBOX_RUNTIME: 'null' });
    homes.push(home);
    return home;
  };
  const keptPort = (home: DaemonHome) => Number(readFileSync(join(home.root, 'port'), 'utf8'));
  const discovered = (home: DaemonHome) =>
    discoverySchema.parse(JSON.parse(readFileSync(home.home.discovery, 'utf8')));

  before(function () {
    needsRealNodes(this);
  });

  afterEach(async () => {
    for (const home of homes.splice(0)) {
      await home.dispose();
    }
  });

  it('leaves one daemon when several are started at once, and every start succeeds', async () => {
    const home = newHome();
    const starts = await Promise.all([1, 2, 3, 4].map(() => home.cli(['daemon', '--json'])));
    for (const { code, stderr } of starts) {
      assert.equal(code, 0, stderr);
    }
    const pids = starts.map(({ stdout }) => (JSON.parse(stdout) as { pid: number }).pid);
    assert.equal(new Set(pids).size, 1, pids.join(' '));
    // Those that lost end by themselves.
    await until('one daemon is left', () => home.daemons().length === 1);
    assert.deepEqual(home.daemons(), [pids[0]]);
  });

  it('says to whoever starts a second one in the foreground that one runs already, which is no failure', async () => {
    const home = newHome();
    await home.start();
    const pid = home.pid;
    const { code, stdout } = await home.cli(['daemon', '--foreground']);
    assert.equal(code, 0);
    assert.equal(stdout.trim(), `Hitch ${VERSION} already runs (process ${pid}, ${home.place().baseUrl}).`);
    assert.ok(runs(pid));
  });

  it('writes what finds it for its owner alone, keeps its port over restarts, and changes its bearer', async () => {
    const home = newHome();
    await home.start();
    assert.equal(statSync(home.home.discovery).mode & 0o777, 0o600);
    const first = discovered(home);
    await home.stop();
    assert.equal(
      existsSync(home.home.discovery),
      false,
      'a daemon that ends takes its discovery file with it',
    );
    await home.start();
    const second = discovered(home);
    assert.equal(second.port, first.port);
    assert.notEqual(second.token, first.token);
    assert.notEqual(second.challengeKey, first.challengeKey);
  });

  it('starts again after a kill that left the discovery file, also when its process id is somebody else’s now', async () => {
    const home = newHome();
    await home.start();
    const { port } = discovered(home);
    await home.kill();
    assert.ok(existsSync(home.home.discovery));
    assert.equal((await home.cli(['ls'])).code, 0, 'a client starts it again');
    const [again] = home.daemons();
    assert.ok(again);
    process.kill(again, 'SIGKILL');
    await until('it is gone', () => home.daemons().length === 0);
    writeFileSync(home.home.discovery, JSON.stringify({ ...discovered(home), pid: process.pid }));
    await home.start();
    assert.equal(discovered(home).port, port);
  });

  it('tells a stranger on its port nothing, and listens elsewhere', async () => {
    const home = newHome();
    await home.start();
    const left = discovered(home);
    await home.kill();
    // The worst case: the file still names the port, and a process with that id runs.
    writeFileSync(home.home.discovery, JSON.stringify({ ...left, pid: process.pid }), { mode: 0o600 });
    const proof = { proof: 'f'.repeat(64), protocol: left.protocol, version: left.version };
    const stranger = await Stranger.listen(left.port, httpAnswer(proof));
    try {
      const { code, stderr } = await home.cli(['ls']);
      assert.equal(code, 0, stderr);
      assert.notEqual(discovered(home).port, left.port);
      assert.equal(keptPort(home), discovered(home).port);
      assert.match(stranger.heard, /POST \/challenge/, 'it was asked for a proof');
      assert.doesNotMatch(stranger.heard, /authorization/i);
      for (const secret of [left.token, left.challengeKey, discovered(home).token]) {
        assert.ok(!stranger.heard.includes(secret));
      }
    } finally {
      await stranger.close();
    }
  });

  it('gives way to a newer version, which takes the clusters up with a running cell untouched', async () => {
    const home = new DaemonHome({ HITCH_PROVIDERS: 'local' });
    homes.push(home);
    await home.start();
    const older = home.pid;
    const cluster = await home.untilKernel((await home.rent({ filter: { providers: ['local'] } })).id);
    const page = await NotebookPage.open(home, cluster, await startKernel(home, cluster));
    const printed = (count: number) => () => cell.text.split('\n').length > count;
    const cell = page.run(
      'import time\nfor number in range(60):\n    print("line", number, flush=True)\n    time.sleep(0.25)',
    );
    await until('the cell prints', printed(4));
    await home.start({}, [OTHER_VERSION, NEWER]);
    assert.equal((await home.api.daemon.info()).version, NEWER);
    await until('the older one has ended', () => !runs(older));
    const expected = Array.from({ length: 60 }, (_, number) => `line ${number.toString()}\n`).join('');
    assert.equal(await cell.over(), expected);
    const after = await home.cluster(cluster.id);
    assert.equal(after.nodes[0]?.attempts.length, 1);
    assert.equal(after.nodes[0]?.attempts[0]?.ref, cluster.nodes[0]?.attempts[0]?.ref);

    const refused = await home.cli(['daemon', '--foreground']);
    assert.notEqual(refused.code, 0);
    assert.match(
      refused.stderr,
      new RegExp(
        `A newer Hitch \\(${NEWER}\\) already runs; this copy is ${VERSION}\\..*update this copy`,
        's',
      ),
    );
    page.leave();
    await home.stopCluster(cluster.id);
  });

  it('refuses a store that a newer version wrote, with a sentence, and changes nothing in it', async () => {
    const home = newHome();
    await home.start();
    await home.stop();
    const database = new DatabaseSync(home.home.store);
    database.exec('pragma user_version = 4711');
    database.close();
    const before = readFileSync(home.home.store);
    const { code, stderr } = await home.cli(['daemon', '--foreground']);
    assert.notEqual(code, 0);
    assert.match(stderr, /hitch\.db was written by a newer Hitch \(schema 4711; this one knows \d+\)\./);
    assert.match(stderr, /Update this copy of Hitch/);
    assert.deepEqual(readFileSync(home.home.store), before);
    assert.equal(existsSync(home.home.discovery), false);
    const throughFace = await home.cli(['ls']);
    assert.notEqual(throughFace.code, 0);
    assert.match(throughFace.stderr, /was written by a newer Hitch/);
  });
});
