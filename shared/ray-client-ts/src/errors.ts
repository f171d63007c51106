/** Every error this client throws on purpose. All extend {@link RayError}; an abort rethrows the signal's own reason. */

export interface RayErrorDetails {
  /** HTTP status, or undefined when no answer arrived. */
  status?: number | undefined;
  /** Whether the same call may succeed later, unchanged. */
  retryable?: boolean;
  /** Class of the Python exception behind the answer, such as `ValueError`. */
  pythonError?: string | undefined;
  cause?: unknown;
}

/** Base class. `message` is one sentence with the last `XxxError: …` line; never a token, never a traceback. */
export class RayError extends Error {
  override name = 'RayError';
  /** HTTP status, or undefined when no answer arrived. */
  readonly status: number | undefined;
  /**
   * Whether the same call may succeed later, unchanged. For a call that changes something (`jobs.submit`) it
   * does not say whether the first one took effect: give jobs a `submission_id` and treat
   * {@link RayConflictError} on the second try as success.
   */
  readonly retryable: boolean;
  /** Class of the Python exception behind the answer, such as `ValueError`. */
  readonly pythonError: string | undefined;

  constructor(message: string, details: RayErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.status = details.status;
    this.retryable = details.retryable ?? false;
    this.pythonError = details.pythonError;
  }
}

/** 401 or 403: the token is missing or wrong. */
export class RayAuthError extends RayError {
  override name = 'RayAuthError';
}

/** 404: no such job, package or route (an older Ray lacks some routes). */
export class RayNotFoundError extends RayError {
  override name = 'RayNotFoundError';
}

/** 400 and other 4xx: the request itself is wrong; Ray names the field or column in the message. */
export class RayBadRequestError extends RayError {
  override name = 'RayBadRequestError';
}

/**
 * The record's state does not allow this: a `submission_id` already used, or a job deleted before it ended.
 * Ray answers 500 to both; this client recognises them by their text.
 */
export class RayConflictError extends RayError {
  override name = 'RayConflictError';
}

/** 405 "browser traffic": something between (a proxy, `fetch`) added browser headers; Ray refuses writes then. */
export class RayBrowserRefusedError extends RayError {
  override name = 'RayBrowserRefusedError';
}

/** 413: a package over 100 MiB. Host it elsewhere and name it by an https, s3, gs or azure URI. */
export class RayPayloadTooLargeError extends RayError {
  override name = 'RayPayloadTooLargeError';
}

/** 429: over 100 state API calls in flight. Retryable. */
export class RayRateLimitedError extends RayError {
  override name = 'RayRateLimitedError';
}

/** 5xx. Retryable unless the Python exception is one that the same request always causes. */
export class RayServerError extends RayError {
  override name = 'RayServerError';
}

/** No answer: refused, reset, unreachable, or past the time limit. Retryable; says nothing about the cluster's health. */
export class RayConnectionError extends RayError {
  override name = 'RayConnectionError';
}

/** The answer is not what Ray sends: not JSON, another shape, too large. Usually another program behind the address. */
export class RayProtocolError extends RayError {
  override name = 'RayProtocolError';
}
