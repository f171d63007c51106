/** What a job printed, as bytes and never held here: from its machine while that answers, else from what is kept. */
import type { ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import {
  type JobId,
  type jobLogBytesQuerySchema,
  type JobLogFacts,
  LOG_FACTS,
  logFactsOf,
} from '@hitch/contract';
import type * as z from 'zod';
import { readAnswer } from '../access/answer-bounds.ts';
import type { LinkAnswer } from '../access/link-http.ts';
import { mustBe, saidError } from '../access/not-understood.ts';
import type { LogStretch } from '../agent/jobs/job-log.ts';
import { sendLog } from '../agent/jobs/log-bytes.ts';
import { checkPart } from './believed.ts';

export type LogBytesQuery = z.output<typeof jobLogBytesQuerySchema>;

/** Sends it, once; whoever does not send it closes it. */
export interface LogToSend {
  readonly facts: JobLogFacts;
  send(response: ServerResponse): Promise<void>;
}

/** The agent's path for a question. @param run as the machine numbers it. */
export function agentPath(jobId: JobId, { from, most, waitMs }: LogBytesQuery, run?: number): string {
  const query = new URLSearchParams({
    jobId,
    from: from.toString(),
    most: most.toString(),
    waitMs: waitMs.toString(),
    ...(run === undefined ? {} : { run: run.toString() }),
  });
  return `/log-bytes?${query.toString()}`;
}

/**
 * The agent's answer, believed as far as it is about what was asked.
 * @param runsBefore on other machines: what is shown counts them too
 * @throws HitchError: the agent's own, or that it is not understood.
 */
export async function fromAgent(
  asked: LogBytesQuery,
  answer: LinkAnswer,
  runsBefore: number,
): Promise<LogToSend> {
  const { statusCode, headers, body } = answer;
  if (statusCode >= 400) {
    throw saidError(await readAnswer(answer, '/log-bytes'), statusCode);
  }
  try {
    mustBe(statusCode === 200, `HTTP ${statusCode.toString()} in the place of a log`);
    mustBe(headers['content-encoding'] === undefined, 'a log that is compressed');
    const length = headers['content-length'] ?? '';
    mustBe(/^\d{1,9}$/.test(length), 'a log without a length');
    const said = logFactsOf(String(headers[LOG_FACTS] ?? ''));
    mustBe(said !== null, 'a log without saying of which run it is');
    const facts = { ...said, run: said.run + runsBefore };
    checkPart(asked, facts, Number(length));
    return {
      facts,
      send: async response => {
        response.writeHead(200, headOf(facts, Number(length)));
        await pipeline(body, response);
      },
    };
  } catch (error) {
    body.destroy();
    throw error;
  }
}

export const fromKept = (facts: JobLogFacts, stretch: LogStretch): LogToSend => ({
  facts,
  send: response => sendLog({ facts, stretch }, response),
});

const headOf = (facts: JobLogFacts, bytes: number): Record<string, string | number> => ({
  'content-type': 'application/octet-stream',
  'content-length': bytes,
  [LOG_FACTS]: JSON.stringify(facts),
});
