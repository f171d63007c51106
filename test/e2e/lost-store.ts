/** A store that is removed, emptied or written over while machines run: none is forgotten, ended or rented twice. */
import assert from 'node:assert/strict';
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Cluster } from '@hitch/contract';
import { DaemonHome } from '../support/daemon-home.ts';
import { needsRealNodes } from '../support/processes.ts';
import { until } from '../support/waiting.ts';

const FILES = ['', '-wal', '-shm'];

/** What may become of the files of a database. */
export const HARM = {
  removed: (path: string) => FILES.forEach(end => rmSync(`${path}${end}`, { force: true })),
  'cut off': (path: string) =>
    FILES.filter(end => existsSync(path + end)).forEach(end => truncateSync(path + end, 0)),
  'written over': (path: string) =>
    FILES.filter(end => existsSync(path + end)).forEach(end => {
      const bytes = readFileSync(path + end);
      // Its first page stays: the header alone says nothing of the rest.
      bytes.fill(0xa5, Math.min(bytes.length, 4096));
      writeFileSync(path + end, bytes);
    }),
  'replaced by another file': (path: string) => {
    writeFileSync(`${path}.other`, 'not a database, and long enough to be taken for one\n'.repeat(100));
    renameSync(`${path}.other`, path);
  },
} satisfies Readonly<Record<string, (path: string) => void>>;
type Harm = keyof typeof HARM;

/** Whose rows may turn out to be unreadable. */
export const TABLES = ['clusters', 'nodes', 'attempts', 'segments', 'quotes', 'events'] as const;

export interface LostStore {
  readonly whileItRuns: readonly Harm[];
  readonly betweenDaemons: readonly Harm[];
  readonly tables: readonly (typeof TABLES)[number][];
}

/** What the files hold, read from copies: the daemon has them locked. */
function namesIn(path: string): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'he-read-'));
  try {
    const copy = join(folder, 'copy.db');
    FILES.filter(end => existsSync(path + end)).forEach(end => copyFileSync(path + end, copy + end));
    const database = new DatabaseSync(copy);
    try {
      return database
        .prepare('select name from clusters order by name')
        .all()
        .map(({ name }) => String(name));
    } finally {
      database.close();
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Tests of one suite, which has said how long each may take. */
export function lostStore({ whileItRuns, betweenDaemons, tables }: LostStore): void {
  let home: DaemonHome;

  afterEach(async () => {
    await home.dispose();
  });

  const ready = async (name: string): Promise<Cluster> => {
    const { id } = await home.rent({ idleMs: 0, engine: 'single' }, name);
    return home.untilCluster(id, `${name} is ready`, ({ phase }) => phase === 'ready');
  };
  const billed = () => home.ledger().filter(({ endedAtMs }) => endedAtMs === null);
  const keptFiles = (): string[] =>
    readdirSync(home.root).filter(name => /^hitch\.db\.lost-[\dT-]+$/.test(name));
  const runs = ({ phase }: Cluster): boolean => phase === 'ready';

  describe('while the daemon runs', () => {
    beforeEach(() => {
      home = new DaemonHome({
        HITCH_PROVIDERS: 'sandbox',
        HITCH_SANDBOX_RUNTIME: 'null',
        HITCH_SANDBOX_BOOT_MS: '100',
        HITCH_SANDBOX_STOCK: '50',
      });
    });

    for (const what of whileItRuns) {
      it(`(${what}) is noticed, said, kept, and written anew`, async () => {
        await home.start();
        await ready('one');
        HARM[what](home.home.store);
        const notice = await until('it is noticed', async () => (await home.api.daemon.info()).notices[0]);
        assert.match(notice, /hitch\.db .*written anew from memory/);
        await ready('two');
        const shown = await home.cli(['ls']);
        assert.match(shown.stderr, /hitch\.db/);
        assert.match(shown.stdout, /one [^]*two |two [^]*one /);
        await home.kill();
        assert.deepEqual(namesIn(home.home.store), ['one', 'two']);
        assert.equal(keptFiles().length > 0, what !== 'removed', keptFiles().join());
      });
    }
  });

  describe('with machines that go on', () => {
    beforeEach(function () {
      needsRealNodes(this);
      home = new DaemonHome({ HITCH_PROVIDERS: 'sandbox', HITCH_SANDBOX_STOCK: '50' });
    });

    for (const what of betweenDaemons) {
      it(`(${what}) between two daemons is made again, and nothing is rented twice`, async () => {
        await home.start();
        const one = await ready('one');
        await home.api.clusters.extend({ clusterId: one.id, capMicroUsd: '77000000' });
        await until('the purchase log knows it', () =>
          readFileSync(home.home.purchases, 'utf8').includes('77000000'),
        );
        await home.kill();
        HARM[what](home.home.store);
        const shown = await home.cli(['ls']);
        assert.equal(shown.code, 0, shown.stderr);
        assert.match(shown.stderr, /store|hitch\.db/);
        assert.match(shown.stdout, /^one /m);
        const again = await home.untilCluster(one.id, 'it runs again', runs);
        assert.equal(again.name, 'one');
        assert.notEqual(again.usage.ratePerHourMicroUsd, '0');
        assert.equal(again.caps.totalMicroUsd, '77000000', 'its limits are as they were');
        assert.equal(home.ledger().length, 1, 'nothing was rented twice');
        const { code, stdout, stderr } = await home.cli(['stop', 'one', '--skip-save', '--yes']);
        assert.equal(code, 0, stdout + stderr);
        assert.deepEqual(billed(), []);
        assert.deepEqual(home.leftovers([again]), []);
      });
    }

    it('while the daemon runs and before it is killed: they run as before', async () => {
      await home.start();
      const one = await ready('one');
      HARM.removed(home.home.store);
      await until('it is noticed', async () => (await home.api.daemon.info()).notices[0]);
      await home.kill();
      await home.start();
      await home.untilCluster(one.id, 'it runs as before', runs);
      assert.equal(home.ledger().length, 1, 'nothing was rented twice');
      await home.stopCluster(one.id);
    });

    it('goes on ending what was being ended', async () => {
      const refuses = { seed: 1, rules: [{ fault: 'destroy_fails' }] };
      await home.start({ HITCH_SANDBOX_FAULTS: JSON.stringify(refuses) });
      const one = await ready('one');
      await home.api.clusters.stop({ clusterId: one.id, skipSave: true });
      await until('the purchase log knows it', () =>
        readFileSync(home.home.purchases, 'utf8').includes('"desired":"stopped"'),
      );
      await home.kill();
      HARM.removed(home.home.store);
      await home.start();
      await home.untilOver(one.id);
      assert.deepEqual(billed(), []);
    });

    it('does not rent again what an older store in its place knows nothing of', async () => {
      await home.start();
      await home.stop();
      const older = `${home.home.store}.older`;
      copyFileSync(home.home.store, older);
      await home.start();
      const one = await ready('one');
      await home.stop();
      renameSync(older, home.home.store);
      await home.start();
      assert.match((await home.api.daemon.info()).notices.join(), /is older than the one that was here last/);
      await home.untilCluster(one.id, 'it runs again', runs);
      assert.equal(home.ledger().length, 1, 'nothing was rented twice');
      await home.stopCluster(one.id);
    });

    it('is said with what the networks list where its purchase log is lost too, and nothing of that is ended', async () => {
      await home.start();
      const one = await ready('one');
      const ref = one.nodes[0]?.attempts[0]?.ref ?? '';
      await home.kill();
      HARM.removed(home.home.store);
      rmSync(home.home.purchases);
      await home.start();
      const { stdout } = await home.cli(['doctor']);
      assert.match(stdout, new RegExp(`lists 1 machine that no record here knows: ${ref}`));
      assert.equal(billed().length, 1, 'what no record knows is not ended');
    });

    for (const table of tables) {
      it(`sets a row of ${table} aside that cannot be read: what it rented is found again, the rest goes on`, async () => {
        await home.start();
        const one = await ready('one');
        await home.stop();
        const database = new DatabaseSync(home.home.store);
        const column = table === 'segments' ? 'start_ms' : table === 'events' ? 'at_ms' : 'record';
        const { changes } = database.prepare(`update ${table} set ${column} = 'nonsense'`).run();
        database.close();
        assert.notEqual(changes, 0);
        const shown = await home.cli(['ls']);
        assert.equal(shown.code, 0, shown.stderr);
        assert.match(shown.stdout, /^one /m);
        if (table !== 'events') {
          assert.match(shown.stderr, new RegExp(`set_aside.*${table}`, 's'));
          assert.match((await home.cli(['doctor'])).stdout, /set_aside/);
        }
        await home.untilCluster(one.id, 'it runs again', runs);
        assert.equal(home.ledger().length, 1, 'nothing was rented twice');
        const { code, stdout, stderr } = await home.cli(['stop', 'one', '--skip-save', '--yes']);
        assert.equal(code, 0, stdout + stderr);
        assert.deepEqual(billed(), []);
      });
    }

    it('survives the loss of the purchase log alone: it is written again', async () => {
      await home.start();
      const one = await ready('one');
      rmSync(home.home.purchases);
      await until('it is written again', () => existsSync(home.home.purchases));
      await home.kill();
      HARM.removed(home.home.store);
      await home.start();
      await home.untilCluster(one.id, 'it runs again', runs);
      await home.stopCluster(one.id);
      assert.deepEqual(billed(), []);
    });
  });
}
