/** A warning to a URL of the user's: JSON, retried a little, never followed anywhere else. */
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Clock } from '@hitch/platform/src/clock.ts';
import { errorText, type Log } from '@hitch/platform/src/log.ts';

export interface Warning {
  readonly cluster: string;
  readonly node: string;
  readonly sentence: string;
  readonly atMs: number;
}

const PAUSES_MS = [0, 2_000, 8_000];
const ANSWER_WITHIN_MS = 10_000;

/**
 * Posts the warning. Only http(s), no redirects, and the answer's content goes nowhere, so that whoever may set the
 * URL learns nothing by it. @returns whether it was taken.
 */
export async function postWarning(clock: Clock, log: Log, url: string, warning: Warning): Promise<boolean> {
  let target: URL;
  try {
    target = new URL(url);
  } catch {
    log.warn('The webhook is no URL; no warning was sent');
    return false;
  }
  if (target.protocol !== 'http:' && target.protocol !== 'https:') {
    log.warn('The webhook is neither http nor https; no warning was sent');
    return false;
  }
  for (const pauseMs of PAUSES_MS) {
    await clock.sleep(pauseMs);
    try {
      const status = await post(clock, target, JSON.stringify(warning));
      if (status < 500 && status !== 429) {
        return status >= 200 && status < 300;
      }
      log.warn('The webhook failed', { status });
    } catch (error) {
      log.warn('The webhook cannot be reached', { error: errorText(error) });
    }
  }
  return false;
}

function post(clock: Clock, url: URL, body: string): Promise<number> {
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const request = send(
      url,
      {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
          'user-agent': 'hitch-agent',
        },
      },
      answer => {
        slow.cancel();
        answer.destroy();
        resolve(answer.statusCode ?? 0);
      },
    );
    const slow = clock.setTimer(() => request.destroy(new Error('no answer in time')), ANSWER_WITHIN_MS);
    request.once('error', error => {
      slow.cancel();
      reject(error);
    });
    request.end(body);
  });
}
