/** The networks' own clients as tests run them: each in a home of its own, led to a simulator. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { JsonRpc } from './json-rpc.ts';

const CACHE = fileURLToPath(new URL('../../../.cache/', import.meta.url));
const DRIVERS = fileURLToPath(new URL('drivers/', import.meta.url));
const isWindows = process.platform === 'win32';
/** Variables of the surroundings that a client may have: none that names an account or a network. */
const KEPT = ['PATH', 'LANG', 'SystemRoot', 'TEMP', 'TMPDIR'];

/** The folders of `.cache` with clients; beside each, in `<folder>-missing.txt`, why there are none. */
export type Kind = 'judges' | 'judges-nightly' | 'judges-npm';

const saidSchema = z.object({ code: z.number().nullable(), stdout: z.string(), stderr: z.string() });
export type Said = z.output<typeof saidSchema>;

export interface Judge extends AsyncDisposable {
  /** Runs the client to its end. */
  run(...args: readonly string[]): Promise<Said>;
}

const programOf = (name: string, kind: Kind = 'judges'): string =>
  join(CACHE, kind, isWindows ? 'Scripts' : 'bin', isWindows ? `${name}.exe` : name);

/** A module that came from npm, below `node_modules`. */
export const moduleOf = (file: string): string =>
  join(CACHE, 'judges-npm', 'node_modules', ...file.split('/'));

/** Skips the suite where the client is not there, and says why. */
export function needsJudge(test: Mocha.Context, name: string, kind: Kind = 'judges'): void {
  needs(test, programOf(name, kind), { name, kind });
}

/** The same for a module that came from npm. */
export function needsModule(test: Mocha.Context, file: string): void {
  needs(test, moduleOf(file), { name: file, kind: 'judges-npm' });
}

function needs(test: Mocha.Context, file: string, { name, kind }: { name: string; kind: Kind }): void {
  if (existsSync(file)) {
    return;
  }
  const reason = join(CACHE, `${kind}-missing.txt`);
  const why = existsSync(reason) ? readFileSync(reason, 'utf8').trim() : 'it was not set up here';
  console.log(`      skipped: the client ${name} cannot be had: ${why.replace(/\.$/, '')}.`);
  test.skip();
}

interface ClientHome extends Disposable {
  readonly env: NodeJS.ProcessEnv;
}

/** @param environment what leads a client to the simulator, and its login */
function clientHome(environment: Readonly<Record<string, string>>): ClientHome {
  const home = mkdtempSync(join(tmpdir(), 'hitch-judge-'));
  const kept: NodeJS.ProcessEnv = {};
  for (const key of KEPT) {
    if (process.env[key] !== undefined) {
      kept[key] = process.env[key];
    }
  }
  return {
    env: {
      ...kept,
      HOME: home,
      USERPROFILE: home,
      XDG_CONFIG_HOME: join(home, 'config'),
      XDG_CACHE_HOME: join(home, 'cache'),
      NO_PROXY: '127.0.0.1,localhost',
      PYTHONUTF8: '1',
      ...environment,
    },
    [Symbol.dispose]: () => {
      rmSync(home, { recursive: true, force: true });
    },
  };
}

/**
 * A client that is a program, which a small program of ours, in `drivers`, starts. Where the system can fork, it is loaded once
 * for all of its commands.
 * @param environment what leads it to the simulator, and its login
 */
export function judge(driver: string, environment: Readonly<Record<string, string>>): Judge {
  if (process.platform === 'linux') {
    const commands = pythonJudge(driver, environment);
    return {
      run: (...args) => commands.read(saidSchema, 'run', { args }),
      [Symbol.asyncDispose]: () => commands[Symbol.asyncDispose](),
    };
  }
  const home = clientHome(environment);
  return {
    run: (...args) => ran(programOf('python'), [join(DRIVERS, driver), ...args], home.env),
    [Symbol.asyncDispose]: async () => {
      home[Symbol.dispose]();
    },
  };
}

/** A client that is a library: a small program of ours, in `drivers`, calls it. */
export function pythonJudge(
  driver: string,
  environment: Readonly<Record<string, string>>,
  kind: Kind = 'judges',
): JsonRpc {
  return asked(programOf('python', kind), [join(DRIVERS, driver)], environment);
}

/** The same for a library from npm. */
export function nodeJudge(driver: string, environment: Readonly<Record<string, string>>): JsonRpc {
  return asked(process.execPath, [join(DRIVERS, driver)], environment);
}

/** A client that speaks JSON-RPC itself. @param file below `node_modules` */
export function moduleJudge(file: string, environment: Readonly<Record<string, string>>): JsonRpc {
  return asked(process.execPath, [moduleOf(file)], environment);
}

function asked(
  program: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): JsonRpc {
  const home = clientHome(environment);
  return new JsonRpc(program, args, home.env, home[Symbol.dispose]);
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
