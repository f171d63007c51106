/** Ends all processes of one node and nothing else, those that started sessions of their own too. */
import { execFile } from 'node:child_process';
import type { Clock } from '@hitch/platform/src/clock.ts';
import { cgroupPids, killCgroup } from './cgroups.ts';
import { type ProcessEntry, type ProcessTable, tagsAreVisible } from './process-table.ts';

/** What is known of a node's processes. */
export interface NodeMarks {
  readonly ref: string;
  /** Its control group, where it has one. */
  readonly cgroup: string | null;
  /** Processes this node started and wrote down, with their start times. */
  readonly roots: readonly { readonly pid: number; readonly startedAt: string }[];
}

const GRACE_MS = 1_500;
const GIVE_UP_MS = 15_000;
const LOOK_AGAIN_MS = 60;

/**
 * The node's processes among `entries`: those with its exact tag, those in its group, those it wrote down, and the
 * descendants of these that carry no tag at all (an emptied environment). Never one with another node's tag outside
 * its group, never this process.
 */
export function membersOf(
  marks: NodeMarks,
  entries: readonly ProcessEntry[],
  inGroup: ReadonlySet<number>,
): readonly ProcessEntry[] {
  const roots = new Set(marks.roots.map(({ pid, startedAt }) => `${pid.toString()} ${startedAt}`));
  const children = Map.groupBy(entries, ({ parentPid }) => parentPid);
  const found = new Map<number, ProcessEntry>();
  const waiting = entries.filter(
    ({ pid, startedAt, tag }) =>
      tag === marks.ref || inGroup.has(pid) || roots.has(`${pid.toString()} ${startedAt}`),
  );
  for (let entry = waiting.pop(); entry !== undefined; entry = waiting.pop()) {
    if (entry.pid !== process.pid && !found.has(entry.pid)) {
      found.set(entry.pid, entry);
      waiting.push(...(children.get(entry.pid) ?? []).filter(({ tag }) => tag === null));
    }
  }
  return [...found.values()];
}

/**
 * Asks with SIGTERM, then makes with SIGKILL and the group's own kill, until none is left.
 * @throws Error naming how many are left when they outlive all of it.
 */
export async function endProcesses(
  marks: NodeMarks,
  deps: { clock: Clock; table: Pick<ProcessTable, 'read'>; graceMs?: number },
): Promise<void> {
  const { clock, table } = deps;
  const startMs = clock.monotonic();
  /** Seen earlier: an orphan whose parent is dead is still known by its start time. */
  let known: NodeMarks = marks;
  const asked = new Set<number>();
  for (;;) {
    const inGroup = new Set(marks.cgroup === null ? [] : cgroupPids(marks.cgroup));
    const left = membersOf(known, await table.read(), inGroup);
    if (left.length === 0) {
      return;
    }
    const waitedMs = clock.monotonic() - startMs;
    if (waitedMs > GIVE_UP_MS) {
      throw new Error(`${left.length.toString()} processes of ${marks.ref} do not end.`);
    }
    const kill = waitedMs >= (deps.graceMs ?? GRACE_MS);
    if (kill && marks.cgroup !== null) {
      killCgroup(marks.cgroup);
    }
    for (const { pid } of left) {
      if (kill || !asked.has(pid)) {
        asked.add(pid);
        signal(pid, kill ? 'SIGKILL' : 'SIGTERM');
      }
    }
    known = { ...marks, roots: [...known.roots, ...left] };
    await clock.sleep(LOOK_AGAIN_MS);
  }
}

function signal(pid: number, name: 'SIGTERM' | 'SIGKILL'): void {
  if (!tagsAreVisible) {
    // Windows has no SIGTERM; the tree goes with it.
    execFile('taskkill', ['/PID', pid.toString(), '/T', '/F'], () => undefined);
    return;
  }
  try {
    process.kill(pid, name);
  } catch {
    // Gone in the meantime.
  }
}
