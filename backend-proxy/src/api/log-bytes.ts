/** `GET /api/jobs/<id>/log-bytes`: what a job printed, streamed from its machine or from what is kept here. */
import type { ServerResponse } from 'node:http';
import { HitchError, jobIdSchema, jobLogBytesQuerySchema } from '@hitch/contract';
import type { ApiParts } from './parts.ts';

const PATH = /^\/api\/jobs\/([^/]+)\/log-bytes$/;

/** The id in such a path; null: it is another path. */
export const jobOfPath = (pathname: string): string | null => PATH.exec(pathname)?.[1] ?? null;

/** @throws HitchError as `jobs.log`. */
export async function passLogBytes(
  jobs: Pick<ApiParts['jobs'], 'openLog'>,
  job: string,
  url: URL,
  response: ServerResponse,
): Promise<void> {
  const { data: jobId } = jobIdSchema.safeParse(job);
  if (jobId === undefined) {
    throw new HitchError('NOT_FOUND', 'There is no such job.');
  }
  const query = jobLogBytesQuerySchema.strict().safeParse(Object.fromEntries(url.searchParams));
  if (!query.success) {
    const issue = query.error.issues[0];
    const field = String(issue?.path[0] ?? '');
    throw new HitchError('BAD_INPUT', `“${field}” is not valid: ${issue?.message ?? ''}.`, { field });
  }
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  await (await jobs.openLog(jobId, query.data, gone.signal)).send(response);
}
