/** The few calls the agent itself makes to its Jupyter Server. Answers are parsed tolerantly. */
import { HitchError, type Kernel } from '@hitch/contract';
import * as z from 'zod';
import { requestJson, type Upstream } from '../http/upstream.ts';

const timeSchema = z.string().transform(text => {
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? 0 : ms;
});
const jupyterKernelSchema = z.object({
  id: z.string(),
  name: z.string(),
  execution_state: z.string().optional(),
  last_activity: timeSchema,
  connections: z.number().int().optional(),
});
const jupyterSessionSchema = z.object({
  path: z.string().optional(),
  name: z.string().optional(),
  kernel: z.object({ id: z.string() }).nullish(),
});
const jupyterTerminalSchema = z.object({ name: z.string(), last_activity: timeSchema.optional() });

const KERNEL_STATES: Readonly<Record<string, Kernel['state']>> = {
  starting: 'starting',
  idle: 'idle',
  busy: 'busy',
  restarting: 'restarting',
  autorestarting: 'restarting',
  dead: 'dead',
};

export interface Terminal {
  readonly name: string;
  readonly lastActivityMs: number;
}

export class JupyterClient {
  readonly #upstream: Upstream;

  constructor(upstream: Upstream) {
    this.#upstream = upstream;
  }

  async isReady(signal: AbortSignal): Promise<boolean> {
    const { status } = await requestJson(this.#upstream, 'GET', '/api/status', { signal });
    return status === 200;
  }

  /** Kernels with the notebook that opened each. */
  async kernels(signal: AbortSignal): Promise<Kernel[]> {
    const [kernels, sessions] = await Promise.all([
      this.#call('GET', '/api/kernels', z.array(jupyterKernelSchema), { signal }),
      this.#call('GET', '/api/sessions', z.array(jupyterSessionSchema), { signal }),
    ]);
    const paths = new Map(sessions.map(({ kernel, path, name }) => [kernel?.id, path ?? name]));
    return kernels.map(kernel => ({
      id: kernel.id,
      name: kernel.name,
      state: KERNEL_STATES[kernel.execution_state ?? ''] ?? 'unknown',
      lastActivityMs: kernel.last_activity,
      path: paths.get(kernel.id) ?? null,
      clients: kernel.connections ?? 0,
    }));
  }

  async interrupt(kernelId: string, signal: AbortSignal): Promise<void> {
    await requestJson(this.#upstream, 'POST', `/api/kernels/${encodeURIComponent(kernelId)}/interrupt`, {
      signal,
    });
  }

  async terminals(): Promise<Terminal[]> {
    return (await this.#call('GET', '/api/terminals', z.array(jupyterTerminalSchema))).map(toTerminal);
  }

  /** @throws HitchError CONFLICT when the name is taken. */
  async createTerminal(name: string | undefined): Promise<Terminal> {
    if (name !== undefined && (await this.terminals()).some(terminal => terminal.name === name)) {
      throw new HitchError('CONFLICT', `There is a terminal ${name} already.`, { field: 'name' });
    }
    const body = name === undefined ? {} : { name };
    return toTerminal(await this.#call('POST', '/api/terminals', jupyterTerminalSchema, { body }));
  }

  async removeTerminal(name: string): Promise<void> {
    await this.#call('DELETE', `/api/terminals/${encodeURIComponent(name)}`, z.unknown());
  }

  async #call<T>(
    method: string,
    path: string,
    schema: z.ZodType<T>,
    options: { body?: unknown; signal?: AbortSignal } = {},
  ): Promise<T> {
    const { status, value } = await requestJson(this.#upstream, method, path, options);
    if (status === 404) {
      throw new HitchError('NOT_FOUND', `Jupyter Server knows nothing at ${path}.`);
    }
    const parsed = schema.safeParse(value);
    if (status >= 400 || !parsed.success) {
      throw new HitchError(
        'UNREACHABLE',
        `Jupyter Server answered ${status.toString()} to ${method} ${path}.`,
      );
    }
    return parsed.data;
  }
}

const toTerminal = (model: z.infer<typeof jupyterTerminalSchema>): Terminal => ({
  name: model.name,
  lastActivityMs: model.last_activity ?? 0,
});
