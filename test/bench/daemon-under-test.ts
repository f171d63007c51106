/** A bundled daemon in a home of its own, and what the figures ask of it. */
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { spawn, type ChildProcess } from 'node:child_process';
import { HitchClient, type Cluster, type ClusterId, type QuoteRequest } from '@hitch/contract';
import { findDaemon, type FoundDaemon } from '../../backend-proxy/src/daemon/find.ts';
import { homeAt } from '../../backend-proxy/src/platform/paths.ts';
import { systemClock } from '../../backend-proxy/src/platform/clock.ts';

const PROGRAM = fileURLToPath(new URL('../../backend-proxy/dist/hitch.mjs', import.meta.url));
const LOOK_AGAIN_MS = 10;
const STARTS_WITHIN_MS = 60_000;

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
}

export async function startDaemon(environment: Record<string, string> = {}): Promise<DaemonUnderTest> {
  const root = mkdtempSync(join(tmpdir(), 'hitch-bench-'));
  const home = homeAt(root);
  const child = spawn(process.execPath, [PROGRAM, 'daemon', '--foreground'], {
    env: { ...process.env, ...environment, HITCH_HOME: root },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const found = await untilFound(child, home);
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
  return {
    pid: found.discovery.pid,
    found,
    client,
    home,
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
      for (const { id, phase } of await client.api.clusters.list()) {
        if (phase !== 'stopped' && phase !== 'failed' && phase !== 'expired') {
          await client.api.clusters.stop({ clusterId: id, skipSave: true });
        }
      }
      for (const { id } of await client.api.clusters.list()) {
        await until(id, ({ phase }) => phase === 'stopped' || phase === 'expired').catch(() => undefined);
      }
      child.kill('SIGTERM');
      await new Promise(resolve => child.once('exit', resolve));
      rmSync(root, { recursive: true, force: true });
    },
  };
}

async function untilFound(child: ChildProcess, home: ReturnType<typeof homeAt>): Promise<FoundDaemon> {
  const deadline = systemClock.monotonic() + STARTS_WITHIN_MS;
  while (systemClock.monotonic() < deadline && child.exitCode === null) {
    const found = await findDaemon(home);
    if (found !== null) {
      return found;
    }
    await systemClock.sleep(LOOK_AGAIN_MS);
  }
  throw new Error('the daemon did not start');
}

/** Resident memory of a process in MB (10^6 bytes), as Linux counts it. */
export function residentMegabytes(pid: number): number {
  const pages = Number(readFileSync(`/proc/${pid.toString()}/statm`, 'utf8').split(' ')[1]);
  return (pages * 4096) / 1e6;
}

/** The machine folders of a home, newest last. */
export function machineFolders(home: ReturnType<typeof homeAt>): string[] {
  return readdirSync(home.machines)
    .filter(name => name.startsWith('hitch-'))
    .map(name => join(home.machines, name));
}

/** Waits until a process has settled: `idleMs` after it was last asked for anything. */
export const settle = (idleMs: number): Promise<void> => systemClock.sleep(idleMs);
