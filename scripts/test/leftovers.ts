// Finds processes that a test started and left behind: children inherit a tag, and the operating system remembers it.
import { readFileSync, readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const tag = 'HITCH_TEST_RUN';
const graceMs = 10_000;
const pollMs = 250;

export interface Leftover {
  readonly pid: number;
  readonly command: string;
}

export function tagged(env: NodeJS.ProcessEnv, run: string): NodeJS.ProcessEnv {
  return { ...env, [tag]: run };
}

/** What still runs with this tag. Only Linux shows other processes' environments; elsewhere nothing is found. */
function findTagged(run: string): Leftover[] {
  if (process.platform !== 'linux') return [];
  const needle = `${tag}=${run}\0`;
  return readdirSync('/proc')
    .filter(entry => /^\d+$/.test(entry))
    .flatMap(entry => {
      try {
        if (!readFileSync(`/proc/${entry}/environ`, 'utf8').includes(needle)) return [];
        const command = readFileSync(`/proc/${entry}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
        return [{ pid: Number(entry), command }];
      } catch {
        // It ended while we looked, or it belongs to somebody else.
        return [];
      }
    });
}

/** Waits a moment for the run's processes to end, then kills and returns those that have not. */
export async function reapLeftovers(run: string): Promise<Leftover[]> {
  const rounds = graceMs / pollMs;
  let left = findTagged(run);
  for (let round = 0; left.length > 0 && round < rounds; round += 1) {
    await sleep(pollMs);
    left = findTagged(run);
  }
  for (const { pid } of left) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // Gone by itself.
    }
  }
  return left;
}
