/**
 * Quotes of jobs that rent: what a person says yes to. The job's files are copied, its machine is quoted and its limits are
 * frozen; the yes makes it a record, once. Quotes live in memory: one that a daemon did not outlive is asked for again.
 */
import {
  type ClusterId,
  HitchError,
  type JobId,
  type jobQuoteRequestSchema,
  type JobQuote,
  jobQuoteLines,
  jobYesLabel,
  notebookCopy,
  parseMicroUsd,
  formatMicroUsd,
  type Quote,
  type QuoteRequest,
  USUAL_SAVE_WITHIN_MS,
} from '@hitch/contract';
import { join } from 'node:path';
import type * as z from 'zod';
import type { Clock } from '@hitch/platform/src/clock.ts';
import type { Ids } from '@hitch/platform/src/random.ts';
import { localPath } from '../../copies/local-paths.ts';
import { jobs as jobKind, type JobRecord, type JobRentalRecord } from '../../ledger/kinds/job.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { QUOTE_VALID_MS } from '../../spend/limits.ts';
import { freeName, jobNameFor } from '../names.ts';
import { addFile, filesFolder, freeze, freezeTemplate, removeJob } from './files.ts';
import { PARAMS_FILE, planProgram, planTemplate, type RentedPlan } from './plan.ts';
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
  /** The daemon ends. */
  readonly ending: AbortSignal;
}

/** Each holds a copy of a folder: a script that asks for more is told so. */
const MOST_PREPARED = 20;

interface Prepared {
  readonly quote: JobQuote;
  readonly rental: JobRentalRecord;
  readonly clusterId: ClusterId;
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

  async quote(asked: Asked, localRoot: string | null): Promise<JobQuote> {
    const { clock, ids, folder: root } = this.#options;
    await this.#forgetOld();
    if (this.#prepared.size >= MOST_PREPARED) {
      throw new HitchError('CONFLICT', `${MOST_PREPARED.toString()} quotes of jobs wait for a yes already.`, {
        next: 'Answer them, or wait ten minutes until they expire.',
      });
    }
    const { work } = asked;
    const template =
      work.kind === 'template' ? await this.#options.templateToRun(work, asked.rent, localRoot) : null;
    const plan =
      work.kind === 'template'
        ? planTemplate(asked, need(template), clock.now())
        : planProgram(
            {
              ...asked,
              work: {
                ...work,
                folder: work.folder === null ? null : await localPath(work.folder, localRoot),
              },
            },
            clock.now(),
          );
    const name = this.#name(asked.name, plan, template);
    const withCopy = withNotebook(plan, name);
    const id = ids.next('job');
    try {
      const sent = await this.#freeze(id, withCopy, template);
      const { quote, request } = await this.#machine(withCopy, asked.waitMs);
      return this.#keep(id, { asked, plan: withCopy, template, name, sent, quote, request });
    } catch (error) {
      await removeJob(root, id);
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
    if (this.#approving.has(id) || !this.#prepared.delete(id)) {
      return;
    }
    await removeJob(this.#options.folder, id);
  }

  #write(id: JobId, { quote, rental, clusterId }: Prepared): Promise<void> {
    return this.#options.ledger.transact(tx => {
      if (tx.get(jobKind, id) !== undefined) {
        return;
      }
      const taken = (wanted: string): boolean => [...tx.all(jobKind)].some(job => job.name === wanted);
      if (taken(quote.name)) {
        throw nameTaken(quote.name);
      }
      const record: JobRecord = {
        id,
        name: quote.name,
        clusterId,
        clusterName: clusterNameOf(quote.name),
        attemptId: null,
        environmentId: null,
        createdAtMs: tx.nowMs,
        spec: quote.spec,
        owes: null,
        state: 'waiting',
        message: '',
        runs: [],
        runsBefore: 0,
        heardAtMs: null,
        logDone: false,
        rental: { ...rental, approvedAtMs: tx.nowMs, waitsUntilMs: tx.nowMs + quote.limits.waitMs },
      };
      tx.put(jobKind, record);
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

  #name(asked: string | undefined, { spec }: RentedPlan, template: TemplateToRun | null): string {
    const { ledger } = this.#options;
    const taken = (wanted: string): boolean =>
      [...ledger.kept.all(jobKind)].some(job => job.name === wanted) ||
      [...this.#prepared.values()].some(({ quote }) => quote.name === wanted);
    if (asked !== undefined) {
      if (taken(asked)) {
        throw nameTaken(asked);
      }
      return asked;
    }
    return template === null ? jobNameFor(spec.work, taken) : freeName(template.template.name, taken);
  }

  async #freeze(
    id: JobId,
    plan: RentedPlan,
    template: TemplateToRun | null,
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
    const text = JSON.stringify(template.values);
    await addFile(to, PARAMS_FILE, text);
    return { files: sent.files + 1, bytes: sent.bytes + Buffer.byteLength(text) };
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

  #keep(
    id: JobId,
    {
      asked,
      plan,
      template,
      name,
      sent,
      quote,
      request,
    }: {
      readonly asked: Asked;
      readonly plan: RentedPlan;
      readonly template: TemplateToRun | null;
      readonly name: string;
      readonly sent: { readonly files: number; readonly bytes: number };
      readonly quote: Quote | null;
      readonly request: QuoteRequest;
    },
  ): JobQuote {
    const { clock, ids } = this.#options;
    const nowMs = clock.now();
    const limits = {
      capMicroUsd: quote?.caps.totalMicroUsd ?? request.capMicroUsd ?? '0',
      maxNodePricePerHourMicroUsd:
        quote === null
          ? (request.maxNodePricePerHourMicroUsd ?? '0')
          : formatMicroUsd(parseMicroUsd(quote.highestRatePerHourMicroUsd) / BigInt(quote.nodes)),
      lastsMs: plan.lastsMs,
      stopAtMs: null,
      waitMs: asked.waitMs,
      replacements: plan.replacements,
      saveWithinMs: asked.saveWithinMs ?? USUAL_SAVE_WITHIN_MS,
    };
    const ofTemplate = template === null ? null : { id: template.id, digest: template.digest };
    const facts = {
      name,
      spec: plan.spec,
      limits,
      ...sent,
      checkpointFolder: plan.checkpointFolder,
      template: template === null ? null : `${template.template.name} ${template.template.version}`,
      createdAtMs: nowMs,
      wanted: template?.wanted ?? 'as asked for',
      request,
    };
    const shown: JobQuote = {
      id,
      name,
      createdAtMs: nowMs,
      expiresAtMs: quote?.expiresAtMs ?? nowMs + QUOTE_VALID_MS,
      practice: quote?.practice ?? request.filter.practice === 'only',
      spec: plan.spec,
      limits,
      template: ofTemplate,
      ...sent,
      quote,
      lines: jobQuoteLines(facts, quote),
      yes: jobYesLabel(limits),
    };
    const rental: JobRentalRecord = {
      stage: 'waiting',
      message: '',
      approvedAtMs: nowMs,
      quoteId: quote?.id ?? null,
      request:
        quote === null ? request : asShown(request, this.#options.ledger.quote(quote.id)?.offers ?? []),
      limits,
      waitsUntilMs: null,
      replaced: 0,
      stopAsked: false,
      target: plan.target,
      checkpointFolder: plan.checkpointFolder,
      checkpoint: null,
      template: ofTemplate,
    };
    this.#prepared.set(id, { quote: shown, rental, clusterId: ids.next('clu') });
    return shown;
  }

  async #forgetOld(): Promise<void> {
    const { clock, folder } = this.#options;
    for (const [id, { quote }] of this.#prepared) {
      if (clock.now() >= quote.expiresAtMs && !this.#approving.has(id)) {
        this.#prepared.delete(id);
        await removeJob(folder, id);
      }
    }
  }
}

const nameTaken = (name: string): HitchError =>
  new HitchError('NAME_TAKEN', `There is a job ${name} already.`, {
    field: 'name',
    next: 'Choose another name, or none.',
  });

const need = (template: TemplateToRun | null): TemplateToRun => {
  if (template === null) {
    throw new RangeError('a template that was not read');
  }
  return template;
};

/** A job's name as a cluster's, which begins with a letter and is shorter. */
export const clusterNameOf = (name: string): string => {
  const short = (/^[a-z]/.test(name) ? name : `job-${name}`).slice(0, 36).replace(/-+$/, '');
  return short.length < 2 ? `job-${short}` : short;
};

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
