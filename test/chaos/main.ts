/**
 * `npm run chaos -- --runs N --seed S`: many seeded runs. What was visited goes to standard error; the last line on
 * standard output is the sum as JSON.
 */
import { parseArgs } from 'node:util';
import { addUp, emptyTotals, failuresOf, jsonLine, missedBy } from './report.ts';
import { chaosRun } from './run.ts';
import { ENOUGH_RUNS } from './visits.ts';

const { values } = parseArgs({ options: { runs: { type: 'string' }, seed: { type: 'string' } } });
const runs = wholeNumber('runs', values.runs ?? '1000');
const first = wholeNumber('seed', values.seed ?? '1');

function wholeNumber(name: string, text: string): number {
  if (!/^[0-9]{1,9}$/.test(text)) {
    process.stderr.write(`--${name} takes a whole number, not "${text}".\n`);
    process.exit(2);
  }
  return Number(text);
}

const totals = emptyTotals();
for (let seed = first; seed < first + runs; seed++) {
  const report = await chaosRun({ seed });
  addUp(totals, report);
  const why = failuresOf(report);
  if (why.length > 0) {
    process.stderr.write(
      `seed ${seed.toString()}: ${why.join(' ')} Replay: --runs 1 --seed ${seed.toString()}\n`,
    );
  } else if (totals.runs % 100 === 0) {
    process.stderr.write(
      `${totals.runs.toString()} of ${runs.toString()} runs, ${totals.kills.toString()} kills\n`,
    );
  }
}
const missed = missedBy(totals);
totals.visits.lines().forEach(line => process.stderr.write(`${line}\n`));
if (runs < ENOUGH_RUNS) {
  process.stderr.write(
    `What was never visited is judged from ${ENOUGH_RUNS.toString()} runs on; these were ${runs.toString()}.\n`,
  );
}
missed.forEach(line => process.stderr.write(`${line} These runs prove nothing about it.\n`));
process.stdout.write(`${jsonLine(totals)}\n`);
process.exitCode = totals.failed.length + missed.length > 0 ? 1 : 0;
