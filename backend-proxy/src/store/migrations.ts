/**
 * Forward migrations. `PRAGMA user_version` counts those applied; each runs in one transaction together with its
 * count, so a crash leaves the schema before it or after it. A migration that has been released is never edited.
 */
import { HitchError } from '@hitch/contract';
import { sql, type Kysely, type Transaction } from 'kysely';
import type { Tables } from './schema.ts';

type Migration = (db: Transaction<Tables>) => Promise<void>;

const first: Migration = async db => {
  await db.schema
    .createTable('clusters')
    .addColumn('id', 'text', column => column.primaryKey())
    .addColumn('owner', 'text', column => column.notNull())
    .addColumn('project', 'text', column => column.notNull())
    .addColumn('lease_epoch', 'integer', column => column.notNull())
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
    .addColumn('index', 'integer', column => column.notNull())
    .addColumn('node_id', 'text', column => column.notNull())
    .addColumn('cluster_id', 'text', column => column.notNull())
    .addColumn('kind', 'text', column => column.notNull())
    .addColumn('amount_micro_usd', 'integer', column => column.notNull())
    .addColumn('label', 'text', column => column.notNull())
    .addColumn('start_ms', 'integer', column => column.notNull())
    .addColumn('end_ms', 'integer')
    .addPrimaryKeyConstraint('segments_key', ['attempt_id', 'index'])
    .execute();
  await db.schema.createIndex('segments_cluster').on('segments').column('cluster_id').execute();
  await db.schema
    .createTable('forgotten_segments')
    .addColumn('id', 'integer', column => column.primaryKey())
    .addColumn('kind', 'text', column => column.notNull())
    .addColumn('amount_micro_usd', 'integer', column => column.notNull())
    .addColumn('start_ms', 'integer', column => column.notNull())
    .addColumn('end_ms', 'integer', column => column.notNull())
    .execute();
  await db.schema
    .createTable('quotes')
    .addColumn('id', 'text', column => column.primaryKey())
    .addColumn('used_by', 'text')
    .addColumn('expires_at_ms', 'integer', column => column.notNull())
    .addColumn('record', 'text', column => column.notNull())
    .execute();
  await db.schema
    .createTable('events')
    .addColumn('position', 'integer', column => column.primaryKey())
    .addColumn('cluster_id', 'text', column => column.notNull())
    .addColumn('seq', 'integer', column => column.notNull())
    .addColumn('at_ms', 'integer', column => column.notNull())
    .addColumn('kind', 'text', column => column.notNull())
    .addColumn('node_id', 'text')
    .addColumn('attempt_id', 'text')
    .addColumn('value', 'text', column => column.notNull())
    .addColumn('message', 'text', column => column.notNull())
    .addUniqueConstraint('events_seq', ['cluster_id', 'seq'])
    .execute();
  await db.schema
    .createTable('lease')
    .addColumn('id', 'integer', column => column.primaryKey())
    .addColumn('epoch', 'integer', column => column.notNull())
    .execute();
  await db.insertInto('lease').values({ id: 1, epoch: 0 }).execute();
};

const second: Migration = async db => {
  await db.schema
    .createTable('set_aside')
    .addColumn('id', 'integer', column => column.primaryKey())
    .addColumn('table_name', 'text', column => column.notNull())
    .addColumn('key', 'text', column => column.notNull())
    .addColumn('at_ms', 'integer', column => column.notNull())
    .addColumn('why', 'text', column => column.notNull())
    .addColumn('row', 'text', column => column.notNull())
    .execute();
};

const MIGRATIONS: readonly Migration[] = [first, second];

/** Version of the schema that this program writes. */
export const SCHEMA_VERSION = MIGRATIONS.length;

/** Brings the schema up to this program's. @throws HitchError VERSION_MISMATCH when it is newer. */
export async function migrate(db: Kysely<Tables>, path: string): Promise<void> {
  const answer = await sql<{ user_version: bigint }>`pragma user_version`.execute(db);
  const version = Number(answer.rows[0]?.user_version ?? 0n);
  if (version > SCHEMA_VERSION) {
    throw new HitchError(
      'VERSION_MISMATCH',
      `${path} was written by a newer Hitch (schema ${version.toString()}; this one knows ${SCHEMA_VERSION.toString()}).`,
      { next: 'Update this copy of Hitch, or point HITCH_HOME at another folder.' },
    );
  }
  for (const [index, migration] of MIGRATIONS.entries()) {
    if (index >= version) {
      await db.transaction().execute(async transaction => {
        await migration(transaction);
        await sql.raw(`pragma user_version = ${(index + 1).toString()}`).execute(transaction);
      });
    }
  }
}
