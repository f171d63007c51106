// The checks that need no running: types, lint, format. Two at a time, because each is one busy core.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { add, emptySummary, type Summary, withFailure } from './summary.ts';

export interface Check {
  readonly title: string;
  /** Below node_modules. */
  readonly script: string;
  readonly args: readonly string[];
}

/**
 * The options with which a checker passes over files that it found right and that are as they were. A rule that looks
 * at the types of another file may so miss what a change over there makes wrong here, until this file changes or the
 * folder of caches is removed; a fresh clone, as what runs before a change lands, has none and looks at every file.
 */
function onlyChanged(checker: string): readonly string[] {
  return ['--cache', '--cache-strategy=content', `--cache-location=.cache/checks/${checker}`];
}

const allChecks: readonly Check[] = [
  {
    title: 'lint',
    script: 'eslint/bin/eslint.js',
    args: ['--max-warnings=0', ...onlyChanged('eslint'), '.'],
  },
  { title: 'types', script: 'typescript/bin/tsc', args: ['-b', '--pretty', 'false'] },
  {
    title: 'format',
    script: 'prettier/bin/prettier.cjs',
    args: ['--check', '--log-level=warn', ...onlyChanged('prettier'), '.'],
  },
];

const atOnce = 2;

function runCheck(root: string, check: Check, write: (chunk: Buffer) => void): Promise<Summary> {
  const startMs = performance.now();
  const script = path.join(root, 'node_modules', check.script);
  const process_ = spawn(process.execPath, [script, ...check.args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    process_.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    process_.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
    process_.on('error', reject);
    process_.on('close', code => {
      const mark = code === 0 ? '✓' : '✗';
      const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
      write(
        Buffer.concat([
          ...(code === 0 ? [] : chunks),
          Buffer.from(`  ${mark} ${check.title}, ${seconds} s\n`),
        ]),
      );
      const message = `the output is above; npm run ${check.title} shows it again`;
      resolve(
        code === 0 ? { ...emptySummary, passed: 1 } : withFailure(emptySummary, '', check.title, message),
      );
    });
  });
}

export async function runChecks(
  root: string,
  write: (chunk: Buffer) => void,
  checks: readonly Check[] = allChecks,
): Promise<Summary> {
  const waiting = [...checks];
  let sum = emptySummary;
  const work = async (): Promise<void> => {
    for (let check = waiting.shift(); check; check = waiting.shift()) {
      // Awaited first: `add(sum, await …)` would read the sum before the other worker has added to it.
      const one = await runCheck(root, check, write);
      sum = add(sum, one);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return sum;
}
