/**
 * Quotes of jobs that rent: what a person says yes to. The job's files are copied, its machine is quoted and its limits are
 * frozen; the yes makes it a record, once. Quotes live in memory: one that a daemon did not outlive is asked for again.
 */
import {
  HitchError,
  type JobBucket,
  type JobId,
  jobNameSchema,
  type jobQuoteRequestSchema,
  type JobQuote,
  notebookCopy,
  type Quote,
  type QuoteRequest,
} from '@hitch/contract';
import { join } from 'node:path';
import type * as z from 'zod';
import type { Clock } from '@hitch/platform/src/clock.ts';
import type { Ids } from '@hitch/platform/src/random.ts';
import { localPath } from '../../copies/local-paths.ts';
import { jobs as jobKind, type JobRentalRecord } from '../../ledger/kinds/job.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { freeName, jobNameFor, nameTaken } from '../names.ts';
import { addFile, filesFolder, freeze, freezeTemplate, ownFolder, removeJob } from './files.ts';
import { PARAMS_FILE, planProgram, planTemplate, type RentedPlan } from './plan.ts';
import { jobsOf, type JobsOfQuote, planOfQueue, type PreparedJob, queuedName } from './queued.ts';
import { limitsOf, type Made, quoteOf, recordOf } from './quoted.ts';
import { asShown } from './terms.ts';
import type { TemplateToRun } from './template-to-run.ts';

export interface JobQuotesOptions {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly ledger: Pick<Ledger, 'transact' | 'kept' | 'quote'>;
  /** Where jobs keep what they need on this computer. */
  readonly folder: string;
  /** A quote of a cluster. @throws HitchError NO_OFFERS and others. */
  readonly quoteMachine: (request: QuoteRequest) => Promise<Quote>;
  /** @throws HitchError with what is wrong with the template, its values or its packages. */
  readonly templateToRun: (
    work: {
      readonly template: string;
      readonly preset?: string | undefined;
      readonly values: Readonly<Record<string, string | number | boolean>>;
    },
    rent: QuoteRequest,
    localRoot: string | null,
  ) => Promise<TemplateToRun>;
  /** Writes to the bucket and removes that again. @throws HitchError BAD_INPUT where it cannot, with a sentence. */
  readonly tryBucket: (bucket: JobBucket) => Promise<void>;
  /** The daemon ends. */
  readonly ending: AbortSignal;
}

/** Each holds a copy of a folder: a script that asks for more is told so. */
const MOST_PREPARED = 20;

interface Prepared {
  readonly quote: JobQuote;
  /** Of each of its jobs, but for what tells them apart. */
  readonly rental: JobRentalRecord;
  readonly jobs: readonly PreparedJob[];
}

type Asked = z.output<typeof jobQuoteRequestSchema>;

export class JobQuotes {
  readonly #options: JobQuotesOptions;
  readonly #prepared = new Map<JobId, Prepared>();
  /** Those whose yes is being written: their files stay, however old they become meanwhile. */
  readonly #approving = new Set<JobId>();

  constructor(options: JobQuotesOptions) {
    this.#options = options;
  }

  async quote(request: Asked, localRoot: string | null): Promise<JobQuote> {
    const { clock, ids, folder: root } = this.#options;
    await this.#forgetOld();
    if (this.#prepared.size >= MOST_PREPARED) {
      throw new HitchError('CONFLICT', `${MOST_PREPARED.toString()} quotes of jobs wait for a yes already.`, {
        next: 'Answer them, or wait ten minutes until they expire.',
      });
    }
    const asked = await located(request, localRoot);
    const { work } = asked;
    const template =
      work.kind === 'template' ? await this.#options.templateToRun(work, asked.rent, localRoot) : null;
    const plan =
      work.kind === 'template'
        ? planTemplate(asked, need(template), clock.now())
        : planProgram({ ...asked, work }, clock.now());
    const name = this.#name(asked, plan, template);
    const quoted = { asked, plan, template, name };
    const whole = { ...quoted, plan: asked.queue === null ? withNotebook(plan, name) : planOfQueue(quoted) };
    if (asked.bucket !== null) {
      if (plan.checkpointFolder === null) {
        throw new HitchError(
          'BAD_INPUT',
          'A bucket is for checkpoints, and the job names no folder of them.',
          {
            field: 'bucket',
            next: 'Name it: --checkpoints out.',
          },
        );
      }
      await this.#options.tryBucket(asked.bucket);
    }
    const id = ids.next('job');
    const jobs = jobsOf(ids, id, whole, clock.now());
    try {
      const sent = await this.#freeze(id, whole, jobs);
      const machine = await this.#machine(whole.plan, asked.waitMs);
      return this.#keep(id, { ...whole, ...machine, jobs, sent });
    } catch (error) {
      await removeAll(root, jobs);
      throw error;
    }
  }

  /** What was shown. @throws HitchError NOT_FOUND, QUOTE_EXPIRED */
  get(id: JobId): JobQuote {
    return this.#find(id).quote;
  }

  /** The yes: from here on the job goes on by itself. The same call again changes nothing. */
  async approve(id: JobId): Promise<void> {
    const { ledger } = this.#options;
    if (ledger.kept.get(jobKind, id) !== undefined) {
      return;
    }
    const prepared = this.#find(id);
    this.#approving.add(id);
    try {
      await this.#write(id, prepared);
      this.#prepared.delete(id);
    } finally {
      this.#approving.delete(id);
    }
  }

  /** The person says no: its copy of a folder goes, and its name is free. One that is being approved stays. */
  async discard(id: JobId): Promise<void> {
    const prepared = this.#prepared.get(id);
    if (prepared === undefined || this.#approving.has(id)) {
      return;
    }
    this.#prepared.delete(id);
    await removeAll(this.#options.folder, prepared.jobs);
  }

  /** All jobs of the quote, or none. */
  #write(id: JobId, { quote, rental, jobs }: Prepared): Promise<void> {
    return this.#options.ledger.transact(tx => {
      if (tx.get(jobKind, id) !== undefined) {
        return;
      }
      const taken = new Set([...tx.all(jobKind)].map(job => job.name));
      for (const job of jobs) {
        if (taken.has(job.name)) {
          throw nameTaken(job.name);
        }
        tx.put(jobKind, recordOf(job, { quote, rental, jobs }, tx.nowMs));
      }
    });
  }

  #find(id: JobId): Prepared {
    const prepared = this.#prepared.get(id);
    if (prepared === undefined) {
      throw new HitchError(
        'NOT_FOUND',
        'There is no such quote of a job, or the daemon was restarted since.',
        {
          next: 'Ask for another one.',
        },
      );
    }
    if (this.#options.clock.now() >= prepared.quote.expiresAtMs) {
      throw new HitchError(
        'QUOTE_EXPIRED',
        'The quote is more than ten minutes old; prices may have moved.',
        {
          next: 'Ask for another one.',
        },
      );
    }
    return prepared;
  }

  #name({ name: asked, queue }: Asked, { spec }: RentedPlan, template: TemplateToRun | null): string {
    const { ledger } = this.#options;
    const names = new Set([
      ...[...ledger.kept.all(jobKind)].map(job => job.name),
      ...[...this.#prepared.values()].flatMap(({ jobs }) => jobs.map(job => job.name)),
    ]);
    const count = queue?.jobs.length ?? null;
    const taken = (wanted: string): boolean =>
      count === null
        ? names.has(wanted)
        : Array.from({ length: count }, (_, at) => queuedName(wanted, at + 1)).some(each => names.has(each));
    if (asked === undefined) {
      return template === null ? jobNameFor(spec.work, taken) : freeName(template.template.name, taken);
    }
    if (taken(asked)) {
      throw nameTaken(count === null ? asked : queuedName(asked, 1));
    }
    if (count !== null && !jobNameSchema.safeParse(queuedName(asked, count)).success) {
      throw new HitchError('BAD_INPUT', `${asked} is too long for the name of ${count.toString()} jobs.`, {
        field: 'name',
        next: 'Choose a shorter one.',
      });
    }
    return asked;
  }

  async #freeze(
    id: JobId,
    { plan, template }: Pick<JobsOfQuote, 'plan' | 'template'>,
    jobs: readonly PreparedJob[],
  ): Promise<{ files: number; bytes: number }> {
    const { folder: root, ending: signal } = this.#options;
    if (plan.folder === null) {
      return { files: 0, bytes: 0 };
    }
    const to = filesFolder(root, id);
    if (template === null) {
      return freeze(plan.folder, { to, spool: join(root, id, 'spool'), signal });
    }
    const sent = await freezeTemplate(plan.folder, template.files, { to, digest: template.digest });
    for (const job of jobs) {
      await addFile(ownFolder(root, job.id), PARAMS_FILE, JSON.stringify(job.values));
    }
    const own = Buffer.byteLength(JSON.stringify(template.values));
    return { files: sent.files + 1, bytes: sent.bytes + own };
  }

  /** The first of what would do that is offered. @throws HitchError NO_OFFERS where it may not wait. */
  async #machine(
    { requests: wanted, lastsMs }: RentedPlan,
    waitMs: number,
  ): Promise<{ quote: Quote | null; request: QuoteRequest }> {
    const stopAtMs = lastsMs === null ? null : this.#options.clock.now() + lastsMs;
    const requests = wanted.map(request => ({ ...request, stopAtMs }));
    let problem: unknown = null;
    for (const request of requests) {
      try {
        return { quote: await this.#options.quoteMachine(request), request };
      } catch (error) {
        if (!(error instanceof HitchError) || error.code !== 'NO_OFFERS') {
          throw error;
        }
        problem ??= error;
      }
    }
    const [request] = requests;
    if (waitMs === 0 || request === undefined) {
      throw problem;
    }
    if (request.maxNodePricePerHourMicroUsd === null) {
      throw new HitchError(
        'BAD_INPUT',
        'No machine is offered now, and to wait for one a highest price is needed.',
        {
          field: 'rent.maxNodePricePerHourMicroUsd',
          next: 'Say the most that one machine may cost an hour.',
        },
      );
    }
    return { quote: null, request };
  }

  #keep(id: JobId, made: Made): JobQuote {
    const { clock, ledger } = this.#options;
    const { asked, plan, template, quote, request, jobs } = made;
    const nowMs = clock.now();
    const limits = limitsOf(made);
    const shown = quoteOf(id, { ...made, limits, nowMs });
    const rental: JobRentalRecord = {
      stage: 'waiting',
      message: '',
      approvedAtMs: nowMs,
      quoteId: quote?.id ?? null,
      request: quote === null ? request : asShown(request, ledger.quote(quote.id)?.offers ?? []),
      limits,
      waitsUntilMs: null,
      replaced: 0,
      stopAsked: false,
      target: plan.target,
      checkpointFolder: plan.checkpointFolder,
      checkpoint: null,
      template: template === null ? null : { id: template.id, digest: template.digest },
      queue: null,
      bucket: asked.bucket === null ? null : { ...asked.bucket, keeper: null, checkpoint: null, message: '' },
    };
    this.#prepared.set(id, { quote: shown, rental, jobs });
    return shown;
  }

  async #forgetOld(): Promise<void> {
    const { clock, folder } = this.#options;
    for (const [id, { quote, jobs }] of this.#prepared) {
      if (clock.now() >= quote.expiresAtMs && !this.#approving.has(id)) {
        this.#prepared.delete(id);
        await removeAll(folder, jobs);
      }
    }
  }
}

const need = (template: TemplateToRun | null): TemplateToRun => {
  if (template === null) {
    throw new RangeError('a template that was not read');
  }
  return template;
};

const removeAll = async (root: string, jobs: readonly PreparedJob[]): Promise<void> => {
  await Promise.all(jobs.map(job => removeJob(root, job.id)));
};

/** With the folder as this computer knows it. @throws HitchError BAD_INPUT where a page may not read it. */
async function located(asked: Asked, localRoot: string | null): Promise<Asked> {
  const { work } = asked;
  return work.kind === 'template' || work.folder === null
    ? asked
    : { ...asked, work: { ...work, folder: await localPath(work.folder, localRoot) } };
}

/** The copy of a notebook that has its outputs is one of them. */
function withNotebook(plan: RentedPlan, name: string): RentedPlan {
  const { work } = plan.spec;
  if (work.kind !== 'notebook') {
    return plan;
  }
  const copy = notebookCopy(work.path, name);
  return {
    ...plan,
    requests: plan.requests.map(request => ({
      ...request,
      save: { ...request.save, paths: [...new Set([...request.save.paths, copy])] },
    })),
  };
}
