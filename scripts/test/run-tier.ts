// The files of one tier: in one process, or each in its own and some of them side by side.
import type { Part } from './again.ts';
import { runMocha } from './run-mocha.ts';
import { alone, isNightly, nightlySilentMs, type Tier } from './tiers.ts';

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
  const patient = isNightly(file) ? { ...tier, silentMs: nightlySilentMs } : tier;
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

/** The files in so many parts, each with every so-many-th: what lies in one folder takes about as long, and is spread. */
export function dealt(files: readonly string[], parts: number): string[][] {
  const all = Array.from({ length: parts }, (_, part) =>
    files.filter((_file, index) => index % parts === part),
  );
  return all.filter(some => some.length > 0);
}

/** Files that share a process: the first part is seen as it goes, what the others print once they have ended. */
function runShared(run: TierRun, lanes: number): Promise<Part[]> {
  const { tier, grep } = run;
  const runPart = async (files: readonly string[], index: number): Promise<Part> => {
    const kept: Buffer[] = [];
    const write = index === 0 ? run.write : (chunk: Buffer) => void kept.push(chunk);
    const sum = await runMocha({ tier, files, grep, write });
    run.write(Buffer.concat(kept));
    return { tier: tier.name, files, sum };
  };
  return Promise.all(dealt(run.files, lanes).map(runPart));
}

/** What each of the tier's processes ran. */
export async function runTier(run: TierRun): Promise<Part[]> {
  const { tier, files, write } = run;
  const lanes = Math.min(tier.lanes, run.mostLanes);
  if (!tier.filePerProcess) return runShared(run, lanes);
  const beside = lanes < 2 ? [] : files.filter(file => alone[file] === undefined);
  const jobs = beside.map(file => () => runFileBeside(run, file));
  const parts = await inLanes(lanes, jobs);
  for (const file of files.filter(other => !beside.includes(other))) {
    parts.push(await runFile(run, file, write));
  }
  return parts;
}
