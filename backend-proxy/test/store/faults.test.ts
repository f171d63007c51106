import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { HitchError } from '@hitch/contract';
import { systemClock } from '@hitch/platform/src/clock.ts';
import fc from 'fast-check';
import { Ledger } from '../../src/ledger/ledger.ts';
import type { Store } from '../../src/ledger/store.ts';
import { ALL_KINDS } from '../../src/ledger/records.ts';
import { schemaVersion } from '../../src/store/migrations.ts';
import { openStore } from '../../src/store/open.ts';
import { SqlStore } from '../../src/store/sql-store.ts';
import { openDatabase, sqliteError } from '../../src/store/sqlite.ts';
import { SqliteDatabase } from '../../src/store/sqlite-database.ts';
import { cluster, event, node, START_MS } from './records.ts';

const now = () => START_MS;
const hitchError = (code: string, text: RegExp) => (error: unknown) => {
  assert.ok(error instanceof HitchError, String(error));
  assert.equal(error.code, code);
  assert.match(error.message, text);
  return true;
};

describe('the store when things go wrong', function () {
  this.timeout(120_000);
  let folder = '';
  let path = '';
  const children: ChildProcess[] = [];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hitch-store-'));
    path = join(folder, 'hitch.db');
  });

  afterEach(() => {
    children.splice(0).forEach(child => child.kill('SIGKILL'));
    rmSync(folder, { recursive: true, force: true });
  });

  const open = () => openStore({ path, worker: false, now });

  async function filled(clusters: number): Promise<void> {
    const store = await open();
    await store.load();
    for (let index = 0; index < clusters; index++) {
      const one = cluster({ name: `c-${index.toString()}` });
      await store.commit({
        clusters: [one],
        nodes: [node(one)],
        events: [event(one, index + 1, { seq: 1 })],
      });
    }
    await store.close();
  }

  function edit(sql: string): void {
    const database = new DatabaseSync(path);
    database.exec(sql);
    database.close();
  }

  it('refuses a store that a newer Hitch wrote, and leaves it as it is', async () => {
    await filled(1);
    edit(`pragma user_version = ${(schemaVersion(ALL_KINDS) + 1).toString()}`);
    const before = readFileSync(path);
    const store = await open();
    await assert.rejects(
      store.load(),
      hitchError('VERSION_MISMATCH', /was written by a newer Hitch \(schema/),
    );
    await store.close();
    assert.ok(readFileSync(path).equals(before));
  });

  it('reads rows that an older Hitch wrote without the fields of today', async () => {
    await filled(1);
    edit(
      "update clusters set record = json_remove(record, '$.saveDone', '$.conditions.cleanup', '$.stopCause');" +
        "update nodes set record = json_set(record, '$.fieldOfTomorrow', 1)",
    );
    const store = await open();
    const snapshot = await store.load();
    assert.equal(snapshot.clusters[0]?.saveDone, false);
    assert.equal(snapshot.clusters[0].conditions.cleanup.status, 'unknown');
    assert.equal(snapshot.nodes.length, 1);
    await store.close();
  });

  it('names a row that it cannot understand rather than leaving it out', async () => {
    await filled(2);
    edit("update clusters set record = json_set(record, '$.phase', 'levitating') where name = 'c-1'");
    const store = await open();
    const { clusters, setAside } = await store.load();
    assert.equal(clusters.length, 1);
    assert.match(setAside.map(({ why }) => why).join(' '), /row clu_\w+ in clusters cannot be read \(phase:/);
    await store.close();
  });

  it('answers a damaged file with every row, each read or named, or with a sentence, never with fewer rows', async () => {
    await filled(60);
    const whole = join(folder, 'whole.db');
    copyFileSync(path, whole);
    const size = statSync(whole).size;
    let sentences = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: size - 1 }),
        fc.integer({ min: 1, max: 4096 }),
        fc.constantFrom('cut', 'overwrite'),
        async (at, length, how) => {
          copyFileSync(whole, path);
          if (how === 'cut') {
            truncateSync(path, at);
          } else {
            const bytes = readFileSync(path);
            bytes.fill(0xa5, at, Math.min(size, at + length));
            writeFileSync(path, bytes);
          }
          try {
            const store = await open();
            try {
              const { clusters, nodes, setAside } = await store.load();
              const named = (table: string): number => setAside.filter(row => row.table === table).length;
              assert.deepEqual(
                [clusters.length + named('clusters'), nodes.length + named('nodes')],
                [60, 60],
              );
            } finally {
              await store.close();
            }
          } catch (error) {
            assert.ok(error instanceof HitchError, String(error));
            assert.match(error.message, /damaged|cannot be read|is not JSON|failed|newer Hitch/);
            sentences += 1;
          } finally {
            rmSync(`${path}-wal`, { force: true });
            rmSync(`${path}-shm`, { force: true });
          }
        },
      ),
      { numRuns: 150 },
    );
    assert.ok(sentences > 0);
  });

  it('refuses a file that is not a database', async () => {
    writeFileSync(path, 'once upon a time '.repeat(1000));
    await assert.rejects(open(), hitchError('INTERNAL', /is damaged: .*Nothing in it was changed/));
  });

  it('says that the disk is full, keeps what was stored, and goes on once there is room', async () => {
    const database = openDatabase(path);
    const store = new SqlStore(new SqliteDatabase(path, database));
    await store.load(START_MS);
    const first = cluster();
    await store.commit({ clusters: [first] });
    const pages = database.prepare('pragma page_count').get()?.['page_count'];
    database.exec(`pragma max_page_count = ${String(pages)}`);
    const big = cluster({ name: 'big', message: 'x'.repeat(100_000) });
    await assert.rejects(
      store.commit({ clusters: [big], events: [event(big, 1)] }),
      hitchError('STORAGE_FULL', /Cannot write .*hitch.db: the disk is full/),
    );
    assert.equal((await store.eventsAfter(0, 10)).length, 0);

    database.exec('pragma max_page_count = 1000000');
    await store.commit({ clusters: [big], events: [event(big, 1)] });
    database.close();
    const again = await open();
    assert.deepEqual(new Set((await again.load()).clusters), new Set([first, big]));
    await again.close();
  });

  it('reads on a disk that is full, and says that the lease is the one before', async () => {
    await filled(1);
    const database = openDatabase(path);
    const first = await new SqlStore(new SqliteDatabase(path, database)).load(START_MS);
    assert.deepEqual([first.leaseEpoch, first.isLeaseTaken], [2, true]);
    // SQLite refuses what it writes as it does on a disk that takes nothing.
    database.exec('pragma query_only = 1');
    const full = await new SqlStore(new SqliteDatabase(path, database)).load(START_MS);
    assert.deepEqual([full.leaseEpoch, full.isLeaseTaken, full.clusters.length], [2, false, 1]);
    database.close();
  });

  it('turns a file that cannot be opened into a sentence', async () => {
    writeFileSync(join(folder, 'file'), '');
    assert.throws(() => openDatabase(join(folder, 'file', 'hitch.db')), HitchError);
    hitchError(
      'STORAGE_FULL',
      /the file is read-only/,
    )(sqliteError(Object.assign(new Error('attempt to write a readonly database'), { errcode: 8 }), path));
    hitchError(
      'STORAGE_FULL',
      /the disk answered an error/,
    )(sqliteError(Object.assign(new Error('disk I/O error'), { errcode: 778 }), path));
  });

  it('loses nothing that it said was stored when its process is killed', async () => {
    const committed: string[] = [];
    for (let round = 0; round < 3; round++) {
      const child = fork(fileURLToPath(new URL('./committing-process.ts', import.meta.url)), [path], {
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      });
      children.push(child);
      const enough = Promise.withResolvers<undefined>();
      let count = 0;
      child.on('message', (id: string) => {
        committed.push(id);
        if (++count === 150) {
          enough.resolve(undefined);
        }
      });
      await enough.promise;
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    const store = await open();
    const stored = new Set((await store.load()).clusters.map(({ id }) => String(id)));
    await store.close();
    assert.deepEqual(
      committed.filter(id => !stored.has(id)),
      [],
    );
  });

  it('commits 20,000 changes without stopping its caller’s timers, many in one transaction', async () => {
    const store = await openStore({ path, now });
    let commits = 0;
    const counted: Store = {
      load: () => store.load(),
      commit: change => {
        commits += 1;
        return store.commit(change);
      },
      eventsOf: (id, afterSeq, limit) => store.eventsOf(id, afterSeq, limit),
      eventsAfter: (position, limit) => store.eventsAfter(position, limit),
      forgottenCost: (fromMs, toMs) => store.forgottenCost(fromMs, toMs),
      close: () => store.close(),
    };
    const ledger = new Ledger({
      clock: systemClock,
      store: counted,
      snapshot: await store.load(),
      titleOf: id => id,
    });
    const one = cluster();
    const head = node(one);
    await ledger.change(one.id, tx => {
      tx.createCluster(one);
      tx.addNode(head);
    });
    const before = commits;
    let ticks = 0;
    const ticking = setInterval(() => (ticks += 1), 5);
    const changes: Promise<void>[] = [];
    for (let index = 1; index <= 20_000; index++) {
      const message = `step ${index.toString()}`;
      changes.push(ledger.change(one.id, tx => tx.nodePhase(head.id, 'purchasing', message)));
      if (index % 500 === 0) {
        await new Promise(resolve => setImmediate(resolve));
      }
    }
    await Promise.all(changes);
    clearInterval(ticking);
    const lastSeq = ledger.state(one.id)?.cluster.lastEventSeq ?? 0;
    assert.equal((await store.eventsOf(one.id, lastSeq - 1, 10))[0]?.message, 'step 20000');
    await store.close();
    assert.ok(commits - before <= 2_000, `${(commits - before).toString()} transactions`);
    // On the caller's thread the same commits hold it in one piece: no timer runs at all.
    assert.ok(ticks >= 20, `only ${ticks.toString()} timers ran`);
  });
});
