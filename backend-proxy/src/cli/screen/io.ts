/** The terminal a command talks to, or the pipes that stand in for one. */
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { OutputText, shownJson, shownLine, TERMINAL_AS_BEFORE, TerminalGuard } from '@hitch/contract';
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

/** Text that has been made plain, with colours of ours around it. It cannot be put into a string. */
export class Styled {
  readonly #text: string;

  /** @param colour whether it is shown with its style. */
  constructor(style: Style, text: string, colour: boolean) {
    const plain = shownLine(text);
    this.#text = colour ? styleText(style, plain, { validateStream: false }) : plain;
  }

  get onScreen(): string {
    return this.#text;
  }
}

/** What a line is made of. A string may hold names of strangers: it is made plain. */
type Part = string | Styled;

const joined = (parts: readonly Part[]): string =>
  parts.map(part => (typeof part === 'string' ? shownLine(part) : part.onScreen)).join('');

/** NO_COLOR counts when it is there and not empty (no-color.org); FORCE_COLOR asks for colours on a pipe. */
function wantsColour(stream: Output, env: NodeJS.ProcessEnv): boolean {
  if ((env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb') {
    return false;
  }
  return stream.isTTY === true || !['', '0', 'false'].includes(env['FORCE_COLOR'] ?? '');
}

/** All that a command writes goes through here: nothing of a stranger reaches the screen as it came. */
export class Io {
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly #output: OutputText;
  readonly #errorOutput: OutputText;
  readonly #guard = new TerminalGuard();
  readonly #decoder = new TextDecoder();
  readonly #outColour: boolean;
  readonly #errColour: boolean;

  constructor(parts: IoParts) {
    this.stdin = parts.stdin;
    this.stdout = parts.stdout;
    this.stderr = parts.stderr;
    this.#outColour = wantsColour(parts.stdout, parts.env);
    this.#errColour = wantsColour(parts.stderr, parts.env);
    this.#output = new OutputText(parts.stdout.isTTY === true);
    this.#errorOutput = new OutputText(parts.stderr.isTTY === true);
  }

  /** A person sits there: prompts and rewritten lines make sense. */
  get interactive(): boolean {
    return this.stdin.isTTY === true && this.stderr.isTTY === true;
  }

  /** Columns of standard output; null where it is not a terminal and nothing has to fit. */
  get width(): number | null {
    return this.stdout.isTTY === true ? Math.max(20, this.stdout.columns ?? 80) : null;
  }

  style(style: Style, text: string): Styled {
    return new Styled(style, text, this.#outColour);
  }

  styleError(style: Style, text: string): Styled {
    return new Styled(style, text, this.#errColour);
  }

  /** One line of the answer. */
  line(...parts: readonly Part[]): void {
    this.stdout.write(`${joined(parts)}\n`);
  }

  /** One line about what is going on; never part of the answer. */
  note(...parts: readonly Part[]): void {
    this.stderr.write(`${joined(parts)}\n`);
  }

  /** A whole JSON answer, indented for people on a terminal. */
  json(value: unknown): void {
    this.stdout.write(`${shownJson(value, this.stdout.isTTY === true ? 2 : undefined)}\n`);
  }

  /** One line of an NDJSON stream. */
  jsonLine(value: unknown): void {
    this.stdout.write(`${shownJson(value)}\n`);
  }

  /** A failure as JSON, where its sentence would stand. */
  jsonNote(value: unknown): void {
    this.stderr.write(`${shownJson(value)}\n`);
  }

  /** Text of our own, several lines of it: a help page. */
  page(text: string, to: 'out' | 'error' = 'out'): void {
    (to === 'out' ? this.stdout : this.stderr).write(text);
  }

  /** What a program on a cluster wrote, piece by piece. */
  output(text: string, to: 'out' | 'error' = 'out'): void {
    const shown = (to === 'out' ? this.#output : this.#errorOutput).write(text);
    (to === 'out' ? this.stdout : this.stderr).write(shown);
  }

  /** What a program on a cluster wrote, as bytes: shown as {@link output} on a terminal, unchanged anywhere else. */
  async bytes(data: Uint8Array): Promise<void> {
    if (this.stdout.isTTY === true) {
      this.output(this.#decoder.decode(data, { stream: true }));
    } else if (!this.stdout.write(data)) {
      await once(this.stdout, 'drain');
    }
  }

  /** Its colours end here; a line of ours follows. */
  endOutput(): void {
    this.stdout.write(this.#output.end());
    this.stderr.write(this.#errorOutput.end());
  }

  /** What a terminal on a cluster wrote. */
  terminal(text: string): void {
    this.stdout.write(this.#guard.write(text));
  }

  /** This terminal is the person's own again. */
  endTerminal(): void {
    this.stdout.write(`${TERMINAL_AS_BEFORE}\r\n`);
  }
}
