/**
 * The store's seam: load everything once, then commit changes. A commit is atomic and durable when its promise
 * resolves; commits resolve in the order they were called. Who has many asks for them as one (`ledger.ts` does).
 */
import type { ClusterId } from '@hitch/contract';
import type { EventRecord, RecordsByKind } from './records.ts';

/** The field that an error names when it is the content of the store's file that cannot be read. */
export const DAMAGED = 'store';

/** Rows to write, by the name of their kind, each whole: an existing row with the same key is replaced. */
export interface Change extends Partial<RecordsByKind> {
  /** Events are only ever added. */
  readonly events?: readonly EventRecord[];
  /** Clusters to forget, with all rows that go with them; their costs stay in the monthly totals. */
  readonly forget?: readonly ClusterId[];
  /** A person is told that it stands, so it has to (see `owed.ts`). */
  readonly needsDisk?: boolean;
  /** Some of its events may stand already: a write that failed may have come through. */
  readonly again?: boolean;
}

/** All rows of all kinds, but for quotes that expired unused. */
export interface Snapshot extends RecordsByKind {
  readonly lastPosition: number;
  readonly leaseEpoch: number;
  /** Whether the lease is one higher than before; false: the disk was full, and it is the one before. */
  readonly isLeaseTaken: boolean;
  /** Rows that could not be understood, and those that mean nothing without them: moved into the table `set_aside`. */
  readonly setAside: readonly SetAside[];
  /** Rows that lie there from before. */
  readonly setAsideBefore: number;
  /** The number of the last event of each cluster whose row was set aside. */
  readonly lastSeqs: ReadonlyMap<string, number>;
}

export interface SetAside {
  readonly table: string;
  readonly key: string;
  readonly why: string;
  /** Of a purchase that may still bill. */
  readonly ref: string | null;
}

export interface StoreTrouble {
  /** Ends the sentence "hitch.db …". */
  readonly why: string;
  /** Somebody else wrote to the file, and it is a sound database still: the rows are written to it once more. */
  readonly isSound: boolean;
}

export interface Store {
  /**
   * Takes the lease (`leaseEpoch` one higher than before, 1 in a new store) and reads all rows. Call once, first. On a
   * full disk the lease stays as it was: the file's lock holds it.
   */
  load(): Promise<Snapshot>;
  /** @throws HitchError STORAGE_FULL when it cannot be written; nothing of it is then stored. */
  commit(change: Change): Promise<void>;
  /** Events of one cluster with `seq` above `afterSeq`, oldest first. */
  eventsOf(clusterId: ClusterId, afterSeq: number, limit: number): Promise<readonly EventRecord[]>;
  /** Events of all clusters with `position` above `afterPosition`, oldest first. */
  eventsAfter(afterPosition: number, limit: number): Promise<readonly EventRecord[]>;
  /** What forgotten clusters cost between two moments, in micro-USD. */
  forgottenCost(fromMs: number, toMs: number): Promise<bigint>;
  /** What has happened to the file behind this store's back; null: nothing. Left out: there is no file. */
  trouble?(): Promise<StoreTrouble | null>;
  /**
   * Puts a new file with these rows, and what can still be read of the old one, in the place of one that was lost. What
   * stands there is kept. @returns where; null: nothing stood there. @throws HitchError STORAGE_FULL; the store then
   * is as before.
   */
  renew?(rows: Change, stamp: string): Promise<string | null>;
  close(): Promise<void>;
}
