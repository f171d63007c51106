/** How this node does over time, put together: whose GPUs it has, whose processes they are, and where it is kept. */
import type { AgentConfig, Kernel, MemoryWarning } from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';
import { errorText, type Log } from '@hitch/platform/src/log.ts';
import { FINE_EVERY_MS } from '@hitch/contract/src/use/wire.ts';
import type { AgentFolders } from '../folders.ts';
import { endTagged } from '../processes/ending.ts';
import { AmdWatch } from './amd.ts';
import { MemoryWatch } from './memory-watch.ts';
import { NvidiaWatch } from './nvidia.ts';
import { type Owner, Shares } from './shares.ts';
import { SHARES_EVERY_MS, UseSampler } from './use-sampler.ts';

export interface NodeUseOptions {
  readonly config: AgentConfig;
  readonly clock: Clock;
  readonly log: Log;
  readonly folders: AgentFolders;
  readonly kernels: () => readonly Kernel[];
  /** Of a job that is not over; undefined: it is. */
  readonly jobName: (id: string) => string | undefined;
  /** Memory is about to run out. */
  readonly warn: (warning: MemoryWarning) => void;
}

export interface NodeUse {
  readonly sampler: UseSampler;
  start(): Promise<void>;
}

const END_GRACE_MS = 1_000;

export function nodeUse(options: NodeUseOptions): NodeUse {
  const { config, clock, log, folders } = options;
  const tags = { HITCH_NODE: config.ref, HITCH_PROGRAM: 'gpus' };
  const nvidia = new NvidiaWatch({
    ...{ clock, log, tags },
    everyMs: FINE_EVERY_MS,
    appsEveryMs: SHARES_EVERY_MS,
  });
  const amd = new AmdWatch();
  const shares = process.platform === 'linux' ? new Shares({ ref: config.ref }) : null;
  const memory = new MemoryWatch(options.warn);
  const sampler = new UseSampler({
    ...{ clock, log },
    folder: folders.use,
    workFolder: folders.work,
    gpus: amd.gpus() === null ? nvidia : amd,
    shares: (nowMs, vram) => shares?.look(nowMs, vram) ?? [],
    measured: sample => memory.look(sample),
    nameOf: owner => nameOf(owner, options),
  });
  return {
    sampler,
    start: async () => {
      try {
        sampler.resume();
      } catch (error) {
        log.warn('Minutes of an earlier agent cannot be kept', { error: errorText(error) });
      }
      // Of an agent that was killed: one that no program of a GPU ever wrote to would stay.
      await endTagged(clock, tags, END_GRACE_MS);
      if (amd.gpus() === null) {
        nvidia.start();
      }
      sampler.start();
    },
  };
}

function nameOf(
  { of, id }: Owner,
  { kernels, jobName }: Pick<NodeUseOptions, 'kernels' | 'jobName'>,
): string {
  switch (of) {
    case 'kernel': {
      const kernel = kernels().find(each => each.id === id);
      return kernel?.path ?? kernel?.name ?? id.slice(0, 8);
    }
    case 'job':
      return jobName(id) ?? id;
    case 'ray':
      return 'Ray';
    case 'other':
      return 'others';
  }
}
