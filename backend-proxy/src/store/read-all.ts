/**
 * Reads all rows when the store is opened. A row that cannot be understood is moved into the table `set_aside`, together
 * with the rows that mean nothing without it, and the rest is read: one bad row is not the loss of all records. What of
 * it may still bill is in the purchase log too, and is looked for from there (`clusters/restore.ts`).
 */
import type { ClusterId } from '@hitch/contract';
import { sql, type Transaction } from 'kysely';
import type { AttemptRecord, NodeRecord, SegmentRecord } from '../ledger/records.ts';
import type { SetAside, Snapshot } from '../ledger/store.ts';
import { errorText } from '@hitch/platform/src/log.ts';
import {
  attemptRecordSchema,
  clusterRecordSchema,
  decodeRecord,
  nodeRecordSchema,
  quoteRecordSchema,
  segmentFromRow,
} from './rows.ts';
import type { Tables } from './schema.ts';

type Table = 'clusters' | 'nodes' | 'attempts' | 'segments' | 'quotes';

interface Good<T> {
  readonly rowid: bigint;
  readonly record: T;
}

/** All of one table: what was understood, by its row's number. */
type Rows<T> = readonly Good<T>[];

class Reader {
  readonly #db: Transaction<Tables>;
  readonly #nowMs: number;
  readonly aside: SetAside[] = [];

  constructor(db: Transaction<Tables>, nowMs: number) {
    this.#db = db;
    this.#nowMs = nowMs;
  }

  /** Rows whose content is their `record` column, under the id that it names. */
  async records<T extends { readonly id: string }>(
    table: Exclude<Table, 'segments'>,
    parse: (key: string, json: string) => T,
  ): Promise<Rows<T>> {
    const rows = await this.#db
      .selectFrom(table)
      .select(['id', 'record', sql<bigint>`rowid`.as('rowid')])
      .orderBy('id')
      .execute();
    return this.#understood(table, rows, row => {
      const record = parse(row.id, row.record);
      if (record.id !== row.id) {
        throw new Error(`it holds the record of ${record.id}`);
      }
      return record;
    });
  }

  async segments(): Promise<Rows<SegmentRecord>> {
    const rows = await this.#db
      .selectFrom('segments')
      .selectAll()
      .select(sql<bigint>`rowid`.as('rowid'))
      .orderBy('attempt_id')
      .orderBy('index')
      .execute();
    return this.#understood('segments', rows, segmentFromRow);
  }

  async #understood<R extends { readonly rowid: bigint }, T>(
    table: Table,
    rows: readonly R[],
    parse: (row: R) => T,
  ): Promise<Rows<T>> {
    const good: Good<T>[] = [];
    for (const row of rows) {
      try {
        good.push({ rowid: row.rowid, record: parse(row) });
      } catch (error) {
        await this.#setAside(table, row.rowid, errorText(error));
      }
    }
    return good;
  }

  /** Keeps the rows that `stands` says yes to. */
  async standing<T>(
    table: Table,
    rows: Rows<T>,
    stands: (record: T) => boolean,
    why: string,
  ): Promise<Rows<T>> {
    const kept: Good<T>[] = [];
    for (const row of rows) {
      if (stands(row.record)) {
        kept.push(row);
      } else {
        await this.#setAside(table, row.rowid, why);
      }
    }
    return kept;
  }

  async #setAside(table: Table, rowid: bigint, why: string): Promise<void> {
    const row = await this.#db
      .selectFrom(table)
      .selectAll()
      .where(sql<bigint>`rowid`, '=', rowid)
      .executeTakeFirstOrThrow();
    const key = keyOf(row);
    const values = { table_name: table, key, at_ms: Math.floor(this.#nowMs), why, row: asJson(row) };
    await this.#db.insertInto('set_aside').values(values).execute();
    await this.#db
      .deleteFrom(table)
      .where(sql<bigint>`rowid`, '=', rowid)
      .execute();
    const ref = 'ref' in row && !(row.state === 'gone' || row.state === 'refused') ? row.ref : null;
    this.aside.push({ table, key, why, ref });
  }
}

const keyOf = (row: object): string =>
  'attempt_id' in row && 'index' in row
    ? `${String(row.attempt_id)}/${String(row.index)}`
    : String('id' in row ? row.id : '');

/** The columns as they lie there. */
const asJson = (row: object): string =>
  JSON.stringify(row, (_, value: unknown) => {
    if (typeof value === 'bigint') {
      return value.toString();
    }
    return value instanceof Uint8Array ? { base64: Buffer.from(value).toString('base64') } : value;
  });

/** @throws what SQLite says: on a full disk nothing is moved, and nothing is read. */
export async function readAll(
  db: Transaction<Tables>,
  nowMs: number,
): Promise<Omit<Snapshot, 'leaseEpoch' | 'isLeaseTaken'>> {
  const reader = new Reader(db, nowMs);
  const clusters = await reader.records('clusters', (key, json) =>
    decodeRecord(clusterRecordSchema, 'clusters', key, json),
  );
  const quotes = await reader.records('quotes', (key, json) =>
    decodeRecord(quoteRecordSchema, 'quotes', key, json),
  );
  const machines = await readMachines(reader, new Set(clusters.map(({ record }) => record.id)));
  const last = await db
    .selectFrom('events')
    .select(eb => eb.fn.max('position').as('position'))
    .executeTakeFirst();
  return {
    clusters: recordsOf(clusters),
    ...machines,
    quotes: recordsOf(quotes),
    // Over no rows `max` is null, which Kysely's type does not say.
    lastPosition: Number(last?.position ?? 0n),
    setAside: reader.aside,
    setAsideBefore: (await countAside(db)) - reader.aside.length,
    lastSeqs: await lastSeqs(db, reader.aside),
  };
}

/** Each level stands on the one above: a node without its cluster, a purchase without its node mean nothing. */
async function readMachines(
  reader: Reader,
  clusters: ReadonlySet<ClusterId>,
): Promise<Pick<Snapshot, 'nodes' | 'attempts' | 'segments'>> {
  const read = {
    nodes: await reader.records('nodes', (key, json) => decodeRecord(nodeRecordSchema, 'nodes', key, json)),
    attempts: await reader.records('attempts', (key, json) =>
      decodeRecord(attemptRecordSchema, 'attempts', key, json),
    ),
    segments: await reader.segments(),
  };
  const nodes = await reader.standing<NodeRecord>(
    'nodes',
    read.nodes,
    ({ clusterId }) => clusters.has(clusterId),
    'Its cluster’s row is not there.',
  );
  const nodeIds = new Map(nodes.map(({ record }) => [record.id, record.clusterId]));
  // What a purchase cost is not known without all of its segments: the purchase log has it looked at anew.
  const unpriced = new Set(
    reader.aside.filter(({ table }) => table === 'segments').map(({ key }) => key.replace(/\/[^/]*$/, '')),
  );
  const attempts = await reader.standing<AttemptRecord>(
    'attempts',
    read.attempts,
    ({ id, nodeId, clusterId, state }) =>
      nodeIds.get(nodeId) === clusterId && !(unpriced.has(id) && state !== 'gone' && state !== 'refused'),
    'Its node’s row, or a row of what it cost, is not there.',
  );
  const attemptIds = new Map(attempts.map(({ record }) => [record.id, record.clusterId]));
  const segments = await reader.standing<SegmentRecord>(
    'segments',
    read.segments,
    ({ attemptId, clusterId }) => attemptIds.get(attemptId) === clusterId,
    'Its purchase’s row is not there.',
  );
  return { nodes: recordsOf(nodes), attempts: recordsOf(attempts), segments: recordsOf(segments) };
}

const recordsOf = <T>(rows: Rows<T>): T[] => rows.map(({ record }) => record);

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
  for (const { key } of aside.filter(({ table }) => table === 'clusters')) {
    const last = await db
      .selectFrom('events')
      .select(eb => eb.fn.max('seq').as('seq'))
      .where('cluster_id', '=', key)
      .executeTakeFirst();
    seqs.set(key, Number(last?.seq ?? 0n));
  }
  return seqs;
}
