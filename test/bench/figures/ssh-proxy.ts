/** What the way over the daemon takes from ssh: 100 MB there and back, against a connection to the same sshd. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { randomBytes } from 'node:crypto';
import type { SshAccess } from '@hitch/contract';
import { withoutOpenssh } from '../../support/openssh.ts';
import { until } from '../../support/waiting.ts';
import { type DaemonUnderTest, machineFolders, startDaemon } from '../daemon-under-test.ts';
import { figure, median, pairs, timed, type Benchmark } from '../figure.ts';

const BYTES = 100_000_000;
const PAIRS = 5;
const SSHD = '/usr/sbin/sshd';
const run = promisify(execFile);

export const sshProxy: Benchmark = {
  names: ['ssh_proxy_ratio'],
  async run(report) {
    const missing = withoutOpenssh();
    if (missing !== null) {
      report(`skipped: ${missing}`);
      return [];
    }
    const daemon = await startDaemon();
    let server: ChildProcess | null = null;
    try {
      const access = await reachable(daemon);
      const state = join(machineFolders(daemon.home).at(-1) ?? '', 'state');
      const port = await freePort();
      // The very configuration that serves each connection of ours, but listening.
      const listening = ['-D', '-f', join(state, 'ssh', 'sshd_config'), '-o', 'ListenAddress=127.0.0.1'];
      server = spawn(SSHD, [...listening, '-p', port.toString()], { stdio: 'ignore' });
      const direct = ['-o', 'ProxyCommand=none', '-o', 'HostName=127.0.0.1', '-p', port.toString()];
      await until('sshd listens', async () => (await ssh(access, direct, 'true')) === 'ran');
      const file = join(daemon.home.root, 'hundred-megabytes');
      writeFileSync(file, randomBytes(BYTES));
      const there = async (options: readonly string[]): Promise<number> => {
        const tookMs = await timed(() => copy(access, options, file));
        await run('cmp', [file, `${file}.back`]);
        return tookMs;
      };
      await there([]);
      report('100 MB there and back');
      const times = await pairs(
        PAIRS,
        () => there([]),
        () => there(direct),
      );
      const [ours, theirs] = [median(times.ours), median(times.theirs)];
      const speed = (ms: number): string => ((2 * BYTES) / 1e6 / (ms / 1000)).toFixed(0);
      return [
        figure({
          name: 'ssh_proxy_ratio',
          value: theirs / ours,
          unit: 'of direct speed',
          baseline: 1,
          target: { atLeast: 0.7 },
          note: `scp of 100 MB there and back, connecting included: ${speed(ours)} MB/s through Hitch, ${speed(theirs)} MB/s directly`,
        }),
      ];
    } finally {
      server?.kill();
      await daemon.end();
    }
  },
};

async function reachable(daemon: DaemonUnderTest): Promise<SshAccess> {
  const { id } = await daemon.rent({ filter: { providers: ['local'] } });
  // At rest: what else starts on this computer would be measured along.
  await daemon.until(id, ({ phase }) => phase === 'ready');
  return until('ssh is available', async () => {
    const access = await daemon.client.api.ssh.access({ clusterId: id });
    if (access.state === 'unavailable') {
      throw new Error(access.message);
    }
    return access.state === 'available' ? access : null;
  });
}

async function ssh(access: SshAccess, options: readonly string[], command: string): Promise<string> {
  return run('ssh', [...options, '-F', access.configFile, access.alias, command]).then(
    () => 'ran',
    (error: unknown) => String(error),
  );
}

/** There and back. */
async function copy(access: SshAccess, options: readonly string[], file: string): Promise<void> {
  const scp = options.map(option => (option === '-p' ? '-P' : option));
  const remote = `${access.alias}:hundred-megabytes`;
  await run('scp', ['-q', ...scp, '-F', access.configFile, file, remote]);
  await run('scp', ['-q', ...scp, '-F', access.configFile, remote, `${file}.back`]);
}

function freePort(): Promise<number> {
  return new Promise(resolve => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
