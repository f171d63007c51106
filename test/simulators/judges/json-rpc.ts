/** A program that is asked by JSON-RPC, a line each way over its standard input and output. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import * as z from 'zod';

const messageSchema = z.looseObject({
  id: z.number().optional(),
  result: z.unknown().optional(),
  error: z.looseObject({ message: z.string() }).optional(),
});
type Message = z.output<typeof messageSchema>;

/** What it says where it has no business to is kept for the error. */
const LAST_WORDS = 2_000;

export class JsonRpc implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (message: Message) => void>();
  #last = 0;
  readonly #atEnd: () => void;
  #said = '';

  /** @param atEnd is called when it is ended from here */
  constructor(
    program: string,
    args: readonly string[],
    env: NodeJS.ProcessEnv,
    atEnd: () => void = () => undefined,
  ) {
    this.#atEnd = atEnd;
    this.#child = spawn(program, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child.once('error', error => {
      this.#failAll(error.message);
    });
    this.#child.once('exit', code => {
      this.#failAll(`it ended with ${String(code)}: ${this.#said}`);
    });
    this.#child.stderr?.on('data', (bytes: Buffer) => {
      this.#said = `${this.#said}${bytes.toString()}`.slice(-LAST_WORDS);
    });
    // One that has ended says so by its exit.
    this.#child.stdin?.on('error', () => undefined);
    if (this.#child.stdout !== null) {
      createInterface({ input: this.#child.stdout }).on('line', line => {
        const message = messageSchema.parse(JSON.parse(line));
        this.#waiting.get(message.id ?? -1)?.(message);
      });
    }
  }

  /** @throws Error with what it answers where it refuses */
  ask(method: string, params: object = {}): Promise<unknown> {
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, ({ result, error }) => {
        this.#waiting.delete(id);
        if (error === undefined) {
          resolve(result);
        } else {
          reject(new Error(`${method}: ${error.message}`));
        }
      });
      if (this.#child.exitCode === null) {
        this.send({ id, method, params });
      } else {
        this.#failAll(`it has ended with ${this.#child.exitCode.toString()}: ${this.#said}`);
      }
    });
  }

  async read<Schema extends z.ZodType>(
    schema: Schema,
    method: string,
    params: object = {},
  ): Promise<z.output<Schema>> {
    return schema.parse(await this.ask(method, params));
  }

  send(message: object): void {
    this.#child.stdin?.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const closed = new Promise(resolve => this.#child.once('close', resolve));
      this.#child.kill();
      await closed;
    }
    this.#atEnd();
  }

  #failAll(message: string): void {
    [...this.#waiting].forEach(([id, answer]) => {
      answer({ id, result: undefined, error: { message } });
    });
  }
}
