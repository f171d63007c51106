/** A home as it lies on the disk, whatever runs in it: machines, the practice market's ledger, logs, and what is left over. */
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Cluster } from '@hitch/contract';
import * as z from 'zod';
import { type Home, homeAt } from '@hitch/platform/src/paths.ts';
import { folderStorage, type Rental } from '../../backend-proxy/src/providers/sandbox/market-storage.ts';
import { allProcesses, nodeProcesses, runs, sendSignal } from './processes.ts';
import { until } from './waiting.ts';

const LINES_SHOWN = 12;

const machineSchema = z.object({ agent: z.object({ pid: z.number() }) });

export class HomeOnDisk {
  readonly root: string;
  readonly home: Home;
  readonly #ownRoot: boolean;

  constructor(root?: string) {
    this.#ownRoot = root === undefined;
    this.root = root ?? join(tmpdir(), `he-${randomBytes(6).toString('hex')}`);
    this.home = homeAt(this.root);
  }

  /** Makes the home's own folder. */
  make(): this {
    if (this.#ownRoot) {
      mkdirSync(this.root, { recursive: true, mode: 0o700 });
    }
    return this;
  }

  /** Refs of the machines that stand in this home. */
  machines(): readonly string[] {
    return existsSync(this.home.machines)
      ? readdirSync(this.home.machines).filter(name => name.startsWith('hitch-'))
      : [];
  }

  /** Refs of the practice machines that stand behind an sshd of their own in this home. */
  behindSshd(): readonly string[] {
    const folder = join(this.root, 'sshd');
    return existsSync(folder) ? readdirSync(folder) : [];
  }

  machineFolder(ref: string): string {
    return join(this.home.machines, ref);
  }

  /** The process of the agent on the cluster's first machine. */
  agentPid({ nodes }: Cluster): number {
    const ref = nodes[0]?.attempts.at(-1)?.ref ?? '';
    const text = readFileSync(join(this.machineFolder(ref), 'machine.json'), 'utf8');
    return machineSchema.parse(JSON.parse(text)).agent.pid;
  }

  async killAgent(cluster: Cluster): Promise<void> {
    const pid = this.agentPid(cluster);
    sendSignal(pid, 'SIGKILL');
    await until('the agent is gone', () => !runs(pid));
  }

  /** The work folder on the cluster's first machine, with every link on the way followed. */
  workOf({ nodes }: Cluster): string {
    return realpathSync(join(this.machineFolder(nodes[0]?.attempts.at(-1)?.ref ?? ''), 'work'));
  }

  /** The practice market's own ledger, as it lies on the disk. */
  ledger(): readonly Rental[] {
    return folderStorage(join(this.root, 'sandbox')).load();
  }

  /** The practice market takes back every machine that is rented now, as its fault `preempted` does. No daemon may run. */
  takeMachines(): void {
    const storage = folderStorage(join(this.root, 'sandbox'));
    for (const rental of storage.load().filter(({ endedAtMs }) => endedAtMs === null)) {
      storage.save({ ...rental, preemptAtMs: Date.now() });
    }
  }

  /**
   * Whatever is left on this computer of these clusters' machines, a line each: folders, sockets, processes, rentals
   * that still bill. Read from the operating system and the market, not from the daemon.
   */
  leftovers(clusters: readonly Cluster[]): readonly string[] {
    const refs = clusters.flatMap(({ nodes }) => nodes.flatMap(node => node.attempts.map(({ ref }) => ref)));
    return refs.flatMap(ref => [
      ...[this.machineFolder(ref), join(this.home.sockets, `${ref}.sock`)].filter(path => existsSync(path)),
      ...shortFoldersOf(join(this.machineFolder(ref), 'state')),
      ...nodeProcesses(ref).map(({ pid, command }) => `process ${pid.toString()}: ${command}`),
      ...this.ledger()
        .filter(rental => rental.ref === ref && rental.endedAtMs === null)
        .map(({ id }) => `rental ${id}`),
    ]);
  }

  log(): string {
    const file = join(this.home.logs, 'daemon.log');
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  }

  /** The ends of all logs of this home: what to read when a wait was in vain. */
  lastWords(): string {
    const logs = this.machines().flatMap(ref =>
      ['agent', 'jupyter', 'ray'].map(name => join(this.machineFolder(ref), 'state', 'logs', `${name}.log`)),
    );
    return [join(this.home.logs, 'daemon.log'), ...logs]
      .filter(path => existsSync(path))
      .map(
        path =>
          `${path}:\n${readFileSync(path, 'utf8').trimEnd().split('\n').slice(-LINES_SHOWN).join('\n')}`,
      )
      .join('\n');
  }

  /** Every daemon process of this home, however it was started. */
  daemons(): readonly number[] {
    return allProcesses()
      .filter(
        ({ command, environment }) =>
          environment.includes(`HITCH_HOME=${this.root}`) && command.includes('daemon --foreground'),
      )
      .map(({ pid }) => pid);
  }
}

/** Agents keep sockets and Ray's session under `/tmp`, in a folder named after their state folder. */
function shortFoldersOf(stateFolder: string): readonly string[] {
  const name = createHash('sha256').update(stateFolder).digest('hex').slice(0, 10);
  return readdirSync('/tmp')
    .filter(entry => entry.startsWith(`ht-${name}`))
    .map(entry => `/tmp/${entry}`);
}
