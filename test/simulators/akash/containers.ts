/** What runs on the simulated Akash, and what its provider says of it. */
import type { RentedAddress } from '../frame/simulator.ts';
import type { AkashOptions } from './akash-simulator.ts';
import { serviceRow } from './answers.ts';
import type { AkashLies } from './lies.ts';
import type { SimDeployment, SimLease } from './chain.ts';

export class Containers {
  readonly #options: AkashOptions;
  readonly #lies: () => AkashLies;
  readonly #addresses = new Map<string, Promise<RentedAddress>>();

  /** @param lies how it differs from what one would wish, at the moment */
  constructor(options: AkashOptions, lies: () => AkashLies) {
    this.#options = options;
    this.#lies = lies;
  }

  /**
   * The status of a lease, as `GET /v1/deployments/{dseq}` has it; null: its provider was not reached, or knows of no manifest
   * for it (404 of its gateway, which the console takes for the same: `getLeaseStatus` of `provider.service.ts`).
   */
  async statusOf(deployment: SimDeployment, lease: SimLease): Promise<object | null> {
    const { clock } = this.#options;
    const { readyAtMs } = lease;
    if (this.#lies().noStatus === true || lease.closedHeight !== null || readyAtMs === null) {
      return null;
    }
    const [name = '', service] = Object.entries(deployment.sdl.services)[0] ?? [];
    const isReady = readyAtMs <= clock.now();
    const hasPort = service?.expose?.some(({ port }) => port === 22) === true;
    const forwarded = isReady && hasPort ? [await this.#forwarded(deployment, name)] : [];
    return {
      services: { [name]: serviceRow(name, isReady) },
      forwarded_ports: { [name]: forwarded },
      ips: {},
    };
  }

  async end(dseq: string): Promise<void> {
    await this.#options.machines?.end(dseq);
  }

  async close(): Promise<void> {
    await this.#options.machines?.close();
  }

  async #forwarded(deployment: SimDeployment, name: string): Promise<object> {
    const { host, port } = await this.#addressOf(deployment);
    const where = this.#lies().noHost === true ? {} : { host };
    return { ...where, port: 22, externalPort: port, proto: 'TCP', name };
  }

  #addressOf(deployment: SimDeployment): Promise<Pick<RentedAddress, 'host' | 'port'>> {
    const { machines } = this.#options;
    const environment = environmentOf(deployment);
    const publicKey = environment['SSH_PUBKEY'];
    if (machines === undefined || publicKey === undefined) {
      return Promise.resolve({ host: 'provider.example', port: 30_022 });
    }
    const { dseq: id } = deployment;
    const starting = this.#addresses.get(id) ?? machines.start({ id, publicKeys: [publicKey], environment });
    this.#addresses.set(id, starting);
    return starting;
  }
}

/** What its one service is given. */
export function environmentOf({ sdl }: SimDeployment): Readonly<Record<string, string>> {
  const [service] = Object.values(sdl.services);
  return Object.fromEntries(
    (service?.env ?? []).map(line => {
      const at = line.indexOf('=');
      return [line.slice(0, at), line.slice(at + 1)];
    }),
  );
}
