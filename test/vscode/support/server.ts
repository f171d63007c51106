/** VS Code's server with extensions of our choice, and pages of it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { familyOf, runs, sendSignal } from '../../support/processes.ts';
import { until } from '../../support/waiting.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
export const serverMain = join(
  root,
  '.cache/vscode-host/node_modules/code-server/lib/vscode/out/server-main.js',
);
export const serverIsInstalled = (): boolean => existsSync(serverMain);

const STARTS_WITHIN_MS = 120_000;
const ENDS_WITHIN_MS = 5_000;
const KILLED_WITHIN_MS = 60_000;

const manifestSchema = z.object({ publisher: z.string(), name: z.string(), version: z.string() });

export interface ServerOptions {
  /** A folder of its own for settings, extensions and logs. */
  readonly data: string;
  /** Folders that are extensions, or .vsix files. */
  readonly install: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
}

export interface VscodeServer {
  readonly origin: string;
  readonly said: () => string;
  /** A page's address; with a payload, VS Code runs what it names. */
  url(folder: string, payload?: readonly (readonly [string, string])[]): string;
  /** A path as the payload wants it. */
  remote(path: string): string;
  stop(): Promise<void>;
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>(resolve => probe.listen(0, '127.0.0.1', resolve));
  const address = probe.address();
  await new Promise(resolve => probe.close(resolve));
  if (address === null || typeof address === 'string') {
    throw new Error('no port was given');
  }
  return address.port;
}

const places = (data: string): string[] => [
  ...['--server-data-dir', data, '--extensions-dir', join(data, 'extensions')],
  '--accept-server-license-terms',
];

async function install({ data, environment, install: items }: ServerOptions): Promise<void> {
  mkdirSync(join(data, 'extensions'), { recursive: true });
  for (const item of items) {
    if (item.endsWith('.vsix')) {
      const args = [serverMain, ...places(data), '--install-extension', item];
      const child = spawn(process.execPath, args, { env: environment, stdio: 'ignore' });
      const code = await new Promise<number | null>(resolve => child.once('exit', resolve));
      if (code !== 0) {
        throw new Error(`${item} could not be installed (code ${String(code)})`);
      }
    } else {
      const manifest = manifestSchema.parse(JSON.parse(readFileSync(join(item, 'package.json'), 'utf8')));
      const name = `${manifest.publisher}.${manifest.name}-${manifest.version}`;
      cpSync(item, join(data, 'extensions', name), { recursive: true });
    }
  }
}

/**
 * The server and its extension hosts. A host that outlived the server, as it does while its window was not closed in
 * order, would go on: our extension starts the daemon anew that the test's home has just killed.
 */
async function endFamily({ pid }: ChildProcess): Promise<void> {
  const family = pid === undefined ? [] : familyOf(pid);
  const end = async (signal: NodeJS.Signals, withinMs: number): Promise<void> => {
    const left = family.filter(runs);
    left.forEach(each => sendSignal(each, signal));
    await until(`${left.join(', ')} of VS Code’s server end`, () => !family.some(runs), withinMs);
  };
  await end('SIGTERM', ENDS_WITHIN_MS).catch(() => end('SIGKILL', KILLED_WITHIN_MS));
}

export async function startServer(options: ServerOptions): Promise<VscodeServer> {
  await install(options);
  const port = await freePort();
  const child: ChildProcess = spawn(
    process.execPath,
    [
      serverMain,
      ...['--host', '127.0.0.1', '--port', port.toString()],
      ...places(options.data),
      '--without-connection-token',
      '--disable-telemetry',
      '--disable-workspace-trust',
      // Without it a built server ignores the payload.
      '--enable-smoke-test-driver',
    ],
    { env: options.environment, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let said = '';
  const hear = (bytes: Buffer): void => {
    said += bytes.toString();
  };
  child.stdout?.on('data', hear);
  child.stderr?.on('data', hear);
  const origin = `http://127.0.0.1:${port.toString()}`;
  await until(
    'VS Code’s server answers',
    async () => {
      if (child.exitCode !== null) {
        throw new Error(`VS Code’s server ended: ${said}`);
      }
      return fetch(origin).then(
        answer => answer.body?.cancel().then(() => true),
        () => false,
      );
    },
    STARTS_WITHIN_MS,
  );
  return {
    origin,
    said: () => said,
    url: (folder, payload = []) => {
      const url = new URL(origin);
      url.searchParams.set('folder', folder);
      url.searchParams.set('payload', JSON.stringify([['skipWelcome', 'true'], ...payload]));
      return url.href;
    },
    remote: path => `vscode-remote://127.0.0.1:${port.toString()}${path}`,
    stop: () => endFamily(child),
  };
}
