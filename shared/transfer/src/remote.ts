/**
 * A machine's side of a copy, asked over HTTP. Nothing it says is believed further than it was asked: entries stay below
 * the roots that were named, files are told apart by their place in our own list, and every answer has a bound.
 */
import { errorEnvelopeSchema, type ErrorEnvelope, HitchError } from '@hitch/contract/src/errors.ts';
import { errorFromEnvelope } from '@hitch/contract/src/link.ts';
import { cutText, MOST_SAID } from '@hitch/contract/src/said.ts';
import * as z from 'zod';
import type { Entry, Listed, Standing, WalkRules, WritePolicy, Written } from './entry.ts';
import { gathered } from './packed.ts';
import type { OpenFile, Source, Target } from './sides.ts';
import {
  ANSWERS,
  type Call,
  framed,
  jsonLines,
  jsonOf,
  listedLine,
  OPEN_HEADERS,
  writtenLine,
} from './wire.ts';

export interface TransferAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: AsyncIterable<Uint8Array>;
  /** Of the whole answer, once its body has ended. */
  trailers(): Readonly<Record<string, string | undefined>>;
  /** Ends it, read or not. */
  drop(): Promise<void>;
}

/** One request to the agent. @throws HitchError UNREACHABLE when it does not answer. */
export type SendTransfer = (request: {
  readonly path: string;
  readonly body: Buffer | AsyncIterable<Uint8Array>;
  readonly signal: AbortSignal;
}) => Promise<TransferAnswer>;

export class RemoteSide implements Source, Target {
  readonly #send: SendTransfer;

  constructor(send: SendTransfer) {
    this.#send = send;
  }

  async *list(
    roots: readonly string[],
    rules: WalkRules,
    signal: AbortSignal,
  ): AsyncGenerator<readonly Listed[]> {
    const answer = await this.#call('list', { roots, rules }, signal);
    for await (const line of linesOf(answer, signal)) {
      const listed = parsed(listedLine, line);
      if ('error' in listed) {
        throw saidError(listed.error);
      }
      if ('end' in listed) {
        return;
      }
      // A line of nothing could be said for ever.
      if (listed.length === 0 || listed.some(({ root }) => root >= roots.length)) {
        throw nonsense();
      }
      yield listed;
    }
    throw new HitchError('UNREACHABLE', 'The list of files broke off on the way.');
  }

  async *read(
    roots: readonly string[],
    entries: readonly Entry[],
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array> {
    const answer = await this.#call('read', { roots, entries }, signal);
    yield* cutAsUnreachable(answer.body, signal);
  }

  async open(roots: readonly string[], entry: Entry, offset: number, signal: AbortSignal): Promise<OpenFile> {
    const answer = await this.#call('open', { roots, entry, offset }, signal);
    const about = openHeaders.safeParse(answer.headers);
    if (!about.success) {
      throw nonsense();
    }
    const sizeBytes = about.data[OPEN_HEADERS.size];
    const bytes = async function* (): AsyncGenerator<Uint8Array> {
      yield* atMost(cutAsUnreachable(answer.body, signal), Math.max(0, sizeBytes - offset));
      const why = answer.trailers()[OPEN_HEADERS.unreadable] ?? '';
      if (why !== '') {
        throw new HitchError(
          'CONFLICT',
          `It cannot be read: ${REASON.test(why) ? why : 'the machine gives no reason'}.`,
        );
      }
    };
    return {
      sizeBytes,
      modifiedAtMs: about.data[OPEN_HEADERS.modified],
      mode: about.data[OPEN_HEADERS.mode] & 0o777,
      bytes: bytes(),
      changed: () => answer.trailers()[OPEN_HEADERS.changed] === 'yes',
      close: () => answer.drop(),
    };
  }

  hash(
    roots: readonly string[],
    entries: readonly Entry[],
    upTo: readonly number[],
    signal: AbortSignal,
  ): Promise<readonly (string | null)[]> {
    return this.#hash('sourceHash', roots, entries, upTo, signal);
  }

  /** The same as a target, whose names are found otherwise. */
  asTarget(): Target {
    return {
      look: (to, entries, signal) => this.look(to, entries, signal),
      hash: (to, entries, upTo, signal) => this.#hash('targetHash', to, entries, upTo, signal),
      room: (to, signal) => this.room(to, signal),
      write: (to, entries, policy, tar, signal, told) => this.write(to, entries, policy, tar, signal, told),
      part: (to, entry, signal) => this.part(to, entry, signal),
      partHash: (to, entry, signal) => this.partHash(to, entry, signal),
      append: (to, entry, offset, policy, bytes, signal) =>
        this.append(to, entry, offset, policy, bytes, signal),
      place: (to, entry, policy, signal) => this.place(to, entry, policy, signal),
      forget: (to, entry, signal) => this.forget(to, entry, signal),
      settle: (to, entries, signal) => this.settle(to, entries, signal),
    };
  }

  async look(
    to: readonly string[],
    entries: readonly Entry[],
    signal: AbortSignal,
  ): Promise<readonly Standing[]> {
    return this.#ask('look', { roots: to, entries }, ANSWERS.standing, signal);
  }

  async room(to: readonly string[], signal: AbortSignal): Promise<number> {
    return (await this.#ask('room', { roots: to }, ANSWERS.room, signal)).bytes;
  }

  async write(
    to: readonly string[],
    entries: readonly Entry[],
    policy: WritePolicy,
    tar: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
    told: (written: Written) => void,
  ): Promise<void> {
    const answer = await this.#call('write', { roots: to, entries, policy }, signal, tar);
    let saidOf = 0;
    for await (const line of linesOf(answer, signal)) {
      const written = parsed(writtenLine, line);
      if ('error' in written) {
        throw saidError(written.error);
      }
      if ('end' in written) {
        return;
      }
      saidOf += 1;
      if (saidOf > entries.length || written.index >= entries.length) {
        throw nonsense();
      }
      told(written);
    }
    throw new HitchError('UNREACHABLE', 'The machine stopped writing on the way.');
  }

  async part(to: readonly string[], entry: Entry, signal: AbortSignal): Promise<number> {
    return (await this.#ask('part', { roots: to, entry }, ANSWERS.part, signal)).bytes;
  }

  async partHash(to: readonly string[], entry: Entry, signal: AbortSignal): Promise<string | null> {
    return (await this.#ask('partHash', { roots: to, entry }, ANSWERS.partHash, signal)).sha256;
  }

  async append(
    to: readonly string[],
    entry: Entry,
    offset: number,
    policy: WritePolicy,
    bytes: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ): Promise<Written> {
    let answered = false;
    const wanted = async function* (): AsyncGenerator<Uint8Array> {
      for await (const some of bytes) {
        if (answered) {
          return;
        }
        yield some;
      }
    };
    const answer = await this.#call('append', { roots: to, entry, offset, policy }, signal, wanted());
    answered = true;
    return parsed(ANSWERS.written, await wholeOf(answer, signal));
  }

  async place(
    to: readonly string[],
    entry: Entry,
    policy: WritePolicy,
    signal: AbortSignal,
  ): Promise<Written> {
    return this.#ask('place', { roots: to, entry, policy }, ANSWERS.written, signal);
  }

  async forget(to: readonly string[], entry: Entry, signal: AbortSignal): Promise<void> {
    await this.#ask('forget', { roots: to, entry }, ANSWERS.nothing, signal);
  }

  async settle(
    to: readonly string[],
    entries: readonly Entry[],
    signal: AbortSignal,
  ): Promise<readonly number[]> {
    return (await this.#ask('settle', { roots: to, entries }, ANSWERS.settled, signal)).missing;
  }

  async #hash(
    call: Call,
    roots: readonly string[],
    entries: readonly Entry[],
    upTo: readonly number[],
    signal: AbortSignal,
  ): Promise<readonly (string | null)[]> {
    return this.#ask(call, { roots, entries, upTo }, ANSWERS.hashes, signal);
  }

  async #ask<T>(call: Call, input: object, schema: z.ZodType<T>, signal: AbortSignal): Promise<T> {
    const answer = await this.#call(call, input, signal);
    return parsed(schema, await wholeOf(answer, signal));
  }

  /** @throws HitchError: the agent's own, or UNREACHABLE. */
  async #call(
    call: Call,
    input: object,
    signal: AbortSignal,
    bytes?: AsyncIterable<Uint8Array>,
  ): Promise<TransferAnswer> {
    const head = framed(input);
    const answer = await this.#send({
      path: `/transfer/${call}`,
      body: bytes === undefined ? head : joined(head, bytes),
      signal,
    });
    if (answer.status === 200) {
      return answer;
    }
    const envelope = errorEnvelopeSchema.safeParse(
      await jsonOf(cutAsUnreachable(answer.body, signal)).catch(noJson),
    );
    throw envelope.success ? saidError(envelope.data) : nonsense();
  }
}

/** Why a file cannot be read, as an agent says it. */
const REASON = /^[\w ]{1,100}$/;

const whole = z
  .string()
  .regex(/^\d{1,16}$/)
  .transform(Number);
const openHeaders = z.object({
  [OPEN_HEADERS.size]: whole,
  [OPEN_HEADERS.modified]: whole,
  [OPEN_HEADERS.mode]: whole,
});

const nonsense = (): HitchError =>
  new HitchError(
    'PROVIDER_ERROR',
    'This machine’s agent answered something Hitch does not understand while files were copied.',
    { next: 'It may be broken or hostile; stop its cluster if this stays.' },
  );

/** The agent's own error, its sentences cut where they are longer than sentences are. */
const saidError = (said: ErrorEnvelope): HitchError =>
  errorFromEnvelope({
    ...said,
    message: cutText(said.message, MOST_SAID.sentence),
    ...(said.next === undefined ? {} : { next: cutText(said.next, MOST_SAID.sentence) }),
  });

/** A short answer, whole. @throws HitchError */
async function wholeOf({ body }: TransferAnswer, signal: AbortSignal): Promise<unknown> {
  try {
    return await jsonOf(cutAsUnreachable(body, signal));
  } catch (error) {
    throw error instanceof SyntaxError ? nonsense() : error;
  }
}

/** An answer in lines. @throws HitchError */
async function* linesOf({ body }: TransferAnswer, signal: AbortSignal): AsyncGenerator {
  try {
    yield* jsonLines(cutAsUnreachable(body, signal));
  } catch (error) {
    throw error instanceof SyntaxError ? nonsense() : error;
  }
}

/** For `catch`: what was sent whole and is no JSON. @throws every other error: what broke off may be asked for again. */
function noJson(error: unknown): null {
  if (error instanceof SyntaxError) {
    return null;
  }
  throw error;
}

function parsed<T>(schema: z.ZodType<T>, value: unknown): T {
  const found = schema.safeParse(value);
  if (!found.success) {
    throw nonsense();
  }
  return found.data;
}

async function* joined(head: Buffer, bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield head;
  yield* gathered(bytes);
}

/** A connection that breaks in the middle is one that may be made again. */
async function* cutAsUnreachable(
  bytes: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  try {
    yield* bytes;
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof HitchError
      ? error
      : new HitchError('UNREACHABLE', 'The connection broke on the way.', { cause: error });
  }
}

async function* atMost(bytes: AsyncIterable<Uint8Array>, most: number): AsyncGenerator<Uint8Array> {
  let left = most;
  for await (const some of bytes) {
    left -= some.length;
    if (left < 0) {
      throw nonsense();
    }
    yield some;
  }
}
