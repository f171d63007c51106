/** This node's Jupyter Server: `jupyter_server` alone (no Lab), on a private socket, supervised. */
import { existsSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { AgentConfig } from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';
import type { Log } from '@hitch/platform/src/log.ts';
import type { NodeEnvironment } from '../environment/environment.ts';
import type { AgentFolders } from '../folders.ts';
import type { Upstream } from '../http/upstream.ts';
import { Supervisor, type Program } from '../processes/supervisor.ts';
import { JupyterClient } from './client.ts';
import { configPath, keptValue, writeJupyterFiles, type JupyterPlace } from './files.ts';

export interface JupyterOptions {
  readonly config: AgentConfig;
  readonly folders: AgentFolders;
  readonly environment: NodeEnvironment;
  readonly clock: Clock;
  readonly log: Log;
  readonly makeToken: () => string;
  readonly changed: () => void;
  readonly extension: Pick<JupyterPlace, 'modules' | 'settings'>;
}

export interface Jupyter {
  readonly supervisor: Supervisor;
  readonly upstream: Upstream;
  readonly client: JupyterClient;
  /** Resolves once it serves; rejects when the signal aborts. */
  untilReady(signal: AbortSignal): Promise<void>;
}

/** A look at a file that is not there costs microseconds, and somebody waits for this one. */
const LOOK_AGAIN_MS = 10;
const READY_WITHIN_MS = 120_000;

export async function createJupyter(options: JupyterOptions): Promise<Jupyter> {
  const { config, folders, environment, clock } = options;
  const token = keptValue(join(folders.jupyter, 'token'), options.makeToken);
  const address = await jupyterAddress(folders);
  const upstream: Upstream = { name: 'Jupyter Server', address, authorization: `token ${token}` };
  const client = new JupyterClient(upstream);

  const program = async (): Promise<Program> => {
    await environment.ready();
    if ('socketPath' in address) {
      rmSync(address.socketPath, { force: true });
    }
    writeJupyterFiles({
      folder: folders.jupyter,
      workFolder: folders.work,
      address,
      token,
      shell: environment.shell,
      ...options.extension,
    });
    return {
      file: environment.serverPython,
      args: ['-m', 'jupyter_server', `--config=${configPath(folders.jupyter)}`],
      cwd: folders.work,
      environment: jupyterEnvironment(config, folders, environment),
    };
  };
  const untilReady = async (signal: AbortSignal): Promise<void> => {
    // Most looks come before there is a socket at all; a request that can only fail costs more than they need.
    const listens = (): boolean => !('socketPath' in address) || existsSync(address.socketPath);
    while (!(listens() && (await client.isReady(signal).catch(() => false)))) {
      await clock.sleep(LOOK_AGAIN_MS, signal);
    }
  };
  const supervisor = new Supervisor({
    name: 'jupyter',
    clock,
    log: options.log,
    runFolder: folders.run,
    logFile: join(folders.logs, 'jupyter.log'),
    program,
    ready: untilReady,
    cleanUp: async () => undefined,
    changed: options.changed,
    readyWithinMs: READY_WITHIN_MS,
  });
  return { supervisor, upstream, client, untilReady };
}

/** Secrets are not here: they go to kernels alone, see `kernel-environment.json`. */
function jupyterEnvironment(
  config: AgentConfig,
  folders: AgentFolders,
  environment: NodeEnvironment,
): NodeJS.ProcessEnv {
  return {
    ...process.env,
    ...environment.variables,
    HITCH_NODE: config.ref,
    HITCH_PROGRAM: 'jupyter',
    // As for Ray: a kernel that renames itself keeps its tag.
    SPT_NOENV: '1',
    JUPYTER_NO_CONFIG: '1',
    JUPYTER_CONFIG_DIR: join(folders.jupyter, 'config'),
    JUPYTER_RUNTIME_DIR: join(folders.jupyter, 'runtime'),
    PYTHONUNBUFFERED: '1',
  };
}

async function jupyterAddress(folders: AgentFolders): Promise<Upstream['address']> {
  if (process.platform !== 'win32') {
    return { socketPath: join(folders.short, 'jupyter.sock') };
  }
  const free = (await freeLoopbackPort()).toString();
  const port = Number(keptValue(join(folders.jupyter, 'port'), () => free));
  return { host: '127.0.0.1', port };
}

function freeLoopbackPort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
