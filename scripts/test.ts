// npm test: the checks, then every tier in order, and one line of totals at the end.
//   npm test                              everything
//   npm test -- --tier check,unit         some tiers
//   npm test -- path/to/x.test.ts folder  some files, whatever their tier
//   npm test -- --grep "keeps the cursor" tests whose description matches
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runChecks } from './test/checks.ts';
import { runMocha } from './test/run-mocha.ts';
import { add, emptySummary, type Summary, totalsLine } from './test/summary.ts';
import { findTests, type Tier, tierOf, tiers } from './test/tiers.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const logFile = path.join(root, '.cache', 'logs', 'test.log');
const slowestShown = 8;

interface Request {
  readonly withChecks: boolean;
  readonly tiers: readonly Tier[];
  readonly files: readonly string[];
  readonly grep: string;
}

function readRequest(args: readonly string[]): Request {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { tier: { type: 'string' }, grep: { type: 'string', short: 'g' } },
  });
  const known = ['check', ...tiers.map(tier => tier.name)];
  const asked = values.tier?.split(',') ?? [];
  const unknown = asked.find(name => !known.includes(name));
  if (unknown !== undefined) {
    throw new Error(`There is no tier "${unknown}": choose from ${known.join(', ')}.`);
  }
  const places = positionals.map(place => path.relative(root, path.resolve(place)) || '.');
  return {
    withChecks:
      asked.length > 0 ? asked.includes('check') : positionals.length === 0 && values.grep === undefined,
    tiers: tiers.filter(tier => asked.length === 0 || asked.includes(tier.name)),
    files: findTests(root, places.length > 0 ? places : ['.']),
    grep: values.grep ?? '',
  };
}

function report(sum: Summary): string {
  const lines: string[] = [];
  const slowest = [...sum.slow].sort((a, b) => b.durationMs - a.durationMs).slice(0, slowestShown);
  if (slowest.length > 0) lines.push('', 'Slowest tests:');
  for (const test of slowest) lines.push(`  ${(test.durationMs / 1000).toFixed(1)} s  ${test.title}`);
  if (sum.failures.length > 0) lines.push('', 'Failed:');
  for (const [index, failure] of sum.failures.entries()) {
    const where =
      failure.file && failure.file !== failure.title ? ` (${path.relative(root, failure.file)})` : '';
    const indented = failure.message.replace(/^/gm, '     ');
    lines.push(`  ${String(index + 1)}. ${failure.title}${where}`, indented);
  }
  return lines.join('\n');
}

async function runAll(request: Request, write: (chunk: Buffer) => void): Promise<Summary> {
  const say = (text: string): void => {
    write(Buffer.from(`${text}\n`));
  };
  let sum = emptySummary;
  if (request.withChecks) {
    say('\ncheck');
    sum = add(sum, await runChecks(root, write));
  }
  for (const tier of request.tiers) {
    const files = request.files.filter(file => tierOf(file) === tier.name);
    if (files.length === 0) continue;
    say(`\n${tier.name}: ${String(files.length)} ${files.length === 1 ? 'file' : 'files'}`);
    const batches = tier.filePerProcess ? files.map(file => [file]) : [files];
    for (const batch of batches) {
      if (tier.filePerProcess) say(`\n  ${batch.join(', ')}`);
      sum = add(sum, await runMocha({ tier, files: batch, grep: request.grep, write }));
    }
  }
  return sum;
}

async function main(): Promise<number> {
  const request = readRequest(process.argv.slice(2));
  mkdirSync(path.dirname(logFile), { recursive: true });
  const log = openSync(logFile, 'w');
  const write = (chunk: Buffer): void => {
    process.stdout.write(chunk);
    writeSync(log, chunk);
  };
  const sum = await runAll(request, write);
  const ran = sum.passed + sum.failures.length > 0;
  const nothing = ran ? '' : '\nNo test ran: check the names of the tiers and files.';
  write(Buffer.from(`${report(sum)}${nothing}\n\nThe whole output is in ${path.relative(root, logFile)}\n`));
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
