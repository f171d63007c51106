/**
 * Forward migrations. The database counts those applied; each runs in one transaction together with its count, so a
 * crash leaves the schema before it or after it. A migration that has been released is never edited. The tables of
 * kinds that were declared later need none: they are made as they are declared, at the version that has them first. A
 * migration that adds a column to one of these leaves a table alone that is made with it.
 */
import { HitchError } from '@hitch/contract';
import type { CreateTableBuilder, Transaction } from 'kysely';
import type { RecordKind } from '../ledger/kind.ts';
import type { Kinds } from '../ledger/records.ts';
import type { NewDatabase, SqlDialect } from './dialect.ts';
import type { Tables } from './schema.ts';

type Migration = (db: Transaction<Tables>, dialect: SqlDialect) => Promise<void>;

const first: Migration = async (db, { integer, counted }) => {
  await db.schema
    .createTable('clusters')
    .addColumn('id', 'text', column => column.primaryKey())
    .addColumn('owner', 'text', column => column.notNull())
    .addColumn('project', 'text', column => column.notNull())
    .addColumn('lease_epoch', integer, column => column.notNull())
    .addColumn('name', 'text', column => column.notNull())
    .addColumn('phase', 'text', column => column.notNull())
    .addColumn('record', 'text', column => column.notNull())
    .execute();
  for (const table of ['nodes', 'attempts'] as const) {
    const builder = db.schema
      .createTable(table)
      .addColumn('id', 'text', column => column.primaryKey())
      .addColumn('cluster_id', 'text', column => column.notNull());
    await (
      table === 'nodes'
        ? builder.addColumn('phase', 'text', column => column.notNull())
        : builder
            .addColumn('ref', 'text', column => column.notNull())
            .addColumn('state', 'text', column => column.notNull())
    )
      .addColumn('record', 'text', column => column.notNull())
      .execute();
    await db.schema.createIndex(`${table}_cluster`).on(table).column('cluster_id').execute();
  }
  await db.schema
    .createTable('segments')
    .addColumn('attempt_id', 'text', column => column.notNull())
    .addColumn('index', integer, column => column.notNull())
    .addColumn('node_id', 'text', column => column.notNull())
    .addColumn('cluster_id', 'text', column => column.notNull())
    .addColumn('kind', 'text', column => column.notNull())
    .addColumn('amount_micro_usd', integer, column => column.notNull())
    .addColumn('label', 'text', column => column.notNull())
    .addColumn('start_ms', integer, column => column.notNull())
    .addColumn('end_ms', integer)
    .addPrimaryKeyConstraint('segments_key', ['attempt_id', 'index'])
    .execute();
  await db.schema.createIndex('segments_cluster').on('segments').column('cluster_id').execute();
  await db.schema
    .createTable('forgotten_segments')
    .addColumn('id', integer, counted)
    .addColumn('kind', 'text', column => column.notNull())
    .addColumn('amount_micro_usd', integer, column => column.notNull())
    .addColumn('start_ms', integer, column => column.notNull())
    .addColumn('end_ms', integer, column => column.notNull())
    .execute();
  await db.schema
    .createTable('quotes')
    .addColumn('id', 'text', column => column.primaryKey())
    .addColumn('used_by', 'text')
    .addColumn('expires_at_ms', integer, column => column.notNull())
    .addColumn('record', 'text', column => column.notNull())
    .execute();
  await db.schema
    .createTable('events')
    .addColumn('position', integer, column => column.primaryKey())
    .addColumn('cluster_id', 'text', column => column.notNull())
    .addColumn('seq', integer, column => column.notNull())
    .addColumn('at_ms', integer, column => column.notNull())
    .addColumn('kind', 'text', column => column.notNull())
    .addColumn('node_id', 'text')
    .addColumn('attempt_id', 'text')
    .addColumn('value', 'text', column => column.notNull())
    .addColumn('message', 'text', column => column.notNull())
    .addUniqueConstraint('events_seq', ['cluster_id', 'seq'])
    .execute();
  await db.schema
    .createTable('lease')
    .addColumn('id', integer, column => column.primaryKey())
    .addColumn('epoch', integer, column => column.notNull())
    .execute();
  await db.insertInto('lease').values({ id: 1, epoch: 0 }).execute();
};

const second: Migration = async (db, { integer, counted }) => {
  await db.schema
    .createTable('set_aside')
    .addColumn('id', integer, counted)
    .addColumn('table_name', 'text', column => column.notNull())
    .addColumn('key', 'text', column => column.notNull())
    .addColumn('at_ms', integer, column => column.notNull())
    .addColumn('why', 'text', column => column.notNull())
    .addColumn('row', 'text', column => column.notNull())
    .execute();
};

/** Which parts of a price the hours pay that a forgotten purchase cost; of those that are forgotten by now: all. */
const sixth: Migration = async db => {
  const tables = await db.introspection.getTables();
  const columns = tables.find(({ name }) => name === 'refs')?.columns ?? [];
  if (!columns.some(({ name }) => name === 'counted_parts')) {
    await db.schema.alterTable('refs').addColumn('counted_parts', 'text').execute();
  }
};

/** By the version that each leads to; the others only make tables of kinds. */
const MIGRATIONS: ReadonlyMap<number, Migration> = new Map([
  [1, first],
  [2, second],
  [6, sixth],
]);

/** The kinds of this version have their tables from the first migration. */
const FIRST_KINDS = 1;

/** Version of the schema that a program with these kinds writes. */
export const schemaVersion = (kinds: Kinds): number =>
  Math.max(...MIGRATIONS.keys(), ...kinds.map(({ since }) => since));

/** Brings the schema up to this program's. @throws HitchError VERSION_MISMATCH when it is newer. */
export async function migrate({ db, dialect, path }: NewDatabase, kinds: Kinds): Promise<void> {
  const [version, latest] = [await dialect.version(db), schemaVersion(kinds)];
  if (version > latest) {
    throw new HitchError(
      'VERSION_MISMATCH',
      `${path} was written by a newer Hitch (schema ${version.toString()}; this one knows ${latest.toString()}).`,
      { next: 'Update this copy of Hitch, or point HITCH_HOME at another folder.' },
    );
  }
  for (let next = version + 1; next <= latest; next++) {
    await db.transaction().execute(async transaction => {
      await MIGRATIONS.get(next)?.(transaction, dialect);
      for (const kind of kinds.filter(({ since }) => since === next && next > FIRST_KINDS)) {
        await createTable(transaction, dialect, kind);
      }
      await dialect.setVersion(transaction, next);
    });
  }
}

async function createTable(
  db: Transaction<Tables>,
  { integer }: SqlDialect,
  { name, key, content, columns }: RecordKind<object>,
): Promise<void> {
  let table: CreateTableBuilder<string, string> = db.schema.createTable(name);
  for (const [column, { type, isNullable }] of Object.entries(columns)) {
    table = table.addColumn(column, type === 'text' ? 'text' : integer, made =>
      isNullable ? made : made.notNull(),
    );
  }
  if (content === 'record') {
    table = table.addColumn('record', 'text', made => made.notNull());
  }
  await table.addPrimaryKeyConstraint(`${name}_key`, [...key]).execute();
  for (const [column, { isIndexed }] of Object.entries(columns)) {
    if (isIndexed) {
      await db.schema.createIndex(`${name}_${column}`).on(name).column(column).execute();
    }
  }
}
