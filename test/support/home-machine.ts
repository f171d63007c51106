/** A machine that is another home on this computer, and another user's where this one is root: what a far shell does, without the way. */
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import type { AgentAddress } from '../../backend-proxy/src/access/host.ts';
import {
  FarError,
  type FarShell,
  type RunOptions,
  type RunResult,
} from '../../backend-proxy/src/access/tunnel/far-shell.ts';
import { roomyFolder } from './roomy-folder.ts';

const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;

export interface HomeMachine {
  readonly shell: FarShell;
  readonly home: string;
  /** What its user's programs are started with; a test may change it. */
  readonly environment: Record<string, string>;
  /** Another folder is its home from now on. */
  moveTo(home: string): void;
  /** Removes the home; whoever started something there ends it first. */
  dispose(): void;
}

/** A home with nothing in it. @param path the folders of its PATH; default: those of the system */
export function homeMachine(path = '/usr/local/bin:/usr/bin:/bin'): HomeMachine {
  const first = roomyFolder('hf-');
  let home = first;
  const environment: Record<string, string> = { PATH: path, USER: 'far', LOGNAME: 'far' };
  const moveTo = (folder: string): void => {
    home = folder;
    environment['HOME'] = folder;
    if (isRoot) {
      execFileSync('chown', ['-R', `${NOBODY.toString()}:${NOBODY.toString()}`, folder]);
    }
    chmodSync(folder, 0o700);
  };
  moveTo(first);
  const closing = new AbortController();
  const start = (script: string, options: { signal: AbortSignal; onBytes: (bytes: Buffer) => void }) =>
    runShell(script, { ...options, home, environment });
  return {
    get home() {
      return home;
    },
    environment,
    moveTo,
    shell: {
      name: 'gpu-box',
      closed: closing.signal,
      run: (program, options) => collect(program, options, { home, environment }),
      follow: async (program, onBytes, signal) => (await start(program, { signal, onBytes })).code,
      put: async (path, content, mode) => {
        const bytes = content instanceof Readable ? Buffer.concat(await content.toArray()) : content;
        putFile(path, bytes, mode);
      },
      forward: (socketPath): Promise<AgentAddress> => Promise.resolve({ socketPath }),
      close: () => {
        closing.abort();
        return Promise.resolve();
      },
    },
    dispose: () => rmSync(first, { recursive: true, force: true, maxRetries: 3 }),
  };
}

interface At {
  readonly home: string;
  readonly environment: Readonly<Record<string, string>>;
}

async function collect(program: string, options: RunOptions, at: At): Promise<RunResult> {
  const stdout: Buffer[] = [];
  const { code, stderr } = await runShell(program, {
    ...at,
    signal: options.signal,
    input: options.input instanceof Readable ? '' : (options.input ?? ''),
    onBytes: bytes => void stdout.push(bytes),
  });
  return { code, stdout: withoutThisHost(Buffer.concat(stdout).toString('utf8'), at.home), stderr };
}

/** What it says of itself is the machine's that it stands for: not the addresses of this one, nor folders beside its home. */
function withoutThisHost(stdout: string, home: string): string {
  return stdout
    .replace(/^addresses .*$/m, 'addresses 127.0.0.1')
    .replace(/^place .*\n/gm, line => (line.includes(home) ? line : ''));
}

function runShell(
  program: string,
  options: At & { signal: AbortSignal; onBytes: (bytes: Buffer) => void; input?: string | Uint8Array },
): Promise<{ code: number; stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn('/bin/sh', ['-c', program], {
      cwd: options.home,
      env: options.environment,
      signal: options.signal,
      ...(isRoot ? { uid: NOBODY, gid: NOBODY } : {}),
    });
    const stderr: Buffer[] = [];
    child.stdout.on('data', options.onBytes);
    child.stderr.on('data', (bytes: Buffer) => void stderr.push(bytes));
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input ?? '');
    child.once('error', cause => reject(new FarError('unreachable', 'The machine was left.', { cause })));
    child.once('close', code =>
      resolve({ code: code ?? 255, stderr: Buffer.concat(stderr).toString('utf8') }),
    );
  });
}

function putFile(path: string, bytes: Uint8Array, mode: number): void {
  try {
    const made = mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(path, bytes, { mode });
    if (isRoot) {
      for (
        let folder = dirname(path);
        made !== undefined && folder.startsWith(made);
        folder = dirname(folder)
      ) {
        chownSync(folder, NOBODY, NOBODY);
      }
      chownSync(path, NOBODY, NOBODY);
    }
  } catch (cause) {
    throw new FarError('file', `${path} cannot be written.`, { cause });
  }
}
