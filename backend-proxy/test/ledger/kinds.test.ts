/** Whatever holds of the kinds that there are holds of one that is declared anywhere: nothing else knows of it. */
import assert from 'node:assert/strict';
import { type ClusterId, clusterIdSchema } from '@hitch/contract';
import { VirtualClock } from '@hitch/platform/src/clock.ts';
import * as z from 'zod';
import { amount, integer, type KeptKind, keptKind, keyOf, text } from '../../src/ledger/kind.ts';
import { clusters } from '../../src/ledger/kinds/cluster.ts';
import { money } from '../../src/ledger/kinds/stored.ts';
import { quotes } from '../../src/ledger/kinds/quote.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { mergeChanges } from '../../src/ledger/merge-changes.ts';
import { ALL_KINDS, type Kinds, rowsOf } from '../../src/ledger/records.ts';
import type { Snapshot, Store } from '../../src/ledger/store.ts';
import { MemoryDisk } from '../../src/store/memory-disk.ts';
import { schemaVersion } from '../../src/store/migrations.ts';
import { openStore } from '../../src/store/open.ts';
import { cluster, quote, START_MS } from '../store/records.ts';

interface BudgetRecord {
  readonly clusterId: ClusterId;
  readonly month: string;
  readonly limitMicroUsd: bigint;
  readonly untilMs: number;
  readonly note: string | null;
}

const schema = z.object({
  clusterId: clusterIdSchema,
  month: z.string(),
  limitMicroUsd: money,
  untilMs: z.number(),
  note: z.string().nullable().default(null),
}) satisfies z.ZodType<BudgetRecord>;

const declared = {
  name: 'budgets',
  schema,
  since: schemaVersion(ALL_KINDS) + 1,
  key: ['cluster_id', 'month'],
  columns: {
    cluster_id: text('clusterId', { isIndexed: true }),
    month: text('month'),
    limit_micro_usd: amount('limitMicroUsd'),
    until_ms: integer('untilMs'),
    note: text('note', { isNullable: true }),
  },
  parent: {
    kind: clusters,
    keyOf: ({ clusterId }: BudgetRecord) => clusterId,
    column: 'cluster_id',
    agrees: () => true,
  },
  orphaned: 'Its cluster’s row is not there.',
  goesWith: 'cluster_id',
  expires: { column: 'until_ms', unless: 'note' },
};

const LATER_MS = START_MS + 1_000;

for (const content of ['record', 'columns'] as const) {
  describe(`a kind of records declared for this test, its content in ${content}`, () => {
    const budgets: KeptKind<BudgetRecord> = keptKind<BudgetRecord>({ ...declared, content });
    const kinds: Kinds = [...ALL_KINDS, budgets];
    const mine = cluster();
    const other = cluster({ name: 'other' });
    const budgetOf = (of: { id: ClusterId }, change: Partial<BudgetRecord> = {}): BudgetRecord => ({
      clusterId: of.id,
      month: '2027-01',
      limitMicroUsd: 999_999_999_999_999_999n,
      untilMs: LATER_MS,
      note: null,
      ...change,
    });
    let disk: MemoryDisk;
    let store: Store;
    let nowMs = START_MS;

    const load = async (): Promise<{ ledger: Ledger; snapshot: Snapshot }> => {
      store = await openStore({ path: ':memory:', worker: false, now: () => nowMs, disk, kinds });
      const snapshot = await store.load();
      const clock = new VirtualClock(START_MS);
      return { snapshot, ledger: new Ledger({ clock, store, snapshot, titleOf: id => id, kinds }) };
    };
    const stored = async (): Promise<readonly BudgetRecord[]> => rowsOf(budgets, (await load()).snapshot);

    beforeEach(() => {
      disk = new MemoryDisk();
      nowMs = START_MS;
    });

    /** A ledger with two clusters and a budget each. */
    const filled = async (): Promise<Ledger> => {
      const { ledger } = await load();
      await ledger.transact(tx => {
        tx.cluster(mine.id).createCluster(mine);
        tx.cluster(other.id).createCluster(other);
        tx.put(budgets, budgetOf(mine));
        tx.put(budgets, budgetOf(other));
      });
      return ledger;
    };

    it('is written and read together with any others, by all that commit at once, and lasts', async () => {
      const ledger = await filled();
      const take = (by: bigint) =>
        ledger.transact(tx => {
          const budget = tx.get(budgets, keyOf(budgets, budgetOf(mine)));
          assert.ok(budget !== undefined);
          tx.put(budgets, { ...budget, limitMicroUsd: budget.limitMicroUsd - by });
          tx.put(quotes, quote());
          tx.cluster(mine.id).say({ kind: 'warning', value: 'budget', message: by.toString() });
          return [...tx.all(budgets)].length;
        });
      assert.deepEqual(await Promise.all([take(1n), take(2n)]), [2, 2]);
      const left = budgetOf(mine, { limitMicroUsd: 999_999_999_999_999_996n });
      assert.deepEqual(ledger.kept.get(budgets, keyOf(budgets, left)), left);
      assert.deepEqual(new Set(await stored()), new Set([left, budgetOf(other)]));
    });

    it('leaves nothing of itself where the transaction throws', async () => {
      const ledger = await filled();
      const failing = ledger.transact(tx => {
        tx.put(budgets, budgetOf(mine, { limitMicroUsd: 0n }));
        throw new Error('no');
      });
      await assert.rejects(failing, /no/);
      assert.equal((await stored()).length, 2);
      assert.ok((await stored()).every(({ limitMicroUsd }) => limitMicroUsd > 0n));
    });

    it('is one row of many that were written: the last', () => {
      const [first, last] = [budgetOf(mine), budgetOf(mine, { note: 'last' })];
      const changes = [first, budgetOf(other), last].map(row => ({ [budgets.name]: [row] }));
      assert.deepEqual(
        new Set(rowsOf(budgets, mergeChanges(changes, kinds))),
        new Set([last, budgetOf(other)]),
      );
    });

    it('is set aside where it cannot be understood, or where its parent is not there', async () => {
      await filled();
      const harm = content === 'record' ? "record = '{}'" : "limit_micro_usd = 'much'";
      disk.database.exec(`update budgets set ${harm} where cluster_id = '${mine.id}'`);
      disk.database.exec(`update clusters set record = 'x' where id = '${other.id}'`);
      const { snapshot, ledger } = await load();
      assert.deepEqual(rowsOf(budgets, snapshot), []);
      assert.deepEqual(
        snapshot.setAside
          .filter(({ table }) => table === budgets.name)
          .map(({ key, why }) => [key, /budgets cannot be read/.test(why) || why])
          .toSorted(),
        [
          [keyOf(budgets, budgetOf(mine)), true],
          [keyOf(budgets, budgetOf(other)), declared.orphaned],
        ].toSorted(),
      );
      await ledger.transact(tx => tx.put(budgets, budgetOf(mine)));
      assert.deepEqual(await stored(), [budgetOf(mine)]);
    });

    it('goes with its cluster, in memory and on the disk', async () => {
      const ledger = await filled();
      await ledger.change(mine.id, tx => tx.forget());
      assert.deepEqual([...ledger.kept.all(budgets)], [budgetOf(other)]);
      assert.deepEqual(await stored(), [budgetOf(other)]);
    });

    it('expires as it is declared to', async () => {
      const ledger = await filled();
      const noted = budgetOf(mine, { note: 'stays' });
      await ledger.transact(tx => tx.put(budgets, noted));
      nowMs = LATER_MS + 1;
      assert.deepEqual(await stored(), [noted]);
    });

    it('is put back with all else where the store is written anew from memory', async () => {
      const ledger = await filled();
      disk.database.exec('delete from budgets');
      await store.commit({ ...ledger.kept.change(), again: true });
      assert.equal((await stored()).length, 2);
    });
  });
}

describe('the kinds of records', () => {
  it('stand after their parents, so that each is read when those are', () => {
    ALL_KINDS.forEach(({ name, parent }, index) => {
      if (parent !== null) {
        assert.ok(ALL_KINDS.indexOf(parent.kind) < index, `${name} is read before ${parent.kind.name}`);
      }
    });
  });

  it('name columns that they have', () => {
    for (const { name, key, columns, goesWith, expires, parent, content } of ALL_KINDS) {
      const named = [...key, goesWith, expires?.column, expires?.unless, parent?.column];
      for (const column of named.filter(one => one !== null && one !== undefined)) {
        assert.ok(column in columns, `${name} has no column ${column}`);
      }
      if (content === 'columns') {
        assert.ok(Object.values(columns).every(({ field }) => field !== null));
      }
    }
  });
});
