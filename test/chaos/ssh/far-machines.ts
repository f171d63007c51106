/**
 * Ways in to rented machines as one daemon has them. Which machine is believed to be ours is decided by the very code that
 * decides it over a real `ssh` (machines/far/far-hosts.ts); what is behind it is a record.
 */
import { type Host, HostError } from '../../../backend-proxy/src/access/host.ts';
import { FarError } from '../../../backend-proxy/src/access/tunnel/far-shell.ts';
import type { FarHosts, FarMachine } from '../../../backend-proxy/src/machines/far/far-hosts.ts';
import type { Agents } from '../agents.ts';
import type { Mortal } from '../mortal.ts';
import type { AddressBook, Place } from './address-book.ts';

export type Far = Pick<FarHosts, 'host' | 'letInWith' | 'forget'>;

export interface FarMachinesOptions {
  readonly believes: Far;
  readonly book: AddressBook;
  readonly agents: Agents;
  readonly mortal: Mortal;
  /** A machine that is nobody's here was spoken to. */
  readonly onStranger: () => void;
}

export class FarMachines implements Far {
  readonly #options: FarMachinesOptions;

  constructor(options: FarMachinesOptions) {
    this.#options = options;
  }

  async host(machine: FarMachine, signal: AbortSignal): Promise<Host> {
    const { believes, agents, mortal } = this.#options;
    const host = await mortal.step('ssh', () => believes.host(machine, signal));
    const { ssh } = host.address;
    if (ssh?.kind !== 'rented') {
      throw new Error('Only rented machines are far here.');
    }
    return mortal.host(agents.host(this.#behind(host, ssh)));
  }

  letInWith(...args: Parameters<Far['letInWith']>): ReturnType<Far['letInWith']> {
    return this.#options.believes.letInWith(...args);
  }

  forget(clusterId: string): void {
    this.#options.believes.forget(clusterId);
  }

  /** Each thing that is done there is done over a connection that is opened anew. */
  #behind(host: Host, place: Place): Host {
    const there = async (signal: AbortSignal): Promise<Host> => {
      if ((await host.way?.knock?.(signal)) !== true) {
        const cause = new FarError('login', `${host.address.at} does not let the cluster’s key in.`);
        throw new HostError(cause.message, { fatal: false, cause });
      }
      const listener = this.#options.book.at(place);
      if (listener?.host === null) {
        this.#options.onStranger();
        throw new HostError('A stranger answers.', { fatal: false });
      }
      if (listener === undefined) {
        throw new HostError(`${host.address.at} does not answer.`, { fatal: false });
      }
      return listener.host();
    };
    return {
      address: host.address,
      facts: async signal => (await there(signal)).facts(signal),
      ensurePython: async (needs, report, signal) =>
        (await there(signal)).ensurePython(needs, report, signal),
      startAgent: async (start, signal) => (await there(signal)).startAgent(start, signal),
      connect: async signal => (await there(signal)).connect(signal),
      readLog: async (name, bytes, signal) => (await there(signal)).readLog(name, bytes, signal),
      way: {
        isOpen: true,
        opened: () => Promise.resolve(),
        knock: async signal => (await host.way?.knock?.(signal)) ?? true,
      },
    };
  }
}
