/** Questions to the person at the terminal. */
import { shownText } from '@hitch/contract';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { InterruptedError } from '../interrupts.ts';
import type { Io } from './io.ts';

const interrupted = (): InterruptedError => new InterruptedError();

async function askLine(io: Io, question: string, output: Writable, signal?: AbortSignal): Promise<string> {
  const reader = createInterface({ input: io.stdin, output, terminal: io.stdin.isTTY === true });
  try {
    return await new Promise<string>((resolve, reject) => {
      reader.once('SIGINT', () => reject(interrupted()));
      reader.once('close', () => resolve(''));
      reader.question(shownText(question), signal === undefined ? {} : { signal }).then(resolve, reject);
    });
  } finally {
    reader.close();
  }
}

/** One line typed by the person; '' at the end of the input. Ctrl-C throws with exit code 130. */
export const ask = (io: Io, question: string, signal?: AbortSignal): Promise<string> =>
  askLine(io, question, io.stderr, signal);

/** Only `y` and `yes` are a yes; Enter is a no. */
export async function confirm(io: Io, question: string): Promise<boolean> {
  const answer = await ask(io, `${question} [y/N] `);
  return /^y(es)?$/i.test(answer.trim());
}

/** A line that is not shown while it is typed; from a pipe, all of it without the last line break. */
export async function askHidden(io: Io, question: string): Promise<string> {
  if (io.stdin.isTTY !== true) {
    return (await readAll(io)).replace(/\r?\n$/, '');
  }
  io.stderr.write(shownText(question));
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  try {
    return await askLine(io, '', nowhere);
  } finally {
    io.stderr.write('\n');
  }
}

export async function readAll(io: Io): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of io.stdin) {
    chunks.push(Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk)));
  }
  // Without the mark that some editors write at a file's beginning, which Python refuses in code.
  return new TextDecoder().decode(Buffer.concat(chunks));
}
