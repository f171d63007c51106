/** The agent as a process of this computer: started apart from the daemon, found again, replaced. */
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { HostError } from '../access/host.ts';
import type { Clock } from '@hitch/platform/src/clock.ts';
import { FRUGAL_ALLOCATOR, FRUGAL_FLAGS } from '@hitch/platform/src/memory.ts';
import { procsFile } from './cgroups.ts';
import type { MachineRecord } from './machine-folder.ts';
import { type ProcessTable, TAG } from './process-table.ts';

type AgentRecord = NonNullable<MachineRecord['agent']>;

/**
 * The node's agent, if one runs: the one its record names, or one that a daemon started and did not live to write
 * down, which its command line gives away. Of that one nobody knows from what it was started.
 */
export async function findAgent(
  machine: MachineRecord,
  configPath: string,
  table: ProcessTable,
): Promise<AgentRecord | null> {
  const { agent, ref } = machine;
  const entries = await table.read();
  if (
    agent !== null &&
    entries.some(({ pid, startedAt }) => pid === agent.pid && startedAt === agent.startedAt)
  ) {
    return agent;
  }
  for (const { pid, startedAt, tag } of entries) {
    if (tag === ref && (await table.commandOf(pid)).includes(`--config ${configPath}`)) {
      return { pid, startedAt, bundleHash: '', configHash: '' };
    }
  }
  return null;
}

const LOOK_AGAIN_MS = 20;
const GRACE_MS = 3_000;
const LONGEST_MS = 10_000;

/** Ends the agent and nothing it started: on SIGTERM an agent leaves, and the next one takes its programs over. */
export async function endAgent(
  agent: AgentRecord,
  deps: { table: ProcessTable; clock: Clock },
): Promise<void> {
  const startMs = deps.clock.monotonic();
  for (let asked = false; ; asked = true) {
    const entries = await deps.table.read();
    if (!entries.some(({ pid, startedAt }) => pid === agent.pid && startedAt === agent.startedAt)) {
      return;
    }
    const waitedMs = deps.clock.monotonic() - startMs;
    if (waitedMs > LONGEST_MS) {
      throw new HostError(`The agent (process ${agent.pid.toString()}) does not end.`, { fatal: false });
    }
    if (!asked || waitedMs > GRACE_MS) {
      signal(agent.pid, asked ? 'SIGKILL' : 'SIGTERM');
    }
    await deps.clock.sleep(LOOK_AGAIN_MS);
  }
}

function signal(pid: number, name: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(pid, name);
  } catch {
    // Gone in the meantime.
  }
}

/** Starts an agent in a session of its own. @returns once the system shows it. */
export async function startAgentProcess(options: {
  readonly ref: string;
  readonly bundlePath: string;
  readonly configPath: string;
  readonly logPath: string;
  readonly cgroup: string | null;
  readonly table: ProcessTable;
  readonly clock: Clock;
}): Promise<{ pid: number; startedAt: string }> {
  const { cgroup, clock, ref, table } = options;
  mkdirSync(dirname(options.logPath), { recursive: true, mode: 0o700 });
  const log = openSync(options.logPath, 'a', 0o600);
  const command = [process.execPath, ...FRUGAL_FLAGS, options.bundlePath, '--config', options.configPath];
  // The shell joins the group before it becomes the agent, so that no child is ever outside of it.
  const joining = ['/bin/sh', '-c', 'echo $$ > "$0" || :; exec "$@"', procsFile(cgroup ?? ''), ...command];
  const [file = process.execPath, ...args] = cgroup === null ? command : joining;
  try {
    const child = spawn(file, args, {
      detached: true,
      stdio: ['ignore', log, log],
      env: { ...nodeEnvironment(ref), ...FRUGAL_ALLOCATOR },
      windowsHide: true,
    });
    const failure = new Promise<never>((_, reject) => {
      child.once('error', cause => {
        reject(new HostError(`The agent could not be started: ${cause.message}`, { fatal: false, cause }));
      });
    });
    child.unref();
    return await Promise.race([failure, seen(child.pid, { clock, table })]);
  } finally {
    closeSync(log);
  }
}

async function seen(
  pid: number | undefined,
  deps: { clock: Clock; table: ProcessTable },
): Promise<{ pid: number; startedAt: string }> {
  const until = deps.clock.monotonic() + LONGEST_MS;
  while (deps.clock.monotonic() < until) {
    const entry = (await deps.table.read()).find(candidate => candidate.pid === pid);
    if (entry !== undefined) {
      return { pid: entry.pid, startedAt: entry.startedAt };
    }
    if (pid !== undefined && !exists(pid)) {
      break;
    }
    await deps.clock.sleep(LOOK_AGAIN_MS);
  }
  throw new HostError('The agent ended as soon as it was started; its log says why.', { fatal: false });
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** What a node's processes inherit from this computer: enough to find programs and speak, nothing of the daemon's. */
const PASSED_ON = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'SHELL',
  'LANG',
  'LANGUAGE',
  'LC_ALL',
  'LC_CTYPE',
  'TZ',
  'TMPDIR',
  'TEMP',
  'TMP',
  'SYSTEMROOT',
  'SystemRoot',
  'COMSPEC',
  'PATHEXT',
  'USERPROFILE',
  'APPDATA',
  'LOCALAPPDATA',
  'LD_LIBRARY_PATH',
  'CUDA_HOME',
  'CUDA_VISIBLE_DEVICES',
  'NVIDIA_VISIBLE_DEVICES',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'REQUESTS_CA_BUNDLE',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'HF_HOME',
  'PIP_INDEX_URL',
  'PIP_CONFIG_FILE',
  'UV_INDEX_URL',
] as const;

export function nodeEnvironment(ref: string, own: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const passed = PASSED_ON.flatMap(name => (own[name] === undefined ? [] : [[name, own[name]] as const]));
  return {
    ...Object.fromEntries(passed),
    [TAG]: ref,
    // Ray renames its processes; without this the new title is written over the environment, and the tag with it.
    SPT_NOENV: '1',
    // Several Ray nodes on one computer are refused on macOS and Windows without it.
    RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER: '1',
    ...(process.versions['electron'] === undefined ? {} : { ELECTRON_RUN_AS_NODE: '1' }),
  };
}
