/** The networks' own clients as tests run them: each in a home of its own, led to a simulator. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const CACHE = fileURLToPath(new URL('../../../.cache/', import.meta.url));
const isWindows = process.platform === 'win32';
/** Variables of the surroundings that a client may have: none that names an account or a network. */
const KEPT = ['PATH', 'LANG', 'SystemRoot', 'TEMP', 'TMPDIR'];

export interface Said {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Judge {
  /** Runs the client to its end. */
  run(...args: readonly string[]): Promise<Said>;
  [Symbol.dispose](): void;
}

const programOf = (name: string): string =>
  join(CACHE, 'judges', isWindows ? 'Scripts' : 'bin', isWindows ? `${name}.exe` : name);

/** Skips the suite where the client is not there, and says why. */
export function needsJudge(test: Mocha.Context, name: string): void {
  if (existsSync(programOf(name))) {
    return;
  }
  const file = join(CACHE, 'judges-missing.txt');
  const why = existsSync(file) ? readFileSync(file, 'utf8').trim() : 'it was not set up here';
  console.log(`      skipped: the network’s own client ${name} cannot be had: ${why}.`);
  test.skip();
}

/** @param environment what leads it to the simulator, and its login */
export function judge(name: string, environment: Readonly<Record<string, string>>): Judge {
  const home = mkdtempSync(join(tmpdir(), 'hitch-judge-'));
  const env = {
    ...Object.fromEntries(
      KEPT.flatMap(key => (process.env[key] === undefined ? [] : [[key, process.env[key]]])),
    ),
    HOME: home,
    USERPROFILE: home,
    XDG_CONFIG_HOME: join(home, 'config'),
    XDG_CACHE_HOME: join(home, 'cache'),
    NO_PROXY: '127.0.0.1,localhost',
    PYTHONUTF8: '1',
    ...environment,
  };
  return {
    run: (...args) => ran(programOf(name), args, env),
    [Symbol.dispose]: () => {
      rmSync(home, { recursive: true, force: true });
    },
  };
}

function ran(program: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<Said> {
  const child = spawn(program, args, { env, cwd: tmpdir(), stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (bytes: Buffer) => (stdout += bytes.toString()));
  child.stderr.on('data', (bytes: Buffer) => (stderr += bytes.toString()));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', code => {
      resolve({ code, stdout, stderr });
    });
  });
}
