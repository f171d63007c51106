/**
 * Whether a database file is still the one that was opened, as its owner left it. SQLite would not notice: it holds the
 * file open and its pages in memory, and goes on writing to what nobody will ever find again.
 */
import { type BigIntStats, closeSync, openSync, readSync, statSync } from 'node:fs';

/** First bytes of every SQLite file. */
const MAGIC = 'SQLite format 3\0';
/** A database's header; a file shorter than this counts as a new database to SQLite. */
export const SMALLEST_BYTES = 512;
/** Windows writes a file's times when it likes. */
const TIMES_COUNT = process.platform !== 'win32';

type Seen = Pick<BigIntStats, 'dev' | 'ino' | 'size' | 'mtimeNs'>;

export interface FileTrouble {
  /** Ends the sentence "hitch.db …". */
  readonly why: string;
  /** It is the same file with a database's header, but somebody else wrote to it: what it holds has to be looked at. */
  readonly onlyTouched: boolean;
}

export class FileWatch {
  readonly #path: string;
  /** Open as long as the database is: a process that closes a file loses every lock it has on it, SQLite's too. */
  readonly #file: number;
  #database: Seen | null = null;
  #log: Seen | null = null;

  constructor(path: string) {
    this.#path = path;
    this.#file = openSync(path, 'r');
    this.mark();
  }

  /** Only once the database itself is closed. */
  close(): void {
    closeSync(this.#file);
  }

  /** What the files hold now is right: called after each write of ours. Which files they are was settled before. */
  mark(): void {
    this.#database = marked(this.#database, see(this.#path));
    this.#log = marked(this.#log, see(`${this.#path}-wal`));
  }

  trouble(): FileTrouble | null {
    const lost = (why: string): FileTrouble => ({ why, onlyTouched: false });
    const now = see(this.#path);
    if (now === null) {
      return lost('was removed');
    }
    if (!isSameFile(now, this.#database)) {
      return lost('is another file than the one that was opened');
    }
    if (now.size < SMALLEST_BYTES) {
      return lost('has lost its content');
    }
    if (!hasMagic(this.#file)) {
      return lost('was written over');
    }
    const log = see(`${this.#path}-wal`);
    if (this.#log !== null && !isSameFile(log, this.#log)) {
      return lost('has lost its write-ahead log');
    }
    return isSameContent(now, this.#database) && isSameContent(log, this.#log)
      ? null
      : { why: 'was written to by another program', onlyTouched: true };
  }
}

function see(path: string): Seen | null {
  return statSync(path, { bigint: true, throwIfNoEntry: false }) ?? null;
}

/** A file that took the place of ours in the middle of a write is not ours by that. */
const marked = (before: Seen | null, now: Seen | null): Seen | null =>
  before === null || isSameFile(now, before) ? now : before;

function isSameFile(now: Seen | null, before: Seen | null): boolean {
  return now !== null && before !== null && now.dev === before.dev && now.ino === before.ino;
}

function isSameContent(now: Seen | null, before: Seen | null): boolean {
  return now?.size === before?.size && (!TIMES_COUNT || now?.mtimeNs === before?.mtimeNs);
}

function hasMagic(file: number): boolean {
  const bytes = Buffer.alloc(MAGIC.length);
  readSync(file, bytes, 0, bytes.length, 0);
  return bytes.toString('latin1') === MAGIC;
}
