/**
 * Reads all rows when the store is opened. A row that cannot be understood is moved into the table `set_aside`, together
 * with the rows that mean nothing without it, and the rest is read: one bad row is not the loss of all records. What of
 * it may still bill is in the purchase log too, and is looked for from there (`clusters/restore.ts`).
 */
import { errorText } from '@hitch/platform/src/log.ts';
import type { Transaction } from 'kysely';
import { keyOf, type RecordKind } from '../ledger/kind.ts';
import { clusters } from '../ledger/kinds/cluster.ts';
import type { Kinds, RecordsByKind } from '../ledger/records.ts';
import type { SetAside, Snapshot } from '../ledger/store.ts';
import type { SqlDialect } from './dialect.ts';
import { fromRow, rowKey, type StoredRow } from './rows.ts';
import type { KindTables, Tables } from './schema.ts';

export interface ReadOptions {
  readonly dialect: SqlDialect;
  readonly kinds: Kinds;
  readonly nowMs: number;
}

/** A row that was understood. */
interface Good {
  /** As the dialect names it. */
  readonly name: unknown;
  readonly record: object;
}

/** Its rows by their keys. */
type Read = Map<string, Good>;

class Reader {
  readonly #db: Transaction<Tables>;
  readonly #options: ReadOptions;
  readonly aside: SetAside[] = [];
  /** Keys of rows, by their kind, of which a row that has them for parent could not be read. */
  readonly #incomplete = new Map<string, Set<string>>();

  constructor(db: Transaction<Tables>, options: ReadOptions) {
    this.#db = db;
    this.#options = options;
  }

  async read(kind: RecordKind<object>): Promise<Read> {
    const good: Read = new Map();
    for (const { row, name } of await this.#rows(kind)) {
      try {
        const record = fromRow(kind, row);
        const key = keyOf(kind, record);
        if (key !== rowKey(kind, row)) {
          throw new Error(`it holds the record of ${key}`);
        }
        if (good.has(key)) {
          throw new Error(`another row has the key ${key}`);
        }
        good.set(key, { name, record });
      } catch (error) {
        this.#noteIncomplete(kind, row);
        await this.#setAside(kind, name, row, errorText(error));
      }
    }
    return good;
  }

  /** Takes out what means nothing without a row that is not there. `parents` are those that stand. */
  async keepStanding(kind: RecordKind<object>, rows: Read, parents: Read | undefined): Promise<void> {
    const incomplete = this.#incomplete.get(kind.name);
    for (const [key, { name, record }] of rows) {
      const parent = kind.parent === null ? undefined : parents?.get(kind.parent.keyOf(record))?.record;
      const hasParent = kind.parent === null || (parent !== undefined && kind.parent.agrees(record, parent));
      if (!hasParent || (incomplete?.has(key) === true && !kind.standsWithout(record))) {
        rows.delete(key);
        await this.#setAside(kind, name, await this.#row(kind, name), kind.orphaned);
      }
    }
  }

  #noteIncomplete({ parent }: RecordKind<object>, row: StoredRow): void {
    if (parent !== null && parent.column !== null) {
      const keys = this.#incomplete.get(parent.kind.name) ?? new Set();
      this.#incomplete.set(parent.kind.name, keys.add(String(row[parent.column])));
    }
  }

  async #rows({ name: table, key }: RecordKind<object>): Promise<{ row: StoredRow; name: unknown }[]> {
    const { rowName } = this.#options.dialect;
    const all = this.#db
      .$extendTables<KindTables>()
      .selectFrom(table)
      .selectAll()
      .select(rowName.as(ROW_NAME));
    const rows = await key.reduce((query, column) => query.orderBy(column), all).execute();
    return rows.map(({ [ROW_NAME]: name, ...row }) => ({ row, name }));
  }

  async #row(kind: RecordKind<object>, name: unknown): Promise<StoredRow> {
    return this.#db
      .$extendTables<KindTables>()
      .selectFrom(kind.name)
      .selectAll()
      .where(this.#options.dialect.rowName, '=', name)
      .executeTakeFirstOrThrow();
  }

  async #setAside(kind: RecordKind<object>, name: unknown, row: StoredRow, why: string): Promise<void> {
    const { dialect, nowMs } = this.#options;
    const key = rowKey(kind, row);
    const values = { table_name: kind.name, key, at_ms: Math.floor(nowMs), why, row: asJson(row) };
    await this.#db.insertInto('set_aside').values(values).execute();
    await this.#db
      .$extendTables<KindTables>()
      .deleteFrom(kind.name)
      .where(dialect.rowName, '=', name)
      .execute();
    this.aside.push({ table: kind.name, key, why, ref: kind.mayBill(row) });
  }
}

/** No kind's column is called so. */
const ROW_NAME = '_row_name';

/** The columns as they lie there. */
const asJson = (row: object): string =>
  JSON.stringify(row, (_, value: unknown) => {
    if (typeof value === 'bigint') {
      return value.toString();
    }
    return value instanceof Uint8Array ? { base64: Buffer.from(value).toString('base64') } : value;
  });

/** @throws what the database says: on a full disk nothing is moved, and nothing is read. */
export async function readAll(
  db: Transaction<Tables>,
  options: ReadOptions,
): Promise<Omit<Snapshot, 'leaseEpoch' | 'isLeaseTaken'>> {
  const reader = new Reader(db, options);
  const read = new Map<RecordKind<object>, Read>();
  for (const kind of options.kinds) {
    read.set(kind, await reader.read(kind));
  }
  for (const [kind, rows] of read) {
    await reader.keepStanding(kind, rows, kind.parent === null ? undefined : read.get(kind.parent.kind));
  }
  const last = await db
    .selectFrom('events')
    .select(eb => eb.fn.max('position').as('position'))
    .executeTakeFirst();
  return {
    ...recordsOf(read),
    // Over no rows `max` is null, which Kysely's type does not say.
    lastPosition: Number(last?.position ?? 0n),
    setAside: reader.aside,
    setAsideBefore: (await countAside(db)) - reader.aside.length,
    lastSeqs: await lastSeqs(db, reader.aside),
  };
}

function recordsOf(read: ReadonlyMap<RecordKind<object>, Read>): RecordsByKind {
  const records = Object.fromEntries(
    [...read].map(([{ name }, rows]) => [name, [...rows.values()].map(({ record }) => record)]),
  );
  // Each row was read by its own kind's schema.
  return records as unknown as RecordsByKind;
}

async function countAside(db: Transaction<Tables>): Promise<number> {
  const { count } = await db
    .selectFrom('set_aside')
    .select(eb => eb.fn.countAll<bigint>().as('count'))
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** Events of a cluster whose row is set aside stay: whoever makes it again counts on from them. */
async function lastSeqs(
  db: Transaction<Tables>,
  aside: readonly SetAside[],
): Promise<ReadonlyMap<string, number>> {
  const seqs = new Map<string, number>();
  for (const { key } of aside.filter(({ table }) => table === clusters.name)) {
    const last = await db
      .selectFrom('events')
      .select(eb => eb.fn.max('seq').as('seq'))
      .where('cluster_id', '=', key)
      .executeTakeFirst();
    seqs.set(key, Number(last?.seq ?? 0n));
  }
  return seqs;
}
