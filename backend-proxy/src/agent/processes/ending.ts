/** Ending processes: asked first, then made to. */
import { execFile } from 'node:child_process';
import type { Clock } from '@hitch/platform/src/clock.ts';
import { processesWith, startTimeOf } from './identity.ts';

const LOOK_AGAIN_MS = 100;

/** Signals the process and the group it leads; a process that is gone is what was wanted. */
export function signalGroup(pid: number, signal: NodeJS.Signals): void {
  if (process.platform === 'win32') {
    execFile('taskkill', ['/PID', pid.toString(), '/T', '/F'], () => undefined);
    return;
  }
  for (const target of [-pid, pid]) {
    try {
      process.kill(target, signal);
    } catch {
      // Gone, or not a group leader.
    }
  }
}

/** SIGTERM, then SIGKILL after `graceMs`; resolves when the process is gone. */
export async function endProcess(
  clock: Clock,
  pid: number,
  startTime: string,
  graceMs: number,
): Promise<void> {
  const deadline = clock.monotonic() + graceMs;
  signalGroup(pid, 'SIGTERM');
  while ((await startTimeOf(pid)) === startTime) {
    if (clock.monotonic() > deadline) {
      signalGroup(pid, 'SIGKILL');
    }
    await clock.sleep(LOOK_AGAIN_MS);
  }
}

const ROUNDS = 100;

/**
 * Ends every process whose environment holds `variables`, those in sessions of their own too: SIGTERM, and SIGKILL
 * from the second after `graceMs` on, until none is left. @returns how many are left after all rounds (0 as a rule).
 */
export async function endTagged(
  clock: Clock,
  variables: Readonly<Record<string, string>>,
  graceMs: number,
): Promise<number> {
  const deadline = clock.monotonic() + graceMs;
  const asked = new Set<number>();
  for (let round = 0; round < ROUNDS; round++) {
    const left = await processesWith(variables);
    if (left.length === 0) {
      return 0;
    }
    const kill = clock.monotonic() >= deadline;
    for (const pid of left) {
      if (kill || !asked.has(pid)) {
        asked.add(pid);
        signalOne(pid, kill ? 'SIGKILL' : 'SIGTERM');
      }
    }
    await clock.sleep(LOOK_AGAIN_MS);
  }
  return (await processesWith(variables)).length;
}

function signalOne(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone in the meantime.
  }
}
