/**
 * A disk that is read and written in a thread of its own. There every call to the system is simply waited for, which costs
 * a fraction of a trip through the thread pool, and a disk that hangs holds up nobody else.
 */
import { Worker } from 'node:worker_threads';
import { HitchError } from '@hitch/contract/src/errors.ts';
import type { Written } from '../entry.ts';
import { gathered } from '../packed.ts';
import type { OpenFile, Source, Target } from '../sides.ts';
import { fromFailure, toFailure } from './failure.ts';
import type { DiskPlace, FromThread, ToThread } from './messages.ts';
import { Arriving, isWholeBuffer, Leave } from './pieces.ts';
import { program } from './thread-program.ts';

/** Young generation of the thread, three times a half of it: most of what it makes is gone with the file. */
const YOUNG_MB = 8;
/** A thread that has nothing to do for so long ends: it holds some megabytes. */
const IDLE_MS = 30_000;
/** A call that was ended has so long to say so: a disk that hangs keeps its thread from hearing anything. */
const END_MS = 5_000;

interface Call {
  readonly worker: Worker;
  readonly output: Arriving<unknown>;
  /** Leave to send more of its input. */
  readonly leave: Leave;
  readonly told: (written: Written) => void;
  readonly done: (value: unknown) => void;
  readonly failed: (error: Error) => void;
}

interface Asked {
  readonly args: readonly unknown[];
  readonly signal: AbortSignal;
  readonly input?: AsyncIterable<Uint8Array>;
  readonly told?: (written: Written) => void;
}

/** Bytes that are handed over are not copied, and gone here. */
type Say = (message: ToThread, bytes?: Uint8Array) => void;

interface Answering {
  readonly output: AsyncIterable<unknown>;
  readonly result: Promise<unknown>;
}

export class DiskThread {
  readonly #program: typeof program;
  readonly #calls = new Map<number, Call>();
  #worker: Worker | null = null;
  #idle: NodeJS.Timeout | null = null;
  #count = 0;
  /** A call of it was given up: it may be in the system still, and hears nothing. */
  #isHung = false;

  /** @param runs What the thread runs: another program than the usual one in tests. */
  constructor(runs = program) {
    this.#program = runs;
  }

  source(confinedTo: string | null): Source {
    return new ThreadSource(asked => this.#start({ side: 'source', confinedTo }, asked.method, asked));
  }

  /** @param ownList see {@link DiskPlace}. */
  target(base: string, throughLinks: boolean, ownList: string | null = null): Target {
    return new ThreadTarget(asked =>
      this.#start({ side: 'target', base, throughLinks, ownList }, asked.method, asked),
    );
  }

  /** Nothing goes on in it: another copy may use it. */
  get isIdle(): boolean {
    return this.#calls.size === 0 && !this.#isHung;
  }

  /** Ends the thread; what goes on in it fails. The next call makes another one. */
  async close(): Promise<void> {
    const worker = this.#worker;
    this.#worker = null;
    clearTimeout(this.#idle ?? undefined);
    await worker?.terminate();
  }

  #start(place: DiskPlace, method: string, { args, signal, input, told }: Asked): Answering {
    signal.throwIfAborted();
    const worker = this.#worker ?? this.#begin();
    clearTimeout(this.#idle ?? undefined);
    const id = this.#count++;
    const say: Say = (message, bytes) =>
      worker.postMessage(message, bytes === undefined || !isWholeBuffer(bytes) ? [] : [bytes.buffer]);
    const abort = (): void => {
      say({ kind: 'abort', id });
      this.#calls.get(id)?.leave.end();
    };
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    promise.catch(() => undefined);
    const call: Call = {
      worker,
      output: new Arriving(() => say({ kind: 'more', id }), abort),
      leave: new Leave(),
      told: told ?? (() => undefined),
      done: resolve,
      failed: reject,
    };
    this.#calls.set(id, call);
    // The process waits for a call, and for no thread that has nothing to do.
    worker.ref();
    let hung: NodeJS.Timeout | undefined;
    const end = (): void => {
      abort();
      hung = setTimeout(() => {
        this.#isHung ||= this.#worker === worker;
        this.#over(id, call, reasonOf(signal), null);
      }, END_MS).unref();
    };
    signal.addEventListener('abort', end, { once: true });
    void promise
      .catch(() => undefined)
      .finally(() => {
        clearTimeout(hung);
        signal.removeEventListener('abort', end);
      });
    say({ kind: 'call', id, place, method, args });
    if (input !== undefined) {
      void this.#feed(id, call, input, say);
    }
    return { output: call.output, result: promise };
  }

  async #feed(id: number, { leave }: Call, input: AsyncIterable<Uint8Array>, say: Say): Promise<void> {
    try {
      for await (const bytes of gathered(input)) {
        if (!(await leave.take())) {
          return;
        }
        say({ kind: 'input', id, bytes }, bytes);
      }
      say({ kind: 'inputEnd', id });
    } catch (error) {
      say({ kind: 'inputFailed', id, error: toFailure(error) });
    }
  }

  #begin(): Worker {
    const options = {
      name: 'hitch-disk',
      // A thread refuses the process's own flags of V8.
      execArgv: ['--disable-warning=ExperimentalWarning'],
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
    };
    const worker =
      'code' in this.#program
        ? new Worker(this.#program.code, { ...options, eval: true })
        : new Worker(this.#program.url, options);
    worker.on('message', (message: FromThread) => this.#receive(message));
    worker.on('error', error => this.#ended(worker, error));
    worker.on('exit', () => this.#ended(worker, null));
    this.#worker = worker;
    this.#isHung = false;
    return worker;
  }

  #receive(message: FromThread): void {
    const call = this.#calls.get(message.id);
    switch (message.kind) {
      case 'output':
        call?.output.push(message.value);
        break;
      case 'take':
        call?.leave.give();
        break;
      case 'told':
        message.written.forEach(written => call?.told(written));
        break;
      case 'done':
        this.#over(message.id, call, null, message.value);
        break;
      case 'failed':
        this.#over(message.id, call, fromFailure(message.error), null);
        break;
    }
  }

  #over(id: number, call: Call | undefined, error: Error | null, value: unknown): void {
    this.#calls.delete(id);
    if (this.#calls.size === 0) {
      this.#worker?.unref();
      clearTimeout(this.#idle ?? undefined);
      this.#idle = setTimeout(() => void this.close(), IDLE_MS).unref();
    }
    call?.leave.end();
    call?.output.end(error);
    if (error === null) {
      call?.done(value);
    } else {
      call?.failed(error);
    }
  }

  #ended(worker: Worker, cause: unknown): void {
    if (this.#worker === worker) {
      this.#worker = null;
    }
    const error = new HitchError('INTERNAL', 'The thread that reads and writes files has ended.', { cause });
    // Another one may work already: this one ended late.
    for (const [id, call] of this.#calls) {
      if (call.worker === worker) {
        this.#over(id, call, error, null);
      }
    }
  }
}

type Start = (asked: Asked & { readonly method: string }) => Answering;

const reasonOf = ({ reason }: AbortSignal): Error =>
  reason instanceof Error ? reason : new Error('The call was ended.', { cause: reason });

/** What the thread answers is what the method of the same name there returned. */
const resultOf = <T>({ result }: Answering): Promise<T> => result as Promise<T>;

class ThreadSource implements Source {
  readonly #start: Start;

  constructor(start: Start) {
    this.#start = start;
  }

  list(...[roots, rules, signal]: Parameters<Source['list']>): ReturnType<Source['list']> {
    return this.#start({ method: 'list', args: [roots, rules], signal }).output as ReturnType<Source['list']>;
  }

  read(...[roots, entries, signal]: Parameters<Source['read']>): ReturnType<Source['read']> {
    return this.#start({ method: 'read', args: [roots, entries], signal }).output as ReturnType<
      Source['read']
    >;
  }

  async open(...[roots, entry, offset, signal]: Parameters<Source['open']>): Promise<OpenFile> {
    const answering = this.#start({ method: 'open', args: [roots, entry, offset], signal });
    const pieces = answering.output[Symbol.asyncIterator]();
    const head = await pieces.next();
    if (head.done === true) {
      throw new HitchError('INTERNAL', 'The thread that reads files answered nothing.');
    }
    let changed = false;
    const bytes = async function* (): AsyncGenerator<Uint8Array> {
      for (let next = await pieces.next(); next.done !== true; next = await pieces.next()) {
        yield next.value as Uint8Array;
      }
      changed = (await answering.result) === true;
    };
    return {
      ...(head.value as Pick<OpenFile, 'sizeBytes' | 'modifiedAtMs' | 'mode'>),
      bytes: bytes(),
      changed: () => changed,
      close: async () => {
        await pieces.return?.();
      },
    };
  }

  hash(...[roots, entries, upTo, signal]: Parameters<Source['hash']>): ReturnType<Source['hash']> {
    return resultOf(this.#start({ method: 'hash', args: [roots, entries, upTo], signal }));
  }
}

class ThreadTarget implements Target {
  readonly #start: Start;

  constructor(start: Start) {
    this.#start = start;
  }

  look(...[to, entries, signal]: Parameters<Target['look']>): ReturnType<Target['look']> {
    return resultOf(this.#start({ method: 'look', args: [to, entries], signal }));
  }

  hash(...[to, entries, upTo, signal]: Parameters<Target['hash']>): ReturnType<Target['hash']> {
    return resultOf(this.#start({ method: 'hash', args: [to, entries, upTo], signal }));
  }

  room(...[to, signal]: Parameters<Target['room']>): ReturnType<Target['room']> {
    return resultOf(this.#start({ method: 'room', args: [to], signal }));
  }

  async write(...[to, entries, policy, tar, signal, told]: Parameters<Target['write']>): Promise<void> {
    await this.#start({ method: 'write', args: [to, entries, policy], signal, input: tar, told }).result;
  }

  part(...[to, entry, signal]: Parameters<Target['part']>): ReturnType<Target['part']> {
    return resultOf(this.#start({ method: 'part', args: [to, entry], signal }));
  }

  partHash(...[to, entry, signal]: Parameters<Target['partHash']>): ReturnType<Target['partHash']> {
    return resultOf(this.#start({ method: 'partHash', args: [to, entry], signal }));
  }

  append(
    ...[to, entry, offset, policy, bytes, signal]: Parameters<Target['append']>
  ): ReturnType<Target['append']> {
    return resultOf(
      this.#start({ method: 'append', args: [to, entry, offset, policy], signal, input: bytes }),
    );
  }

  place(...[to, entry, policy, signal]: Parameters<Target['place']>): ReturnType<Target['place']> {
    return resultOf(this.#start({ method: 'place', args: [to, entry, policy], signal }));
  }

  async forget(...[to, entry, signal]: Parameters<Target['forget']>): Promise<void> {
    await this.#start({ method: 'forget', args: [to, entry], signal }).result;
  }

  settle(...[to, entries, signal]: Parameters<Target['settle']>): ReturnType<Target['settle']> {
    return resultOf(this.#start({ method: 'settle', args: [to, entries], signal }));
  }
}
