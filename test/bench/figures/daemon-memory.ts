/** What the bundled daemon holds: idle, and with 1,000 clusters. */
import { figure, type Benchmark } from '../figure.ts';
import {
  emptyNodeMegabytes,
  privateMegabytes,
  residentMegabytes,
  settle,
  startDaemon,
} from '../daemon-under-test.ts';
import { launchMany } from '../launch-many.ts';

const SETTLE_MS = 5_000;
const CLUSTERS = 1_000;

export const daemonMemory: Benchmark = {
  names: ['daemon_idle_rss_mb', 'daemon_1000_clusters_rss_mb'],
  async run(report) {
    const daemon = await startDaemon({
      HITCH_SANDBOX_RUNTIME: 'null',
      HITCH_SANDBOX_BOOT_MS: '500',
      HITCH_SANDBOX_STOCK: CLUSTERS.toString(),
    });
    try {
      await settle(SETTLE_MS);
      const idle = residentMegabytes(daemon.pid);
      const own = privateMegabytes(daemon.pid);
      const empty = await emptyNodeMegabytes();
      report(`renting ${CLUSTERS.toString()} clusters`);
      await launchMany(daemon, CLUSTERS);
      await settle(SETTLE_MS);
      const full = residentMegabytes(daemon.pid);
      return [
        figure({
          name: 'daemon_idle_rss_mb',
          value: idle,
          unit: 'MB',
          baseline: empty,
          target: { atMost: 85 },
          note: `baseline: an empty Node; ${own.toFixed(1)} MB are its own, the rest is Node's file`,
        }),
        figure({
          name: 'daemon_1000_clusters_rss_mb',
          value: full,
          unit: 'MB',
          baseline: idle,
          target: { atMost: 200 },
          note: 'baseline: the same daemon before it had any',
        }),
      ];
    } finally {
      await daemon.end();
    }
  },
};
