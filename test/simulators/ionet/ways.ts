/** How deployments are reached: what stands behind them, if anything, each started when somebody first asks where it is. */
import type { SimContainers, SimMachines } from '../frame/simulator.ts';
import { type Deployment, endedAt } from './deployment.ts';
import type { IonetLies } from './lies.ts';
import type { ContainerOrder } from './requests.ts';

type Write = NonNullable<IonetLies['sshAccess']>;

const asItDoes: Write = (host, port, user) => `ssh -p ${port.toString()} ${user}@${host}`;

export class Ways {
  /** Left out: addresses lead nowhere. */
  readonly #behind: SimMachines | undefined;
  readonly #started = new Map<string, Promise<string | null>>();

  constructor(behind: SimMachines | undefined) {
    this.#behind = behind;
  }

  /** In the words of the network; null: it does not come up. */
  to(deployment: Deployment, write: Write = asItDoes): Promise<string | null> {
    const access = this.#started.get(deployment.id) ?? this.#start(deployment, write);
    this.#started.set(deployment.id, access);
    return access;
  }

  async #start({ id, sshKeys }: Deployment, write: Write): Promise<string | null> {
    if (this.#behind === undefined) {
      return write('192.0.2.7', 22_022, 'ubuntu');
    }
    try {
      const address = await this.#behind.start({
        id,
        publicKeys: Object.values(sshKeys),
        environment: {},
      });
      return address.kind === 'rented' ? write(address.host, address.port, address.user) : null;
    } catch {
      // As one that does not come up: no way in is ever shown.
      return null;
    }
  }

  /** Ends what stands behind those that are over, or that are to end. */
  async endOver(deployments: readonly Deployment[], nowMs: number): Promise<void> {
    const over = deployments.filter(
      each => this.#started.has(each.id) && (endedAt(each, nowMs) !== null || each.endAskedAtMs !== null),
    );
    for (const { id } of over) {
      await this.#started.get(id);
      this.#started.delete(id);
      await this.#behind?.end(id);
    }
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#started.values());
    this.#started.clear();
    await this.#behind?.close();
  }
}

/**
 * Containers are on the web. `public_url` is null until the network's own check of what answers at the traffic port has passed
 * (`Container` of `iocloud/types.py`); which answer passes nobody has written down, so here only a plain success does.
 */
export class ContainerWays {
  /** Left out: addresses lead nowhere. */
  readonly #behind: SimContainers | undefined;
  readonly #started = new Map<string, Promise<void>>();

  constructor(behind: SimContainers | undefined) {
    this.#behind = behind;
  }

  /** Null: it does not answer yet. */
  async to({ id, container }: Deployment): Promise<string | null> {
    if (this.#behind === undefined || container === null) {
      return `https://${id}.containers.example`;
    }
    const started = this.#started.get(id) ?? this.#start(id, container);
    this.#started.set(id, started);
    await started;
    return (await this.#behind.answersPlainly(id)) ? this.#behind.urlOf(id) : null;
  }

  async #start(id: string, { entrypoint, environment, secretEnvironment }: ContainerOrder): Promise<void> {
    const [shell, flag, program] = entrypoint;
    if (shell === 'sh' && flag === '-c' && program !== undefined) {
      await this.#behind?.start({ id, program, environment: { ...environment, ...secretEnvironment } });
    }
  }

  /** Ends what stands behind those that are over, or that are to end. */
  async endOver(deployments: readonly Deployment[], nowMs: number): Promise<void> {
    const over = deployments.filter(
      each => this.#started.has(each.id) && (endedAt(each, nowMs) !== null || each.endAskedAtMs !== null),
    );
    for (const { id } of over) {
      await this.#started.get(id);
      this.#started.delete(id);
      await this.#behind?.end(id);
    }
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#started.values());
    this.#started.clear();
    await this.#behind?.close();
  }
}
