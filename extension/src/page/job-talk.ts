/** The extension's half of the talk with a page that shows a job. Knows no editor. */
import type { HitchClient, Job } from '@hitch/contract';
import { jobIdSchema } from '@hitch/contract/src/ids.ts';
import {
  jobSurroundings,
  type SurroundingsWords,
  surroundingsWords,
} from '@hitch/contract/src/job-gather.ts';
import { readJobLog } from '@hitch/contract/src/job-log.ts';
import { isJobSettled } from '@hitch/contract/src/jobs.ts';
import { isAbort, sentence } from '../sentence.ts';
import { fromPageSchema, type JobAction, type ToPage } from './messages.ts';

export interface JobTalkDeps {
  readonly client: () => HitchClient;
  readonly post: (message: ToPage) => void;
  readonly act: (action: JobAction, jobId: string) => void;
  readonly report: (problem: string, error: unknown) => void;
}

export class JobTalk {
  readonly #deps: JobTalkDeps;
  readonly #jobId: string;
  readonly #asking = new Map<number, AbortController>();
  #isOver = false;
  #around: SurroundingsWords | null = null;
  #lookedAt: Job['attemptId'] = null;

  constructor(deps: JobTalkDeps, jobId: string) {
    this.#deps = deps;
    this.#jobId = jobId;
  }

  dispose(): void {
    this.#asking.forEach(asking => asking.abort());
    this.#asking.clear();
  }

  /** How it stands may be another by now. */
  refresh(): void {
    if (!this.#isOver) {
      void this.#show();
    }
  }

  /** Whatever a page says is a stranger's until it is read. */
  take(said: unknown): void {
    const { data: message, error } = fromPageSchema.safeParse(said);
    switch (message?.kind) {
      case undefined:
        this.#deps.report('A page sent a message that is not supported', error);
        break;
      case 'ready':
        this.#isOver = false;
        this.refresh();
        break;
      case 'abort':
        this.#asking.get(message.question)?.abort();
        break;
      case 'job-action':
        this.#isOver = false;
        this.#deps.act(message.action, this.#jobId);
        break;
      case 'job-log':
        void this.#answer(message.question, async signal => {
          const page = await readJobLog(this.#deps.client(), this.#id, message.query, signal);
          this.#deps.post({ kind: 'job-log', question: message.question, page });
        });
        break;
      case 'job-metrics':
        void this.#answer(message.question, async signal => {
          const { most, points, question } = message;
          const metrics = await this.#api.metrics({ jobId: this.#id, most, points }, { signal });
          this.#deps.post({ kind: 'job-metrics', question, metrics });
        });
        break;
      case 'job-search':
        void this.#answer(message.question, async signal => {
          const { text, run, from, question } = message;
          const finds = await this.#api.search({ jobId: this.#id, text, run, from }, { signal });
          this.#deps.post({ kind: 'job-finds', question, finds });
        });
        break;
      default:
    }
  }

  get #api(): HitchClient['api']['jobs'] {
    return this.#deps.client().api.jobs;
  }

  get #id() {
    return jobIdSchema.parse(this.#jobId);
  }

  async #show(): Promise<void> {
    try {
      const job = await this.#api.get({ jobId: this.#id });
      this.#isOver = isJobSettled(job);
      await this.#lookAround(job);
      this.#deps.post({ kind: 'job', job, around: this.#around, problem: null });
    } catch (error) {
      this.#deps.post({ kind: 'job', job: null, around: null, problem: sentence(error) });
    }
  }

  /** Once for each machine that it has. What is not known of them is no reason to show nothing of it. */
  async #lookAround(job: Job): Promise<void> {
    if (this.#around === null || job.attemptId !== this.#lookedAt) {
      this.#lookedAt = job.attemptId;
      try {
        this.#around = surroundingsWords(job, await jobSurroundings(this.#deps.client().api, job));
      } catch (error) {
        this.#deps.report('What a job ran with is not known', error);
      }
    }
  }

  async #answer(question: number, ask: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const asking = new AbortController();
    this.#asking.set(question, asking);
    try {
      await ask(asking.signal);
    } catch (error) {
      if (!isAbort(error)) {
        this.#deps.post({ kind: 'problem', question, sentence: sentence(error) });
      }
    } finally {
      this.#asking.delete(question);
    }
  }
}
