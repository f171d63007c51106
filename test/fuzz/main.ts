/**
 * `npm run fuzz -- --seed S --minutes N`: nonsense over the API, the relay and the sockets of a real daemon. What fails
 * goes to standard error with its seed and the smallest case; the last line on standard output is the sum as JSON.
 */
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { fuzzRun } from './run.ts';
import { Target } from './target.ts';

const { values } = parseArgs({ options: { seed: { type: 'string' }, minutes: { type: 'string' } } });
const seed = wholeNumber('seed', values.seed ?? '1');
const minutes = wholeNumber('minutes', values.minutes ?? '5');

function wholeNumber(name: string, text: string): number {
  if (!/^[0-9]{1,9}$/.test(text)) {
    process.stderr.write(`--${name} takes a whole number, not "${text}".\n`);
    process.exit(2);
  }
  return Number(text);
}

if (process.platform !== 'linux') {
  process.stderr.write('The fuzz reads a daemon’s memory from /proc, which only Linux has: run it there.\n');
  process.exit(2);
}
const target = new Target(existsSync(process.env['HITCH_PYTHON'] ?? ''));
try {
  await target.start();
  const until = performance.now() + minutes * 60_000;
  let said = 0;
  const report = await fuzzRun(target, seed, cases => {
    if (cases >= said + 1_000) {
      said = cases;
      process.stderr.write(`${cases.toString()} cases\n`);
    }
    return performance.now() < until;
  });
  for (const { why, smallest } of report.faults) {
    process.stderr.write(`${why}\n`);
    process.stderr.write(
      smallest === null
        ? `It did not fail again by one case alone. Replay: --seed ${seed.toString()}\n\n`
        : `The smallest case: ${JSON.stringify(smallest)}\nReplay: --seed ${seed.toString()}\n\n`,
    );
  }
  process.stdout.write(`${JSON.stringify({ ...report, faults: report.faults.length })}\n`);
  process.exitCode = report.faults.length > 0 ? 1 : 0;
} finally {
  await target.dispose();
}
