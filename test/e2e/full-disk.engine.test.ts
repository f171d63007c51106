/** This computer's disk is full, and machines run: they can be seen and ended, whatever is killed meanwhile. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Cluster } from '@hitch/contract';
import { DaemonHome } from '../support/daemon-home.ts';
import { needsRealNodes } from '../support/processes.ts';
import { SmallDisk } from '../support/small-disk.ts';
import { until } from '../support/waiting.ts';

const DISK_BYTES = 32 * 1024 * 1024;

describe('hostile surroundings: a full disk under the daemon', function () {
  this.timeout(300_000);
  let disk: SmallDisk | undefined;
  let home: DaemonHome;
  let elsewhere = '';

  beforeEach(function () {
    needsRealNodes(this);
    disk = SmallDisk.mount(this, DISK_BYTES);
    home = new DaemonHome({ HITCH_PROVIDERS: 'sandbox', HITCH_SANDBOX_STOCK: '50' }, disk.folder);
    // The machines stand for somebody else's: their disk is not full.
    elsewhere = mkdtempSync(join(tmpdir(), 'he-machines-'));
    symlinkSync(elsewhere, home.home.machines);
  });

  afterEach(async () => {
    if (disk !== undefined) {
      await home.end();
      disk.unmount();
      rmSync(elsewhere, { recursive: true, force: true });
    }
    disk = undefined;
  });

  /** Rents these, and has the room kept back. */
  const rented = async (names: readonly string[]): Promise<Cluster[]> => {
    await home.start();
    const clusters = [];
    for (const name of names) {
      const { id } = await home.rent({ idleMs: 0, engine: 'single' }, name);
      clusters.push(await home.untilCluster(id, `${name} is ready`, ({ phase }) => phase === 'ready'));
    }
    await until('room is kept back', () => existsSync(join(home.root, 'reserve')));
    return clusters;
  };
  const stillBilled = (): number => home.ledger().filter(({ endedAtMs }) => endedAtMs === null).length;
  const fillUp = (): void => disk?.fill();
  const said = async (args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await home.cli(args);
    assert.equal(code, 0, `${args.join(' ')}: ${stdout}${stderr}`);
    return stdout + stderr;
  };

  it('ends what runs, with what had been kept back and without it, and writes it down once there is room', async () => {
    const [one, two] = await rented(['one', 'two']);
    assert.ok(one !== undefined && two !== undefined);
    fillUp();
    assert.match(await said(['stop', 'one', '--skip-save', '--yes']), /one: Gone, confirmed/);
    // Somebody else takes what was given back, too.
    fillUp();
    assert.match(await said(['stop', 'two', '--skip-save', '--yes']), /two: Gone, confirmed/);
    assert.equal(stillBilled(), 0, 'the market bills nothing any more');
    const seen = await said(['ls']);
    assert.match(seen, /one .*Gone/);
    assert.match(seen, /two .*Gone/);

    disk?.empty();
    await until('all is written', async () => {
      const { notices } = await home.api.daemon.info();
      return notices.length === 0;
    });
    await home.kill();
    await home.start();
    for (const { id } of [one, two]) {
      assert.equal((await home.cluster(id)).phase, 'stopped');
    }
  });

  it('says so, rents nothing new, and forgets nothing of what happens in memory', async () => {
    const [one] = await rented(['one']);
    assert.ok(one !== undefined);
    const quote = await home.quote({});
    fillUp();
    // The room kept back goes to ending something, and is then taken by somebody else.
    const { id } = one;
    await home.api.clusters.stop({ clusterId: id, skipSave: true });
    fillUp();
    await home.untilOver(id);
    const refused = await home.api.clusters.create({ quoteId: quote.id }).catch((error: unknown) => error);
    assert.match(String(refused), /disk is full/);
    const doctor = await home.cli(['doctor']);
    assert.match(`${doctor.stdout}${doctor.stderr}`, /disk/i);
    const events = await home.api.clusters.events({ clusterId: id, limit: 1000 });
    const { lastEventSeq } = await home.cluster(id);
    assert.deepEqual(
      events.map(({ seq }) => seq),
      Array.from({ length: lastEventSeq }, (_, index) => index + 1),
      'every event is told, whether a file has it or not',
    );
    disk?.empty();
    await until('something can be rented again', async () => {
      const again = await home.api.clusters.create({ quoteId: quote.id }).catch(() => null);
      return again !== null;
    });
  });

  it('lets a daemon start after kill -9, shows what runs, and ends it', async () => {
    await rented(['one', 'two']);
    fillUp();
    await home.kill();
    await home.start();
    const seen = await said(['ls']);
    assert.match(seen, /^one /m);
    assert.match(await said(['stop', 'one', '--skip-save', '--yes']), /one: Gone, confirmed/);
    // Not even the room for that is left now.
    fillUp();
    await home.kill();
    await home.start();
    assert.match(await said(['ls']), /^two /m);
    const { notices } = await home.api.daemon.info();
    assert.doesNotMatch(notices.join(), /The store/, 'it is the one that was here last');
    assert.match(await said(['stop', 'two', '--skip-save', '--yes']), /two: Gone, confirmed/);
    assert.equal(stillBilled(), 0, 'the market bills nothing any more');
    disk?.empty();
    assert.equal(readFileSync(home.home.discovery, 'utf8').includes(`"pid": ${home.pid.toString()}`), true);
  });

  it('ends what runs even where the store was lost too, and there is no room for another', async () => {
    await rented(['one']);
    await home.kill();
    for (const end of ['', '-wal', '-shm']) {
      rmSync(`${home.home.store}${end}`, { force: true });
    }
    rmSync(home.home.reserve);
    fillUp();
    await home.start();
    assert.match(await said(['ls']), /^one [^]*What happens now is not kept/m);
    assert.match(await said(['stop', 'one', '--skip-save', '--yes']), /one: Gone, confirmed/);
    assert.equal(stillBilled(), 0, 'the market bills nothing any more');
  });
});
