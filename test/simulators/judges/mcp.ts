/** A network's own MCP server as a client of ours uses it. */
import * as z from 'zod';
import { moduleJudge } from './judge.ts';
import type { JsonRpc } from './json-rpc.ts';

const toolResultSchema = z.looseObject({
  isError: z.boolean().optional(),
  content: z.array(z.looseObject({ type: z.string(), text: z.string().optional() })),
});

export interface ToolSaid {
  readonly isError: boolean;
  readonly text: string;
}

export class Mcp implements AsyncDisposable {
  readonly #rpc: JsonRpc;

  /** @param file below `node_modules` @param environment what leads it to the simulator, and its login */
  constructor(file: string, environment: Readonly<Record<string, string>>) {
    this.#rpc = moduleJudge(file, environment);
  }

  async open(): Promise<void> {
    await this.#rpc.ask('initialize', {
      protocolVersion: '2024-11-05',
      capabilities: {},
      clientInfo: { name: 'hitch-tests', version: '1' },
    });
    this.#rpc.send({ method: 'notifications/initialized' });
  }

  async call(tool: string, args: object = {}): Promise<ToolSaid> {
    const { isError = false, content } = await this.#rpc.read(toolResultSchema, 'tools/call', {
      name: tool,
      arguments: args,
    });
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

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#rpc[Symbol.asyncDispose]();
  }
}
