/** What the agent holds beside an idle Jupyter Server. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { figure, type Benchmark } from '../figure.ts';
import {
  emptyNodeMegabytes,
  machineFolders,
  privateMegabytes,
  residentMegabytes,
  settle,
  startDaemon,
} from '../daemon-under-test.ts';
import { machineRecordSchema } from '../../../backend-proxy/src/machines/machine-folder.ts';

const SETTLE_MS = 10_000;

export const agentMemory: Benchmark = {
  names: ['agent_idle_rss_mb'],
  async run(report) {
    const daemon = await startDaemon();
    try {
      const cluster = await daemon.rent({ filter: { providers: ['local'] } });
      await daemon.until(cluster.id, ({ phase }) => phase === 'ready');
      report('letting the agent settle');
      await settle(SETTLE_MS);
      const [folder] = machineFolders(daemon.home);
      const record = machineRecordSchema.parse(
        JSON.parse(readFileSync(join(folder ?? '', 'machine.json'), 'utf8')),
      );
      const pid = record.agent?.pid ?? 0;
      return [
        figure({
          name: 'agent_idle_rss_mb',
          value: residentMegabytes(pid),
          unit: 'MB',
          baseline: await emptyNodeMegabytes(),
          target: { atMost: 60 },
          note: `baseline: an empty Node; ${privateMegabytes(pid).toFixed(1)} MB are its own, the rest is Node's file`,
        }),
      ];
    } finally {
      await daemon.end();
    }
  },
};
