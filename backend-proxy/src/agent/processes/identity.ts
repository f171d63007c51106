/** Which process a pid means: pids are used again, a pid with its start time is not. */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The process's start time in the system's own words; null: no such process (or only its zombie). */
export async function startTimeOf(pid: number): Promise<string | null> {
  if (process.platform === 'linux') {
    return linuxStartTime(pid);
  }
  if (!exists(pid)) {
    return null;
  }
  const id = pid.toString();
  const ask =
    process.platform === 'win32'
      ? run('powershell', ['-NoProfile', '-Command', `(Get-Process -Id ${id}).StartTime.Ticks`])
      : run('ps', ['-o', 'lstart=', '-p', id]);
  try {
    const { stdout } = await ask;
    return stdout.trim() === '' ? null : stdout.trim();
  } catch {
    return null;
  }
}

function linuxStartTime(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid.toString()}/stat`, 'latin1');
    // The second field is the program's name in brackets and may hold anything, brackets and blanks too.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const state = fields[0];
    const startTicks = fields[19];
    return state === 'Z' || state === 'X' || startTicks === undefined ? null : `${bootId()}:${startTicks}`;
  } catch {
    return null;
  }
}

let knownBootId: string | null = null;

/** It cannot change while this process lives. */
function bootId(): string {
  if (knownBootId === null) {
    try {
      knownBootId = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
    } catch {
      knownBootId = '';
    }
  }
  return knownBootId;
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Every process, this one excepted, whose environment holds all of `variables`. */
export async function processesWith(variables: Readonly<Record<string, string>>): Promise<number[]> {
  const wanted = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
  switch (process.platform) {
    case 'linux':
      return linuxProcessesWith(wanted);
    case 'win32':
      // Windows shows no environments; there the trees of the recorded pids are ended instead.
      return [];
    default:
      return psProcessesWith(wanted);
  }
}

function linuxProcessesWith(wanted: readonly string[]): number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter(name => {
      try {
        const environment = readFileSync(`/proc/${name}/environ`, 'latin1').split('\0');
        return wanted.every(entry => environment.includes(entry));
      } catch {
        return false;
      }
    })
    .map(Number)
    .filter(pid => linuxStartTime(pid) !== null);
}

async function psProcessesWith(wanted: readonly string[]): Promise<number[]> {
  const { stdout } = await run('ps', ['-axwwE', '-o', 'pid=,command='], { maxBuffer: 64 * 1024 * 1024 });
  return stdout
    .split('\n')
    .filter(line => wanted.every(entry => ` ${line} `.includes(` ${entry} `)))
    .map(line => Number.parseInt(line, 10))
    .filter(pid => Number.isInteger(pid) && pid !== process.pid);
}
