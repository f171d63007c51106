import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Snapshot, Store } from '../../src/ledger/store.ts';
import { openStore } from '../../src/store/open.ts';
import { attempt, cluster, event, node, quote, segment, START_MS } from './records.ts';

describe('hostile surroundings: rows of the store that cannot be understood', function () {
  this.timeout(60_000);
  let path = '';
  let folder = '';
  let store: Store | null = null;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hitch-aside-'));
    path = join(folder, 'hitch.db');
  });

  afterEach(async () => {
    await store?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const mine = cluster();
  const other = cluster();
  const head = node(mine);
  const otherHead = node(other);
  const tried = attempt(head);
  const otherTried = attempt(otherHead);

  const load = async (): Promise<Snapshot> => {
    await store?.close();
    store = await openStore({ path, worker: false, now: () => START_MS });
    return store.load();
  };

  /** Two clusters with everything, then `harm` to the file. */
  const harmed = async (harm: string): Promise<Snapshot> => {
    await load();
    await store?.commit({
      clusters: [mine, other],
      nodes: [head, otherHead],
      attempts: [tried, otherTried],
      segments: [segment(tried), segment(otherTried)],
      quotes: [quote({}, mine.id), quote({}, other.id)],
      events: [event(mine, 1), event(mine, 2), { ...event(other, 1), position: 3 }],
    });
    await store?.close();
    store = null;
    const database = new DatabaseSync(path);
    try {
      database.exec(harm);
    } finally {
      database.close();
    }
    return load();
  };

  const ofOther = ({ clusters, nodes, attempts, segments }: Snapshot): readonly unknown[] => [
    clusters.find(({ id }) => id === other.id),
    nodes.find(({ id }) => id === otherHead.id),
    attempts.find(({ id }) => id === otherTried.id),
    segments.find(({ attemptId }) => attemptId === otherTried.id),
  ];

  const NONSENSE = [
    "''",
    "'{}'",
    '\'{"id":\'',
    "x'00ff'",
    "'null'",
    "'[1,2]'",
    '7',
    `'${'['.repeat(5_000)}'`,
  ];

  it('takes its own moving of rows for no other program’s writing', async () => {
    const { setAside } = await harmed(`update clusters set record = '{}' where id = '${mine.id}'`);
    assert.notEqual(setAside.length, 0);
    assert.equal((await store?.trouble?.()) ?? null, null);
  });

  for (const [table, id, taken] of [
    ['clusters', mine.id, ['clusters', 'nodes', 'attempts', 'segments']],
    ['nodes', head.id, ['nodes', 'attempts', 'segments']],
    ['attempts', tried.id, ['attempts', 'segments']],
  ] as const) {
    it(`sets a row of ${table} aside with what means nothing without it, and reads the rest`, async () => {
      for (const nonsense of NONSENSE) {
        const snapshot = await harmed(`update ${table} set record = ${nonsense} where id = '${id}'`);
        assert.deepEqual(
          snapshot.setAside.map(row => row.table).toSorted(),
          [...taken].toSorted(),
          JSON.stringify(snapshot.setAside),
        );
        assert.deepEqual(
          snapshot.setAside.flatMap(({ ref }) => ref ?? []),
          [tried.ref],
        );
        assert.deepEqual(ofOther(snapshot), [other, otherHead, otherTried, segment(otherTried)]);
        assert.equal(snapshot.lastSeqs.get(mine.id), table === 'clusters' ? 2 : undefined);
        const again = await load();
        assert.deepEqual([again.setAside, again.setAsideBefore], [[], taken.length], 'they are kept');
        await store?.close();
        store = null;
        rmSync(path);
      }
    });
  }

  it('sets a quote aside alone', async () => {
    const snapshot = await harmed(`update quotes set record = 'x' where used_by = '${mine.id}'`);
    assert.deepEqual(
      snapshot.setAside.map(row => row.table),
      ['quotes'],
    );
    assert.equal(snapshot.clusters.length, 2);
  });

  it('sets a segment aside with its purchase while that may bill: its price is asked for anew', async () => {
    const snapshot = await harmed(
      `update segments set amount_micro_usd = 'much' where attempt_id = '${tried.id}'`,
    );
    assert.deepEqual(snapshot.setAside.map(row => row.table).toSorted(), ['attempts', 'segments']);
    assert.deepEqual(ofOther(snapshot), [other, otherHead, otherTried, segment(otherTried)]);
  });

  it('says in an event’s place that it cannot be read', async () => {
    await harmed("update events set kind = 'nonsense', at_ms = 'never' where position = 1");
    const events = await store?.eventsOf(mine.id, 0, 10);
    assert.deepEqual(
      events?.map(({ seq, value }) => [seq, value === 'unreadable']),
      [
        [1, true],
        [2, false],
      ],
    );
  });
});
