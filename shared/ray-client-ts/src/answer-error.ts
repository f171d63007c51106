/** Chooses the error class for a failed HTTP answer. The one place that knows how Ray words its failures. */
import { redact, summarise } from './error-text.ts';
import {
  RayAuthError,
  RayBadRequestError,
  RayBrowserRefusedError,
  RayConflictError,
  RayNotFoundError,
  RayPayloadTooLargeError,
  RayRateLimitedError,
  RayServerError,
} from './errors.ts';
import type { RayError, RayErrorDetails } from './errors.ts';

/** Exceptions that the same request causes again; any other 5xx may pass (a restarting GCS, a busy agent). */
const DETERMINISTIC = new Set([
  'AssertionError',
  'AttributeError',
  'ImportError',
  'IndexError',
  'KeyError',
  'ModuleNotFoundError',
  'NotImplementedError',
  'TypeError',
  'UnicodeDecodeError',
  'UnicodeEncodeError',
  'ValidationError',
  'ValueError',
]);

const CONFLICT = /already exists|in a non-terminal state/;

/** A failed answer. `body` may be cut at the front: only its end matters. */
export interface FailedAnswer {
  method: string;
  /** Path without the query. */
  path: string;
  status: number;
  body: string;
  token: string | undefined;
}

export function errorFromAnswer(answer: FailedAnswer): RayError {
  const { status } = answer;
  const { line, pythonError } = summarise(redact(envelopeMessage(answer.body) ?? answer.body, answer.token));
  const told = line === '' ? '' : `: ${line}`;
  const message = `${answer.method} ${answer.path} was answered with ${String(status)}${told}`;
  const details: RayErrorDetails = { status, pythonError };

  if (status === 401 || status === 403) return new RayAuthError(message, details);
  if (status === 404) return new RayNotFoundError(message, details);
  if (status === 405 && line.includes('browser traffic')) return new RayBrowserRefusedError(message, details);
  if (status === 409) return new RayConflictError(message, details);
  if (status === 413) return new RayPayloadTooLargeError(message, details);
  if (status === 429) return new RayRateLimitedError(message, { ...details, retryable: true });
  if (status < 500) return new RayBadRequestError(message, details);
  if (status === 500 && CONFLICT.test(line)) return new RayConflictError(message, details);
  return new RayServerError(message, { ...details, retryable: mayPass(status, pythonError) });
}

function mayPass(status: number, pythonError: string | undefined): boolean {
  if (status === 501) return false;
  return pythonError === undefined || !DETERMINISTIC.has(pythonError);
}

/** The state API alone answers failures as JSON, `{"result": false, "msg": "…"}`. */
function envelopeMessage(body: string): string | undefined {
  if (!body.trimStart().startsWith('{')) return undefined;
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed === 'object' && parsed !== null && 'msg' in parsed && typeof parsed.msg === 'string') {
      return parsed.msg;
    }
  } catch {
    return undefined;
  }
  return undefined;
}
