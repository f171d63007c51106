/**
 * A kernel's journal: every message in order, numbered, in segment files. Records reach the operating system
 * before anybody is told of them, so the death of this process loses nothing that a client has seen; they are
 * not forced to the disk one by one, so a power cut can lose the last moments.
 */
import { closeSync, ftruncateSync, openSync, writeSync, writev } from 'node:fs';
import { rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { Clock } from '@hitch/platform/src/clock.ts';
import { errorText } from '@hitch/platform/src/log.ts';
import type { Log } from '@hitch/platform/src/log.ts';
import { compact, isState, isStream } from './compact.ts';
import { gapFrame } from './gap.ts';
import type { Gap, GapReason } from './gap.ts';
import { makeRecord } from './record.ts';
import type { JournalRecord, RecordInput } from './record.ts';
import { Refused } from './refused.ts';
import { Segment } from './segment.ts';
import { readSegment, skipBytes } from './segment-io.ts';

export interface JournalLimits {
  readonly maxBytesPerKernel: number;
  readonly maxAgeMs: number;
}

export interface JournalEvents {
  /** Called in order, once for each record, when it may be shown to clients. */
  flushed(records: readonly JournalRecord[]): void;
  dropped(byExecution: ReadonlyMap<number, number>, forgotten: readonly number[]): void;
  /** Its execution has not ended: keep what tells its state. */
  isUnfinished(execution: number): boolean;
}

export interface JournalState {
  readonly folder: string;
  readonly epoch: string;
  readonly segments: Segment[];
  readonly nextSeq: number;
  readonly droppedBytes: number;
  /** Writes what the folder begins with, where the disk has not taken that yet. @throws when it still does not. */
  readonly begin: (() => void) | null;
}

/** A batch up to this size is written on the spot: cheaper and sooner than a thread's round trip. */
const SYNC_WRITE_BYTES = 64 * 1024;
const writevAsync = promisify(writev);

export class Journal {
  readonly epoch: string;
  readonly #folder: string;
  readonly #limits: JournalLimits;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #events: JournalEvents;
  readonly #segments: Segment[];
  readonly #segmentBytes: number;
  #file: number | null = null;
  #nextSeq: number;
  #flushedSeq: number;
  #droppedBytes: number;
  #pending: JournalRecord[] = [];
  #pendingBytes = 0;
  #writing: Promise<void> | null = null;
  #scheduled = false;
  readonly #refused = new Refused();
  #begin: (() => void) | null;
  #retention: Promise<void> | null = null;
  /** The bound that the next round of retention is to meet; null: no round is asked for. */
  #retainBytes: number | null = null;
  #closed = false;

  constructor(
    state: JournalState,
    deps: { limits: JournalLimits; clock: Clock; log: Log; events: JournalEvents },
  ) {
    this.epoch = state.epoch;
    this.#folder = state.folder;
    this.#segments = state.segments;
    this.#nextSeq = state.nextSeq;
    this.#flushedSeq = state.nextSeq - 1;
    this.#droppedBytes = state.droppedBytes;
    this.#begin = state.begin;
    this.#limits = deps.limits;
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#events = deps.events;
    this.#segmentBytes = Math.max(64 * 1024, Math.min(8 * 1024 * 1024, deps.limits.maxBytesPerKernel / 16));
  }

  get firstSeq(): number {
    return this.#segments[0]?.firstSeq ?? this.#flushedSeq + 1;
  }

  /** Number of the last record that readers find. */
  get lastSeq(): number {
    return this.#flushedSeq;
  }

  get droppedBytes(): number {
    return this.#droppedBytes;
  }

  /** Bytes waiting to be written. A sender that can be paused is paused when this grows. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  get sizeBytes(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.bytes, 0);
  }

  append(input: Omit<RecordInput, 'timeMs'>): JournalRecord {
    const record = makeRecord({ ...input, timeMs: this.#clock.now() }, this.#nextSeq);
    this.#nextSeq += 1;
    this.#pending.push(record);
    this.#pendingBytes += record.sizeBytes;
    if (!this.#scheduled && this.#writing === null) {
      this.#scheduled = true;
      // Once for all messages of one read of the socket.
      queueMicrotask(() => {
        this.#scheduled = false;
        this.#drain();
      });
    }
    return record;
  }

  /** Resolves when everything appended so far has been written (or refused). */
  async flush(): Promise<void> {
    while (this.#pending.length > 0 || this.#writing !== null) {
      this.#drain();
      await this.#writing;
    }
  }

  #drain(): void {
    while (this.#writing === null && this.#pending.length > 0 && !this.#closed) {
      const batch = this.#pending;
      this.#pending = [];
      const records = [...this.#refused.toWrite(this.#clock.now()), ...batch];
      const bytes = records.reduce((sum, record) => sum + record.sizeBytes, 0);
      if (bytes <= SYNC_WRITE_BYTES) {
        this.#settle(records, this.#writeNow(records, bytes));
      } else {
        this.#writing = this.#writeLater(records, bytes);
      }
    }
  }

  #writeNow(records: readonly JournalRecord[], bytes: number): unknown {
    try {
      const { file, segment } = this.#active(records);
      const data = Buffer.concat(records.flatMap(record => [record.head, record.frame]));
      for (let at = 0; at < bytes;) {
        at += writeSync(file, data, at, bytes - at, segment.bytes + at);
      }
      return null;
    } catch (error) {
      return error ?? new Error('write failed');
    }
  }

  async #writeLater(records: readonly JournalRecord[], bytes: number): Promise<void> {
    let failure: unknown = null;
    // Never done before the caller has noted that a write is under way.
    await Promise.resolve();
    try {
      const { file, segment } = this.#active(records);
      let left = records.flatMap((record): Buffer[] => [record.head, record.frame]);
      for (let at = 0; at < bytes;) {
        const { bytesWritten } = await writevAsync(file, left, segment.bytes + at);
        at += bytesWritten;
        left = skipBytes(left, bytesWritten);
      }
    } catch (error) {
      failure = error ?? new Error('write failed');
    }
    this.#writing = null;
    this.#settle(records, failure);
    this.#drain();
  }

  /** Says what the disk refused as soon as it takes writes again, also when nothing new comes. */
  retryRefused(): void {
    if (this.#pending.length > 0 || this.#writing !== null || this.#closed) {
      return;
    }
    const records = this.#refused.toWrite(this.#clock.now());
    if (records.length > 0) {
      const bytes = records.reduce((sum, record) => sum + record.sizeBytes, 0);
      this.#settle(records, this.#writeNow(records, bytes));
    }
  }

  /** The segment to write to; a new one when the last is full. */
  #active(records: readonly JournalRecord[]): { file: number; segment: Segment } {
    this.#begin?.();
    this.#begin = null;
    const last = this.#segments.at(-1);
    if (this.#file !== null && last !== undefined && !this.#isFull(last)) {
      return { file: this.#file, segment: last };
    }
    this.#seal();
    const segment = new Segment(this.#folder, records[0]?.seq ?? this.#nextSeq, 0);
    this.#file = openSync(segment.path, 'w', 0o600);
    this.#segments.push(segment);
    void this.retain();
    return { file: this.#file, segment };
  }

  /** Also by age, so that a quiet kernel's old messages come to lie in a segment that can be dropped. */
  #isFull(segment: Segment): boolean {
    return (
      segment.bytes >= this.#segmentBytes ||
      (segment.bytes > 0 && this.#clock.now() - segment.oldestMs > this.#limits.maxAgeMs / 4)
    );
  }

  #seal(): void {
    if (this.#file !== null) {
      closeSync(this.#file);
      this.#file = null;
    }
  }

  #settle(records: readonly JournalRecord[], failure: unknown): void {
    const segment = this.#segments.at(-1);
    const own = records.filter(record => !this.#refused.has(record));
    if (failure === null && segment !== undefined) {
      for (const record of records) {
        segment.add(record);
      }
      this.#refused.written(records);
    } else {
      this.#refuse(own, failure, segment);
    }
    this.#pendingBytes -= own.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    this.#flushedSeq = Math.max(this.#flushedSeq, records.at(-1)?.seq ?? 0);
    this.#events.flushed(records);
  }

  /** The kernel goes on and live clients get everything; whoever comes later is told what is missing. */
  #refuse(records: readonly JournalRecord[], failure: unknown, segment: Segment | undefined): void {
    if (records.length > 0) {
      this.#log.error('The journal could not be written; output goes to clients only', {
        error: errorText(failure),
      });
    }
    const gap = this.#refused.add(records);
    if (gap !== null) {
      this.#droppedBytes += gap.droppedBytes;
      this.#events.dropped(new Map(gap.executions), []);
    }
    if (this.#file !== null && segment !== undefined) {
      try {
        ftruncateSync(this.#file, segment.bytes);
      } catch (error) {
        this.#log.error('The journal could not be cut back after a failed write', {
          error: errorText(error),
        });
      }
    }
    // A kernel that has nothing new keeps what it has, however often its gaps are tried again.
    if (records.length > 0) {
      void this.retain(this.sizeBytes / 2);
    }
  }

  /** Records after `afterSeq`, oldest first, about a megabyte of them; none when there are no later ones. */
  async read(afterSeq: number): Promise<JournalRecord[]> {
    for (let attempt = 0; ; attempt++) {
      const segment = this.#segments.find(({ lastSeq }) => lastSeq > afterSeq);
      if (segment === undefined) {
        return this.#refused.after(afterSeq, this.#clock.now());
      }
      try {
        return await readSegment(segment, afterSeq);
      } catch (error) {
        // Compaction may have replaced the file since it was looked up.
        if (attempt === 3) {
          throw error;
        }
      }
    }
  }

  /** Drops what the limits do not allow, in the background; `maxBytes` tightens the size for once. */
  retain(maxBytes = this.#limits.maxBytesPerKernel): Promise<void> {
    this.#retainBytes = Math.min(this.#retainBytes ?? maxBytes, maxBytes);
    this.#retention ??= this.#retainWhileAsked()
      .catch((error: unknown) => {
        this.#log.error('Old output could not be dropped from the journal', { error: errorText(error) });
      })
      .finally(() => {
        this.#retention = null;
      });
    return this.#retention;
  }

  async #retainWhileAsked(): Promise<void> {
    while (this.#retainBytes !== null && !this.#closed) {
      const maxBytes = this.#retainBytes;
      this.#retainBytes = null;
      await this.#retain(maxBytes);
    }
  }

  async #retain(maxBytes: number): Promise<void> {
    const finished = (record: JournalRecord): boolean =>
      record.execution === 0 || !this.#events.isUnfinished(record.execution);
    const tooOld = this.#clock.now() - this.#limits.maxAgeMs;
    const isOld = (segment: Segment): boolean => segment.messages > 0 && segment.newestMs < tooOld;
    const last = this.#segments.at(-1);
    if (last !== undefined && isOld(last) && this.#writing === null) {
      this.#seal();
    }
    await this.#dropWhere(isOld, finished, 'age');
    const over = (): boolean => this.sizeBytes > maxBytes;
    await this.#dropWhere(segment => over() && segment.streamBytes > 0, isStream, 'bound');
    // More may have come meanwhile: nothing else goes while there is stream output that could.
    const stillOver = (): boolean => over() && !this.#sealed.some(segment => segment.streamBytes > 0);
    await this.#dropWhere(stillOver, finished, 'bound');
    await this.#dropWhere(stillOver, record => !isState(record) || finished(record), 'bound');
  }

  get #sealed(): Segment[] {
    return this.#file === null ? [...this.#segments] : this.#segments.slice(0, -1);
  }

  /** Compacts sealed segments, oldest first, that `wanted` names when their turn comes. */
  async #dropWhere(
    wanted: (segment: Segment) => boolean,
    mayDrop: (record: JournalRecord) => boolean,
    reason: GapReason,
  ): Promise<void> {
    for (const segment of this.#sealed) {
      const at = this.#segments.indexOf(segment);
      if (this.#closed || at < 0 || !wanted(segment)) {
        continue;
      }
      const before = this.#segments[at - 1];
      const joins = before !== undefined && before.generation > 0 && before.bytes < this.#segmentBytes / 4;
      const sources: [Segment, ...Segment[]] = joins ? [before, segment] : [segment];
      const done = await compact(this.#folder, sources, mayDrop, reason);
      const kept = done.segment === null ? [] : [done.segment];
      this.#segments.splice(this.#segments.indexOf(sources[0]), sources.length, ...kept);
      this.#droppedBytes += done.droppedBytes;
      this.#events.dropped(done.droppedByExecution, done.forgotten);
      if (done.lost !== null) {
        this.#sayLost(done.lost);
      }
      for (const source of sources) {
        await rm(source.path, { force: true });
      }
    }
  }

  /** Under a number of its own: what stood there has others behind it. */
  #sayLost(gap: Gap): void {
    this.#log.error('The disk is too full to keep older output', { bytes: gap.droppedBytes });
    this.append({ kind: 'gap', channel: 'iopub', type: 'other', execution: 0, frame: gapFrame(gap) });
  }

  async close(): Promise<void> {
    await this.flush();
    this.#closed = true;
    await this.#retention;
    this.#seal();
  }
}
