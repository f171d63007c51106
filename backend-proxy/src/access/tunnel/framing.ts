/**
 * How a program reaches a POSIX shell there. A login shell may be any, may print when it starts, and shows its arguments
 * to everybody on the machine: so it is given one fixed line, which says where our output begins and reads the program
 * from its standard input.
 */

/** More before the beginning of our output than this is no greeting any more. */
const PREFACE_MAX_BYTES = 64 * 1024;

export interface FramedProgram {
  /** For the login shell, whichever it is: words that sh, csh and fish read alike. */
  readonly command: string;
  /** What standard input begins with. */
  readonly head: Buffer;
  readonly mark: string;
}

/** `dd` takes one byte at a time, so that what follows the program is left for the program itself. */
export function framed(program: string, nonce: string): FramedProgram {
  const head = Buffer.from(program);
  const mark = `hitch-${nonce}`;
  return {
    command: `exec sh -c 'echo; echo ${mark}; p=$(dd bs=1 count=${head.length} 2>/dev/null); eval "$p"'`,
    head,
    mark,
  };
}

/** Finds where a program's own output begins. */
export class Preface {
  readonly #line: Buffer;
  #held = Buffer.alloc(0);
  #isOver = false;

  constructor(mark: string) {
    this.#line = Buffer.from(`\n${mark}\n`);
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** What was printed before; all there is as long as the mark was not seen. */
  get text(): string {
    return this.#held.toString('utf8').trim();
  }

  get isTooLong(): boolean {
    return !this.#isOver && this.#held.length > PREFACE_MAX_BYTES;
  }

  /** Answers the program's bytes among these. */
  push(bytes: Buffer): Buffer {
    if (this.#isOver) {
      return bytes;
    }
    const all = Buffer.concat([this.#held, bytes]);
    const at = all.indexOf(this.#line);
    if (at < 0) {
      this.#held = all;
      return Buffer.alloc(0);
    }
    this.#isOver = true;
    this.#held = all.subarray(0, at);
    return all.subarray(at + this.#line.length);
  }
}
