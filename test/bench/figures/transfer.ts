/** Copies of files against rsync and scp over ssh, through the same connection to the same machine, in one run. */
import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { randomBytes } from 'node:crypto';
import { type Cluster, type CopyRequest, missingCount, runCopy, type SshAccess } from '@hitch/contract';
import { machineRecordSchema } from '../../../backend-proxy/src/machines/machine-folder.ts';
import { systemClock } from '@hitch/platform/src/clock.ts';
import { withoutOpenssh } from '../../support/openssh.ts';
import { until } from '../../support/waiting.ts';
import {
  type DaemonUnderTest,
  machineFolders,
  residentMegabytes,
  settle,
  startDaemon,
} from '../daemon-under-test.ts';
import { type Figure, figure, median, pairs, timed, type Benchmark } from '../figure.ts';

const FILES = 20_000;
const FILE_BYTES = 4_096;
const LARGE_BYTES = 2_000_000_000;
const PAIRS = 3;
const LARGE_PAIRS = 2;
const SETTLE_MS = 10_000;
const LOOK_EVERY_MS = 50;
const run = promisify(execFile);

const NAMES = [
  'copy_many_up_ratio',
  'copy_many_down_ratio',
  'copy_many_unchanged_ratio',
  'copy_large_up_ratio',
  'copy_large_down_ratio',
  'copy_daemon_more_mb',
  'copy_agent_more_mb',
] as const;

export const transfer: Benchmark = {
  names: [...NAMES],
  async run(report) {
    const missing = withoutOpenssh() ?? withoutRsync();
    if (missing !== null) {
      report(`skipped: ${missing}`);
      return [];
    }
    const daemon = await startDaemon();
    const folder = mkdtempSync(join(tmpdir(), 'hitch-copies-'));
    try {
      return await new Measured(daemon, folder, report).figures();
    } finally {
      rmSync(folder, { recursive: true, force: true });
      await daemon.end();
    }
  },
};

function withoutRsync(): string | null {
  try {
    execFileSync('rsync', ['--version'], { stdio: 'ignore' });
    return null;
  } catch {
    return 'rsync is not installed';
  }
}

class Measured {
  readonly #daemon: DaemonUnderTest;
  readonly #folder: string;
  readonly #report: (progress: string) => void;

  constructor(daemon: DaemonUnderTest, folder: string, report: (progress: string) => void) {
    this.#daemon = daemon;
    this.#folder = folder;
    this.#report = report;
  }

  async figures(): Promise<Figure[]> {
    const { cluster, access } = await this.#machine();
    this.#report(`making ${FILES.toString()} files and one of 2 GB`);
    this.#makeFiles();
    await settle(SETTLE_MS);
    const agentPid = this.#agentPid();
    const idle = { daemon: residentMegabytes(this.#daemon.pid), agent: residentMegabytes(agentPid) };
    const peaks = { ...idle };
    const look = setInterval(() => {
      peaks.daemon = Math.max(peaks.daemon, residentMegabytes(this.#daemon.pid));
      peaks.agent = Math.max(peaks.agent, residentMegabytes(agentPid));
    }, LOOK_EVERY_MS);
    try {
      const figures = await this.#ratios(cluster, access);
      return [
        ...figures,
        more('copy_daemon_more_mb', peaks.daemon - idle.daemon, idle.daemon),
        more('copy_agent_more_mb', peaks.agent - idle.agent, idle.agent),
      ];
    } finally {
      clearInterval(look);
    }
  }

  async #ratios(cluster: Cluster, access: SshAccess): Promise<Figure[]> {
    const [many, large] = [join(this.#folder, 'many'), join(this.#folder, 'large.bin')];
    const back = (name: string): string => join(this.#folder, 'back', name);
    const send = (source: string, target: string) =>
      this.#copy({ clusterId: cluster.id, direction: 'send', sources: [source], target, intoFolder: true });
    const fetch = (source: string, target: string) =>
      this.#copy({ clusterId: cluster.id, direction: 'fetch', sources: [source], target, intoFolder: true });
    const there = `${access.alias}:`;
    let round = 0;
    const fresh = (): string => {
      round += 1;
      return `round-${round.toString()}`;
    };

    this.#report(`${FILES.toString()} files up`);
    const up = await pairs(
      PAIRS,
      () => timed(() => send(many, fresh())),
      () => {
        const name = fresh();
        return timed(() => rsync(access, [many, `${there}${name}/`]));
      },
    );
    await send(many, 'kept');
    this.#report('the same again');
    const unchanged = await pairs(
      PAIRS,
      () => timed(() => send(many, 'kept')),
      () => timed(() => rsync(access, [many, `${there}kept/`])),
    );
    this.#report(`${FILES.toString()} files down`);
    const down = await pairs(
      PAIRS,
      () => timed(() => fetch('kept/many', back(fresh()))),
      () => {
        const name = back(fresh());
        return timed(() => rsync(access, [`${there}kept/many`, `${name}/`]));
      },
    );
    this.#report('2 GB up');
    const largeUp = await pairs(
      LARGE_PAIRS,
      () => timed(() => send(large, fresh())),
      () => {
        const name = fresh();
        return timed(() => scp(access, [large, `${there}${name}`]));
      },
    );
    await send(large, 'kept');
    this.#report('2 GB down');
    const largeDown = await pairs(
      LARGE_PAIRS,
      () => timed(() => fetch('kept/large.bin', back(fresh()))),
      () => {
        const name = back(fresh());
        return timed(() => scp(access, [`${there}kept/large.bin`, name]));
      },
    );
    return [
      ratio('copy_many_up_ratio', up, 1.5, `rsync -a of ${FILES.toString()} files of 4 kB`),
      ratio('copy_many_down_ratio', down, 1.5, `rsync -a of ${FILES.toString()} files of 4 kB`),
      ratio('copy_many_unchanged_ratio', unchanged, 1.5, 'rsync -a with nothing to do'),
      ratio('copy_large_up_ratio', largeUp, 1.25, 'scp of 2 GB'),
      ratio('copy_large_down_ratio', largeDown, 1.25, 'scp of 2 GB'),
    ];
  }

  /** @throws Error when not all of it arrived: a copy that loses something is not fast. */
  async #copy(request: CopyRequest): Promise<void> {
    const { api } = this.#daemon.client;
    const copy = await runCopy({
      api,
      sleep: (ms, signal) => systemClock.sleep(ms, signal),
      start: () => api.copies.start(request),
      ask: () => Promise.resolve(null),
    });
    if (copy.state !== 'done' || missingCount(copy.account) > 0) {
      throw new Error(`The copy ended as ${copy.state}: ${JSON.stringify(copy.problem)}`);
    }
  }

  async #machine(): Promise<{ cluster: Cluster; access: SshAccess }> {
    const { id } = await this.#daemon.rent({ filter: { providers: ['local'] } });
    const cluster = await this.#daemon.until(id, ({ phase }) => phase === 'ready');
    const access = await until('ssh is available', async () => {
      const found = await this.#daemon.client.api.ssh.access({ clusterId: id });
      if (found.state === 'unavailable') {
        throw new Error(found.message);
      }
      return found.state === 'available' ? found : null;
    });
    return { cluster, access };
  }

  #agentPid(): number {
    const folder = machineFolders(this.#daemon.home).at(-1) ?? '';
    const record = machineRecordSchema.parse(JSON.parse(readFileSync(join(folder, 'machine.json'), 'utf8')));
    return record.agent?.pid ?? 0;
  }

  #makeFiles(): void {
    const many = join(this.#folder, 'many');
    mkdirSync(join(this.#folder, 'back'), { recursive: true });
    const content = randomBytes(FILE_BYTES);
    for (let number = 0; number < FILES; number++) {
      const folder = join(many, Math.floor(number / 1_000).toString());
      if (number % 1_000 === 0) {
        mkdirSync(folder, { recursive: true });
      }
      content.writeUInt32BE(number);
      writeFileSync(join(folder, `${number.toString()}.bin`), content);
    }
    const block = randomBytes(20_000_000);
    for (let written = 0; written < LARGE_BYTES; written += block.length) {
      block.writeUInt32BE(written);
      writeFileSync(join(this.#folder, 'large.bin'), block, { flag: 'a' });
    }
  }
}

const rsync = (access: SshAccess, paths: readonly string[]): Promise<unknown> =>
  run('rsync', ['-a', '-e', `ssh -F ${access.configFile}`, ...paths]);
const scp = (access: SshAccess, paths: readonly string[]): Promise<unknown> =>
  run('scp', ['-q', '-F', access.configFile, ...paths]);

type Times = Readonly<Record<'ours' | 'theirs', readonly number[]>>;

function ratio(name: (typeof NAMES)[number], times: Times, atMost: number, against: string): Figure {
  const [ours, theirs] = [median(times.ours), median(times.theirs)];
  return figure({
    name,
    value: ours / 1000,
    unit: 's',
    baseline: theirs / 1000,
    target: { atMost },
    of: 'ratio',
    note: `against ${against} over ssh, through the same connection`,
  });
}

const more = (name: (typeof NAMES)[number], value: number, idle: number): Figure =>
  figure({
    name,
    value,
    unit: 'MB',
    target: { atMost: 60 },
    note: `the most it had during all of these, above the ${idle.toFixed(0)} MB it has idle`,
  });
