/** Several jobs of one yes on the screen: which they are, how they stand, and all of them to their end. */
import {
  format,
  type Job,
  jobStandLine,
  parseMicroUsd,
  formatMicroUsd,
  isJobSettled,
  shownName,
} from '@hitch/contract';
import type { Metric } from '@hitch/contract/src/job-compare.ts';
import type { Api } from '@hitch/client-node/src/session.ts';
import type { Context } from '../context.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { interruptible, InterruptedError } from '../interrupts.ts';
import { LiveLine } from '../screen/live-line.ts';
import { type Column, writeTable } from '../screen/table.ts';
import { rentedExit } from './follow-rented.ts';

const LOOK_AGAIN_MS = 500;
/** So many figures stand beside each other; `hitch job compare` shows all of two jobs. */
const MOST_FIGURES = 4;

/** Those that were approved together under this name, in their order; null: it is no such name. */
export async function findQueue(api: Api, name: string): Promise<readonly Job[] | null> {
  const jobs = await api.jobs.list({});
  const found = jobs.some(job => job.name === name || job.id === name)
    ? []
    : jobs.filter(({ rental }) => rental?.queue?.name === name);
  return found.length === 0 ? null : inOrder(found);
}

const inOrder = (jobs: readonly Job[]): readonly Job[] =>
  [...jobs].sort((a, b) => (a.rental?.queue?.place ?? 0) - (b.rental?.queue?.place ?? 0));

const costOf = (jobs: readonly Job[]): string =>
  formatMicroUsd(jobs.reduce((sum, { costMicroUsd }) => sum + parseMicroUsd(costMicroUsd ?? '0'), 0n));

/** How many are over, and what all have cost of their budget. */
export function queueLine(jobs: readonly Job[]): string {
  const over = jobs.filter(isJobSettled).length;
  const budget = jobs[0]?.rental?.queue?.budgetMicroUsd ?? '0';
  return `${over} of ${jobs.length} jobs are over; ${format.dollars(costOf(jobs))} of ${format.dollars(budget)} is spent`;
}

export function writeQueue(
  { io }: Pick<Context, 'io'>,
  jobs: readonly Job[],
  figures: ReadonlyMap<string, readonly Metric[]>,
  nowMs: number,
): void {
  const names = [...new Set([...figures.values()].flatMap(all => all.map(({ name }) => name)))];
  const figureOf = (job: Job, name: string): string => {
    const last = figures.get(job.id)?.find(each => each.name === name)?.last;
    return last === undefined || last === null ? '–' : Number(last.toPrecision(6)).toString();
  };
  const columns: Column<Job>[] = [
    { title: 'Job', priority: 1, cell: ({ name }) => name },
    { title: 'Given', priority: 1, cell: ({ rental }) => shownName(rental?.queue?.label ?? '') },
    ...names.slice(0, MOST_FIGURES).map((name): Column<Job> => ({
      title: shownName(name),
      priority: 2,
      align: 'right',
      cell: job => figureOf(job, name),
    })),
    { title: 'Cost', priority: 3, align: 'right', cell: job => format.dollars(job.costMicroUsd ?? '0') },
    { title: 'State', priority: 1, cell: job => jobStandLine(job, nowMs) },
  ];
  writeTable(io, jobs, columns);
  if (names.length > MOST_FIGURES) {
    io.note(
      `They have ${(names.length - MOST_FIGURES).toString()} more figures; hitch job compare shows those of two.`,
    );
  }
  io.line(`${queueLine(jobs)}.`);
}

/** Until nothing of any of them costs. Ctrl-C leaves them to themselves. */
export async function followQueue(
  context: Context,
  { name }: { readonly name: string },
  { detach, json }: { readonly detach: boolean; readonly json: boolean },
): Promise<ExitCode> {
  const { io, session, clock, interrupts } = context;
  const listed = async (): Promise<readonly Job[]> => (await findQueue((await session()).api, name)) ?? [];
  if (json) {
    (await listed()).forEach(job => io.jsonLine({ type: 'job', job }));
  } else {
    io.note(
      `They go on by themselves. ^C leaves them. See them with hitch job queue ${name}, end them with hitch job stop ${name}.`,
    );
  }
  if (detach) {
    return EXIT.ok;
  }
  const live = new LiveLine(io);
  const said = new Map<string, string>();
  const startedAt = clock.monotonic();
  try {
    const jobs = await interruptible(interrupts, async signal => {
      for (;;) {
        const all = await listed();
        for (const job of all.filter(each => said.get(each.id) !== stepOf(each))) {
          said.set(job.id, stepOf(job));
          live.clear();
          if (json) {
            io.jsonLine({ type: 'job', job });
          } else if (!isQuiet(job)) {
            io.note(
              `${job.name} (${shownName(job.rental?.queue?.label ?? '')}): ${jobStandLine(job, clock.now())}`,
            );
          }
        }
        if (all.every(isJobSettled)) {
          return all;
        }
        if (!json) {
          live.show(format.elapsed(clock.monotonic() - startedAt), queueLine(all));
        }
        await clock.sleep(LOOK_AGAIN_MS, signal);
      }
    });
    live.clear();
    if (!json) {
      writeQueue(context, jobs, new Map(), clock.now());
    }
    return jobs.map(rentedExit).find(code => code !== EXIT.ok) ?? EXIT.ok;
  } catch (error) {
    live.clear();
    if (!(error instanceof InterruptedError)) {
      throw error;
    }
    io.note(
      `They go on by themselves, and their machines cost until they are deleted. See them with hitch job queue ${name}.`,
    );
    return EXIT.interrupted;
  }
}

const stepOf = ({ state, rental }: Job): string => `${state} ${rental?.stage ?? ''}`;

/** What a long list would say of each of its jobs at once. */
const isQuiet = ({ rental }: Job): boolean => rental?.stage === 'waiting' || rental?.stage === 'sending';
