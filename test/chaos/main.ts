/**
 * `npm run chaos -- --runs N --seed S --network vast`: many seeded runs, on the practice market or on a simulated network.
 * What was visited goes to standard error; the last line on standard output is the sum as JSON.
 */
import { parseArgs } from 'node:util';
import { addUp, emptyTotals, failuresOf, jsonLine, missedBy } from './report.ts';
import { chaosRun } from './run.ts';
import { vastRun } from './vast-run.ts';
import { ENOUGH_RUNS } from './visits.ts';

const RUNS_ON = { sandbox: chaosRun, vast: vastRun };
const { values } = parseArgs({
  options: { runs: { type: 'string' }, seed: { type: 'string' }, network: { type: 'string' } },
});
const network = knownNetwork(values.network ?? 'sandbox');
const runs = wholeNumber('runs', values.runs ?? '1000');
const first = wholeNumber('seed', values.seed ?? '1');

function wholeNumber(name: string, text: string): number {
  if (!/^[0-9]{1,9}$/.test(text)) {
    process.stderr.write(`--${name} takes a whole number, not "${text}".\n`);
    process.exit(2);
  }
  return Number(text);
}

function knownNetwork(name: string): keyof typeof RUNS_ON {
  const known = Object.keys(RUNS_ON).find(id => id === name);
  if (known !== 'sandbox' && known !== 'vast') {
    process.stderr.write(`--network takes ${Object.keys(RUNS_ON).join(' or ')}, not "${name}".\n`);
    process.exit(2);
  }
  return known;
}

const totals = emptyTotals();
for (let seed = first; seed < first + runs; seed++) {
  const report = await RUNS_ON[network]({ seed });
  addUp(totals, report);
  const why = failuresOf(report);
  if (why.length > 0) {
    process.stderr.write(
      `seed ${seed.toString()}: ${why.join(' ')} Replay: --runs 1 --seed ${seed.toString()} --network ${network}\n`,
    );
  } else if (totals.runs % 100 === 0) {
    process.stderr.write(
      `${totals.runs.toString()} of ${runs.toString()} runs, ${totals.kills.toString()} kills\n`,
    );
  }
}
// What has to be visited is said of the practice market, which can do all of it.
const missed = network === 'sandbox' ? missedBy(totals) : [];
totals.visits.lines().forEach(line => process.stderr.write(`${line}\n`));
if (network === 'sandbox' && runs < ENOUGH_RUNS) {
  process.stderr.write(
    `What was never visited is judged from ${ENOUGH_RUNS.toString()} runs on; these were ${runs.toString()}.\n`,
  );
}
missed.forEach(line => process.stderr.write(`${line} These runs prove nothing about it.\n`));
process.stdout.write(`${jsonLine(totals)}\n`);
process.exitCode = totals.failed.length + missed.length > 0 ? 1 : 0;
