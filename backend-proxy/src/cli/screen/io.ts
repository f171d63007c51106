/** The terminal a command talks to, or the pipes that stand in for one. */
import type { Readable, Writable } from 'node:stream';
import { styleText } from 'node:util';

export interface Input extends Readable {
  readonly isTTY?: boolean;
  setRawMode?(mode: boolean): unknown;
}

export interface Output extends Writable {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

export type Style = Parameters<typeof styleText>[0];

export interface IoParts {
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: NodeJS.ProcessEnv;
}

/** NO_COLOR counts when it is there and not empty (no-color.org); FORCE_COLOR asks for colours on a pipe. */
function wantsColour(stream: Output, env: NodeJS.ProcessEnv): boolean {
  if ((env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb') {
    return false;
  }
  return stream.isTTY === true || !['', '0', 'false'].includes(env['FORCE_COLOR'] ?? '');
}

export class Io {
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly #outColour: boolean;
  readonly #errColour: boolean;

  constructor(parts: IoParts) {
    this.stdin = parts.stdin;
    this.stdout = parts.stdout;
    this.stderr = parts.stderr;
    this.#outColour = wantsColour(parts.stdout, parts.env);
    this.#errColour = wantsColour(parts.stderr, parts.env);
  }

  /** A person sits there: prompts and rewritten lines make sense. */
  get interactive(): boolean {
    return this.stdin.isTTY === true && this.stderr.isTTY === true;
  }

  /** Columns of standard output; null where it is not a terminal and nothing has to fit. */
  get width(): number | null {
    return this.stdout.isTTY === true ? Math.max(20, this.stdout.columns ?? 80) : null;
  }

  style(style: Style, text: string): string {
    return this.#outColour ? styleText(style, text, { validateStream: false }) : text;
  }

  styleError(style: Style, text: string): string {
    return this.#errColour ? styleText(style, text, { validateStream: false }) : text;
  }

  /** A line of the answer. */
  line(text = ''): void {
    this.stdout.write(`${text}\n`);
  }

  /** A line about what is going on; never part of the answer. */
  note(text: string): void {
    this.stderr.write(`${text}\n`);
  }

  /** A whole JSON answer, indented for people on a terminal. */
  json(value: unknown): void {
    this.line(JSON.stringify(value, null, this.stdout.isTTY === true ? 2 : undefined));
  }

  /** One line of an NDJSON stream. */
  jsonLine(value: unknown): void {
    this.line(JSON.stringify(value));
  }
}
