/** A network's own MCP server as a client of ours uses it: tools are called by JSON-RPC over its standard input and output. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';

const CACHE = fileURLToPath(new URL('../../../.cache/', import.meta.url));
const moduleOf = (file: string): string => join(CACHE, 'judges-npm', 'node_modules', ...file.split('/'));

/** Skips the suite where the server is not there, and says why. */
export function needsMcp(test: Mocha.Context, file: string): void {
  if (existsSync(moduleOf(file))) {
    return;
  }
  const reason = join(CACHE, 'judges-npm-missing.txt');
  const why = existsSync(reason) ? readFileSync(reason, 'utf8').trim() : 'it was not set up here.';
  console.log(`      skipped: the network’s own client ${file} cannot be had: ${why}`);
  test.skip();
}

const messageSchema = z.looseObject({
  id: z.number().optional(),
  result: z.looseObject({}).optional(),
  error: z.looseObject({ message: z.string() }).optional(),
});
const toolResultSchema = z.looseObject({
  isError: z.boolean().optional(),
  content: z.array(z.looseObject({ type: z.string(), text: z.string().optional() })),
});

export interface ToolSaid {
  readonly isError: boolean;
  readonly text: string;
}

export class Mcp {
  readonly #child: ChildProcess;
  readonly #home: string;
  readonly #waiting = new Map<number, (message: z.output<typeof messageSchema>) => void>();
  #last = 0;

  /** @param file below `node_modules` @param environment what leads it to the simulator, and its login */
  constructor(file: string, environment: Readonly<Record<string, string>>) {
    this.#home = mkdtempSync(join(tmpdir(), 'hitch-judge-'));
    this.#child = spawn(process.execPath, [moduleOf(file)], {
      env: { PATH: process.env['PATH'], HOME: this.#home, USERPROFILE: this.#home, ...environment },
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    this.#child.once('exit', code => {
      this.#waiting.forEach((answer, id) => {
        answer({ id, error: { message: `it ended with ${String(code)}` } });
      });
    });
    if (this.#child.stdout !== null) {
      createInterface({ input: this.#child.stdout }).on('line', line => {
        const message = messageSchema.parse(JSON.parse(line));
        this.#waiting.get(message.id ?? -1)?.(message);
      });
    }
  }

  async open(): Promise<void> {
    await this.#ask('initialize', {
      protocolVersion: '2024-11-05',
      capabilities: {},
      clientInfo: { name: 'hitch-tests', version: '1' },
    });
    this.#send({ method: 'notifications/initialized' });
  }

  async call(tool: string, args: object = {}): Promise<ToolSaid> {
    const { isError = false, content } = toolResultSchema.parse(
      await this.#ask('tools/call', { name: tool, arguments: args }),
    );
    return { isError, text: content.map(({ text = '' }) => text).join('\n') };
  }

  /** What a tool says as JSON. */
  async read<Schema extends z.ZodType>(
    schema: Schema,
    tool: string,
    args: object = {},
  ): Promise<z.output<Schema>> {
    const { isError, text } = await this.call(tool, args);
    if (isError) {
      throw new Error(`${tool}: ${text}`);
    }
    return schema.parse(JSON.parse(text));
  }

  [Symbol.dispose](): void {
    this.#child.kill();
    rmSync(this.#home, { recursive: true, force: true });
  }

  #ask(method: string, params: object): Promise<unknown> {
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
      this.#send({ id, method, params });
    });
  }

  #send(message: object): void {
    this.#child.stdin?.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  }
}
