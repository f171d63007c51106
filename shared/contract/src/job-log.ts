/**
 * What a job printed, as bytes: `GET /api/jobs/<id>/log-bytes` answers the question of `jobs.log` with the bytes themselves
 * in the body and the rest in a header. For whoever reads much: base64 in JSON costs many times the copying.
 */
import * as z from 'zod';
import { HitchError } from './errors.ts';
import type { JobId } from './ids.ts';
import { jobLogPageSchema, jobLogQuerySchema } from './jobs.ts';
import { toHitchError } from './link.ts';

/** Bytes of a log in one answer; whoever wants more asks for what follows, so that nobody holds more than this. */
export const MOST_LOG_BYTES = 4 * 1024 * 1024;

/** The header that says of which run and from which place the bytes are. */
export const LOG_FACTS = 'x-hitch-log';

export const jobLogFactsSchema = jobLogPageSchema.pick({
  run: true,
  from: true,
  endByte: true,
  isOver: true,
});
export type JobLogFacts = z.infer<typeof jobLogFactsSchema>;

export const jobLogBytesQuerySchema = jobLogQuerySchema.extend({
  most: z.coerce.number().int().min(1).max(MOST_LOG_BYTES).default(MOST_LOG_BYTES),
});
export type JobLogBytesQuery = Partial<z.output<typeof jobLogBytesQuerySchema>>;

/** A part of a log: {@link JobLogPage} with its bytes. */
export interface JobLogPart extends JobLogFacts {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Number of the byte to ask for next. */
  readonly next: number;
}

/** The facts of an answer; null where it has none that can be read. */
export function logFactsOf(header: string | null | undefined): JobLogFacts | null {
  try {
    return jobLogFactsSchema.safeParse(JSON.parse(header ?? '')).data ?? null;
  } catch {
    return null;
  }
}

interface RawClient {
  raw(path: string, init?: RequestInit): Promise<Response>;
}

/**
 * Reads a part of a job's log. A connection that breaks in the middle gives nothing of it: the same question asked again
 * has the same bytes.
 * @throws HitchError as `jobs.log`; UNREACHABLE where the answer breaks off.
 */
export async function readJobLog(
  client: RawClient,
  jobId: JobId,
  query: JobLogBytesQuery,
  signal?: AbortSignal,
): Promise<JobLogPart> {
  const asked = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) {
      asked.set(name, value.toString());
    }
  }
  const path = `/api/jobs/${jobId}/log-bytes?${asked.toString()}`;
  const response = await client.raw(path, signal === undefined ? {} : { signal });
  const facts = logFactsOf(response.headers.get(LOG_FACTS));
  if (facts === null) {
    throw new HitchError('INTERNAL', 'The daemon sent a log without saying from where it is.');
  }
  try {
    const bytes = new Uint8Array(await response.arrayBuffer());
    return { ...facts, bytes, next: facts.from + bytes.length };
  } catch (error) {
    throw toHitchError(error, 'The log broke off before its end.');
  }
}
