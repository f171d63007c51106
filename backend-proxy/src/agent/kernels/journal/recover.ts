/** Opens a kernel's journal as the last process left it, however it ended. */
import { mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, appendFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { writeFileAtomic } from '@hitch/platform/src/atomic-file.ts';
import { GapBuilder, readGap } from './gap.ts';
import type { JournalState } from './journal.ts';
import type { JournalRecord } from './record.ts';
import { scanSegment, segmentOf } from './segment.ts';
import type { Segment } from './segment.ts';

const FORMAT = 1;
const metaSchema = z.object({
  format: z.literal(FORMAT),
  kernelId: z.string(),
  epoch: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
});

/**
 * Numbers left out after each recovery. A power cut can take records that a client has seen; numbers that the
 * client knows must not be given to other messages.
 */
const RECOVERY_STEP = 2 ** 20;

export interface RecoverOptions {
  readonly folder: string;
  readonly kernelId: string;
  readonly newEpoch: () => string;
  readonly nowMs: number;
  /** Called for each record found, in order. */
  readonly visit: (record: JournalRecord) => void;
}

function readEpoch(folder: string, kernelId: string): string | null {
  try {
    const meta = metaSchema.parse(JSON.parse(readFileSync(join(folder, 'meta.json'), 'utf8')));
    return meta.kernelId === kernelId ? meta.epoch : null;
  } catch {
    // Missing, half a file or another format: without the epoch no cursor can be trusted.
    return null;
  }
}

/**
 * Continues the journal in `folder`, or starts one under a new epoch where there is none that can be continued.
 * A torn tail is cut off; damage inside becomes a gap.
 */
export function recoverJournal(options: RecoverOptions): JournalState {
  const { folder, kernelId, newEpoch, nowMs, visit } = options;
  const epoch = readEpoch(folder, kernelId);
  if (epoch === null) {
    rmSync(folder, { recursive: true, force: true });
    const fresh = newEpoch();
    const begin = (): void => begun(folder, { format: FORMAT, kernelId, epoch: fresh });
    return {
      folder,
      epoch: fresh,
      segments: [],
      nextSeq: 1,
      droppedBytes: 0,
      begin: hasWorked(begin) ? null : begin,
    };
  }
  let droppedBytes = 0;
  const segments: Segment[] = [];
  const found = listSegments(folder);
  for (const [index, segment] of found.entries()) {
    const before = segments.at(-1);
    if (before !== undefined && segment.firstSeq <= before.lastSeq) {
      // A compaction joined it to the one before and was stopped before it removed this file.
      rmSync(segment.path, { force: true });
      continue;
    }
    const damaged = scanSegment(segment, record => {
      droppedBytes += record.kind === 'gap' ? readGap(record).droppedBytes : 0;
      visit(record);
    });
    if (damaged > 0) {
      truncateSync(segment.path, segment.bytes);
      droppedBytes += noteDamage(segment, found[index + 1], damaged, nowMs);
    }
    if (segment.bytes === 0) {
      rmSync(segment.path, { force: true });
    } else {
      segments.push(segment);
    }
  }
  const last = segments.at(-1)?.lastSeq ?? 0;
  return { folder, epoch, segments, nextSeq: last + RECOVERY_STEP, droppedBytes, begin: null };
}

function begun(folder: string, meta: z.infer<typeof metaSchema>): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileAtomic(join(folder, 'meta.json'), JSON.stringify(meta));
}

/** A kernel can be used on a full disk too: what is not kept is said, and it is tried again with each write. */
function hasWorked(begin: () => void): boolean {
  try {
    begin();
    return true;
  } catch {
    return false;
  }
}

/** Segment files in order, the latest generation of each; leftovers of stopped compactions are removed. */
function listSegments(folder: string): Segment[] {
  const byFirst = new Map<number, Segment>();
  for (const name of readdirSync(folder).sort()) {
    const segment = segmentOf(folder, name);
    if (segment !== null) {
      const older = byFirst.get(segment.firstSeq);
      if (older !== undefined) {
        rmSync(older.path, { force: true });
      }
      byFirst.set(segment.firstSeq, segment);
    } else if (name.endsWith('.tmp')) {
      rmSync(join(folder, name), { force: true });
    }
  }
  return [...byFirst.values()].sort((a, b) => a.firstSeq - b.firstSeq);
}

/** Damage before the last segment is lost output and is said so; at the very end it is a write that was cut short. */
function noteDamage(segment: Segment, next: Segment | undefined, bytes: number, nowMs: number): number {
  if (next === undefined) {
    return 0;
  }
  const gap = new GapBuilder('damage');
  gap.merge({
    fromSeq: segment.lastSeq + 1,
    toSeq: next.firstSeq - 1,
    messages: 1,
    droppedBytes: bytes,
    reason: 'damage',
    executions: [],
    cells: [],
  });
  const record = gap.take(nowMs);
  if (record === null || record.seq <= segment.lastSeq) {
    return 0;
  }
  try {
    appendFileSync(segment.path, Buffer.concat([record.head, record.frame]));
    segment.add(record);
  } catch {
    // No room: half a record must not stay. That something is missing is known by the bytes alone then.
    truncateSync(segment.path, segment.bytes);
  }
  return bytes;
}
