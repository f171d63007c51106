import assert from 'node:assert/strict';
import { chownSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DatabaseSync } from 'node:sqlite';
import { HitchClient, HitchError } from '@hitch/contract';
import { clientFor, ensureDaemon, startDaemonDetached } from '@hitch/client-node/src/connect.ts';
import { writeDiscovery } from '@hitch/client-node/src/discovery.ts';
import { findDaemon, type FoundDaemon } from '@hitch/client-node/src/find.ts';
import { bundleDaemon, Daemons, ENVIRONMENT } from './processes.ts';

const clientOf = (found: FoundDaemon) =>
  new HitchClient({ ...found, token: () => found.token, clientId: 'test' });

describe('a daemon’s life', function () {
  this.timeout(90_000);
  let bundle: Awaited<ReturnType<typeof bundleDaemon>>;
  let daemons: Daemons;

  before(async () => {
    bundle = await bundleDaemon();
  });

  after(() => bundle.remove());

  beforeEach(() => {
    daemons = new Daemons(bundle.program);
  });

  afterEach(() => daemons.end());

  it('writes its discovery file for its owner alone, and takes it away when it ends', async () => {
    const { child, ended } = daemons.start();
    const found = await daemons.found();
    const { discovery, root, store } = daemons.home;
    assert.equal(statSync(discovery).mode & 0o777, 0o600);
    assert.equal(statSync(root).mode & 0o777, 0o700);
    assert.equal(statSync(store).mode & 0o777, 0o600);
    assert.equal((await clientOf(found).api.daemon.info()).pid, child.pid);
    child.kill('SIGTERM');
    const { code, output } = await ended;
    assert.equal(code, 0, output);
    assert.ok(!existsSync(discovery));
    assert.match(readFileSync(`${daemons.home.logs}/daemon.log`, 'utf8'), /The daemon ends/);
  });

  it('keeps its port and changes its token with each start', async () => {
    const first = daemons.start();
    const before = await daemons.found();
    await clientOf(before).api.daemon.stop();
    await first.ended;
    daemons.start();
    const after = await daemons.found();
    assert.equal(after.baseUrl, before.baseUrl);
    assert.notEqual(after.token, before.token);
    await assert.rejects(
      clientOf({ ...after, token: before.token }).api.daemon.info(),
      (error: unknown) => error instanceof HitchError && error.code === 'UNAUTHORIZED',
    );
  });

  it('chooses another port when a stranger has taken its own, and keeps that one', async () => {
    const first = daemons.start();
    const before = await daemons.found();
    first.child.kill('SIGKILL');
    await first.ended;
    const stranger = createServer((_, response) => response.end('hello'));
    await new Promise<void>(resolve => stranger.listen(before.discovery.port, '127.0.0.1', () => resolve()));
    try {
      const second = daemons.start();
      const moved = await daemons.found();
      assert.notEqual(moved.discovery.port, before.discovery.port);
      assert.match(
        readFileSync(`${daemons.home.logs}/daemon.log`, 'utf8'),
        /port is taken by another program/,
      );
      second.child.kill('SIGTERM');
      await second.ended;
      daemons.start();
      assert.equal((await daemons.found()).discovery.port, moved.discovery.port);
    } finally {
      stranger.close();
    }
  });

  it('leaves its place to the next one when it is killed', async () => {
    const first = daemons.start();
    const before = await daemons.found();
    first.child.kill('SIGKILL');
    await first.ended;
    assert.ok(existsSync(daemons.home.discovery));
    assert.equal(await findDaemon(daemons.home), null);
    const second = daemons.start();
    assert.equal((await daemons.found()).discovery.pid, second.child.pid);
    assert.notEqual(second.child.pid, before.discovery.pid);
  });

  it('does not give the bearer to a stranger who sits on its port', async () => {
    const seen: IncomingMessage[] = [];
    const stranger = createServer((request, response) => {
      seen.push(request);
      response.setHeader('content-type', 'application/json');
      response.end('{"proof":"00","protocol":1,"version":"0.1.0"}');
    });
    await new Promise<void>(resolve => stranger.listen(0, '127.0.0.1', () => resolve()));
    writeDiscovery(daemons.home, {
      protocol: 1,
      version: '0.1.0',
      pid: process.pid,
      port: (stranger.address() as AddressInfo).port,
      token: 'secret-bearer',
      challengeKey: 'key',
      startedAtMs: 0,
    });
    assert.equal(await findDaemon(daemons.home), null);
    stranger.close();
    assert.equal(seen.length, 1);
    assert.ok(!JSON.stringify(seen[0]?.rawHeaders).includes('secret-bearer'));
  });

  it('is one when several start at once; the others say so and end well', async () => {
    const started = Array.from({ length: 4 }, () => daemons.start());
    const winner = await daemons.found();
    const losers = started.filter(({ child }) => child.pid !== winner.discovery.pid);
    assert.equal(losers.length, 3);
    for (const { code, output } of await Promise.all(losers.map(({ ended }) => ended))) {
      assert.equal(code, 0, output);
      assert.match(
        output,
        new RegExp(`Hitch 0.1.0 already runs \\(process ${String(winner.discovery.pid)}, `),
      );
    }
    assert.equal((await daemons.found()).discovery.pid, winner.discovery.pid);
  });

  it('leaves the time that is kept for the next one to the one that has the store', async () => {
    daemons.start();
    await daemons.found();
    const before = readFileSync(daemons.home.clock, 'utf8');
    const { code, output } = await daemons.start().ended;
    assert.equal(code, 0, output);
    assert.equal(readFileSync(daemons.home.clock, 'utf8'), before);
  });

  it('hands over to a newer version without touching a cluster', async () => {
    const older = daemons.start('0.1.0');
    const before = clientOf(await daemons.found());
    const quote = await before.api.quotes.create({ filter: { practice: 'only' } });
    const cluster = await before.api.clusters.create({ quoteId: quote.id });
    const { cursor } = await before.api.events.cursor();
    const stream = await before.api.events.watch({ cursor });

    const newer = daemons.start('0.2.0');
    const found = await daemons.found('0.2.0');
    assert.equal((await older.ended).code, 0);
    for await (const _ of stream) {
      // The stream ends with the daemon instead of hanging.
    }
    assert.equal(found.discovery.pid, newer.child.pid);
    assert.equal(found.baseUrl, `http://127.0.0.1:${found.discovery.port}`);
    const kept = await clientOf(found).api.clusters.get({ clusterId: cluster.id });
    assert.equal(kept.id, cluster.id);
    assert.ok(!['stopping', 'stopped', 'expired'].includes(kept.phase), kept.phase);
    const attempts = await clientOf(found).api.attempts.list({ clusterId: cluster.id });
    assert.equal(attempts.filter(({ state }) => state === 'owned' || state === 'intended').length <= 1, true);
  });

  it('refuses to start beside a newer one', async () => {
    daemons.start('0.2.0');
    const newer = await daemons.found();
    const { code, output } = await daemons.start('0.1.9').ended;
    assert.equal(code, 1);
    assert.match(output, /VERSION_MISMATCH: A newer Hitch \(0.2.0\) already runs; this copy is 0.1.9/);
    assert.equal((await daemons.found()).discovery.pid, newer.discovery.pid);
  });

  it('refuses a store of a newer schema with a sentence, and changes nothing in it', async () => {
    const first = daemons.start();
    await daemons.found();
    first.child.kill('SIGTERM');
    await first.ended;
    const database = new DatabaseSync(daemons.home.store);
    database.exec('pragma user_version = 99');
    database.close();
    const { code, output } = await daemons.start().ended;
    assert.equal(code, 1);
    assert.match(output, /VERSION_MISMATCH: .*hitch.db was written by a newer Hitch \(schema 99/);
    assert.ok(!existsSync(daemons.home.discovery));
  });

  it('says that a file is in the place of its folder', async () => {
    writeFileSync(daemons.home.root, '');
    const { code, output } = await daemons.start().ended;
    assert.equal(code, 1);
    assert.match(output, /STORAGE_FULL: .*home cannot be Hitch’s folder: a file is in its place/);
  });

  it('says that it cannot write a read-only home', async function () {
    if (process.getuid?.() !== 0) {
      console.log('      skipped: only root can start a daemon that may not write here');
      this.skip();
    }
    mkdirSync(daemons.home.root, { mode: 0o500 });
    chownSync(daemons.folder, 65_534, 65_534);
    chownSync(daemons.home.root, 65_534, 65_534);
    const { code, output } = await daemons.start('0.1.0', { uid: 65_534 }).ended;
    assert.equal(code, 1);
    assert.match(
      output,
      /STORAGE_FULL: Cannot write .*home: permission is denied. Free some space or point HITCH_HOME/,
    );
  });

  it('says a sentence for a setting that makes no sense', async () => {
    const program = ['env', 'HITCH_SANDBOX_BOOT_MS=soon', process.execPath];
    const { code, output } = await daemons.start('0.1.0', { program }).ended;
    assert.equal(code, 1);
    assert.match(output, /BAD_INPUT: The variable HITCH_SANDBOX_BOOT_MS is "soon"/);
  });

  describe('from a client', () => {
    const program = (version: string) => ({
      command: process.execPath,
      args: ['--disable-warning=ExperimentalWarning', bundle.program, daemons.home.root, version],
      environment: ENVIRONMENT,
    });

    it('is started in the background, found the next time, and talked to', async () => {
      mkdirSync(daemons.home.root);
      const found = await ensureDaemon(daemons.home, program('0.1.0'));
      try {
        assert.deepEqual(await ensureDaemon(daemons.home, program('0.1.0')), found);
        assert.equal((await clientFor(daemons.home, 'test', found).api.daemon.info()).version, '0.1.0');
      } finally {
        await clientOf(found).api.daemon.stop();
      }
      while ((await findDaemon(daemons.home)) !== null) {
        await new Promise(resolve => setTimeout(resolve, 25));
      }
    });

    it('says what the daemon said when it could not start', async () => {
      writeFileSync(daemons.home.root, '');
      await assert.rejects(startDaemonDetached(daemons.home, program('0.1.0')), HitchError);
      const broken = new Daemons(bundle.program);
      mkdirSync(broken.home.root);
      mkdirSync(broken.home.store);
      await assert.rejects(
        startDaemonDetached(broken.home, {
          ...program('0.1.0'),
          args: program('0.1.0').args.map(arg => (arg === daemons.home.root ? broken.home.root : arg)),
        }),
        (error: unknown) =>
          error instanceof HitchError && /The daemon did not start: .*hitch.db/.test(error.message),
      );
      await broken.end();
    });
  });
});
