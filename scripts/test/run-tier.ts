// The files of one tier: in one process, or each in its own and some of them side by side.
import type { Part } from './again.ts';
import { runMocha } from './run-mocha.ts';
import { alone, isNightly, nightlyProcessTimeoutMs, type Tier } from './tiers.ts';

export interface TierRun {
  readonly tier: Tier;
  readonly files: readonly string[];
  readonly grep: string;
  /** Of what can run side by side, so many at once, however many the tier allows. */
  readonly mostLanes: number;
  readonly write: (chunk: Buffer) => void;
  /** Receives all that a file has printed that failed in a process of its own. */
  readonly keep: (file: string, output: Buffer) => void;
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

/** One file in a process of its own, with what it prints shown and given back. */
async function runFile(run: TierRun, file: string, write: (chunk: Buffer) => void): Promise<Part> {
  const { tier, grep } = run;
  const patient = isNightly(file) ? { ...tier, processTimeoutMs: nightlyProcessTimeoutMs } : tier;
  const chunks: Buffer[] = [];
  const tee = (chunk: Buffer): void => {
    chunks.push(chunk);
    write(chunk);
  };
  tee(Buffer.from(`\n  ${file}\n`));
  const sum = await runMocha({ tier: patient, files: [file], grep, write: tee });
  if (sum.failures.length > 0) run.keep(file, Buffer.concat(chunks));
  return { tier: tier.name, files: [file], sum };
}

/** What it prints is kept until it has ended, so that no other file's lines stand between. */
async function runFileBeside(run: TierRun, file: string): Promise<Part> {
  const chunks: Buffer[] = [];
  const part = await runFile(run, file, chunk => chunks.push(chunk));
  run.write(Buffer.concat(chunks));
  return part;
}

/** What each of the tier's processes ran. */
export async function runTier(run: TierRun): Promise<Part[]> {
  const { tier, files, grep, write } = run;
  if (!tier.filePerProcess) {
    return [{ tier: tier.name, files, sum: await runMocha({ tier, files, grep, write }) }];
  }
  const lanes = Math.min(tier.lanes, run.mostLanes);
  const beside = lanes < 2 ? [] : files.filter(file => alone[file] === undefined);
  const jobs = beside.map(file => () => runFileBeside(run, file));
  const parts = await inLanes(lanes, jobs);
  for (const file of files.filter(other => !beside.includes(other))) {
    parts.push(await runFile(run, file, write));
  }
  return parts;
}
