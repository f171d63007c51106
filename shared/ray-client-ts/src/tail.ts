/**
 * Follows a job's log until the job is over, over as many connections as that takes.
 *
 * What the server does, and why this is more than reading a socket: every connection starts at the log's first
 * byte; it may close with 1000 while the job runs, or stay open and silent for ever; pings are not answered. So
 * the job's status decides when to stop, and what a broken stream owes is taken from the whole log at the end.
 */
import { Backoff } from './backoff.ts';
import type { RetryOptions } from './backoff.ts';
import { RayServerError } from './errors.ts';
import { isTerminal } from './job-schemas.ts';
import type { JobDetails } from './job-schemas.ts';
import type { Sleep } from './sleep.ts';
import { TailPosition } from './tail-position.ts';
import type { TailSocket } from './tail-socket.ts';

export interface TailOptions extends RetryOptions {
  /** Ends the iteration; it rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** After so long without text, ask whether the job still goes on. Milliseconds, default 10,000. */
  idlePollMs?: number | undefined;
}

/** What a tail needs from the client. */
export interface TailSource {
  open(): Promise<TailSocket>;
  job(): Promise<JobDetails>;
  /** The whole log, from its first byte. */
  wholeLog(): AsyncIterable<string>;
  sleep: Sleep;
}

/** A dead node's log answers 500 for ever; after the job's end this many tries are enough. */
const MAX_FINAL_SERVER_ERRORS = 5;

export async function* tailLog(
  source: TailSource,
  options: TailOptions,
): AsyncGenerator<string, void, undefined> {
  const position = new TailPosition();
  const backoff = new Backoff(options, source.sleep, options.signal);
  let finalServerErrors = 0;
  for (;;) {
    options.signal?.throwIfAborted();
    let ended = false;
    try {
      for await (const text of fresh(position, follow(source, options))) {
        backoff.progressed();
        yield text;
      }
      ended = isTerminal((await source.job()).status);
      if (ended) {
        yield* fresh(position, source.wholeLog());
        return;
      }
    } catch (error) {
      options.signal?.throwIfAborted();
      if (ended && error instanceof RayServerError) finalServerErrors += 1;
      if (finalServerErrors >= MAX_FINAL_SERVER_ERRORS) throw error;
      await backoff.failed(error);
      continue;
    }
    await backoff.fruitless();
  }
}

/** What a reading from the first byte holds beyond what was handed out before. */
async function* fresh(
  position: TailPosition,
  reading: AsyncIterable<string>,
): AsyncGenerator<string, void, undefined> {
  const replay = position.replay();
  for await (const text of reading) {
    const news = replay.take(text);
    if (news !== '') yield news;
  }
}

/** One connection, until it closes or the job is found to be over. */
async function* follow(source: TailSource, options: TailOptions): AsyncGenerator<string, void, undefined> {
  const socket = await source.open();
  const onAbort = () => {
    socket.close();
  };
  options.signal?.addEventListener('abort', onAbort, { once: true });
  try {
    for (;;) {
      const text = await nextOrIdle(socket, source.sleep, options.idlePollMs ?? 10_000);
      options.signal?.throwIfAborted();
      if (text === undefined) return;
      if (text !== '') yield text;
      else if (isTerminal((await source.job()).status)) return;
    }
  } finally {
    options.signal?.removeEventListener('abort', onAbort);
    socket.close();
  }
}

/** The socket's next text, or '' when none came for `idleMs`. */
async function nextOrIdle(socket: TailSocket, sleep: Sleep, idleMs: number): Promise<string | undefined> {
  const arrived = new AbortController();
  sleep(idleMs, arrived.signal).then(
    () => {
      socket.interrupt();
    },
    () => undefined,
  );
  try {
    return await socket.next();
  } finally {
    arrived.abort();
  }
}
