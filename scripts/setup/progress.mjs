// Shows what the set-up is doing and for how long; the commands' own output goes to a log file.
import { spawn } from 'node:child_process';
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { isWindows, logFolder, root, SetupError } from './common.mjs';

const logFile = path.join(logFolder, 'setup.log');
const heartbeatMs = 15_000;
const tailLines = 25;

/** @typedef {(detail: string) => void} Say */
/** @typedef {{ code: number | null, output: string }} Outcome */

/** @param {number} sinceMs */
const elapsed = sinceMs => `${((performance.now() - sinceMs) / 1000).toFixed(1)} s`;

/**
 * Runs one named stage and shows its elapsed time: redrawn on a terminal, a line now and then elsewhere.
 * @template T
 * @param {string} name
 * @param {(say: Say) => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function stage(name, work) {
  const out = process.stderr;
  const live = out.isTTY;
  const startMs = performance.now();
  let detail = '';
  const draw = () => {
    const line = `  … ${name}, ${elapsed(startMs)}${detail && `  ${detail}`}`;
    out.write(live ? `\r\x1b[2K${line.slice(0, Math.max(20, (out.columns || 80) - 1))}` : `${line}\n`);
  };
  draw();
  const timer = setInterval(draw, live ? 500 : heartbeatMs);
  const clear = live ? '\r\x1b[2K' : '';
  try {
    const result = await work(text => {
      detail = text;
    });
    out.write(`${clear}  ✓ ${name}, ${elapsed(startMs)}\n`);
    return result;
  } catch (error) {
    out.write(`${clear}  ✗ ${name}, ${elapsed(startMs)}\n`);
    throw error;
  } finally {
    clearInterval(timer);
  }
}

/** Empties the log at the start of a set-up. */
export function startLog() {
  mkdirSync(logFolder, { recursive: true });
  writeFileSync(logFile, '');
}

/**
 * Runs a command to its end, never throwing for its exit code.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ say?: Say, env?: NodeJS.ProcessEnv, cwd?: string, shell?: boolean }} [options]
 * @returns {Promise<Outcome>}
 */
export function run(command, args, options = {}) {
  mkdirSync(logFolder, { recursive: true });
  appendFileSync(logFile, `\n$ ${[command, ...args].join(' ')}\n`);
  return new Promise(resolve => {
    const child = spawn(command, args, {
      cwd: options.cwd ?? root,
      env: options.env ?? process.env,
      shell: options.shell ?? false,
      stdio: ['ignore', 'pipe', 'pipe'],
      windowsHide: true,
    });
    let output = '';
    /** @param {Buffer} chunk */
    const take = chunk => {
      const text = chunk.toString('utf8');
      output += text;
      appendFileSync(logFile, text);
      const last = text
        .trim()
        .split(/[\r\n]+/)
        .at(-1);
      if (last) options.say?.(last.trim());
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.on('error', error => {
      resolve({ code: null, output: `${output}${error.message}` });
    });
    child.on('close', code => {
      resolve({ code, output });
    });
  });
}

/**
 * Runs a command that must succeed; otherwise the sentence, the end of its output and the log's place are shown.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ sentence: string, say?: Say, env?: NodeJS.ProcessEnv, cwd?: string, shell?: boolean }} options
 */
export async function mustRun(command, args, options) {
  const outcome = await run(command, args, options);
  if (outcome.code === 0) return outcome.output;
  const tail = outcome.output.trimEnd().split('\n').slice(-tailLines).join('\n');
  throw new SetupError(
    `${options.sentence} The whole output is in ${path.relative(root, logFile)}; its end:\n${tail}`,
  );
}

/**
 * Runs npm: the very one that started this script when there is one, otherwise the one on PATH.
 * @param {readonly string[]} args
 * @param {{ sentence: string, say?: Say, cwd?: string }} options
 */
export function mustRunNpm(args, options) {
  const cli = process.env['npm_execpath'];
  // Flags of an outer npm (a --silent, a --prefix, a --global) must not leak into this one.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(
      ([key]) => !/^npm_config_(global|prefix|local_prefix|loglevel)$/i.test(key),
    ),
  );
  if (cli && /npm-cli\.[cm]?js$/.test(cli)) {
    return mustRun(process.execPath, [cli, ...args], { ...options, env });
  }
  return mustRun('npm', args, { ...options, env, shell: isWindows });
}
