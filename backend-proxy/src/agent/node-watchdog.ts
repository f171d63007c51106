/** The watchdog of this node: what it looks at, whom it warns, and what it ends. */
import { join } from 'node:path';
import type { AgentConfig, BusyLimits } from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';
import type { Log } from '@hitch/platform/src/log.ts';
import { activityReader } from './activity.ts';
import type { Transfers } from './agent-server.ts';
import type { AgentFolders } from './folders.ts';
import type { Jobs } from './jobs/jobs.ts';
import type { Notebook } from './notebook.ts';
import { processReader } from './processes/proc.ts';
import { ProcessWork } from './processes/work.ts';
import type { RayEngine } from './ray/ray.ts';
import type { Sampler } from './signals/sampler.ts';
import { Watchdog } from './watchdog/watchdog.ts';
import { postWarning } from './watchdog/webhook.ts';

export interface NodeWatchdogOptions {
  readonly config: AgentConfig;
  readonly clock: Clock;
  readonly log: Log;
  readonly folders: AgentFolders;
  readonly notebook: Notebook | null;
  readonly ray: RayEngine;
  readonly sampler: Sampler;
  readonly jobs: Jobs;
  readonly transfers: Transfers;
  readonly end: (sentence: string) => void;
  readonly changed: () => void;
}

export function nodeWatchdog(options: NodeWatchdogOptions): Watchdog {
  const { config, clock, log, folders, notebook, ray, sampler, jobs, transfers, end, changed } = options;
  const jupyterPid = (): number | null => notebook?.jupyter.supervisor.state.pid ?? null;
  const limits = (): BusyLimits => watchdog.busy;
  const place = { ref: config.ref, workFolder: folders.work, jupyterPid };
  const work =
    process.platform === 'linux' ? new ProcessWork({ clock, limits, reader: processReader(place) }) : null;
  const watchdog = new Watchdog({
    clock,
    log,
    file: join(folders.run, 'watchdog.json'),
    endedFile: join(folders.run, 'ended.json'),
    initial: config.watchdog,
    readActivity: activityReader({
      clock,
      kernels: () => notebook?.list.activity() ?? [],
      dashboard: () => (ray.state.state === 'running' ? (ray.dashboard?.api ?? null) : null),
      signals: () => sampler.last,
      transfers: () => transfers.count,
      jobs: () => jobs.live.map(({ record }) => record.name),
      work: () => work?.look() ?? [],
      jupyterPid,
    }),
    seesProcesses: work !== null,
    warn: (sentence, webhookUrl) => {
      if (webhookUrl !== null) {
        const warning = { cluster: config.clusterName, node: config.nodeId, sentence, atMs: clock.now() };
        void postWarning(clock, log, webhookUrl, warning);
      }
    },
    end,
    changed,
  });
  return watchdog;
}
