/**
 * What earlier copies of the same run have put somewhere: a file that is still exactly so is ours, and a newer state of it
 * may take its place. Whatever a person changed or put there is not in here. Kept on the disk as eight bytes a file.
 */
import { createHash } from 'node:crypto';
import { appendFileSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Written together. */
const TOGETHER = 256;
const MARK_BYTES = 8;

export interface OwnFile {
  /** Below the target's base. */
  readonly below: string;
  readonly sizeBytes: number;
  readonly modifiedAtMs: number;
}

function markOf({ below, sizeBytes, modifiedAtMs }: OwnFile): Buffer {
  return createHash('sha256')
    .update(`${below}\0${sizeBytes.toString()}\0${modifiedAtMs.toString()}`)
    .digest()
    .subarray(0, MARK_BYTES);
}

export class OwnFiles {
  readonly #path: string;
  #known: Set<bigint> | null = null;
  #waiting: Buffer[] = [];

  /** @param path of the list; made when there is something to write. */
  constructor(path: string) {
    this.#path = path;
  }

  has(file: OwnFile): boolean {
    return this.#load().has(markOf(file).readBigUInt64BE());
  }

  add(file: OwnFile): void {
    const mark = markOf(file);
    this.#known?.add(mark.readBigUInt64BE());
    this.#waiting.push(mark);
    if (this.#waiting.length >= TOGETHER) {
      this.flush();
    }
  }

  /** A list that cannot be written is shorter: then more is kept beside than had to be. */
  flush(): void {
    const marks = this.#waiting;
    this.#waiting = [];
    if (marks.length === 0) {
      return;
    }
    try {
      mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
      appendFileSync(this.#path, Buffer.concat(marks), { mode: 0o600 });
    } catch {
      // See above.
    }
  }

  #load(): Set<bigint> {
    if (this.#known === null) {
      this.flush();
      const known = new Set<bigint>();
      const bytes = readBytes(this.#path);
      for (let at = 0; at + MARK_BYTES <= bytes.length; at += MARK_BYTES) {
        known.add(bytes.readBigUInt64BE(at));
      }
      this.#known = known;
    }
    return this.#known;
  }
}

function readBytes(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch {
    return Buffer.alloc(0);
  }
}
