/** The job a person means. */
import { HitchError, type Job } from '@hitch/contract';
import * as z from 'zod';
import type { Api } from '@hitch/client-node/src/session.ts';

export const jobRef = z
  .string()
  .regex(/^(?:job_[0-9A-Z]{26}|[a-z0-9-]{1,60})$/, 'is not a job’s name or id; hitch job ls shows them');

const MOST_NAMED = 10;

/** @throws HitchError NOT_FOUND with the names there are. */
export async function findJob(api: Api, nameOrId: string): Promise<Job> {
  const jobs = await api.jobs.list({});
  const found = jobs.find(({ name, id }) => name === nameOrId || id === nameOrId);
  if (found === undefined) {
    const names = jobs.slice(-MOST_NAMED).map(({ name }) => name);
    throw new HitchError('NOT_FOUND', `There is no job "${nameOrId}".`, {
      next: names.length === 0 ? 'Begin one with hitch job run.' : `The latest are: ${names.join(', ')}.`,
    });
  }
  return found;
}
