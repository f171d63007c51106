/** A computer's clock that is set while the daemon runs: nothing is lost, mis-billed or ended before its time. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseMicroUsd } from '@hitch/contract';
import { DaemonHome, HITCH_PROGRAM } from '../support/daemon-home.ts';
import { delay } from '../support/waiting.ts';

const HOUR = 3_600_000;
const PRELOAD = new URL('../support/jumping-clock.mjs', import.meta.url).href;

describe('a clock that jumps under the daemon', function () {
  this.timeout(300_000);
  const clockFile = join(tmpdir(), `he-clock-${randomBytes(6).toString('hex')}`);
  const home = new DaemonHome({
    HITCH_PROVIDERS: 'sandbox',
    HITCH_SANDBOX_RUNTIME: 'null',
    HITCH_SANDBOX_BOOT_MS: '100',
    HITCH_SANDBOX_STOCK: '50',
    HITCH_TEST_CLOCK: clockFile,
  });
  const jumpTo = (offsetMs: number): void => {
    // In one step: the daemon reads it at any moment, and an empty file would be a jump of its own.
    writeFileSync(`${clockFile}.next`, offsetMs.toString());
    renameSync(`${clockFile}.next`, clockFile);
  };
  const program = [
    '--import',
    PRELOAD,
    fileURLToPath(new URL(`file://${HITCH_PROGRAM}`)),
    'daemon',
    '--foreground',
  ];

  before(async () => {
    jumpTo(0);
    await home.start({}, program);
  });

  after(async () => {
    await home.dispose();
    rmSync(clockFile, { force: true });
  });

  it('goes on after a jump back, costs nothing for it, and still ends at its stop time after a jump forward', async () => {
    const stopAtMs = Date.now() + 2 * HOUR;
    const { id } = await home.rent({ stopAtMs, idleMs: 0 });
    const ready = await home.untilCluster(id, 'it is ready', ({ phase }) => phase === 'ready');

    jumpTo(-3 * HOUR);
    await delay(1_500);
    const back = await home.cluster(id);
    assert.equal(back.phase, 'ready');
    const cost = parseMicroUsd(back.usage.accruedMicroUsd);
    assert.ok(cost >= 0n && cost <= parseMicroUsd(back.caps.totalMicroUsd), `cost ${cost.toString()}`);
    const { id: another } = await home.rent({ idleMs: 0 });
    await home.untilCluster(another, 'another is ready', ({ phase }) => phase === 'ready');
    const events = await home.api.clusters.events({ clusterId: id });
    assert.deepEqual(
      events.map(({ seq }) => seq),
      [...events.map(({ seq }) => seq)].sort((a, b) => a - b),
      'events are numbered, not dated',
    );
    await home.api.clusters.stop({ clusterId: another, skipSave: true });
    await home.untilCluster(another, 'another is stopped', ({ phase }) => phase === 'stopped');

    jumpTo(3 * HOUR);
    const ended = await home.untilCluster(id, 'it has expired', ({ phase }) => phase === 'expired');
    assert.equal(ended.name, ready.name);
    assert.deepEqual(
      home.ledger().filter(({ endedAtMs }) => endedAtMs === null),
      [],
      'nothing bills any more',
    );
    assert.ok(parseMicroUsd(ended.usage.accruedMicroUsd) <= parseMicroUsd(ended.caps.totalMicroUsd));
  });
});
