/**
 * What a kind of record is: declared once, in a file of its own below `kinds/`, and listed in `records.ts`. How its rows
 * are written, read, merged, set aside and forgotten, and how transactions reach it, follows from the declaration.
 */
import type * as z from 'zod';

/** What lies in a column. */
export type Value = string | number | bigint | null;

export interface Column<R> {
  /** `integer` is read as a number, `amount` as a bigint, so that no money is rounded. Both take 64 bits. */
  readonly type: 'text' | 'integer' | 'amount';
  readonly isNullable: boolean;
  /** Looked for by it: has an index where it is not the key. */
  readonly isIndexed: boolean;
  /** The field of the record that it holds; null: what it holds is worked out. */
  readonly field: string | null;
  of(record: R): Value;
}

/** Without its parent's row a row means nothing: it is set aside with it. */
export interface Parent<R> {
  readonly kind: RecordKind<object>;
  /** The key of the parent's row. */
  keyOf(record: R): string;
  /** The column that holds it, by which a row that cannot be read is known for its parent's; null: none does. */
  readonly column: string | null;
  /** Whether both speak of the same thing. `parent` is of the parent's kind. */
  agrees(record: R, parent: object): boolean;
}

export interface RecordKind<R extends object> {
  /** Its table, and its name in changes and snapshots. */
  readonly name: string;
  /** Reads what lies on the disk; rows of older programs get defaults for fields they do not have. */
  readonly schema: z.ZodType<R>;
  /** Columns that name a row. */
  readonly key: readonly string[];
  /**
   * `record`: the columns are what is looked for, and one more, `record`, holds the whole row as JSON. `columns`: they
   * are the whole row.
   */
  readonly content: 'record' | 'columns';
  readonly columns: Readonly<Record<string, Column<R>>>;
  /** Version of the schema that has its table first. */
  readonly since: number;
  /** Part of what a transaction on one cluster reads and writes; else it is reached by its key. */
  readonly isOfCluster: boolean;
  readonly parent: Parent<R> | null;
  /** Why a row is set aside whose parent is not there or not whole, as a sentence. */
  readonly orphaned: string;
  /** Whether a record still means something where a row that has it for parent cannot be read. */
  standsWithout(record: R): boolean;
  /** Column that names the cluster whose forgetting takes the row along; null: it outlives its cluster. */
  readonly goesWith: string | null;
  /** When the store is opened, rows whose `column` lies in the past are dropped; not those whose column `unless` is set. */
  readonly expires: { readonly column: string; readonly unless: string | null } | null;
  /** The mark of what a row that is set aside may still bill for, by its columns; null: nothing. */
  mayBill(row: Readonly<Record<string, unknown>>): string | null;
}

/** A kind that is reached by its key. */
export type KeptKind<R extends object> = RecordKind<R> & { readonly isOfCluster: false };
/** A kind that a transaction on one cluster reads and writes. */
export type ClusterKind<R extends object> = RecordKind<R> & { readonly isOfCluster: true };

type Declared<R extends object> = Pick<RecordKind<R>, 'name' | 'schema' | 'key' | 'columns'> &
  Partial<Omit<RecordKind<R>, 'isOfCluster'>>;

const USUAL = {
  content: 'record',
  since: 1,
  parent: null,
  orphaned: '',
  standsWithout: () => true,
  goesWith: null,
  expires: null,
  mayBill: () => null,
} as const;

/** A kind whose records stand for themselves and are reached by their key. */
export const keptKind = <R extends object>(declared: Declared<R>): KeptKind<R> => ({
  ...USUAL,
  ...declared,
  isOfCluster: false,
});

/** A kind whose records make up the state of a cluster. */
export const clusterKind = <R extends object>(declared: Declared<R>): ClusterKind<R> => ({
  ...USUAL,
  ...declared,
  isOfCluster: true,
});

interface ColumnOptions {
  readonly isNullable?: boolean;
  readonly isIndexed?: boolean;
}

const flags = ({ isNullable = false, isIndexed = false }: ColumnOptions) => ({ isNullable, isIndexed });

/** A column that holds a field. */
export const text = <K extends string>(
  field: K,
  options: ColumnOptions = {},
): Column<Readonly<Record<K, string | null>>> => ({
  type: 'text',
  field,
  of: record => record[field],
  ...flags(options),
});

/** A column that holds a field: a whole number up to 2^53. */
export const integer = <K extends string>(
  field: K,
  options: ColumnOptions = {},
): Column<Readonly<Record<K, number | null>>> => ({
  type: 'integer',
  field,
  of: record => record[field],
  ...flags(options),
});

/** A column that holds a field: money, in micro-USD. */
export const amount = <K extends string>(field: K): Column<Readonly<Record<K, bigint>>> => ({
  type: 'amount',
  field,
  of: record => record[field],
  ...flags({}),
});

/** A column that is looked for and no field of the record itself. */
export const workedOut = <R>(
  type: Column<R>['type'],
  of: (record: R) => Value,
  options: ColumnOptions = {},
): Column<R> => ({ type, field: null, of, ...flags(options) });

export const isKept = (kind: RecordKind<object>): kind is KeptKind<object> => !kind.isOfCluster;

/** Names a record among those of its kind. */
export function keyOf<R extends object>({ key, columns }: RecordKind<R>, record: R): string {
  return key.map(name => String(columns[name]?.of(record) ?? '')).join('/');
}
