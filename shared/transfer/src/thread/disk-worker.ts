/** Entry of a disk's thread: reads and writes trees for whoever sends it calls. */
import { parentPort, type MessagePort } from 'node:worker_threads';
import { DiskSource } from '../disk-source.ts';
import { DiskTarget } from '../disk-target.ts';
import type { Written } from '../entry.ts';
import { OwnFiles } from '../own-files.ts';
import type { OpenFile, Source, Target } from '../sides.ts';
import { fromFailure, toFailure } from './failure.ts';
import type { DiskPlace, FromThread, ToThread } from './messages.ts';
import { Arriving, isWholeBuffer, Leave } from './pieces.ts';

/** Told together: a message for each file would cost more than the file. */
const TOLD_TOGETHER = 64;

class Going {
  readonly #id: number;
  readonly #port: MessagePort;
  readonly #end = new AbortController();
  readonly leave = new Leave();
  readonly input: Arriving<Uint8Array>;

  constructor(port: MessagePort, id: number) {
    this.#port = port;
    this.#id = id;
    this.input = new Arriving(() => this.say({ kind: 'take', id }));
  }

  get signal(): AbortSignal {
    return this.#end.signal;
  }

  abort(): void {
    const error = new Error('whoever asked has gone');
    this.#end.abort(error);
    this.input.end(error);
    this.leave.end();
  }

  say(message: FromThread, handedOver: readonly ArrayBuffer[] = []): void {
    this.#port.postMessage(message, handedOver);
  }

  /** Sends what is iterated, as fast as it is wanted. */
  async output(values: AsyncIterable<unknown>): Promise<void> {
    for await (const value of values) {
      if (!(await this.leave.take())) {
        return;
      }
      const own = value instanceof Uint8Array && isWholeBuffer(value) ? [value.buffer] : [];
      this.say({ kind: 'output', id: this.#id, value }, own);
    }
  }

  /** Collects what is told of files, and tells some together. */
  telling(): { readonly told: (written: Written) => void; readonly flush: () => void } {
    let waiting: Written[] = [];
    const flush = (): void => {
      if (waiting.length > 0) {
        this.say({ kind: 'told', id: this.#id, written: waiting });
        waiting = [];
      }
    };
    return {
      flush,
      told: written => {
        waiting.push(written);
        if (waiting.length >= TOLD_TOGETHER) {
          flush();
        }
      },
    };
  }
}

const sources = new Map<string, Source>();
const targets = new Map<string, Target>();

function sourceAt({ confinedTo }: Extract<DiskPlace, { side: 'source' }>): Source {
  const known = sources.get(String(confinedTo)) ?? new DiskSource(confinedTo);
  sources.set(String(confinedTo), known);
  return known;
}

function targetAt({ base, throughLinks, ownList }: Extract<DiskPlace, { side: 'target' }>): Target {
  const key = `${String(throughLinks)} ${base}`;
  const own = ownList === null ? {} : { own: new OwnFiles(ownList) };
  const known = targets.get(key) ?? new DiskTarget({ base, throughLinks, ...own });
  targets.set(key, known);
  return known;
}

type Args<F> = F extends (...args: infer A) => unknown ? A : never;

/** The caller is typed by the same interfaces, so its arguments are those of the method it names. */
async function answer(
  going: Going,
  { place, method, args }: Extract<ToThread, { kind: 'call' }>,
): Promise<unknown> {
  const { signal } = going;
  if (place.side === 'source') {
    const source = sourceAt(place);
    switch (method as keyof Source) {
      case 'list': {
        const [roots, rules] = args as Args<Source['list']>;
        return going.output(source.list(roots, rules, signal));
      }
      case 'read': {
        const [roots, entries] = args as Args<Source['read']>;
        return going.output(source.read(roots, entries, signal));
      }
      case 'open': {
        const [roots, entry, offset] = args as Args<Source['open']>;
        return opened(going, await source.open(roots, entry, offset, signal));
      }
      case 'hash': {
        const [roots, entries, upTo] = args as Args<Source['hash']>;
        return source.hash(roots, entries, upTo, signal);
      }
    }
  }
  const target = targetAt(place);
  switch (method as keyof Target) {
    case 'look': {
      const [to, entries] = args as Args<Target['look']>;
      return target.look(to, entries, signal);
    }
    case 'hash': {
      const [to, entries, upTo] = args as Args<Target['hash']>;
      return target.hash(to, entries, upTo, signal);
    }
    case 'room':
      return target.room(args[0] as Args<Target['room']>[0], signal);
    case 'write': {
      const [to, entries, policy] = args as Args<Target['write']>;
      const { told, flush } = going.telling();
      try {
        await target.write(to, entries, policy, going.input, signal, told);
      } finally {
        flush();
      }
      return null;
    }
    case 'part': {
      const [to, entry] = args as Args<Target['part']>;
      return target.part(to, entry, signal);
    }
    case 'partHash': {
      const [to, entry] = args as Args<Target['partHash']>;
      return target.partHash(to, entry, signal);
    }
    case 'append': {
      const [to, entry, offset, policy] = args as Args<Target['append']>;
      return target.append(to, entry, offset, policy, going.input, signal);
    }
    case 'place': {
      const [to, entry, policy] = args as Args<Target['place']>;
      return target.place(to, entry, policy, signal);
    }
    case 'forget': {
      const [to, entry] = args as Args<Target['forget']>;
      return target.forget(to, entry, signal);
    }
    case 'settle': {
      const [to, entries] = args as Args<Target['settle']>;
      return target.settle(to, entries, signal);
    }
  }
}

/** First what the file is, then its bytes; in the end whether it changed. */
async function opened(going: Going, file: OpenFile): Promise<boolean> {
  const { sizeBytes, modifiedAtMs, mode, bytes } = file;
  const all = async function* (): AsyncGenerator {
    yield { sizeBytes, modifiedAtMs, mode };
    yield* bytes;
  };
  try {
    await going.output(all());
    return file.changed();
  } finally {
    await file.close();
  }
}

function serve(port: MessagePort): void {
  const calls = new Map<number, Going>();
  const run = async (call: Extract<ToThread, { kind: 'call' }>): Promise<void> => {
    const going = new Going(port, call.id);
    calls.set(call.id, going);
    try {
      going.say({ kind: 'done', id: call.id, value: await answer(going, call) });
    } catch (error) {
      going.say({ kind: 'failed', id: call.id, error: toFailure(error) });
    } finally {
      calls.delete(call.id);
    }
  };
  port.on('message', (message: ToThread) => {
    const going = calls.get(message.id);
    switch (message.kind) {
      case 'call':
        void run(message);
        break;
      case 'input':
        going?.input.push(message.bytes);
        break;
      case 'inputEnd':
        going?.input.end(null);
        break;
      case 'inputFailed':
        going?.input.end(fromFailure(message.error));
        break;
      case 'more':
        going?.leave.give();
        break;
      case 'abort':
        going?.abort();
        break;
    }
  });
}

if (parentPort === null) {
  throw new Error('thread/disk-worker.ts runs as a worker thread only');
}
serve(parentPort);
