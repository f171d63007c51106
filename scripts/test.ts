// npm test: the checks, then every tier in order, and one line of totals at the end.
//   npm test                              everything
//   npm test -- --tier check,unit         some tiers
//   npm test -- path/to/x.test.ts folder  some files, whatever their tier
//   npm test -- --grep "keeps the cursor" tests whose description matches
//   npm test -- --lanes 1                 no two files at once
//   npm test -- --strict                  no second run of what failed
//   npm run nightly                       the long ones, which npm test leaves out
import { closeSync, mkdirSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { chanceLines, type Outcome, type Part, withSecondRuns } from './test/again.ts';
import { runChecks } from './test/checks.ts';
import { runTier } from './test/run-tier.ts';
import { add, emptySummary, timed, type TimedTest, totalsLine } from './test/summary.ts';
import { findTests, isNightly, type Tier, tierOf, tiers } from './test/tiers.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const logFile = path.join(root, '.cache', 'logs', 'test.log');
/** A line for each process that ran: seconds, then its file or tier, the longest first. */
const timesFile = path.join(root, '.cache', 'logs', 'times.tsv');
/** What is kept of tests that failed: the output of their file, and pictures where they have a browser. */
const failedFolder = path.join(root, '.cache', 'logs', 'failed');
const slowestShown = 12;

interface Request {
  readonly withChecks: boolean;
  readonly tiers: readonly Tier[];
  readonly files: readonly string[];
  readonly grep: string;
  readonly mostLanes: number;
  readonly strict: boolean;
}

function readRequest(args: readonly string[]): Request {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      tier: { type: 'string' },
      grep: { type: 'string', short: 'g' },
      lanes: { type: 'string' },
      nightly: { type: 'boolean' },
      strict: { type: 'boolean' },
    },
  });
  const known = ['check', ...tiers.map(tier => tier.name)];
  const asked = values.tier?.split(',') ?? [];
  const unknown = asked.find(name => !known.includes(name));
  if (unknown !== undefined) {
    throw new Error(`There is no tier "${unknown}": choose from ${known.join(', ')}.`);
  }
  // One more than there are cores: while real programs start and wait, a third of two cores is idle.
  const lanes = values.lanes ?? String(availableParallelism() + 1);
  if (!/^[1-9]\d?$/.test(lanes)) {
    throw new Error(`--lanes takes a number from 1 to 99, not "${lanes}".`);
  }
  const places = positionals.map(place => path.relative(root, path.resolve(place)) || '.');
  const nightly = values.nightly === true;
  const isWanted = (file: string): boolean => isNightly(file) === nightly || places.includes(file);
  return {
    withChecks:
      asked.length > 0
        ? asked.includes('check')
        : positionals.length === 0 && values.grep === undefined && !nightly,
    tiers: tiers.filter(tier => asked.length === 0 || asked.includes(tier.name)),
    files: findTests(root, places.length > 0 ? places : ['.']).filter(isWanted),
    grep: values.grep ?? '',
    mostLanes: Number(lanes),
    strict: values.strict === true,
  };
}

function writeTimes(all: readonly TimedTest[]): void {
  const longestFirst = [...all].sort((a, b) => b.durationMs - a.durationMs);
  const lines = longestFirst.map(({ durationMs, title }) => `${(durationMs / 1000).toFixed(1)}\t${title}\n`);
  writeFileSync(timesFile, lines.join(''));
}

function slowest(what: string, all: readonly TimedTest[]): string[] {
  const first = [...all].sort((a, b) => b.durationMs - a.durationMs).slice(0, slowestShown);
  const lines = first.map(({ durationMs, title }) => `  ${(durationMs / 1000).toFixed(1)} s  ${title}`);
  return lines.length === 0 ? [] : ['', `Slowest ${what}:`, ...lines];
}

function report({ sum, byChance }: Outcome): string {
  const lines = [...slowest('tests', sum.slow), ...slowest('files', sum.files), ...chanceLines(byChance)];
  if (sum.failures.length > 0) lines.push('', 'Failed:');
  for (const [index, failure] of sum.failures.entries()) {
    const where =
      failure.file && failure.file !== failure.title ? ` (${path.relative(root, failure.file)})` : '';
    const indented = failure.message.replace(/^/gm, '     ');
    lines.push(`  ${String(index + 1)}. ${failure.title}${where}`, indented);
  }
  return lines.join('\n');
}

/** Of a file that failed; that of its second run stands beside the first. */
const failedLog = (file: string, isAgain: boolean): string =>
  path.join(failedFolder, `${file.replaceAll(/[\\/]/g, '-')}${isAgain ? '.again' : ''}.log`);

async function runAll(request: Request, write: (chunk: Buffer) => void): Promise<Outcome> {
  const say = (text: string): void => {
    write(Buffer.from(`${text}\n`));
  };
  const keep = (isAgain: boolean) => (file: string, output: Buffer) => {
    mkdirSync(failedFolder, { recursive: true });
    writeFileSync(failedLog(file, isAgain), output);
  };
  const parts: Part[] = [];
  if (request.withChecks) {
    say('\ncheck');
    const beganMs = performance.now();
    const sum = timed(await runChecks(root, write), 'check', performance.now() - beganMs);
    parts.push({ tier: 'check', files: [], sum });
  }
  const { grep, mostLanes, strict } = request;
  for (const tier of request.tiers) {
    const files = request.files.filter(file => tierOf(file) === tier.name);
    if (files.length === 0) continue;
    say(`\n${tier.name}: ${String(files.length)} ${files.length === 1 ? 'file' : 'files'}`);
    parts.push(...(await runTier({ tier, files, grep, mostLanes, write, keep: keep(false) })));
  }
  return withSecondRuns(parts, {
    strict,
    say,
    logOf: ({ files: [file = ''] }) => path.relative(root, failedLog(file, false)),
    run: async ({ tier: name, files }) => {
      // What is kept of its pages lies beside what the first run has left.
      process.env['HITCH_TEST_AGAIN'] = '1';
      const tier = tiers.find(each => each.name === name);
      const again = tier && (await runTier({ tier, files, grep, mostLanes: 1, write, keep: keep(true) }));
      return again?.map(({ sum }) => sum).reduce(add, emptySummary) ?? emptySummary;
    },
  });
}

async function main(): Promise<number> {
  const request = readRequest(process.argv.slice(2));
  mkdirSync(path.dirname(logFile), { recursive: true });
  const log = openSync(logFile, 'w');
  const write = (chunk: Buffer): void => {
    process.stdout.write(chunk);
    writeSync(log, chunk);
  };
  rmSync(failedFolder, { recursive: true, force: true });
  const outcome = await runAll(request, write);
  const { sum } = outcome;
  writeTimes(sum.files);
  const ran = sum.passed + sum.failures.length > 0;
  const nothing = ran ? '' : '\nNo test ran: check the names of the tiers and files.';
  write(
    Buffer.from(`${report(outcome)}${nothing}\n\nThe whole output is in ${path.relative(root, logFile)}\n`),
  );
  write(Buffer.from(`${totalsLine(sum)}\n`));
  closeSync(log);
  return ran && sum.failures.length === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  console.log('0 passed, 1 failed, 0 skipped');
  process.exitCode = 2;
}
