// The demo on a machine of one's own: a real sshd with a home of its own, and what is found on it, measured there. Where
// root can, the machine has a network of its own too, and a neighbour tries every port.
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { FarMachine } from '../../test/support/far-machine.ts';
import { FarNetwork, type FarPlace, withoutNetworks } from '../../test/support/far-network.ts';
import { filesIn, secretsOn } from '../../test/support/secrets-on.ts';

export interface OnHost {
  /** Files and processes of the machine in which something stands that opens this computer's daemon or its clusters. */
  readonly secretsOnHost: number;
  /** Files outside of the cache of packages, and processes. */
  readonly leftOnHost: number;
  /** What answers from outside while the cluster runs. */
  readonly openPorts: readonly number[];
  /** Files that a second run put into the cache of packages. */
  readonly installedAgain: number;
}

/** The machine and where it stands; null: on this computer's own network. */
interface Standing {
  readonly network: FarNetwork;
  readonly place: FarPlace;
}

export class OwnMachine {
  readonly machine: FarMachine;
  /** Why it has no network of its own; null: it has one. */
  readonly shares: string | null;
  readonly #standing: Standing | null;
  #openPorts: readonly number[] = [];
  #secrets = -1;
  #cached: ReadonlySet<string> = new Set();

  private constructor(machine: FarMachine, standing: Standing | null, shares: string | null) {
    this.machine = machine;
    this.#standing = standing;
    this.shares = shares;
  }

  static async start(): Promise<OwnMachine> {
    const shares = withoutNetworks();
    if (shares !== null) {
      return new OwnMachine(await FarMachine.start(), null, shares);
    }
    const network = await FarNetwork.make();
    try {
      const place = network.join('box');
      return new OwnMachine(await FarMachine.start({ place }), { network, place }, null);
    } catch (error) {
      await network.dispose();
      throw error;
    }
  }

  /** While the cluster runs. @param secrets what must not be there */
  async look(secrets: readonly string[]): Promise<void> {
    this.#secrets = (await secretsOn(this.machine, secrets)).length;
    this.#openPorts = await this.#open();
    this.#cached = this.#cache();
  }

  /** After it has ended. */
  measured(): OnHost {
    const cache = join(this.machine.home, '.hitch', 'far');
    const files = filesIn(this.machine.home).filter(path => !path.startsWith(cache));
    return {
      secretsOnHost: this.#secrets,
      leftOnHost: files.length + this.machine.processes().length,
      openPorts: this.#openPorts,
      installedAgain: [...this.#cache()].filter(path => !this.#cached.has(path)).length,
    };
  }

  /** Nothing on it that should not be, and nothing of it answers but its sshd. */
  isClean(found: OnHost | null): boolean {
    return (
      found !== null &&
      found.secretsOnHost === 0 &&
      found.leftOnHost === 0 &&
      found.installedAgain === 0 &&
      found.openPorts.join() === this.machine.port.toString()
    );
  }

  async dispose(): Promise<void> {
    await this.machine.dispose();
    await this.#standing?.network.dispose();
  }

  /** Tried by a neighbour where there is one; else what the system says of the machine's processes. */
  async #open(): Promise<readonly number[]> {
    if (this.#standing === null) {
      const ours = listeningOutside(this.machine.processes().map(({ pid }) => pid));
      return [this.machine.port, ...ours].toSorted((one, other) => one - other);
    }
    const { network, place } = this.#standing;
    const [udp] = network.udpSockets(place);
    if (udp !== undefined) {
      throw new Error(`Something listens outside of the machine's loopback by UDP: ${udp}.`);
    }
    return network.openPorts(place);
  }

  /** What is installed; not what Python keeps of its own sources as they are used. */
  #cache(): ReadonlySet<string> {
    const folder = join(this.machine.home, '.hitch', 'far', 'cache');
    return new Set(filesIn(folder).filter(path => !path.endsWith('.pyc')));
  }
}

/** Ports on which these processes listen at an address that is not this machine's own. */
function listeningOutside(pids: readonly number[]): readonly number[] {
  const sockets = new Set(pids.flatMap(socketsOf));
  return ['/proc/net/tcp', '/proc/net/tcp6'].flatMap(table =>
    readFileSync(table, 'utf8')
      .split('\n')
      .slice(1)
      .flatMap(line => {
        const [, local = '', , state = '', , , , , , inode = ''] = line.trim().split(/\s+/);
        const [address = '', port = ''] = local.split(':');
        const isLoopback = /7F$|^0{24}01000000$/.test(address);
        return state === '0A' && !isLoopback && sockets.has(inode) ? [Number.parseInt(port, 16)] : [];
      }),
  );
}

function socketsOf(pid: number): readonly string[] {
  const folder = `/proc/${pid.toString()}/fd`;
  try {
    return readdirSync(folder).flatMap(name => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(join(folder, name)))?.[1] ?? [];
      } catch {
        return [];
      }
    });
  } catch {
    // It has ended.
    return [];
  }
}
