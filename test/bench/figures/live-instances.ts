/** What the daemon holds for each of 5,000 machines that live: records, reconcilers, an open link and its stream. */
import { residentMegabytes, settle, startDaemon } from '../daemon-under-test.ts';
import { type Benchmark, figure } from '../figure.ts';
import { launchMany } from '../launch-many.ts';

const INSTANCES = 5_000;
/** In rounds, as a day brings them. */
const AT_ONCE = 1_000;
const SETTLE_MS = 5_000;

export const liveInstances: Benchmark = {
  names: ['live_instance_kb'],
  async run(report) {
    const daemon = await startDaemon({
      HITCH_SANDBOX_RUNTIME: 'null',
      HITCH_SANDBOX_BOOT_MS: '500',
      HITCH_SANDBOX_STOCK: INSTANCES.toString(),
    });
    try {
      await settle(SETTLE_MS);
      const idle = residentMegabytes(daemon.pid);
      for (let live = AT_ONCE; live <= INSTANCES; live += AT_ONCE) {
        await launchMany(daemon, AT_ONCE);
        report(`${live.toString()} live, ${residentMegabytes(daemon.pid).toFixed(0)} MB`);
      }
      await settle(SETTLE_MS);
      const full = residentMegabytes(daemon.pid);
      return [
        figure({
          name: 'live_instance_kb',
          value: ((full - idle) * 1000) / INSTANCES,
          unit: 'kB',
          target: { atMost: 1_000 },
          note: `${INSTANCES.toString()} practice machines that are records: ${idle.toFixed(0)} MB before, ${full.toFixed(0)} MB with them; what a way by ssh adds is daemon_mb_a_far_machine`,
        }),
      ];
    } finally {
      await daemon.end();
    }
  },
};
