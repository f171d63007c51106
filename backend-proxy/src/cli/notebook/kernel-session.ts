/** Kernels over Jupyter's REST API, as the daemon relays it. */
import { HitchError, type Cluster } from '@hitch/contract';
import * as z from 'zod';
import type { Clock } from '@hitch/platform/src/clock.ts';
import { askRelay } from '../raw.ts';
import type { Session } from '@hitch/client-node/src/session.ts';
import { kernelspecsSchema, type Kernelspecs } from './choose-kernel.ts';

const kernelAnswerSchema = z.object({ id: z.string(), name: z.string() });
const sessionAnswerSchema = z.object({ id: z.string(), kernel: kernelAnswerSchema });

export interface StartedKernel {
  readonly kernelId: string;
  readonly kernelName: string;
  /** Jupyter's session that ties the kernel to the notebook; null when a running kernel is reused. */
  readonly sessionId: string | null;
}

type Request = Pick<RequestInit, 'method' | 'body' | 'headers'>;

/** Undefined: no JSON. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export class JupyterApi {
  readonly #session: Session;
  readonly #clock: Clock;
  readonly #base: string;

  constructor(session: Session, clock: Clock, cluster: Cluster) {
    this.#session = session;
    this.#clock = clock;
    this.#base = cluster.jupyterPath;
  }

  /** The kinds of kernels that the cluster has. */
  specs(): Promise<Kernelspecs> {
    return this.#answer(kernelspecsSchema, '/api/kernelspecs');
  }

  /**
   * Starts a kernel of that name. The session's path is what clients show beside it; asked twice with the same path,
   * Jupyter answers the same session.
   */
  async start(path: string, name: string): Promise<StartedKernel> {
    const answer = await this.#answer(sessionAnswerSchema, '/api/sessions', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ path, name: path, type: 'notebook', kernel: { name } }),
    });
    return { kernelId: answer.kernel.id, kernelName: answer.kernel.name, sessionId: answer.id };
  }

  /** @throws HitchError NOT_FOUND when there is no such kernel. */
  async reuse(kernelId: string): Promise<StartedKernel> {
    const kernels = await this.#answer(z.array(kernelAnswerSchema), '/api/kernels');
    const found = kernels.filter(({ id }) => id.startsWith(kernelId));
    const [kernel] = found;
    if (kernel === undefined || found.length > 1) {
      const ids = kernels.map(({ id }) => id).join(', ');
      throw new HitchError(
        'NOT_FOUND',
        kernel === undefined
          ? `There is no kernel ${kernelId}.`
          : `More than one kernel begins with ${kernelId}.`,
        { next: ids === '' ? 'No kernel runs; leave --kernel out to start one.' : `There are: ${ids}.` },
      );
    }
    return { kernelId: kernel.id, kernelName: kernel.name, sessionId: null };
  }

  async interrupt(kernelId: string): Promise<void> {
    await this.#text(`/api/kernels/${encodeURIComponent(kernelId)}/interrupt`, { method: 'POST', body: '' });
  }

  /** Ends a kernel, whoever started it. */
  async endKernel(kernelId: string): Promise<void> {
    await this.#text(`/api/kernels/${encodeURIComponent(kernelId)}`, { method: 'DELETE' });
  }

  /** Ends the kernel that `start` started; one that is gone already is fine, and a reused one is left alone. */
  async end({ sessionId }: StartedKernel): Promise<void> {
    if (sessionId === null) return;
    try {
      await this.#text(`/api/sessions/${encodeURIComponent(sessionId)}`, { method: 'DELETE' });
    } catch (error) {
      if (!(error instanceof HitchError && error.code === 'NOT_FOUND')) throw error;
    }
  }

  /** Path of the kernel's socket on the daemon. */
  channelsPath(kernelId: string): string {
    return `${this.#base}/api/kernels/${encodeURIComponent(kernelId)}/channels`;
  }

  /** @throws HitchError PROVIDER_ERROR when the machine answers something else. */
  async #answer<T>(schema: z.ZodType<T>, path: string, request: Request = {}): Promise<T> {
    const parsed = schema.safeParse(jsonOf(await this.#text(path, request)));
    if (!parsed.success) {
      throw new HitchError(
        'PROVIDER_ERROR',
        `The machine’s answer to ${path} is not what a Jupyter Server says.`,
        { next: 'Look at its log with hitch logs <cluster> --name jupyter, or rent another machine.' },
      );
    }
    return parsed.data;
  }

  async #text(path: string, request: Request = {}): Promise<string> {
    const response = await askRelay(this.#session, this.#clock, `${this.#base}${path}`, request);
    return response.text();
  }
}
