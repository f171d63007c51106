/** The kernels of this node: Jupyter's list, looked at now and then, with what the hub knows at every moment. */
import type { Kernel } from '@hitch/contract';
import { type Clock, repeat, type Timer, within } from '@hitch/platform/src/clock.ts';
import { errorText, type Log } from '@hitch/platform/src/log.ts';
import type { KernelHub } from '../kernels/hub.ts';
import type { JupyterClient } from './client.ts';

const LOOK_EVERY_MS = 10_000;
const ANSWER_WITHIN_MS = 5_000;

export interface KernelListOptions {
  readonly client: JupyterClient;
  readonly hub: KernelHub;
  readonly clock: Clock;
  readonly log: Log;
  readonly isServing: () => boolean;
  readonly changed: () => void;
}

export class KernelList {
  readonly #options: KernelListOptions;
  #listed: readonly Kernel[] = [];
  #timer: Timer | null = null;
  #looking: Promise<void> | null = null;
  #lookAgain = false;

  constructor(options: KernelListOptions) {
    this.#options = options;
  }

  /** As they are now; without an answer from Jupyter, the last known list. */
  kernels(): Kernel[] {
    const views = new Map(this.#options.hub.kernels().map(view => [view.id, view]));
    return this.#listed.map(kernel => {
      const view = views.get(kernel.id);
      return view === undefined
        ? { ...kernel, clients: 0 }
        : {
            ...kernel,
            state: view.state === 'unknown' ? kernel.state : view.state,
            clients: view.clients,
            lastActivityMs: Math.max(kernel.lastActivityMs, view.lastActivityMs),
          };
    });
  }

  /** Kernels that are at work, a sentence each. */
  activity(): string[] {
    const waiting = new Map(this.#options.hub.kernels().map(view => [view.id, view.unfinished]));
    return this.kernels().flatMap(kernel => {
      const what = `kernel ${kernel.path ?? kernel.name}`;
      if (kernel.state === 'busy' || kernel.state === 'starting' || kernel.state === 'restarting') {
        return [`${what} is ${kernel.state}`];
      }
      return kernel.state !== 'dead' && (waiting.get(kernel.id) ?? 0) > 0
        ? [`${what} has cells waiting`]
        : [];
    });
  }

  start(): void {
    this.#timer = repeat(this.#options.clock, LOOK_EVERY_MS, () => this.look());
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  /** Looks now. A look asked for during a look follows it, so that what just happened is seen. */
  async look(): Promise<void> {
    if (this.#looking !== null) {
      this.#lookAgain = true;
      return this.#looking;
    }
    this.#looking = this.#lookWhileAsked();
    try {
      await this.#looking;
    } finally {
      this.#looking = null;
    }
  }

  async #lookWhileAsked(): Promise<void> {
    await this.#lookOnce();
    while (this.#takeAsked()) {
      await this.#lookOnce();
    }
  }

  #takeAsked(): boolean {
    const asked = this.#lookAgain;
    this.#lookAgain = false;
    return asked;
  }

  async #lookOnce(): Promise<void> {
    if (this.#options.isServing()) {
      await this.#look().catch((error: unknown) =>
        this.#options.log.debug('The kernels cannot be listed', { error: errorText(error) }),
      );
    }
  }

  async #look(): Promise<void> {
    const { client, hub, clock, changed } = this.#options;
    await within(clock, ANSWER_WITHIN_MS, async signal => {
      const kernels = await client.kernels(signal);
      const before = JSON.stringify(this.#listed);
      this.#listed = kernels;
      await hub.sync(kernels);
      if (JSON.stringify(kernels) !== before) {
        changed();
      }
    });
  }
}
