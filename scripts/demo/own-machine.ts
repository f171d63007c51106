// The demo on a machine of one's own: a real sshd with a home of its own, and what is found on it, measured there.
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FarMachine } from '../../test/support/far-machine.ts';

export interface OnHost {
  /** Files and processes of the machine in which something stands that opens this computer's daemon. */
  readonly secretsOnHost: number;
  /** Files outside of the cache of packages, and processes. */
  readonly leftOnHost: number;
  /** What answers from outside while the cluster runs. */
  readonly openPorts: readonly number[];
}

export class OwnMachine {
  readonly machine: FarMachine;
  #openPorts: readonly number[] = [];
  #secrets = -1;

  private constructor(machine: FarMachine) {
    this.machine = machine;
  }

  static async start(): Promise<OwnMachine> {
    return new OwnMachine(await FarMachine.start());
  }

  /** While the cluster runs. @param secrets what must not be there */
  async look(secrets: readonly string[]): Promise<void> {
    const processes = this.machine.processes();
    const isSecret = (text: string): boolean => secrets.some(secret => text.includes(secret));
    let found = processes
      .flatMap(({ command, environment }) => [command, ...environment])
      .filter(isSecret).length;
    for (const path of filesIn(this.machine.home)) {
      // One that has gone meanwhile holds nothing. The demo goes on answering while it reads.
      found += isSecret(await readFile(path, 'latin1').catch(() => '')) ? 1 : 0;
    }
    this.#secrets = found;
    const ours = listeningOutside(processes.map(({ pid }) => pid));
    this.#openPorts = [this.machine.port, ...ours].toSorted((one, other) => one - other);
  }

  /** After it has ended. */
  measured(): OnHost {
    const cache = join(this.machine.home, '.hitch', 'far');
    const files = filesIn(this.machine.home).filter(path => !path.startsWith(cache));
    return {
      secretsOnHost: this.#secrets,
      leftOnHost: files.length + this.machine.processes().length,
      openPorts: this.#openPorts,
    };
  }
}

const filesIn = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name));

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
