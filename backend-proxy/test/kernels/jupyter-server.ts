/** A real Jupyter Server with Hitch's kernel sockets, and real kernels, for the tests of the hub. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { appendFile, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Context } from 'mocha';
import * as z from 'zod';
import { configPath, writeJupyterFiles } from '../../src/agent/jupyter/files.ts';
import { hubExtension } from '../../src/agent/kernels/python-files.ts';
import { requestJson } from '../../src/agent/http/upstream.ts';
import type { Upstream } from '../../src/agent/http/upstream.ts';

export interface JupyterServer {
  readonly upstream: Upstream;
  startKernel(): Promise<string>;
  /** The kernel's own socket, past the hub. */
  socketUrl(kernelId: string, query: string): string;
  post(path: string): Promise<number>;
  remove(path: string): Promise<number>;
  kernels(): Promise<{ id: string; execution_state?: string | undefined }[]>;
  /** Resident memory of the server's process. */
  residentBytes(): Promise<number>;
  /** Sends a signal to the server's process only. */
  signal(name: NodeJS.Signals): void;
  stop(): Promise<void>;
}

const kernelSchema = z.looseObject({ id: z.string(), execution_state: z.string().optional() });

/** The interpreter to test with; a test without one skips itself and says so. */
export function pythonOrSkip(context: Context): string {
  const python = process.env['HITCH_PYTHON'];
  if (python === undefined || !existsSync(python)) {
    console.log('      skipped: HITCH_PYTHON names no Python with Jupyter');
    return context.skip();
  }
  return python;
}

/** What a server does with a kernel that died. */
export const AFTER_DEATH = {
  'on other ports': ['c.KernelManager.cache_ports = False'],
  'heard late': [
    'import zmq',
    'from jupyter_client.connect import ConnectionFileMixin',
    'plain = ConnectionFileMixin._create_connected_socket',
    'def late(self, channel, **more):',
    '    self.context.setsockopt(zmq.RECONNECT_IVL, 2000 if channel == "iopub" else 100)',
    '    return plain(self, channel, **more)',
    'ConnectionFileMixin._create_connected_socket = late',
  ],
} as const;

/** Jupyter's own classes in the place of Hitch's. */
const STOCK = [
  'del c.ServerApp.kernel_websocket_connection_class',
  'del c.AsyncMappingKernelManager.kernel_manager_class',
];

/**
 * `tuned: false` starts a stock server, to compare with. `longest`: bytes of a message that may pass; `kept`: those for an
 * agent that is away; `givesUpAfterMs`: without a pong.
 */
export async function startJupyter(
  python: string,
  options: {
    tuned?: boolean;
    unixSocket?: boolean;
    longest?: number;
    kept?: number;
    givesUpAfterMs?: number;
    afterDeath?: keyof typeof AFTER_DEATH;
  } = {},
): Promise<JupyterServer> {
  const folder = await mkdtemp(join(tmpdir(), 'hitch-jup-'));
  const socketPath = join(folder, 's');
  const port = await freePort();
  const unixSocket = options.unixSocket ?? process.platform !== 'win32';
  await mkdir(join(folder, 'work'));
  writeJupyterFiles({
    folder,
    workFolder: join(folder, 'work'),
    address: unixSocket ? { socketPath } : { host: '127.0.0.1', port },
    token: 'test-token',
    shell: null,
    ...hubExtension,
  });
  await appendFile(
    configPath(folder),
    [
      ...(options.tuned === false ? STOCK : []),
      ...(options.longest === undefined
        ? []
        : [`c.HitchKernelConnection.longest = ${options.longest.toString()}`]),
      ...(options.kept === undefined ? [] : [`c.HitchKernelConnection.kept = ${options.kept.toString()}`]),
      ...(options.givesUpAfterMs === undefined
        ? []
        : [
            `c.ServerApp.tornado_settings = {"ws_ping_interval": 1000, "ws_ping_timeout": ${options.givesUpAfterMs.toString()}}`,
          ]),
      ...(options.afterDeath === undefined ? [] : AFTER_DEATH[options.afterDeath]),
    ].join('\n'),
  );
  const child = spawn(python, ['-m', 'jupyter_server', `--config=${configPath(folder)}`], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      ...process.env,
      JUPYTER_CONFIG_DIR: join(folder, 'config'),
      JUPYTER_RUNTIME_DIR: join(folder, 'runtime'),
      IPYTHONDIR: join(folder, 'ipython'),
      HOME: folder,
    },
  });
  let log = '';
  child.stderr.on('data', (data: Buffer) => {
    log = (log + data.toString('utf8')).slice(-20_000);
  });
  const ended = new Promise<void>(resolve => {
    child.once('exit', () => {
      resolve();
    });
  });
  const upstream: Upstream = {
    name: 'Jupyter Server',
    address: unixSocket ? { socketPath } : { host: '127.0.0.1', port },
    authorization: 'token test-token',
  };
  for (let attempt = 0; ; attempt++) {
    const answer = await requestJson(upstream, 'GET', '/api/status').catch(() => ({ status: 0 }));
    if (answer.status === 200) {
      break;
    }
    if (attempt > 1200 || child.exitCode !== null) {
      child.kill('SIGKILL');
      throw new Error(`Jupyter Server did not start:\n${log}`);
    }
    await delay(100);
  }
  const call = async (method: string, path: string, body?: unknown): Promise<number> =>
    (await requestJson(upstream, method, path, body === undefined ? {} : { body })).status;
  return {
    upstream,
    socketUrl: (kernelId, query) => {
      const path = `/api/kernels/${kernelId}/channels?${query}`;
      return unixSocket ? `ws+unix:${socketPath}:${path}` : `ws://127.0.0.1:${port.toString()}${path}`;
    },
    startKernel: async () => {
      const answer = await requestJson(upstream, 'POST', '/api/kernels', { body: { name: 'python3' } });
      return kernelSchema.parse(answer.value).id;
    },
    post: path => call('POST', path, {}),
    remove: path => call('DELETE', path),
    kernels: async () =>
      z.array(kernelSchema).parse((await requestJson(upstream, 'GET', '/api/kernels')).value),
    residentBytes: async () => {
      const status = await readFile(`/proc/${String(child.pid)}/status`, 'utf8');
      return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024;
    },
    signal: name => {
      child.kill(name);
    },
    stop: async () => {
      child.kill('SIGTERM');
      const killer = setTimeout(() => child.kill('SIGKILL'), 30_000);
      await ended;
      clearTimeout(killer);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const listener = createServer().once('error', reject);
    listener.listen(0, '127.0.0.1', () => {
      const { port } = listener.address() as AddressInfo;
      listener.close(() => resolve(port));
    });
  });
}
