/** One program there: started, spoken to, and read to its end. */
import type { Duplex, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { framed, Preface } from './framing.ts';
import { type SshProcess, givenUp, startSsh } from './ssh-process.ts';

export interface ProgramEnd {
  readonly code: number | null;
  /** Whether the program itself was reached. */
  readonly ran: boolean;
  /** What a login shell printed before. */
  readonly preface: string;
  readonly stderr: string;
}

/** How a program is reached: the arguments of `ssh` up to the command. */
export type Way = readonly string[];

export interface ToRun {
  readonly program: string;
  readonly nonce: string;
  readonly input?: string | Uint8Array | Readable;
  /** Each piece of the program's own output; false: enough, end it. */
  readonly onBytes: (bytes: Buffer) => boolean;
  readonly signal: AbortSignal;
}

/** The input is only sent once the program is reached: one that was refused is tried over another way with all of it. */
export async function runOver(way: Way, toRun: ToRun): Promise<ProgramEnd> {
  const { command, head, mark } = framed(toRun.program, toRun.nonce);
  const started = startSsh([...way, command], toRun.signal);
  const { stdin, stdout } = started.child;
  const preface = new Preface(mark);
  let isFed = false;
  stdin.write(head);
  stdout.on('data', (bytes: Buffer) => {
    const own = preface.push(bytes);
    if (preface.isOver && !isFed) {
      isFed = true;
      feed(started, toRun.input);
    }
    if (preface.isTooLong || (own.length > 0 && !toRun.onBytes(own))) {
      started.end();
    }
  });
  const code = await started.ended;
  if (toRun.signal.aborted) {
    throw givenUp(toRun.signal);
  }
  return { code, ran: preface.isOver, preface: preface.text, stderr: started.said() };
}

function feed({ child, end }: SshProcess, input: ToRun['input']): void {
  if (input === undefined || typeof input === 'string' || input instanceof Uint8Array) {
    child.stdin.end(input ?? '');
  } else {
    // A program that ends without reading all of it is known by its end; an input that breaks ends the program.
    pipeline(input, child.stdin).catch(end);
  }
}

/** Joins two ways for bytes until either ends: what comes here goes to the program, what it says comes here. */
export function joinOver(way: Way, program: string, nonce: string, here: Duplex): Promise<ProgramEnd> {
  const ends = new AbortController();
  here.once('close', () => ends.abort());
  return runOver(way, {
    program,
    nonce,
    input: here,
    signal: ends.signal,
    onBytes: bytes => {
      here.write(bytes);
      return true;
    },
  });
}
