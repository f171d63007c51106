/** What the daemon holds for each far machine that it has a way to, and what the processes of `ssh` hold beside it. */
import { readFileSync, readdirSync } from 'node:fs';
import { OwnHosts } from '../../../backend-proxy/src/providers/ssh/own-hosts.ts';
import { canHaveUsers } from '../../support/far-machine.ts';
import { withoutOpenssh } from '../../support/openssh.ts';
import { until } from '../../support/waiting.ts';
import { type DaemonUnderTest, residentMegabytes, settle, startDaemon } from '../daemon-under-test.ts';
import { type Benchmark, figure } from '../figure.ts';
import { startMany } from '../many-far-machines.ts';

const MACHINES = 200;
/** Their connections begin one after the other, as people add machines, not all in one moment. */
const AT_ONCE = 25;
const SETTLE_MS = 15_000;
const PATIENCE_MS = 300_000;

export const farMemory: Benchmark = {
  names: ['daemon_mb_a_far_machine'],
  async run(report) {
    const missing = withoutOpenssh() ?? (canHaveUsers() ? null : 'machines of users of their own take root');
    if (missing !== null) {
      report(`skipped: ${missing}`);
      return [];
    }
    const many = await startMany(MACHINES);
    const daemon = await startDaemon({ HITCH_PROVIDERS: 'ssh', HITCH_SSH_CONFIG: many.config });
    try {
      await settle(SETTLE_MS);
      const idle = residentMegabytes(daemon.pid);
      const hosts = new OwnHosts(daemon.home);
      for (let first = 0; first < MACHINES; first += AT_ONCE) {
        const names = many.names.slice(first, first + AT_ONCE);
        names.forEach(name => hosts.set({ name, pricePerHourMicroUsd: '0' }));
        await offered(daemon, names);
        await Promise.all(names.map(name => rented(daemon, name)));
        report(`${(first + names.length).toString()} of ${MACHINES.toString()} machines`);
      }
      await settle(SETTLE_MS);
      const full = residentMegabytes(daemon.pid);
      const ways = childrenOf(daemon.pid);
      const beside = ways.reduce((sum, pid) => sum + shareOf(pid), 0);
      return [
        figure({
          name: 'daemon_mb_a_far_machine',
          value: (full - idle) / MACHINES,
          unit: 'MB',
          target: { atMost: 1 },
          note: `${MACHINES.toString()} far machines with a cluster each: ${idle.toFixed(0)} MB before, ${full.toFixed(0)} MB with them; beside it ${ways.length.toString()} processes of ssh, ${(beside / ways.length).toFixed(1)} MB each (their share of what they have in common counted once)`,
        }),
      ];
    } finally {
      // Their processes end with the machines.
      await daemon.leave();
      await many.end();
    }
  },
};

/** Until the daemon has seen what these machines are. */
async function offered({ client }: DaemonUnderTest, names: readonly string[]): Promise<void> {
  await until(
    `${names.join(', ')} are offered`,
    async () => {
      await client.api.offers.refresh({ provider: 'ssh' });
      const { offers } = await client.api.offers.query({ filter: {}, limit: MACHINES });
      return names.every(name => offers.some(({ id }) => id === `ssh:${name}:cpu`));
    },
    PATIENCE_MS,
  );
}

async function rented(daemon: DaemonUnderTest, name: string): Promise<void> {
  const { id } = await daemon.rent({ offerIds: [`ssh:${name}:cpu`] });
  await daemon.until(id, ({ phase }) => phase === 'ready');
}

function childrenOf(parent: number): readonly number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .flatMap(name => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
        return Number(/\) . (\d+)/.exec(stat)?.[1]) === parent && stat.includes('(ssh)')
          ? [Number(name)]
          : [];
      } catch {
        return [];
      }
    });
}

/** Its own memory and its part of what it shares, in MB. */
function shareOf(pid: number): number {
  const rollup = readFileSync(`/proc/${pid.toString()}/smaps_rollup`, 'utf8');
  return (Number(/^Pss: +(\d+) kB$/m.exec(rollup)?.[1] ?? 0) * 1024) / 1e6;
}
