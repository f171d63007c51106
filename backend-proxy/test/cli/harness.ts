/** Runs command lines in this process, against the real API over fakes, with a terminal or pipes in front of them. */
import { PassThrough } from 'node:stream';
import { HitchClient } from '@hitch/contract';
import * as z from 'zod';
import type { CliDeps, Context } from '../../src/cli/context.ts';
import type { Interrupts } from '../../src/cli/interrupts.ts';
import { runCli } from '../../src/cli/program.ts';
import { type Input, Io, type Output } from '../../src/cli/screen/io.ts';
import type { Daemons } from '@hitch/client-node/src/session.ts';
import { systemClock, type Clock } from '@hitch/platform/src/clock.ts';
import { createIds, systemRandom } from '@hitch/platform/src/random.ts';
import { serve, TOKEN, type Served } from '../api/serve.ts';

const lineSchema = z.record(z.string(), z.unknown());

/** Ctrl-C by hand. */
export class FakeInterrupts implements Interrupts {
  readonly #handlers = new Set<() => void>();

  listen(handler: () => void): () => void {
    this.#handlers.add(handler);
    return () => this.#handlers.delete(handler);
  }

  get listeners(): number {
    return this.#handlers.size;
  }

  press(): void {
    for (const handler of this.#handlers) {
      handler();
    }
  }
}

export const impatientClock: Clock = {
  ...systemClock,
  sleep: (ms, signal) => systemClock.sleep(Math.min(ms, 5), signal),
};

export interface RunOptions {
  readonly tty?: boolean;
  readonly columns?: number;
  /** What is typed, or what the pipe brings; the input ends after it unless on a terminal. */
  readonly stdin?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly interrupts?: FakeInterrupts;
  readonly clock?: Clock;
  readonly daemons?: Partial<Daemons>;
  readonly browser?: CliDeps['browser'];
  /** Given the terminal's input, to type while the command runs. */
  readonly typing?: (input: PassThrough, shown: () => string) => Promise<void>;
}

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly lines: string[];
  readonly json: () => unknown;
  readonly ndjson: () => Record<string, unknown>[];
}

function output(tty: boolean, columns: number): { stream: Output; text: () => string } {
  const chunks: Buffer[] = [];
  const stream: Output & PassThrough = Object.assign(
    new PassThrough(),
    tty ? { isTTY: true, columns, rows: 24 } : {},
  );
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  return { stream, text: () => Buffer.concat(chunks).toString('utf8') };
}

export class CliHarness {
  readonly served: Served;

  private constructor(served: Served) {
    this.served = served;
  }

  static async start(): Promise<CliHarness> {
    return new CliHarness(await serve());
  }

  get clusters(): Served['clusters'] {
    return this.served.clusters;
  }

  close(): Promise<void> {
    return this.served.close();
  }

  #daemons(): Daemons {
    const { baseUrl } = this.served;
    const client = new HitchClient({ baseUrl, token: () => TOKEN, clientId: 'cli' });
    return {
      connect: async () => ({
        client,
        api: client.api,
        address: async () => ({ baseUrl, token: TOKEN }),
        close: async () => undefined,
      }),
      status: async () => ({
        running: true,
        pid: 1,
        port: this.served.port,
        version: '0.1.0',
        home: '/home',
      }),
      stop: async () => true,
      runForeground: async () => undefined,
    };
  }

  /** For a part of a command by itself; what it shows goes nowhere. */
  context(interrupts: FakeInterrupts): Context {
    const daemons = this.#daemons();
    const io = new Io({
      stdin: new PassThrough(),
      stdout: output(false, 100).stream,
      stderr: output(false, 100).stream,
      env: {},
    });
    const session = daemons.connect();
    return {
      io,
      env: {},
      cwd: process.cwd(),
      clock: impatientClock,
      ids: createIds(systemClock, systemRandom),
      random: systemRandom,
      daemons,
      interrupts,
      browser: () => Promise.resolve(false),
      session: () => session,
    };
  }

  async run(argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
    const tty = options.tty ?? false;
    const out = output(tty, options.columns ?? 100);
    const err = output(tty, options.columns ?? 100);
    const input = new PassThrough();
    const stdin: Input = Object.assign(input, tty ? { isTTY: true, setRawMode: () => undefined } : {});
    if (options.stdin !== undefined) input.write(options.stdin);
    if (!tty) input.end();
    const deps: CliDeps = {
      stdin,
      stdout: out.stream,
      stderr: err.stream,
      env: options.env ?? {},
      cwd: options.cwd ?? process.cwd(),
      clock: options.clock ?? impatientClock,
      random: systemRandom,
      ids: createIds(systemClock, systemRandom),
      interrupts: options.interrupts ?? new FakeInterrupts(),
      daemons: { ...this.#daemons(), ...options.daemons },
      browser: options.browser ?? (() => Promise.resolve(false)),
    };
    const running = runCli(argv, deps);
    const typing = options.typing?.(input, () => out.text() + err.text());
    const code = await running;
    await typing;
    const stdout = out.text();
    return {
      code,
      stdout,
      stderr: err.text(),
      lines: stdout.split('\n').filter(line => line !== ''),
      json: () => z.unknown().parse(JSON.parse(stdout)),
      ndjson: () =>
        stdout.split('\n').flatMap(line => (line === '' ? [] : [lineSchema.parse(JSON.parse(line))])),
    };
  }
}

/** Waits until `holds`; a test that waits in vain fails with `what`. */
export async function until(what: string, holds: () => boolean, withinMs = 8_000): Promise<void> {
  const deadline = systemClock.monotonic() + withinMs;
  while (!holds()) {
    if (systemClock.monotonic() > deadline) {
      throw new Error(`never came: ${what}`);
    }
    await systemClock.sleep(5);
  }
}
