/** 1,000 launches at once on machines that take 30 s to boot: how much later than the boot, and how smooth the daemon stays. */
import { figure, type Benchmark } from '../figure.ts';
import { startDaemon } from '../daemon-under-test.ts';
import { launchMany } from '../launch-many.ts';

const CLUSTERS = 1_000;
const BOOT_MS = 30_000;

export const launches: Benchmark = {
  names: ['launches_1000_ratio', 'event_loop_p99_ms'],
  async run(report) {
    const daemon = await startDaemon({
      HITCH_SANDBOX_RUNTIME: 'null',
      HITCH_SANDBOX_BOOT_MS: BOOT_MS.toString(),
      HITCH_SANDBOX_STOCK: CLUSTERS.toString(),
    });
    try {
      report(`${CLUSTERS.toString()} creates at once`);
      await daemon.client.api.daemon.info();
      const tookMs = await launchMany(daemon, CLUSTERS);
      const { eventLoopDelayP99Ms } = await daemon.client.api.daemon.info();
      return [
        figure({
          name: 'launches_1000_ratio',
          value: tookMs / 1000,
          unit: 's',
          baseline: BOOT_MS / 1000,
          target: { atMost: 1.2 },
          of: 'ratio',
          note: 'until the last of 1,000 is ready, against the boot that each of them waits for',
        }),
        figure({
          name: 'event_loop_p99_ms',
          value: eventLoopDelayP99Ms,
          unit: 'ms',
          target: { atMost: 20 },
          note: 'delay of the daemon’s event loop, 99th percentile since its last look',
        }),
      ];
    } finally {
      await daemon.end();
    }
  },
};
