/** The two ends of a copy. This computer's disk and an agent's both meet them, so one engine copies either way. */
import type { Entry, Listed, Standing, WalkRules, WritePolicy, Written } from './entry.ts';

/** A large file, open at some place in it. */
export interface OpenFile {
  /** As it was when it was opened; the bytes end there. */
  readonly sizeBytes: number;
  readonly modifiedAtMs: number;
  readonly mode: number;
  readonly bytes: AsyncIterable<Uint8Array>;
  /** Asked when the bytes are over: whether it was other than when it was opened. */
  changed(): boolean;
  /** Lets go of it, read to its end or not. */
  close(): Promise<void>;
}

/** Roots are paths as the side itself reads them. Every call throws HitchError; UNREACHABLE where asking again may help. */
export interface Source {
  /** All below the roots, each folder before what is in it, in batches. */
  list(roots: readonly string[], rules: WalkRules, signal: AbortSignal): AsyncIterable<readonly Listed[]>;
  /** One tar stream of small files; see {@link file://./packed.ts}. */
  read(roots: readonly string[], entries: readonly Entry[], signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** @throws HitchError NOT_FOUND when it is gone, CONFLICT when it cannot be read. */
  open(roots: readonly string[], entry: Entry, offset: number, signal: AbortSignal): Promise<OpenFile>;
  /** SHA-256 in hex of the first `upTo` bytes of each; null where it cannot be read or has fewer. */
  hash(
    roots: readonly string[],
    entries: readonly Entry[],
    upTo: readonly number[],
    signal: AbortSignal,
  ): Promise<readonly (string | null)[]>;
}

export interface Target {
  /** @param to where each root goes. */
  look(to: readonly string[], entries: readonly Entry[], signal: AbortSignal): Promise<readonly Standing[]>;
  hash(
    to: readonly string[],
    entries: readonly Entry[],
    upTo: readonly number[],
    signal: AbortSignal,
  ): Promise<readonly (string | null)[]>;
  /** Bytes that can still be written there. */
  room(to: readonly string[], signal: AbortSignal): Promise<number>;
  /**
   * Makes folders and links, and files out of the tar stream. What became of each is told as it happens.
   * @throws HitchError STORAGE_FULL, or what the stream throws; what was told before stands.
   */
  write(
    to: readonly string[],
    entries: readonly Entry[],
    policy: WritePolicy,
    tar: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
    told: (written: Written) => void,
  ): Promise<void>;
  /** How much of this version of a large file has arrived. */
  part(to: readonly string[], entry: Entry, signal: AbortSignal): Promise<number>;
  /** SHA-256 of what has arrived. */
  partHash(to: readonly string[], entry: Entry, signal: AbortSignal): Promise<string | null>;
  /** Adds to the part; at offset 0 begins it anew. @returns `copied` with the bytes there are then, or why not. */
  append(
    to: readonly string[],
    entry: Entry,
    offset: number,
    policy: WritePolicy,
    bytes: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ): Promise<Written>;
  /** Puts the part in its place. */
  place(to: readonly string[], entry: Entry, policy: WritePolicy, signal: AbortSignal): Promise<Written>;
  /** Removes what has arrived of a file that is not to come any more. */
  forget(to: readonly string[], entry: Entry, signal: AbortSignal): Promise<void>;
  /**
   * Sets mode and time of folders, once all is in them; and makes the links that could not be links.
   * @returns the places in the list of those that are not there in the end.
   */
  settle(to: readonly string[], entries: readonly Entry[], signal: AbortSignal): Promise<readonly number[]>;
}
