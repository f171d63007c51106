/** A bundled daemon in a home of its own, and what the figures ask of it. */
import { spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { HitchClient, type Cluster, type ClusterId, type QuoteRequest } from '@hitch/contract';
import type { FoundDaemon } from '@hitch/client-node/src/find.ts';
import { systemClock } from '@hitch/platform/src/clock.ts';
import { FRUGAL_ALLOCATOR } from '@hitch/platform/src/memory.ts';
import type { homeAt } from '@hitch/platform/src/paths.ts';
import { DaemonHome } from '../support/daemon-home.ts';

const LOOK_AGAIN_MS = 10;
const EMPTY_NODE_SETTLE_MS = 3_000;

export interface DaemonUnderTest {
  readonly pid: number;
  readonly found: FoundDaemon;
  readonly client: HitchClient;
  readonly home: ReturnType<typeof homeAt>;
  /** Rents without asking; resolves with the record as the call returned it. */
  rent(request: Partial<QuoteRequest>): Promise<Cluster>;
  /** Resolves with the first state of the cluster that `holds`. @throws Error when it failed first. */
  until(id: ClusterId, holds: (cluster: Cluster) => boolean): Promise<Cluster>;
  stop(id: ClusterId): Promise<void>;
  /** Ends the daemon and everything it rented, and forgets its home. */
  end(): Promise<void>;
  /** The same without what it rented, which somebody else ends. */
  leave(): Promise<void>;
}

/** @param prepare puts into the home what the daemon is to find there */
export async function startDaemon(
  environment: Record<string, string> = {},
  prepare: (home: DaemonUnderTest['home']) => void = () => undefined,
): Promise<DaemonUnderTest> {
  // As clients start it, see shared/client-node/src/connect.ts.
  const daemon = new DaemonHome({ ...FRUGAL_ALLOCATOR, ...environment });
  prepare(daemon.make().home);
  const found = await daemon.start();
  // Asked of the same place all the time: looking it up anew would be measured along.
  const client = new HitchClient({ baseUrl: found.baseUrl, token: () => found.token, clientId: 'bench' });
  const until = async (id: ClusterId, holds: (cluster: Cluster) => boolean): Promise<Cluster> => {
    for (;;) {
      const cluster = await client.api.clusters.get({ clusterId: id });
      if (holds(cluster)) {
        return cluster;
      }
      if (cluster.phase === 'failed') {
        throw new Error(`${cluster.name} failed: ${cluster.message}`);
      }
      await systemClock.sleep(LOOK_AGAIN_MS);
    }
  };
  const leave = async (): Promise<void> => {
    await daemon.stop();
    await daemon.dispose();
  };
  return {
    pid: found.discovery.pid,
    found,
    client,
    home: daemon.home,
    rent: async request => {
      const quote = await client.api.quotes.create(request);
      return client.api.clusters.create({ quoteId: quote.id });
    },
    until,
    stop: async id => {
      await client.api.clusters.stop({ clusterId: id, skipSave: true });
      await until(id, ({ phase }) => phase === 'stopped' || phase === 'expired');
    },
    end: async () => {
      if (environment['HITCH_SANDBOX_RUNTIME'] === 'null') {
        // Machines that are only records go with the home; stopping a thousand takes longer than measuring them.
        await leave();
        return;
      }
      for (const { id, phase } of await client.api.clusters.list()) {
        if (phase !== 'stopped' && phase !== 'failed' && phase !== 'expired') {
          await client.api.clusters.stop({ clusterId: id, skipSave: true });
        }
      }
      for (const { id } of await client.api.clusters.list()) {
        await until(id, ({ phase }) => phase === 'stopped' || phase === 'expired').catch(() => undefined);
      }
      await leave();
    },
    leave,
  };
}

/** Resident memory of a process in MB (10^6 bytes), as Linux counts it. */
export function residentMegabytes(pid: number): number {
  const pages = Number(readFileSync(`/proc/${pid.toString()}/statm`, 'utf8').split(' ')[1]);
  return (pages * 4096) / 1e6;
}

/** Linux counts the time of a process in hundredths of a second. */
const TICKS_A_SECOND = 100;

/** Processor time that a process has had by now, in seconds, of all its threads. */
export function processorSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid.toString()}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND;
}

/** What of it no other process shares, in MB: two Nodes of one file share most of their program's text. */
export function privateMegabytes(pid: number): number {
  const rollup = readFileSync(`/proc/${pid.toString()}/smaps_rollup`, 'utf8');
  const kibibytes = [...rollup.matchAll(/^Private_(?:Clean|Dirty): +(\d+) kB$/gm)].map(([, count]) =>
    Number(count),
  );
  return (kibibytes.reduce((sum, count) => sum + count, 0) * 1024) / 1e6;
}

/** Resident memory of a Node that does nothing, in MB: no program on Node can have less. */
export async function emptyNodeMegabytes(): Promise<number> {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)'], { stdio: 'ignore' });
  try {
    await settle(EMPTY_NODE_SETTLE_MS);
    return residentMegabytes(child.pid ?? 0);
  } finally {
    child.kill();
  }
}

/** The machine folders of a home, newest last. */
export function machineFolders(home: ReturnType<typeof homeAt>): string[] {
  return readdirSync(home.machines)
    .filter(name => name.startsWith('hitch-'))
    .map(name => join(home.machines, name));
}

/** Waits until a process has settled: `idleMs` after it was last asked for anything. */
export const settle = (idleMs: number): Promise<void> => systemClock.sleep(idleMs);
