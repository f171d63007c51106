/** A Jupyter Server started by hand: tuned as the agent tunes it, or as it comes. The baseline of the kernel figures. */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { request, Agent, type Dispatcher } from 'undici';
import * as z from 'zod';
import {
  configPath,
  writeJupyterFiles,
  writeKernelEnvironment,
} from '../../backend-proxy/src/agent/jupyter/files.ts';
import { hubExtension } from '../../backend-proxy/src/agent/kernels/python-files.ts';
import { systemClock } from '@hitch/platform/src/clock.ts';
import { allProcesses, sendSignal } from '../support/processes.ts';
import { KernelClient } from './kernel-client.ts';

const LOOK_AGAIN_MS = 20;

export interface JupyterByHand {
  /** Starts a kernel and resolves with a client of its socket. */
  startKernel(): Promise<KernelClient>;
  end(): Promise<void>;
}

export function benchPython(): string {
  const python = process.env['HITCH_PYTHON'];
  if (python === undefined) {
    throw new Error('HITCH_PYTHON names no interpreter: run npm run bench, which sets it.');
  }
  return python;
}

/** @param tuned whether the agent's settings and socket handler are used, on a private socket; else stock, on a port. */
export async function startJupyter(tuned: boolean): Promise<JupyterByHand> {
  const folder = mkdtempSync(join(tmpdir(), 'hb-'));
  const token = randomUUID();
  const work = join(folder, 'work');
  mkdirSync(work);
  const place = tuned ? { socketPath: join(folder, 's') } : { host: '127.0.0.1', port: await freePort() };
  const args = tuned ? tunedArguments(folder, work, token, place) : stockArguments(work, token, place);
  const child = spawn(benchPython(), ['-m', 'jupyter_server', ...args], {
    stdio: 'ignore',
    env: { ...process.env, JUPYTER_RUNTIME_DIR: join(folder, 'runtime'), JUPYTER_NO_CONFIG: '1' },
  });
  return jupyterAt(child, place, token, folder);
}

/**
 * The same on a machine that ssh reaches, in one command, as a person types it: the server there, and its port here.
 * @param ssh the arguments that lead there
 */
export async function startJupyterOver(
  ssh: readonly string[],
  there: { readonly python: string; readonly folder: string; readonly allow: (folder: string) => void },
): Promise<JupyterByHand> {
  const folder = mkdtempSync(join(there.folder, 'hb-'));
  const token = randomUUID();
  const work = join(folder, 'work');
  mkdirSync(work);
  const place = { host: '127.0.0.1', port: await freePort() };
  const args = tunedArguments(folder, work, token, place);
  there.allow(folder);
  // Where ssh leads to and where the server listens must differ: both are on this computer.
  const door = { host: '127.0.0.1', port: await freePort() };
  const forward = `${door.port.toString()}:127.0.0.1:${place.port.toString()}`;
  const environment = `HITCH_BENCH=${folder} JUPYTER_RUNTIME_DIR=${folder}/runtime JUPYTER_NO_CONFIG=1`;
  const command = `${environment} exec ${there.python} -m jupyter_server ${args.join(' ')}`;
  const child = spawn('ssh', ['-L', forward, ...ssh, command], { stdio: 'ignore' });
  const jupyter = await jupyterAt(child, door, token, folder);
  return {
    ...jupyter,
    end: async () => {
      allProcesses()
        .filter(({ environment }) => environment.includes(`HITCH_BENCH=${folder}`))
        .forEach(({ pid }) => sendSignal(pid, 'SIGTERM'));
      await jupyter.end();
    },
  };
}

async function jupyterAt(
  child: ChildProcess,
  place: Place,
  token: string,
  folder: string,
): Promise<JupyterByHand> {
  const dispatcher = new Agent('socketPath' in place ? { connect: { socketPath: place.socketPath } } : {});
  const origin = 'socketPath' in place ? 'http://localhost' : `http://${place.host}:${place.port.toString()}`;
  const socket =
    'socketPath' in place ? `ws+unix:${place.socketPath}:` : `ws://${place.host}:${place.port.toString()}`;
  const headers = { authorization: `token ${token}` };
  await untilServing(child, origin, headers, dispatcher);
  return {
    startKernel: async () => {
      const answer = await request(`${origin}/api/kernels`, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body: '{}',
        dispatcher,
      });
      const { id } = z.object({ id: z.string() }).parse(await answer.body.json());
      return KernelClient.open(`${socket}/api/kernels/${id}/channels`, headers);
    },
    end: async () => {
      await dispatcher.destroy();
      child.kill('SIGTERM');
      if (child.exitCode === null && child.signalCode === null) {
        await new Promise(resolve => child.once('exit', resolve));
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

type Place = { readonly socketPath: string } | { readonly host: string; readonly port: number };

function tunedArguments(folder: string, workFolder: string, token: string, address: Place): string[] {
  const jupyter = join(folder, 'jupyter');
  writeJupyterFiles({ folder: jupyter, workFolder, address, token, shell: null, ...hubExtension });
  writeKernelEnvironment(jupyter, {});
  return [`--config=${configPath(jupyter)}`];
}

function stockArguments(work: string, token: string, place: Place): string[] {
  return [
    '--allow-root',
    `--ServerApp.root_dir=${work}`,
    `--IdentityProvider.token=${token}`,
    ...('port' in place ? [`--port=${place.port.toString()}`] : []),
  ];
}

async function untilServing(
  child: ChildProcess,
  origin: string,
  headers: Record<string, string>,
  dispatcher: Dispatcher,
): Promise<void> {
  while (child.exitCode === null) {
    try {
      const answer = await request(`${origin}/api/status`, { headers, dispatcher });
      await answer.body.dump();
      if (answer.statusCode === 200) {
        return;
      }
    } catch {
      // Not listening yet.
    }
    await systemClock.sleep(LOOK_AGAIN_MS);
  }
  throw new Error('Jupyter Server ended before it served');
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
