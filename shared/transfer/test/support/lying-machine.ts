/** A machine that answers what it is told to, true or not. */
import { pack } from 'tar-stream';
import * as z from 'zod';
import { type Entry, entrySchema } from '../../src/entry.ts';
import { bytesOf } from '../../src/packed.ts';
import type { SendTransfer, TransferAnswer } from '../../src/remote.ts';
import { unframed } from '../../src/wire.ts';

export const file = (path: string, sizeBytes = 3): Entry => ({
  root: 0,
  path,
  kind: 'file',
  sizeBytes,
  modifiedAtMs: 1_000_000,
  mode: 0o644,
});
export const folder = (path: string): Entry => ({ ...file(path, 0), kind: 'folder', mode: 0o755 });
export const link = (path: string, target: string): Entry => ({ ...file(path, 0), kind: 'link', target });

type Body = string | Buffer | AsyncIterable<Uint8Array>;
export type Answers = Readonly<Record<string, ((asked: Asked) => Body) | undefined>>;

const askedSchema = z.object({ entries: z.array(entrySchema).default([]) });
export type Asked = z.output<typeof askedSchema>;

/** Lines of a list, whole. */
export const listed =
  (...lines: readonly unknown[]): (() => string) =>
  () =>
    [...lines, { end: true }].map(line => `${JSON.stringify(line)}\n`).join('');

/** A stream with these names; `@a` stands for the number of file `a`, whose name is written as in an address. */
export const named =
  (...entries: readonly (readonly [name: string, content: string])[]) =>
  ({ entries: asked }: Asked): AsyncIterable<Uint8Array> => {
    const tar = pack();
    for (const [name, content] of entries) {
      const number = (_: string, path: string): string =>
        asked.findIndex(entry => encodeURIComponent(entry.path) === path && entry.kind === 'file').toString();
      tar.entry({ name: name.replace(/^@([^:]*)/, number) }, content);
    }
    tar.finalize();
    return bytesOf(tar);
  };

export const NOTHING: Asked = { entries: [] };

export async function* endless(piece: Buffer): AsyncGenerator<Uint8Array> {
  for (;;) {
    yield piece;
  }
}

export async function* once(bytes: Uint8Array | string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(bytes);
}

export async function* broken(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
  throw new Error('the connection broke');
}

/** A machine that answers each call as it is told to, and the others with nothing. */
export function machine(answers: Answers, headers: TransferAnswer['headers'] = {}): SendTransfer {
  return async ({ path, body: question }) => {
    const call = path.replace('/transfer/', '');
    const { value } = await unframed(Buffer.isBuffer(question) ? once(question) : question);
    const body = answers[call]?.(askedSchema.parse(value)) ?? (call === 'read' ? named()(NOTHING) : '{}');
    return {
      status: 200,
      headers,
      body: typeof body === 'string' || Buffer.isBuffer(body) ? once(body) : body,
      trailers: () => ({}),
      drop: () => Promise.resolve(),
    };
  };
}
