// One mocha process: started, shown, logged, and ended when it does not end by itself.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { apartFromNetworks } from '../setup/common.mjs';
import { reapLeftovers, tagged } from './leftovers.ts';
import { add, emptySummary, type Summary, timed, withFailure } from './summary.ts';
import type { Tier } from './tiers.ts';

const child = fileURLToPath(new URL('./mocha-child.ts', import.meta.url));
const lingerMs = 20_000;
/** What was printed last may come after the end; a process that was left behind holds the pipes open for ever. */
const lastWordsMs = 5_000;

const summarySchema = z.object({
  passed: z.int(),
  skipped: z.int(),
  failures: z.array(z.object({ title: z.string(), file: z.string(), message: z.string() })),
  slow: z.array(z.object({ title: z.string(), durationMs: z.number() })),
  files: z.array(z.object({ title: z.string(), durationMs: z.number() })),
});

export interface MochaOptions {
  readonly tier: Tier;
  readonly files: readonly string[];
  readonly grep: string;
  /** Receives everything the tests print. */
  readonly write: (chunk: Buffer) => void;
}

interface Ending {
  readonly summary?: Summary;
  readonly problem?: string;
  /** Resolves when everything that it printed has been written. */
  readonly said: Promise<unknown>;
}

function spawnMocha(options: MochaOptions, env: NodeJS.ProcessEnv): Promise<Ending> {
  const args = [child, String(options.tier.testTimeoutMs), options.grep, ...options.files];
  const mocha = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  const { stdout, stderr } = mocha;
  const said = new Promise(resolve => mocha.on('close', resolve));
  return new Promise(resolve => {
    let summary: Summary | undefined;
    let problem: string | undefined;
    const endIt = (reason: string) => () => {
      problem = reason;
      mocha.kill('SIGKILL');
    };
    const { silentMs } = options.tier;
    let timer = setTimeout(endIt(`printed nothing for ${String(silentMs / 60_000)} minutes`), silentMs);
    mocha.on('message', message => {
      summary = summarySchema.parse(message);
      clearTimeout(timer);
      timer = setTimeout(endIt('left a timer, a socket or a child open after its last test'), lingerMs);
    });
    const pass = (chunk: Buffer): void => {
      // A slow machine takes longer as a whole, and still ends one test after the other.
      if (!summary) timer.refresh();
      options.write(chunk);
    };
    stdout?.on('data', pass);
    stderr?.on('data', pass);
    // 'exit', not 'close': a process that a test left behind would hold the pipes open for ever.
    mocha.on('exit', (code, signal) => {
      clearTimeout(timer);
      if (!summary) problem ??= `ended with ${signal ?? `code ${String(code)}`} before it could report`;
      else if (code !== 0) problem ??= `exited with ${signal ?? `code ${String(code)}`} after its last test`;
      resolve({ said, ...(summary && { summary }), ...(problem && { problem }) });
    });
  });
}

async function runOnce(options: MochaOptions): Promise<Ending> {
  const run = randomUUID();
  // A home of its own: no test may meet the daemon or the clusters of the person who runs it.
  const home = mkdtempSync(path.join(tmpdir(), 'hitch-test-'));
  const env = tagged({ ...apartFromNetworks(process.env), HITCH_HOME: home }, run);
  if (process.stdout.isTTY) env['FORCE_COLOR'] = '1';
  try {
    const ending = await spawnMocha(options, env);
    const left = await reapLeftovers(run);
    await Promise.race([ending.said, sleep(lastWordsMs, undefined, { ref: false })]);
    if (left.length === 0) return ending;
    const names = left.map(({ pid, command }) => `${String(pid)} ${command.slice(0, 120)}`).join('\n');
    return { problem: `left ${String(left.length)} processes running:\n${names}`, ...ending };
  } finally {
    rmSync(home, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** Runs the files; when a shared process breaks, each file runs again alone so that only the guilty one fails. */
export async function runMocha(options: MochaOptions): Promise<Summary> {
  const beganMs = performance.now();
  const { summary, problem } = await runOnce(options);
  if (!summary && options.files.length > 1) {
    options.write(Buffer.from(`\nThe shared process ${problem ?? 'broke'}; running each file alone.\n`));
    let sum = emptySummary;
    for (const file of options.files) sum = add(sum, await runMocha({ ...options, files: [file] }));
    return sum;
  }
  const [first = '', ...more] = options.files;
  const place = options.files.join(', ');
  const name = more.length === 0 ? first : `the ${String(options.files.length)} of ${options.tier.name}`;
  const sum = timed(summary ?? emptySummary, name, performance.now() - beganMs);
  return problem ? withFailure(sum, place, place, problem) : sum;
}
