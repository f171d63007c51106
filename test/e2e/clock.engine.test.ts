/** A computer's clock that is set while the daemon runs: nothing is lost, mis-billed or ended before its time. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Cluster, parseMicroUsd } from '@hitch/contract';
import { jumpWords } from '../../backend-proxy/src/clusters/second-source.ts';
import { DaemonHome, HITCH_PROGRAM } from '../support/daemon-home.ts';
import { needsRealNodes } from '../support/processes.ts';
import { until } from '../support/waiting.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const PRELOAD = new URL('../support/jumping-clock.mjs', import.meta.url).href;
const PROGRAM = [
  '--import',
  PRELOAD,
  fileURLToPath(new URL(`file://${HITCH_PROGRAM}`)),
  'daemon',
  '--foreground',
];

describe('hostile surroundings: a clock that jumps under the daemon', function () {
  this.timeout(300_000);
  const clockFile = join(tmpdir(), `he-clock-${randomBytes(6).toString('hex')}`);
  let home: DaemonHome;
  const jumpTo = (offsetMs: number): void => {
    // In one step: the daemon reads it at any moment, and an empty file would be a jump of its own.
    writeFileSync(`${clockFile}.next`, offsetMs.toString());
    renameSync(`${clockFile}.next`, clockFile);
  };
  const homeWith = (environment: Record<string, string>): void => {
    home = new DaemonHome({
      HITCH_PROVIDERS: 'sandbox',
      HITCH_SANDBOX_STOCK: '50',
      HITCH_TEST_CLOCK: clockFile,
      ...environment,
    });
    jumpTo(0);
  };
  /** The daemon has noticed where the clock is now. */
  const noticed = async (offsetMs: number): Promise<void> => {
    const words = offsetMs === 0 ? null : jumpWords({ byMs: offsetMs, sinceMs: 0 }).split('. ')[0];
    await until('the jump is noticed', async () => {
      const { notices } = await home.api.daemon.info();
      return words === null ? notices.length === 0 : notices.join().includes(words ?? '');
    });
  };
  const costOf = ({ usage }: Cluster): bigint => parseMicroUsd(usage.accruedMicroUsd);

  afterEach(async () => {
    await home.dispose();
    rmSync(clockFile, { force: true });
  });

  it('ends nothing by it, to and fro, by seconds and by years, and counts the cost on', async () => {
    homeWith({ HITCH_SANDBOX_RUNTIME: 'null', HITCH_SANDBOX_BOOT_MS: '100' });
    await home.start({}, PROGRAM);
    const { id } = await home.rent({ stopAtMs: Date.now() + 2 * HOUR, idleMs: 0 });
    let before = costOf(await home.untilCluster(id, 'it is ready', ({ phase }) => phase === 'ready'));
    for (const offsetMs of [400 * DAY, -30 * 365 * DAY, 20_000, -3 * HOUR, 3 * HOUR, 0]) {
      jumpTo(offsetMs);
      await noticed(offsetMs);
      // It is looked at after each jump, whatever the clock says.
      const { id: another } = await home.rent({ idleMs: 0 });
      await home.untilCluster(another, 'another is ready', ({ phase }) => phase === 'ready');
      const now = await home.cluster(id);
      assert.equal(now.phase, 'ready', `after ${offsetMs.toString()}`);
      assert.notEqual(now.usage.ratePerHourMicroUsd, '0', 'it goes on costing');
      const cost = costOf(now);
      assert.ok(cost >= before && cost < parseMicroUsd(now.caps.totalMicroUsd), `cost ${cost.toString()}`);
      before = cost;
      const stopped = await home.stopCluster(another);
      assert.equal(stopped.phase, 'stopped');
      assert.ok(stopped.endedAtMs !== null && stopped.endedAtMs >= stopped.createdAtMs);
    }
    const events = await home.api.clusters.events({ clusterId: id, limit: 1000 });
    const jumps = events.filter(({ value }) => value === 'clock_jumped').map(({ message }) => message);
    assert.match(jumps[0] ?? '', /was set 400 days ahead\. No cluster stops because of it/);
    assert.match(jumps[1] ?? '', /days back/);
    assert.match(jumps.at(-1) ?? '', /is right again/);
    const times = events.map(({ atMs }) => atMs);
    assert.deepEqual(
      times,
      times.toSorted((a, b) => a - b),
      'events are dated in their order',
    );
    await home.stopCluster(id);
  });

  it('still ends a cluster at its stop time, by the time that has passed', async () => {
    homeWith({ HITCH_SANDBOX_RUNTIME: 'null', HITCH_SANDBOX_BOOT_MS: '100' });
    await home.start({}, PROGRAM);
    jumpTo(-DAY);
    await noticed(-DAY);
    const { id } = await home.rent({ stopAtMs: Date.now() + 5 * HOUR, idleMs: 0 });
    await home.untilCluster(id, 'it is ready', ({ phase }) => phase === 'ready');
    const { nowMs } = await home.api.daemon.info();
    await home.api.clusters.extend({ clusterId: id, stopAtMs: nowMs + 10_000 });
    const over = await home.untilOver(id, 180_000);
    assert.equal(over.phase, 'expired');
  });

  it('is no reason for the next daemon to end what a killed one left', async function () {
    needsRealNodes(this);
    homeWith({});
    await home.start({}, PROGRAM);
    const { id } = await home.rent({ stopAtMs: Date.now() + 2 * HOUR, idleMs: 0, engine: 'single' });
    const ready = await home.untilCluster(id, 'it is ready', ({ phase }) => phase === 'ready');
    const ref = ready.nodes[0]?.attempts[0]?.ref;
    for (const offsetMs of [400 * DAY, -400 * DAY]) {
      await home.kill();
      jumpTo(offsetMs);
      await home.start({}, PROGRAM);
      await noticed(offsetMs);
      const again = await home.untilCluster(id, 'it runs as before', ({ phase }) => phase === 'ready');
      assert.equal(again.nodes[0]?.attempts[0]?.ref, ref, 'on the same machine');
      const cost = costOf(again);
      assert.ok(cost >= costOf(ready) && cost < parseMicroUsd(again.caps.totalMicroUsd), cost.toString());
      // The command line has the same clock, which was set, too.
      const shown = await home.cli(['ls'], {}, ['--import', PRELOAD]);
      const longer = await home.cli(['extend', again.name, '--for', '3h', '--yes'], {}, [
        '--import',
        PRELOAD,
      ]);
      assert.equal(longer.code, 0, longer.stderr);
      const { nowMs } = await home.api.daemon.info();
      const stopAtMs = (await home.cluster(id)).caps.stopAtMs ?? 0;
      assert.ok(stopAtMs > nowMs + 2 * HOUR && stopAtMs < nowMs + 4 * HOUR, 'three hours from now');
      assert.match(shown.stderr, /clock was set 400 days/);
      assert.doesNotMatch(shown.stdout, /\$0\.00(?!\d)/);
      assert.doesNotMatch(shown.stdout, /-\d+ ?(d|h|min|s|:)/);
    }
    await home.stopCluster(id);
    assert.deepEqual(
      home.ledger().filter(({ endedAtMs }) => endedAtMs === null),
      [],
    );
  });
});
