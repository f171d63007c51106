/** `GET /log-bytes`: what a run of a job printed, as bytes; what they are of stands in a header. */
import type { ServerResponse } from 'node:http';
import {
  HitchError,
  jobIdSchema,
  jobLogBytesQuerySchema,
  type JobLogFacts,
  LOG_FACTS,
} from '@hitch/contract';
import { passBytes } from '../files/pass-bytes.ts';
import type { Route } from '../http/server.ts';
import type { LogStretch } from './job-log.ts';
import type { Jobs } from './jobs.ts';

/** What a run printed from a place on, and how it stands. */
export interface OpenedLog {
  readonly facts: JobLogFacts;
  readonly stretch: LogStretch;
}

const querySchema = jobLogBytesQuerySchema.extend({ jobId: jobIdSchema });

export function logBytesRoute(jobs: Jobs): Route {
  return async (url, request, response) => {
    if (url.pathname !== '/log-bytes' || request.method !== 'GET') {
      return false;
    }
    const { data: asked } = querySchema.safeParse(Object.fromEntries(url.searchParams));
    if (asked === undefined) {
      throw new HitchError('BAD_INPUT', 'This is no part of a job’s log that can be asked for.');
    }
    const { jobId, ...query } = asked;
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    await sendLog(await (await jobs.get(jobId)).openLog(query, gone.signal), response);
    return true;
  };
}

/** Sends it at the pace of whoever reads, and closes it. @throws Error where they go away. */
export async function sendLog({ facts, stretch }: OpenedLog, response: ServerResponse): Promise<void> {
  try {
    response.writeHead(200, {
      'content-type': 'application/octet-stream',
      'content-length': stretch.bytes,
      [LOG_FACTS]: JSON.stringify(facts),
    });
    for (const { file, offset, bytes } of stretch.places) {
      await passBytes(file, { start: offset, end: offset + bytes - 1 }, response);
    }
    response.end();
  } finally {
    await stretch.close();
  }
}
