/**
 * `npm run chaos -- --runs N --seed S --network vast,ionet --workers W`: many seeded runs, over all networks or over some, on all
 * cores or on so many. What was visited goes to standard error; the last line on standard output is the sum as JSON.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { manyRuns } from './many.ts';
import { NETWORK_IDS } from './networks/all.ts';
import { failuresOf, jsonLine, missedBy, type Report, type Totals } from './report.ts';
import { ENOUGH_RUNS } from './visits.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string' },
    seed: { type: 'string' },
    network: { type: 'string' },
    workers: { type: 'string' },
  },
});
const asked = values.network ?? 'all';
const networks = knownNetworks(asked);
const runs = wholeNumber('runs', values.runs ?? '1000');
const first = wholeNumber('seed', values.seed ?? '1');
const workers = wholeNumber('workers', values.workers ?? availableParallelism().toString());

function wholeNumber(name: string, text: string): number {
  if (!/^[0-9]{1,9}$/.test(text)) {
    process.stderr.write(`--${name} takes a whole number, not "${text}".\n`);
    process.exit(2);
  }
  return Number(text);
}

function knownNetworks(list: string): readonly string[] {
  const names = list.split(',').map(name => name.trim());
  const unknown = names.filter(name => name !== 'all' && !NETWORK_IDS.includes(name));
  if (unknown.length > 0) {
    process.stderr.write(
      `--network takes all, or of ${NETWORK_IDS.join(', ')}; not "${unknown.join(', ')}".\n`,
    );
    process.exit(2);
  }
  return names.includes('all') ? NETWORK_IDS : NETWORK_IDS.filter(id => names.includes(id));
}

function tell(report: Report, totals: Totals, lines: readonly string[]): void {
  const why = failuresOf(report);
  if (why.length > 0) {
    const seed = report.seed.toString();
    const replay = `--runs 1 --seed ${seed} --network ${asked}`;
    process.stderr.write(
      `seed ${seed} (${report.networks.join(', ')}): ${why.join(' ')} Replay: ${replay}\n`,
    );
    if (runs === 1) {
      lines.forEach(line => process.stderr.write(`${line}\n`));
    }
  } else if (totals.runs % 100 === 0) {
    process.stderr.write(
      `${totals.runs.toString()} of ${runs.toString()} runs, ${totals.kills.toString()} kills\n`,
    );
  }
}

const totals = await manyRuns({ first, runs, networks, workers, onRun: tell });
// What has to be visited, all networks together can do.
const isWhole = networks.length === NETWORK_IDS.length;
const missed = isWhole ? missedBy(totals) : [];
totals.visits.lines().forEach(line => process.stderr.write(`${line}\n`));
if (!isWhole) {
  process.stderr.write(
    `What was never visited is judged over all networks; these were ${networks.join(', ')}.\n`,
  );
} else if (runs < ENOUGH_RUNS) {
  process.stderr.write(
    `What was never visited is judged from ${ENOUGH_RUNS.toString()} runs on; these were ${runs.toString()}.\n`,
  );
}
missed.forEach(line => process.stderr.write(`${line} These runs prove nothing about it.\n`));
process.stdout.write(`${jsonLine(totals)}\n`);
process.exitCode = totals.failed.length + missed.length > 0 ? 1 : 0;
