/** What becomes of a job whose machine is gone, and with it whatever nobody has heard. */
import type { JobRun } from '@hitch/contract';
import type { JobRecord } from '../ledger/kinds/job.ts';

/** @param isEnded its cluster ended, as somebody wished; else the machine was lost. */
export function lost(
  heard: readonly JobRun[],
  isEnded: boolean,
  nowMs: number,
): Pick<JobRecord, 'owes' | 'state' | 'message' | 'runs' | 'logDone'> {
  return {
    owes: null,
    state: isEnded ? 'stopped' : 'failed',
    message: isEnded ? 'Its cluster ended before it was over.' : 'Its machine was lost before it was over.',
    runs: heard.map(run =>
      run.endedAtMs === null ? { ...run, endedAtMs: nowMs, cause: isEnded ? 'cluster' : 'lost' } : run,
    ),
    logDone: true,
  };
}
