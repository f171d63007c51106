/** `hitch template test --practice`: the test of a template as a job that rents a practice machine. Nobody is charged. */
import { format, HitchError, type Job, jobLine, jobRanMs, quoteRequestSchema } from '@hitch/contract';
import { metricsOfLine } from '@hitch/contract/src/metrics/lines.ts';
import type { Context } from '../context.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { interruptible, InterruptedError } from '../interrupts.ts';
import { followRented, rentedExit } from '../jobs/follow-rented.ts';
import { beginJob } from './job-rent.ts';

/** What is printed with `--json`. */
export interface PracticeTrial {
  readonly ok: boolean;
  readonly template: string;
  readonly preset: string | null;
  readonly state: Job['state'];
  /** That the command itself ran. */
  readonly seconds: number;
  /** Null: it printed no loss, or one alone. */
  readonly lossFell: boolean | null;
  /** Where what it made lies on this computer. */
  readonly outputs: readonly string[];
  readonly machinesLeft: number;
  readonly costMicroUsd: string | null;
  /** What is wrong, a sentence each. */
  readonly problems: readonly string[];
}

/** Packages may have to be installed on the machine first. */
const LONGEST_MS = 2 * 3_600_000;

/** @throws HitchError BAD_INPUT for a template without a test, and what a quote is refused for. */
export async function tryOnPractice(
  context: Context,
  template: string,
  json: boolean,
): Promise<{ readonly trial: PracticeTrial; readonly code: ExitCode }> {
  const { io, clock } = context;
  const { api } = await context.session();
  const { info, test } = await api.templates.show({ template });
  if (test === undefined || test === null || !info.runs) {
    throw new HitchError('BAD_INPUT', `The template ${info.id} names no test.`, {
      next: 'Add test: {preset: smoke, within: 5m} and a preset of that name.',
    });
  }
  const quote = await api.jobs.quote({
    work: { kind: 'template', template: info.folder, preset: test.preset },
    rent: quoteRequestSchema.parse({
      filter: { practice: 'only' },
      // Play money: what a template proposes for real machines is no limit to it.
      capMicroUsd: '20000000',
      stopAtMs: clock.now() + LONGEST_MS,
    }),
  });
  if (!quote.practice) {
    throw new HitchError('INTERNAL', 'A machine that costs was offered for a test; nothing was rented.');
  }
  if (!json) {
    io.note(`${info.title}, preset ${test.preset}, on a practice machine; nobody is charged.`);
  }
  const begun = await beginJob(context, quote);
  const code = json ? await quietly(context, begun) : await followRented(context, begun, false);
  const job = await api.jobs.get({ jobId: begun.id });
  const losses = await lossesOf(context, job);
  return { trial: judged(job, { preset: test.preset, withinMs: test.withinMs, losses }), code };
}

const LOOK_AGAIN_MS = 500;

/** What is printed is the answer alone; Ctrl-C stops the test. */
async function quietly({ session, clock, interrupts }: Context, { id }: Job): Promise<ExitCode> {
  try {
    return await interruptible(interrupts, async signal => {
      for (;;) {
        const { api } = await session();
        const job = await api.jobs.get({ jobId: id });
        if (job.rental?.stage === 'over') {
          return rentedExit(job);
        }
        await clock.sleep(LOOK_AGAIN_MS, signal);
      }
    });
  } catch (error) {
    if (!(error instanceof InterruptedError)) {
      throw error;
    }
    const { api } = await session();
    await api.jobs.stop({ jobId: id });
    return EXIT.interrupted;
  }
}

function judged(
  job: Job,
  {
    preset,
    withinMs,
    losses,
  }: { readonly preset: string; readonly withinMs: number; readonly losses: readonly number[] },
): PracticeTrial {
  const { state, rental, costMicroUsd } = job;
  const ranMs = jobRanMs(job, 0);
  const [first] = losses;
  const last = losses.at(-1);
  const lossFell = losses.length < 2 || first === undefined || last === undefined ? null : last < first;
  const problems = [
    ...(state === 'succeeded' ? [] : [`${jobLine(job, 0)}.`]),
    ...(rental === undefined || rental.message === '' ? [] : [rental.message]),
    ...(ranMs > withinMs
      ? [`It ran for ${format.duration(ranMs)}; its test allows ${format.duration(withinMs)}.`]
      : []),
    ...(lossFell === false
      ? [`The loss did not fall: ${String(first)} at first, ${String(last)} at the end.`]
      : []),
  ];
  return {
    ok: problems.length === 0,
    template: rental?.template?.id ?? job.name,
    preset,
    state,
    seconds: Math.round(ranMs / 100) / 10,
    lossFell,
    outputs: rental?.saved ?? [],
    machinesLeft: rental?.machinesLeft ?? 0,
    costMicroUsd,
    problems,
  };
}

/** From what it printed; so much of it is read. */
const MOST_BYTES = 8 * 1024 * 1024;

async function lossesOf({ session }: Context, job: Job): Promise<readonly number[]> {
  const { api } = await session();
  const decoder = new TextDecoder();
  let text = '';
  for (let from = 0; from < MOST_BYTES;) {
    const page = await api.jobs.log({ jobId: job.id, from });
    text += decoder.decode(Buffer.from(page.data, 'base64'), { stream: true });
    if (page.next <= from) {
      break;
    }
    from = page.next;
  }
  return text.split('\n').flatMap(line => {
    const values = metricsOfLine(line)?.values;
    const loss = values?.get('loss') ?? values?.get('train_loss');
    return loss === undefined ? [] : [loss];
  });
}

export function practiceLines({ ok, template, seconds, outputs, problems }: PracticeTrial): string[] {
  return [
    `${template}: ${ok ? 'works on a machine' : 'does not work on a machine'}, ${seconds} s.`,
    ...problems,
    ...outputs.map(path => `Saved: ${path}`),
  ];
}

export const practiceExit = (trial: PracticeTrial, code: ExitCode): ExitCode =>
  trial.ok ? EXIT.ok : code === EXIT.ok ? EXIT.cellFailed : code;
