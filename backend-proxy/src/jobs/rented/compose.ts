/** Builds what jobs that rent need, from the daemon's parts. */
import {
  type ClusterId,
  type EnvironmentRequest,
  type FileEntry,
  HitchError,
  isJobOver,
  type LockResult,
} from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';
import { errorText, type Log } from '@hitch/platform/src/log.ts';
import type { Ids } from '@hitch/platform/src/random.ts';
import type { agentClient } from '../../access/agent-client.ts';
import type { AgentLink } from '../../access/agent-link.ts';
import { entriesIn } from '../../access/asked-for.ts';
import type { ClusterService } from '../../clusters/service.ts';
import type { Copies } from '../../copies/copies.ts';
import { presentNodes } from '../../ledger/cluster-state.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { Templates } from '../../templates/templates.ts';
import { JobAgents } from '../job-agents.ts';
import { BucketKeeper } from './bucket/keeper.ts';
import { Checkpoints } from './checkpoints.ts';
import type { HubParts } from './hub-models.ts';
import { JobQuotes } from './job-quotes.ts';
import { RentedJobs } from './rented-jobs.ts';
import { copyToEnd } from './send.ts';
import { templateToRun } from './template-to-run.ts';

export interface RentedParts {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly ledger: Ledger;
  readonly folder: string;
  readonly clusters: ClusterService;
  readonly copies: Pick<Copies, 'start' | 'get' | 'cancel'>;
  readonly templates: Pick<Templates, 'toRun'>;
  readonly linkFor: (clusterId: ClusterId) => AgentLink;
  readonly fresh: () => Promise<void>;
  /** Values of stored secrets, for what is asked of a bucket here. */
  readonly secrets: (names: readonly string[]) => Promise<Readonly<Record<string, string>>>;
  readonly lock: (request: EnvironmentRequest, signal: AbortSignal) => Promise<LockResult>;
  readonly environment: NodeJS.ProcessEnv;
  /** How the Hub is asked. */
  readonly web: HubParts['send'];
}

export interface Renting {
  readonly quotes: JobQuotes;
  start(): void;
  close(): void;
}

/** A bucket that does not answer within this is none that anything can be kept in. */
const BUCKET_WITHIN_MS = 20_000;

export function createRenting(parts: RentedParts): Renting {
  const { clock, ids, log, ledger, folder, clusters, copies, templates, linkFor, fresh, lock } = parts;
  const end = new AbortController();
  const hub: HubParts = {
    send: parts.web,
    clock,
    endpoint: parts.environment['HF_ENDPOINT'] ?? 'https://huggingface.co',
    offline: /^(?:1|true|yes|on)$/i.test(parts.environment['HF_HUB_OFFLINE'] ?? ''),
  };
  const agents = new JobAgents({ clock, linkFor, ending: end.signal });
  const copy = (request: Parameters<typeof copyToEnd>[1], signal: AbortSignal) =>
    copyToEnd({ copies, clock }, request, signal);
  const checkpoints = new Checkpoints({
    clock,
    ids,
    ledger,
    folder,
    copy,
    list: (clusterId, path) => listed(agents, clusterId, path),
  });
  const send = (clusterId: ClusterId, { from, to }: { from: string; to: string }, signal: AbortSignal) =>
    copy(
      {
        clusterId,
        direction: 'send',
        sources: [from],
        target: to,
        intoFolder: false,
        conflict: 'replace',
        all: true,
      },
      signal,
    ).then(() => undefined);
  const buckets = new BucketKeeper({
    clock,
    ids,
    ledger,
    folder,
    secrets: parts.secrets,
    send: (job, files, signal) => send(job.clusterId, files, signal),
    begin: async ({ clusterId, name }, jobId, spec) => {
      const { state } = await agents.call(clusterId, (call, options) =>
        call.jobs.start({ jobId, name, engine: 'single', spec }, options),
      );
      return !isJobOver(state);
    },
  });
  const driver = new RentedJobs({
    clock,
    ids,
    log,
    ledger,
    clusters,
    folder,
    fresh,
    isReady: ({ cluster, nodes }) => {
      const head = presentNodes({ cluster, nodes })[0];
      const isUp = cluster.phase === 'ready' || cluster.phase === 'degraded';
      return isUp && head?.attemptId !== null && clusters.nodeLink(cluster.id, 0) !== null;
    },
    send,
    keepCheckpoint: async (job, signal) => {
      // Neither waits for the other, and one that fails takes nothing from the other.
      const both = await Promise.allSettled([checkpoints.keep(job, signal), buckets.keep(job, signal)]);
      const failed = both.find(each => each.status === 'rejected');
      if (failed !== undefined) {
        throw new Error(errorText(failed.reason), { cause: failed.reason });
      }
    },
    newestCheckpoint: (job, signal) => buckets.bringBack(job, signal),
  });
  return {
    quotes: new JobQuotes({
      clock,
      ids,
      ledger,
      folder,
      quoteMachine: async request => {
        await fresh();
        return clusters.quote(request);
      },
      templateToRun: (work, rent, localRoot) =>
        templateToRun(
          { templates, lock: request => lock(request, end.signal), hub, ending: end.signal },
          work,
          rent,
          localRoot,
        ),
      tryBucket: bucket =>
        buckets.try(bucket, AbortSignal.any([end.signal, AbortSignal.timeout(BUCKET_WITHIN_MS)])),
      ending: end.signal,
    }),
    start: () => driver.start(),
    close: () => {
      driver.close();
      end.abort(new Error('the daemon ends'));
    },
  };
}

async function listed(agents: JobAgents, clusterId: ClusterId, path: string): Promise<readonly FileEntry[]> {
  try {
    return await agents.call(clusterId, async (call: ReturnType<typeof agentClient>['call'], options) =>
      entriesIn(path, await call.files.list({ path }, options)),
    );
  } catch (error) {
    if (error instanceof HitchError && error.code === 'NOT_FOUND') {
      return [];
    }
    throw error;
  }
}
