/**
 * The part of MLflow's tracking API that its client logs with (mlflow/protos/service.proto), on loopback. Each job has a
 * token and a run of its own; runs that its program begins beside that one belong to the job too. Parameters and tags are
 * answered as they were said; figures are kept. Artifacts the client writes into the job's folder by itself.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import type { JobId } from '@hitch/contract';
import * as z from 'zod';
import type { Take } from './source.ts';

/** What a job's program needs to log. */
export interface MlflowAccess {
  readonly uri: string;
  readonly token: string;
  readonly runId: string;
}

/** Where the figures of one job go. */
export interface MlflowJob {
  readonly id: JobId;
  /** Absolute: of its program. */
  readonly folder: string;
  /** @param run '' for the job's own run, else the name of one that it began. */
  readonly takerOf: (run: string) => Take | null;
  /** Resolves once what was taken is on the disk. */
  readonly kept: () => Promise<void>;
}

const MOST_BODY_BYTES = 4 * 1024 * 1024;
const MOST_RUNS = 200;
const MOST_PAIRS = 2_000;
const LONGEST_VALUE = 10_000;
const PREFIX = /^\/api\/2\.0\/mlflow\//;

const text = z.string().max(LONGEST_VALUE);
const number = z.union([z.number(), z.enum(['NaN', 'Infinity', '-Infinity']).transform(Number)]);
const whole = z.coerce.number();
const metricSchema = z.object({
  key: text,
  value: number,
  timestamp: whole.optional(),
  step: whole.optional(),
});
const pairSchema = z.object({ key: text, value: text.optional() });
const askedSchema = z.object({
  run_id: text.optional(),
  run_uuid: text.optional(),
  run_name: text.optional(),
  experiment_id: text.optional(),
  experiment_name: text.optional(),
  name: text.optional(),
  status: text.optional(),
  end_time: whole.optional(),
  start_time: whole.optional(),
  key: text.optional(),
  value: z.union([number, text]).optional(),
  timestamp: whole.optional(),
  step: whole.optional(),
  metrics: z.array(metricSchema).max(10_000).optional(),
  params: z.array(pairSchema).max(MOST_PAIRS).optional(),
  tags: z.array(pairSchema).max(MOST_PAIRS).optional(),
});
type Asked = z.infer<typeof askedSchema>;

interface Run {
  readonly id: string;
  readonly name: string;
  readonly startedAtMs: number;
  status: string;
  endedAtMs: number | null;
  readonly params: Map<string, string>;
  readonly tags: Map<string, string>;
  readonly last: Map<string, z.infer<typeof metricSchema>>;
}

class Refusal extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export interface MlflowOptions {
  /** Tokens of jobs are made of it. */
  readonly secret: string;
  readonly now: () => number;
  readonly jobOf: (id: JobId) => MlflowJob | null;
}

export class MlflowServer {
  readonly #options: MlflowOptions;
  readonly #runs = new Map<JobId, Map<string, Run>>();
  #server: Server | null = null;
  #port: number | null = null;

  constructor(options: MlflowOptions) {
    this.#options = options;
  }

  /** Listens once. @param port the one that jobs which run were told of; another is taken where that is not free. @returns null: it cannot. */
  async listen(port: number | null): Promise<number | null> {
    if (this.#port === null) {
      this.#port = (port === null ? null : await this.#listenOn(port)) ?? (await this.#listenOn(0));
    }
    return this.#port;
  }

  accessOf(id: JobId): MlflowAccess | null {
    return this.#port === null
      ? null
      : { uri: `http://127.0.0.1:${this.#port.toString()}`, token: this.#tokenOf(id), runId: runIdOf(id) };
  }

  /** Of a job that is over. */
  forget(id: JobId): void {
    this.#runs.delete(id);
  }

  close(): void {
    this.#server?.close();
    this.#server?.closeAllConnections();
    this.#server = null;
  }

  #listenOn(port: number): Promise<number | null> {
    const server = createServer((request, response) => void this.#serve(request, response));
    server.headersTimeout = 10_000;
    server.requestTimeout = 30_000;
    server.unref();
    return new Promise(resolve => {
      server.once('error', () => resolve(null));
      server.listen(port, '127.0.0.1', () => {
        const address = server.address();
        this.#server = server;
        resolve(typeof address === 'object' && address !== null ? address.port : null);
      });
    });
  }

  #tokenOf(id: JobId): string {
    return `${id}.${createHmac('sha256', this.#options.secret).update(`mlflow ${id}`).digest('hex')}`;
  }

  #jobOf(request: IncomingMessage): MlflowJob {
    const said = /^Bearer ([\w.]+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    // Of this shape only what this agent made is let in below.
    const id = said.split('.', 1)[0] as JobId;
    const [given, right] = [said, this.#tokenOf(id)].map(each => createHash('sha256').update(each).digest());
    const isRight = given !== undefined && right !== undefined && timingSafeEqual(given, right);
    const job = isRight ? this.#options.jobOf(id) : null;
    if (job === null) {
      throw new Refusal(401, 'UNAUTHENTICATED', 'This address takes the figures of one job, with its token.');
    }
    return job;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const send = (status: number, answer: unknown): void => {
      const body = JSON.stringify(answer);
      response.writeHead(status, {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
      });
      response.end(body);
    };
    try {
      const job = this.#jobOf(request);
      const url = new URL(request.url ?? '/', 'http://127.0.0.1');
      const body = await bodyOf(request);
      const asked = parsed({ ...Object.fromEntries(url.searchParams), ...body });
      send(
        200,
        await this.#answer(job, `${request.method ?? ''} ${url.pathname.replace(PREFIX, '')}`, asked),
      );
    } catch (error) {
      const { status, code, message } =
        error instanceof Refusal
          ? error
          : new Refusal(500, 'INTERNAL_ERROR', 'What was logged could not be kept.');
      send(status, { error_code: code, message });
    }
  }

  async #answer(job: MlflowJob, route: string, asked: Asked): Promise<object> {
    switch (route) {
      case 'GET experiments/get':
      case 'GET experiments/get-by-name':
        return { experiment: experiment(job, asked.experiment_name) };
      case 'POST experiments/create':
        return { experiment_id: '0' };
      case 'POST experiments/search':
        return { experiments: [experiment(job)] };
      case 'POST runs/create':
        return { run: shown(job, this.#create(job, asked)) };
      case 'GET runs/get':
        return { run: shown(job, this.#run(job, asked)) };
      case 'POST runs/search':
        return { runs: [...this.#runsOf(job).values()].map(run => shown(job, run)) };
      case 'POST runs/update': {
        const run = this.#run(job, asked);
        run.status = asked.status ?? run.status;
        run.endedAtMs = asked.end_time ?? run.endedAtMs;
        return { run_info: shown(job, run).info };
      }
      case 'POST runs/log-metric':
      case 'POST runs/log-parameter':
      case 'POST runs/set-tag':
      case 'POST runs/log-batch':
        await this.#log(job, route, asked);
        return {};
      case 'POST runs/delete-tag':
        this.#run(job, asked).tags.delete(asked.key ?? '');
        return {};
      case 'POST runs/log-inputs':
      case 'POST runs/outputs':
      case 'POST runs/log-model':
        return {};
      default:
        throw new Refusal(
          404,
          'ENDPOINT_NOT_FOUND',
          'Hitch keeps parameters, tags and figures of a job; for anything else set MLFLOW_TRACKING_URI to a server of yours.',
        );
    }
  }

  async #log(job: MlflowJob, route: string, asked: Asked): Promise<void> {
    const run = this.#run(job, asked);
    const { key, value } = asked;
    const one = key === undefined ? [] : [{ key, value: String(value ?? '') }];
    const params = route.endsWith('log-parameter') ? one : (asked.params ?? []);
    const tags = route.endsWith('set-tag') ? one : (asked.tags ?? []);
    const metrics = route.endsWith('log-metric')
      ? [parsedMetric({ key, value, timestamp: asked.timestamp, step: asked.step })]
      : (asked.metrics ?? []);
    put(run.params, params);
    put(run.tags, tags);
    const take = job.takerOf(run.name);
    if (take === null) {
      throw new Refusal(409, 'INVALID_STATE', 'This job is over.');
    }
    for (const metric of metrics) {
      take(metric.key, metric.step ?? 0, metric.timestamp ?? this.#options.now(), metric.value);
      if (run.last.size < MOST_PAIRS || run.last.has(metric.key)) {
        run.last.set(metric.key, metric);
      }
    }
    if (metrics.length > 0) {
      await job.kept();
    }
  }

  #runsOf({ id }: MlflowJob): Map<string, Run> {
    const runs = this.#runs.get(id) ?? new Map<string, Run>();
    this.#runs.set(id, runs);
    const own = runIdOf(id);
    if (!runs.has(own)) {
      runs.set(own, newRun(own, '', this.#options.now()));
    }
    return runs;
  }

  #create(job: MlflowJob, asked: Asked): Run {
    const runs = this.#runsOf(job);
    if (runs.size >= MOST_RUNS) {
      throw new Refusal(
        400,
        'RESOURCE_EXHAUSTED',
        `A job may have ${MOST_RUNS.toString()} runs here; this would be one more.`,
      );
    }
    const id = digits(`${job.id} ${runs.size.toString()} ${this.#options.now().toString()}`);
    const tag = asked.tags?.find(({ key }) => key === 'mlflow.runName')?.value;
    const run = newRun(id, asked.run_name ?? tag ?? id.slice(0, 8), asked.start_time ?? this.#options.now());
    put(run.tags, asked.tags ?? []);
    runs.set(id, run);
    return run;
  }

  #run(job: MlflowJob, asked: Asked): Run {
    const id = asked.run_id ?? asked.run_uuid ?? '';
    const runs = this.#runsOf(job);
    const run = runs.get(id);
    if (run === undefined && /^[0-9a-f]{32}$/.test(id) && runs.size < MOST_RUNS) {
      // An earlier agent began it: what it logs is not lost for that, and bears the beginning of its id.
      const again = newRun(id, id.slice(0, 8), this.#options.now());
      runs.set(id, again);
      return again;
    }
    if (run === undefined) {
      throw new Refusal(404, 'RESOURCE_DOES_NOT_EXIST', `This job has no run ${id.slice(0, 40)}.`);
    }
    return run;
  }
}

/** As MLflow's own are: 32 hexadecimal digits. */
const digits = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 32);
const runIdOf = (id: JobId): string => digits(id);

const newRun = (id: string, name: string, startedAtMs: number): Run => ({
  ...{ id, name, startedAtMs, status: 'RUNNING', endedAtMs: null },
  ...{ params: new Map(), tags: new Map(), last: new Map() },
});

function put(into: Map<string, string>, pairs: readonly z.infer<typeof pairSchema>[]): void {
  for (const { key, value } of pairs) {
    if (into.size < MOST_PAIRS || into.has(key)) {
      into.set(key, value ?? '');
    }
  }
}

const artifacts = ({ folder }: MlflowJob, ...parts: readonly string[]): string =>
  pathToFileURL(join(folder, 'mlartifacts', ...parts)).href;

const experiment = (job: MlflowJob, name = 'Default'): object => ({
  experiment_id: '0',
  name,
  artifact_location: artifacts(job),
  lifecycle_stage: 'active',
});

function shown(job: MlflowJob, run: Run) {
  const pairs = (of: Map<string, string>) => [...of].map(([key, value]) => ({ key, value }));
  return {
    info: {
      run_id: run.id,
      run_uuid: run.id,
      run_name: run.name === '' ? 'job' : run.name,
      experiment_id: '0',
      status: run.status,
      start_time: run.startedAtMs,
      ...(run.endedAtMs === null ? {} : { end_time: run.endedAtMs }),
      artifact_uri: artifacts(job, run.id),
      lifecycle_stage: 'active',
    },
    data: { metrics: [...run.last.values()], params: pairs(run.params), tags: pairs(run.tags) },
    inputs: {},
  };
}

function parsed(said: unknown): Asked {
  const { data, error } = askedSchema.safeParse(said);
  if (data === undefined) {
    throw invalid(error.issues[0]?.path.join('.') ?? '');
  }
  return data;
}

function parsedMetric(said: unknown): z.infer<typeof metricSchema> {
  const { data } = metricSchema.safeParse(said);
  if (data === undefined) {
    throw invalid('key, value');
  }
  return data;
}

const invalid = (where: string): Refusal =>
  new Refusal(400, 'INVALID_PARAMETER_VALUE', `What was logged is not understood: ${where}.`);

async function bodyOf(request: IncomingMessage): Promise<object> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request) {
    const piece = Buffer.from(part as Uint8Array);
    bytes += piece.length;
    if (bytes > MOST_BODY_BYTES) {
      throw new Refusal(413, 'INVALID_PARAMETER_VALUE', 'So much cannot be logged at once.');
    }
    parts.push(piece);
  }
  if (bytes === 0) {
    return {};
  }
  try {
    const read: unknown = JSON.parse(Buffer.concat(parts).toString());
    return typeof read === 'object' && read !== null ? read : {};
  } catch {
    throw invalid('its JSON');
  }
}
