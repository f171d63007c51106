/** Jobs: submit, look, stop, delete, and follow what they print. */
import * as z from 'zod';
import { Backoff } from './backoff.ts';
import type { RetryOptions } from './backoff.ts';
import { RayServerError } from './errors.ts';
import { isTerminal, jobDeleted, jobDetails, jobLogs, jobStopped, jobSubmitResponse } from './job-schemas.ts';
import type { JobDetails, JobSubmitRequest } from './job-schemas.ts';
import { logText } from './log-text.ts';
import { pause } from './sleep.ts';
import type { Sleep } from './sleep.ts';
import { tailLog } from './tail.ts';
import type { TailOptions } from './tail.ts';
import { TailSocket } from './tail-socket.ts';
import type { TailSocketOptions } from './tail-socket.ts';
import type { Call, CallOptions, Transport } from './transport.ts';
import { universalNewlines } from './universal-newlines.ts';

const RAW_LOG_TIMEOUT_S = 600;

export interface WaitOptions extends RetryOptions, CallOptions {
  /** Pause between looks in milliseconds. Default 1,000. */
  pollIntervalMs?: number | undefined;
  /** Told of each state seen, also of unchanged ones. */
  onPoll?: ((job: JobDetails) => void) | undefined;
}

export class JobsApi {
  readonly #transport: Transport;
  readonly #sleep: Sleep;
  readonly #socketOptions: Pick<TailSocketOptions, 'agent' | 'createConnection'>;

  constructor(
    transport: Transport,
    sleep: Sleep,
    socketOptions: Pick<TailSocketOptions, 'agent' | 'createConnection'>,
  ) {
    this.#transport = transport;
    this.#sleep = sleep;
    this.#socketOptions = socketOptions;
  }

  /**
   * Submits a job and returns its submission id, the name by which every other call knows it.
   *
   * Not retried here. With a `submission_id` of your own a retry is safe: {@link RayConflictError} then says
   * that an earlier try got through.
   * @throws RayBadRequestError for a key that this Ray does not know, or metadata that is not text
   * @throws RayConflictError when the `submission_id` was used before
   */
  async submit(request: JobSubmitRequest, options: CallOptions = {}): Promise<string> {
    const json = Object.fromEntries(
      Object.entries(request).filter(([, value]) => value !== undefined && value !== null),
    );
    const call: Call = { method: 'POST', path: '/api/jobs/', json, ...options };
    return (await this.#transport.json(call, jobSubmitResponse)).submission_id;
  }

  /** Every job, submitted ones first, then plain drivers. */
  async list(options: CallOptions = {}): Promise<JobDetails[]> {
    return this.#transport.json({ method: 'GET', path: '/api/jobs/', ...options }, z.array(jobDetails));
  }

  /** One job, by submission id or job id. @throws RayNotFoundError */
  async get(id: string, options: CallOptions = {}): Promise<JobDetails> {
    return this.#transport.json({ method: 'GET', path: jobPath(id), ...options }, jobDetails);
  }

  /**
   * Asks a job to stop; false when it was over already. It shows STOPPED one or two seconds later.
   * @throws RayBadRequestError for a job of type DRIVER
   */
  async stop(id: string, options: CallOptions = {}): Promise<boolean> {
    const call: Call = { method: 'POST', path: jobPath(id, '/stop'), ...options };
    return (await this.#transport.json(call, jobStopped)).stopped;
  }

  /** Forgets a job that is over, with its log. @throws RayConflictError while it is not over */
  async delete(id: string, options: CallOptions = {}): Promise<boolean> {
    const call: Call = { method: 'DELETE', path: jobPath(id), ...options };
    return (await this.#transport.json(call, jobDeleted)).deleted;
  }

  /**
   * All that the job printed so far, in one string. Ray has no ranges here; for a long log use {@link tail}.
   * Carriage returns come as line feeds, bytes that are not UTF-8 as U+FFFD. Empty for a job that never started.
   * @throws RayBadRequestError for a job of type DRIVER
   */
  async logs(id: string, options: CallOptions = {}): Promise<string> {
    const call: Call = { method: 'GET', path: jobPath(id, '/logs'), ...options };
    try {
      return (await this.#transport.json(call, jobLogs)).logs;
    } catch (error) {
      if (!isUndecodable(error)) throw error;
    }
    let logs = '';
    for await (const text of this.#rawLog(id, options)) logs += text;
    return logs;
  }

  /**
   * Follows what a job prints, from its first byte until the job is over: nothing lost, nothing twice, across
   * connections that drop. A piece of text may end anywhere but inside a character. Waits for a pending job.
   *
   * Line ends are Ray's: it turns `\r` and `\r\n` into `\n`, and can make two of a `\r\n` that was written in two
   * parts. The iteration throws what cannot pass (RayAuthError, RayNotFoundError, RayBadRequestError for a job of
   * type DRIVER) and tries everything else again, without end unless `maxFailures` says so.
   */
  tail(id: string, options: TailOptions = {}): AsyncGenerator<string, void, undefined> {
    const transport = this.#transport;
    const { signal } = options;
    return tailLog(
      {
        sleep: this.#sleep,
        job: () => this.get(id, { signal }),
        wholeLog: () => this.#wholeLog(id, { signal }),
        open: async () =>
          new TailSocket({
            ...this.#socketOptions,
            url: transport.url(jobPath(id, '/logs/tail')),
            token: await transport.token(),
            timeoutMs: transport.timeoutMs,
          }),
      },
      options,
    );
  }

  async *#wholeLog(id: string, options: CallOptions): AsyncGenerator<string, void, undefined> {
    const call: Call = { method: 'GET', path: jobPath(id, '/logs'), ...options };
    try {
      yield* logText(this.#transport.stream(call));
    } catch (error) {
      if (!isUndecodable(error)) throw error;
      yield* this.#rawLog(id, options);
    }
  }

  /** The state API's copy: bytes as they were written, which it finds only with the node's id. */
  async *#rawLog(id: string, options: CallOptions): AsyncGenerator<string, void, undefined> {
    const job = await this.get(id, options);
    const query = new URLSearchParams({
      node_id: job.driver_node_id ?? '',
      submission_id: job.submission_id ?? id,
      lines: '-1',
      timeout: String(RAW_LOG_TIMEOUT_S),
    });
    const call: Call = { method: 'GET', path: '/api/v0/logs/file', query, ...options };
    yield* universalNewlines(this.#transport.stream(call));
  }

  /** Waits until the job is over and returns its last state. Failures that may pass are tried again. */
  async waitFor(id: string, options: WaitOptions = {}): Promise<JobDetails> {
    const { signal, timeoutMs } = options;
    const backoff = new Backoff(options, this.#sleep, signal);
    for (;;) {
      let job: JobDetails;
      try {
        job = await this.get(id, { signal, timeoutMs });
      } catch (error) {
        signal?.throwIfAborted();
        await backoff.failed(error);
        continue;
      }
      backoff.progressed();
      options.onPoll?.(job);
      if (isTerminal(job.status)) return job;
      await pause(this.#sleep, options.pollIntervalMs ?? 1000, signal);
    }
  }
}

/** Ray cannot read the log of a job that printed something other than UTF-8, and says so before the first byte. */
function isUndecodable(error: unknown): boolean {
  return error instanceof RayServerError && error.pythonError === 'UnicodeDecodeError';
}

function jobPath(id: string, rest = ''): string {
  if (id === '') throw new TypeError('A job id must not be empty');
  return `/api/jobs/${encodeURIComponent(id)}${rest}`;
}
