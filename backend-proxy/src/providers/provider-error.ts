/** How a call to a network fails, and what that says of money. */

/**
 * - `capacity`: certainly nothing was bought; this offer is gone, sold out or dearer: try another.
 * - `permanent`: certainly nothing was bought and trying again cannot help (bad request, unsupported).
 * - `auth`: certainly nothing was bought; credentials or funds are missing.
 * - `retryable`: certainly nothing was bought; the same call may work later (429, refused connection).
 * - `unknownOutcome`: it may have been bought (time-out, broken connection, 5xx, an answer that makes no sense).
 */
export type ProviderErrorKind = 'capacity' | 'permanent' | 'auth' | 'retryable' | 'unknownOutcome';

export class ProviderError extends Error {
  override readonly name = 'ProviderError';
  readonly kind: ProviderErrorKind;
  /** The id of something that exists although the call failed (some networks answer an error and a new contract). */
  readonly instanceId: string | null;
  readonly retryAfterMs: number | null;
  /** With `auth`: whether the login is what is missing, or money. */
  readonly lacks: 'login' | 'funds';
  /** The network's own name for this failure, where its adapter tells failures apart by it. */
  readonly code: string | null;

  constructor(
    kind: ProviderErrorKind,
    message: string,
    options: {
      instanceId?: string;
      retryAfterMs?: number;
      lacks?: 'login' | 'funds';
      code?: string;
      cause?: unknown;
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.instanceId = options.instanceId ?? null;
    this.retryAfterMs = options.retryAfterMs ?? null;
    this.lacks = options.lacks ?? 'login';
    this.code = options.code ?? null;
  }
}
