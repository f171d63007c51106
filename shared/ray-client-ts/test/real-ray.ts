/** Starts a real `ray start --head` of its own and leaves nothing of it behind. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

export interface RealHead {
  baseUrl: string;
  port: number;
  token: string;
  folder: string;
  /** What `ray start` printed. */
  output(): string;
  /** Aborts when `ray start` ends by itself: on a busy machine it gives up after a fixed 30 s. */
  ended: AbortSignal;
  stop(): Promise<void>;
}

/** The Python whose environment has Ray, or a sentence that says why the tests cannot run. */
export function rayPython(): { python: string } | { missing: string } {
  const python = process.env['HITCH_PYTHON'];
  if (process.platform !== 'linux') {
    return { missing: 'these tests clean up through /proc and run on Linux only' };
  }
  if (python === undefined || python === '') {
    return { missing: 'HITCH_PYTHON names no Python with ray[default]' };
  }
  if (!existsSync(join(dirname(python), 'ray'))) return { missing: `there is no ray beside ${python}` };
  return { python };
}

export async function startHead(python: string): Promise<RealHead> {
  const folder = await mkdtemp(join(tmpdir(), 'rct-'));
  const token = `test-token-${String(process.pid)}-${folder.slice(-6)}`;
  const ports = await freePorts(36);
  const port = ports[0] ?? 0;
  const named = [
    'dashboard-port',
    'port',
    'ray-client-server-port',
    'node-manager-port',
    'object-manager-port',
    'runtime-env-agent-port',
    'dashboard-agent-listen-port',
    'dashboard-agent-grpc-port',
    'metrics-export-port',
  ].map((name, at) => `--${name}=${String(ports[at])}`);
  const args = [
    'start',
    '--head',
    '--block',
    '--disable-usage-stats',
    '--dashboard-host=127.0.0.1',
    '--num-cpus=2',
    '--object-store-memory=100000000',
    '--labels=purpose=client-test',
    `--resources=${JSON.stringify({ my_res: 2 })}`,
    `--temp-dir=${folder}`,
    `--worker-port-list=${ports.slice(12).join(',')}`,
    ...named,
  ];
  const child = spawn(join(dirname(python), 'ray'), args, {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      PATH: `${dirname(python)}:${process.env['PATH'] ?? ''}`,
      RAY_AUTH_MODE: 'token',
      RAY_AUTH_TOKEN: token,
      RAY_USAGE_STATS_ENABLED: '0',
      // On a busy machine the default of 30 s ends the dashboard for good while `ray start` goes on without it.
      RAY_DASHBOARD_SUBPROCESS_MODULE_WAIT_READY_TIMEOUT: '240',
      AUTOSCALER_METRIC_PORT: String(ports[10]),
      DASHBOARD_METRIC_PORT: String(ports[11]),
      RAY_CLIENT_TEST_FOLDER: folder,
    },
  });
  const ended = new AbortController();
  child.once('exit', () => {
    ended.abort(new Error('ray start ended by itself'));
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (output += String(chunk)));
  return {
    baseUrl: `http://127.0.0.1:${String(port)}`,
    port,
    token,
    folder,
    output: () => output,
    ended: ended.signal,
    stop: () => stop(child, folder),
  };
}

/** Ends the group, then what left the group (job entrypoints have sessions of their own), found by an inherited variable. */
async function stop(child: ChildProcess, folder: string): Promise<void> {
  const exited = new Promise<void>(resolve => {
    if (child.exitCode !== null || child.signalCode !== null) resolve();
    else {
      child.once('exit', () => {
        resolve();
      });
    }
  });
  signalGroup(child, 'SIGTERM');
  await Promise.race([exited, wait(3000, undefined, { ref: false })]);
  signalGroup(child, 'SIGKILL');
  for (let round = 0; round < 50 && processesOf(folder).length > 0; round += 1) {
    for (const pid of processesOf(folder)) signal(pid, 'SIGKILL');
    await wait(100);
  }
  await rm(folder, { recursive: true, force: true });
}

/** Every process that inherited the test's folder. */
export function processesOf(folder: string): number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)
    .filter(pid => environmentOf(pid).includes(`RAY_CLIENT_TEST_FOLDER=${folder}\0`));
}

function environmentOf(pid: number): string {
  try {
    return readFileSync(`/proc/${String(pid)}/environ`, 'utf8');
  } catch {
    return '';
  }
}

function signalGroup(child: ChildProcess, name: NodeJS.Signals): void {
  if (child.pid !== undefined) signal(-child.pid, name);
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It is gone already.
  }
}

/** Ports that nobody listens on now; all are held until all are known, so that none comes twice. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>(resolve => {
          const server = createServer();
          server.listen(0, '0.0.0.0', () => {
            resolve(server);
          });
        }),
    ),
  );
  const ports = servers.map(server => {
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  });
  await Promise.all(servers.map(server => new Promise(resolve => server.close(resolve))));
  return ports;
}
