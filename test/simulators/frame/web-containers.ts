/** Containers of a simulated network that are real, each on the web behind one gateway. */
import { Container, type ContainerOptions } from '../../support/container.ts';
import { until } from '../../support/waiting.ts';
import type { WebGateway } from '../../support/web-gateway.ts';
import type { SimContainers } from './simulator.ts';

export class WebContainers implements SimContainers {
  readonly #gateway: WebGateway;
  readonly #options: Pick<ContainerOptions, 'path' | 'keeps'>;
  readonly containers = new Map<string, Container>();

  constructor(gateway: WebGateway, options: Pick<ContainerOptions, 'path' | 'keeps'> = {}) {
    this.#gateway = gateway;
    this.#options = options;
  }

  urlOf(id: string): string {
    return this.#gateway.addressOf(id);
  }

  async start({ id, program, environment }: Parameters<SimContainers['start']>[0]): Promise<void> {
    const container = await Container.start({ ...this.#options, program, environment });
    this.containers.set(id, container);
    await until('the door of a container is open', () => this.answersPlainly(id)).catch((error: unknown) => {
      throw new Error(`The container has said: ${container.said}`, { cause: error });
    });
    this.#gateway.lead(id, container.port);
  }

  answersPlainly(id: string): Promise<boolean> {
    const container = this.containers.get(id);
    return container === undefined
      ? Promise.resolve(false)
      : fetch(`http://127.0.0.1:${container.port.toString()}/`).then(
          ({ ok }) => ok,
          () => false,
        );
  }

  async end(id: string): Promise<void> {
    this.#gateway.lead(id, null);
    await this.containers.get(id)?.dispose();
    this.containers.delete(id);
  }

  async close(): Promise<void> {
    await Promise.all([...this.containers.keys()].map(id => this.end(id)));
  }
}
