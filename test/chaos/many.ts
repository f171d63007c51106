/**
 * Many seeded runs, on as many cores as there are: each thread takes the next seed. A run draws from its seed alone and stands on
 * a clock of its own, so it comes to the same whichever thread it falls to.
 */
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { defectText } from '@hitch/platform/src/log.ts';
import { addUp, emptyTotals, type Report, type Totals } from './report.ts';
import { chaosRun } from './run.ts';
import { Visits } from './visits.ts';

export interface ManyRuns {
  readonly first: number;
  readonly runs: number;
  readonly networks: readonly string[];
  /** Threads at most; with one the runs stay in this thread, where a debugger and a profile see them. Left out: one a core. */
  readonly workers?: number;
  /** Hears of each run once it is over, in no order. `lines`: what still stood in one that did not hold. */
  readonly onRun?: (report: Report, totals: Totals, lines: readonly string[]) => void;
}

/** A run that is over, as its thread says it. */
export interface Over {
  readonly report: Report;
  readonly lines: readonly string[];
}

/** @throws Error that names the seed of a run that broke off, since a defect threw in it. */
export async function manyRuns({ first, runs, networks, workers, onRun }: ManyRuns): Promise<Totals> {
  const totals = emptyTotals();
  const seeds = numbersFrom(first, runs);
  const threads = Math.min(runs, workers ?? availableParallelism());
  const take = ({ report, lines }: Over): void => {
    addUp(totals, report);
    onRun?.(report, totals, lines);
  };
  if (threads <= 1) {
    for (const seed of seeds) {
      take(await named(seed, oneRun(seed, networks)));
    }
  } else {
    await Promise.all(Array.from({ length: threads }, () => runsOfThread(seeds, networks, take)));
  }
  totals.failed.sort((a, b) => a.seed - b.seed);
  return totals;
}

export async function oneRun(seed: number, networks: readonly string[]): Promise<Over> {
  const lines: string[] = [];
  const report = await chaosRun({ seed, networks, tell: line => lines.push(line) });
  return { report, lines };
}

/** Takes seeds as long as there are any: all threads share them. */
async function runsOfThread(
  seeds: Generator<number>,
  networks: readonly string[],
  take: (over: Over) => void,
): Promise<void> {
  const thread = new Worker(new URL('worker.ts', import.meta.url), { workerData: networks });
  try {
    for (let next = seeds.next(); next.done !== true; next = seeds.next()) {
      const answer = once(thread, 'message') as Promise<[Over]>;
      thread.postMessage(next.value);
      const [{ report, lines }] = await named(next.value, answer);
      // What crosses to another thread is data: its class is left behind.
      const visits = new Visits();
      visits.add(report.visits);
      take({ report: { ...report, visits }, lines });
    }
  } finally {
    // After one that broke off, the others end with the run that they are in.
    seeds.return(undefined);
    await thread.terminate();
  }
}

function* numbersFrom(first: number, count: number): Generator<number> {
  for (let number = first; number < first + count; number++) {
    yield number;
  }
}

async function named<T>(seed: number, run: Promise<T>): Promise<T> {
  try {
    return await run;
  } catch (cause) {
    throw new Error(`The run of seed ${seed.toString()} broke off: ${defectText(cause)}.`, { cause });
  }
}
