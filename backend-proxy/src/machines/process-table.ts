/** What runs on this computer, as the operating system says: each process with its start time and its `HITCH_NODE` tag. */
import { execFile } from 'node:child_process';
import { readFile, readdir } from 'node:fs/promises';
import { promisify } from 'node:util';
import * as z from 'zod';

const run = promisify(execFile);

export const TAG = 'HITCH_NODE';
/** A ref as it stands in the tag, in folder names and on the network. */
export const REF = /^hitch-[a-z0-9-]{1,48}$/;

export interface ProcessEntry {
  readonly pid: number;
  readonly parentPid: number;
  /** The system's own words for when it started: with the pid they name one process and no later one. */
  readonly startedAt: string;
  /**
   * The ref in its environment. Null where there is none, and where the system does not show environments: those of
   * other users, and all of them on Windows.
   */
  readonly tag: string | null;
}

export interface ProcessTable {
  /** Every process but zombies. */
  read(): Promise<readonly ProcessEntry[]>;
  /** The command line, arguments with a blank between; '' where it cannot be seen. */
  commandOf(pid: number): Promise<string>;
}

/** Whether {@link ProcessTable.read} sees tags here. Without them only trees of recorded processes are known. */
export const tagsAreVisible = process.platform !== 'win32';

export const systemProcesses: ProcessTable = {
  read: () => {
    switch (process.platform) {
      case 'linux':
        return readProc();
      case 'win32':
        return readWindows();
      default:
        return readPs();
    }
  },
  commandOf: async pid => {
    try {
      if (process.platform === 'linux') {
        return (await readFile(`/proc/${pid.toString()}/cmdline`, 'utf8')).split('\0').join(' ');
      }
      const { stdout } = await run('ps', ['-ww', '-o', 'command=', '-p', pid.toString()]);
      return stdout;
    } catch {
      return '';
    }
  },
};

/** Processes that carry `ref`, or any node's tag where none is given. Reads the operating system, nothing else. */
export async function countProcesses(ref?: string): Promise<number> {
  const entries = await systemProcesses.read();
  return entries.filter(({ tag }) => (ref === undefined ? tag !== null : tag === ref)).length;
}

async function readProc(): Promise<ProcessEntry[]> {
  const pids = (await readdir('/proc')).filter(name => /^\d+$/.test(name));
  const entries = await Promise.all(pids.map(readProcEntry));
  return entries.filter(entry => entry !== null);
}

async function readProcEntry(pid: string): Promise<ProcessEntry | null> {
  const stat = parseProcStat(await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => ''));
  if (stat === null) {
    return null;
  }
  const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '');
  return { pid: Number(pid), ...stat, tag: tagIn(environment.split('\0')) };
}

/** Null for what is no process (any more) or only waits to be reaped. */
export function parseProcStat(text: string): { parentPid: number; startedAt: string } | null {
  // The second field is the program's name in brackets, which may itself hold brackets and blanks.
  const [state, parentPid, ...rest] = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const startedAt = rest[17];
  return startedAt === undefined || state === 'Z' || state === 'X'
    ? null
    : { parentPid: Number(parentPid), startedAt };
}

function tagIn(variables: readonly string[]): string | null {
  const value = variables.find(variable => variable.startsWith(`${TAG}=`))?.slice(TAG.length + 1);
  return value !== undefined && REF.test(value) ? value : null;
}

async function readPs(): Promise<ProcessEntry[]> {
  // Both halves of one snapshot: the environment follows the command on the same line.
  const { stdout } = await run('ps', ['-axwwE', '-o', 'pid=,ppid=,state=,lstart=,command='], {
    maxBuffer: 64 * 1024 * 1024,
    env: { ...process.env, LC_ALL: 'C' },
  });
  return parsePs(stdout);
}

/** Reads `ps -axwwE -o pid=,ppid=,state=,lstart=,command=` as macOS writes it. */
export function parsePs(text: string): ProcessEntry[] {
  const line = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(\S+\s+\S+\s+\d+\s+[\d:]+\s+\d{4})\s+(.*)$/;
  return text.split('\n').flatMap(row => {
    const [, pid, parentPid, state, startedAt, command] = line.exec(row) ?? [];
    if (
      pid === undefined ||
      parentPid === undefined ||
      startedAt === undefined ||
      state?.startsWith('Z') === true
    ) {
      return [];
    }
    const tag = tagIn((command ?? '').split(/\s+/));
    return [
      { pid: Number(pid), parentPid: Number(parentPid), startedAt: startedAt.replace(/\s+/g, ' '), tag },
    ];
  });
}

const windowsSchema = z.array(
  z.object({ ProcessId: z.number(), ParentProcessId: z.number(), Started: z.string().nullable() }),
);

async function readWindows(): Promise<ProcessEntry[]> {
  const query =
    'Get-CimInstance Win32_Process | Select-Object ProcessId,ParentProcessId,' +
    "@{n='Started';e={$_.CreationDate.ToString('o')}} | ConvertTo-Json -Compress";
  const { stdout } = await run('powershell', ['-NoProfile', '-NonInteractive', '-Command', query], {
    maxBuffer: 64 * 1024 * 1024,
  });
  return windowsSchema.parse(JSON.parse(stdout)).map(row => ({
    pid: row.ProcessId,
    parentPid: row.ParentProcessId,
    startedAt: row.Started ?? '',
    tag: null,
  }));
}
