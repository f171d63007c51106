// The files of one tier: in one process, or each in its own and some of them side by side.
import { runMocha } from './run-mocha.ts';
import { add, emptySummary, type Summary } from './summary.ts';
import { alone, isNightly, nightlyProcessTimeoutMs, type Tier } from './tiers.ts';

export interface TierRun {
  readonly tier: Tier;
  readonly files: readonly string[];
  readonly grep: string;
  /** Of what can run side by side, so many at once, however many the tier allows. */
  readonly mostLanes: number;
  readonly write: (chunk: Buffer) => void;
}

/** Does the jobs, so many at a time; each lane takes the next that nobody has. */
export async function inLanes<T>(lanes: number, jobs: readonly (() => Promise<T>)[]): Promise<T[]> {
  const results: T[] = [];
  const left = jobs.values();
  const lane = async (): Promise<void> => {
    for (const job of left) results.push(await job());
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return results;
}

async function runFile(run: TierRun, file: string, write: (chunk: Buffer) => void): Promise<Summary> {
  const { tier, grep } = run;
  const patient = isNightly(file) ? { ...tier, processTimeoutMs: nightlyProcessTimeoutMs } : tier;
  write(Buffer.from(`\n  ${file}\n`));
  return runMocha({ tier: patient, files: [file], grep, write });
}

/** What it prints is kept until it has ended, so that no other file's lines stand between. */
async function runFileBeside(run: TierRun, file: string): Promise<Summary> {
  const chunks: Buffer[] = [];
  const sum = await runFile(run, file, chunk => chunks.push(chunk));
  run.write(Buffer.concat(chunks));
  return sum;
}

export async function runTier(run: TierRun): Promise<Summary> {
  const { tier, files, grep, write } = run;
  if (!tier.filePerProcess) return runMocha({ tier, files, grep, write });
  const lanes = Math.min(tier.lanes, run.mostLanes);
  const beside = lanes < 2 ? [] : files.filter(file => alone[file] === undefined);
  const jobs = beside.map(file => () => runFileBeside(run, file));
  let sum = (await inLanes(lanes, jobs)).reduce(add, emptySummary);
  for (const file of files.filter(other => !beside.includes(other))) {
    sum = add(sum, await runFile(run, file, write));
  }
  return sum;
}
