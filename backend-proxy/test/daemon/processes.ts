/** Real daemons in homes of their own, ended after each test. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { findDaemon, type FoundDaemon } from '@hitch/client-node/src/find.ts';
import { homeAt, type Home } from '@hitch/platform/src/paths.ts';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** The test's daemon bundled as the product is, with the store's thread in a file beside it. Starts in a second. */
export async function bundleDaemon(): Promise<{ program: string; remove: () => void }> {
  const folder = mkdtempSync(join(tmpdir(), 'hitch-bundle-'));
  const texts = new URL('../../../scripts/bundle/texts.mjs', import.meta.url).href;
  const { textsOfFiles } = (await import(texts)) as { textsOfFiles: (read: Set<string>) => Plugin };
  await build({
    entryPoints: {
      daemon: here('./daemon-process.ts'),
      'store-worker': here('../../src/store/worker.ts'),
    },
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    external: ['@napi-rs/keyring', 'bufferutil', 'utf-8-validate'],
    plugins: [textsOfFiles(new Set())],
    banner: {
      js: "import { createRequire as requireOfTests } from 'node:module'; const require = requireOfTests(import.meta.url);",
    },
    logLevel: 'error',
  });
  chmodSync(folder, 0o755);
  return {
    program: join(folder, 'daemon.mjs'),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Machines are records only: these tests are about the daemon. */
export const ENVIRONMENT = {
  HITCH_PROVIDERS: 'sandbox',
  HITCH_SANDBOX_RUNTIME: 'null',
  HITCH_SANDBOX_BOOT_MS: '0',
};

const FOUND_WITHIN_MS = 60_000;

export interface DaemonProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<{ code: number | null; output: string }>;
}

export class Daemons {
  readonly folder = mkdtempSync(join(tmpdir(), 'hitch-home-'));
  readonly home: Home = homeAt(join(this.folder, 'home'));
  readonly #program: string;
  readonly #children: ChildProcess[] = [];

  constructor(program: string) {
    this.#program = program;
  }

  start(version = '0.1.0', options: { uid?: number; program?: string[] } = {}): DaemonProcess {
    const [command = process.execPath, ...args] = options.program ?? [process.execPath];
    const child = spawn(
      command,
      [...args, '--disable-warning=ExperimentalWarning', this.#program, this.home.root, version],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, ...ENVIRONMENT },
        ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
      },
    );
    this.#children.push(child);
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const ended = once(child, 'close').then(() => ({ code: child.exitCode, output }));
    return { child, ended };
  }

  /** The daemon that answers for the home, once one does (of `version`, where given). */
  async found(version?: string): Promise<FoundDaemon> {
    const deadline = performance.now() + FOUND_WITHIN_MS;
    while (performance.now() < deadline) {
      const found = await findDaemon(this.home);
      if (found !== null && (version === undefined || found.discovery.version === version)) {
        return found;
      }
      await new Promise(resolve => setTimeout(resolve, 25));
    }
    throw new Error(`no daemon ${version ?? ''} answers for ${this.home.root}`);
  }

  async end(): Promise<void> {
    await Promise.all(
      this.#children.map(async child => {
        if (child.exitCode === null && child.signalCode === null) {
          const closed = once(child, 'close');
          child.kill('SIGKILL');
          await closed;
        }
      }),
    );
    rmSync(this.folder, { recursive: true, force: true });
  }
}
