/** The one error envelope, and every code in it. */
import * as z from 'zod';

export const ERROR_CODES = [
  'BAD_INPUT',
  'UNAUTHORIZED',
  'FORBIDDEN_ORIGIN',
  'APPROVAL_NEEDED',
  'NOT_FOUND',
  'CONFLICT',
  'NAME_TAKEN',
  'QUOTE_EXPIRED',
  'QUOTE_USED',
  'NO_OFFERS',
  'CAP_TOO_LOW',
  'LOGIN_NEEDED',
  'FUNDS_TOO_LOW',
  'TOO_LARGE',
  'STORAGE_FULL',
  'UNREACHABLE',
  'PROVIDER_ERROR',
  'VERSION_MISMATCH',
  'INTERNAL',
] as const;

/** Each code: the HTTP status it travels with, and what it means. The API reference is made from this table. */
export const ERRORS = {
  BAD_INPUT: {
    status: 400,
    retryable: false,
    meaning: 'Something in the request is not valid; `field` names it.',
  },
  UNAUTHORIZED: { status: 401, retryable: false, meaning: 'The bearer token is missing or wrong.' },
  FORBIDDEN_ORIGIN: {
    status: 403,
    retryable: false,
    meaning: 'The Host or Origin header is not one this daemon serves.',
  },
  APPROVAL_NEEDED: {
    status: 403,
    retryable: false,
    meaning: 'A page may not do this by itself; where it spends, `POST /approvals` asks a person.',
  },
  NOT_FOUND: {
    status: 404,
    retryable: false,
    meaning: 'No such cluster, node, kernel, file, secret or quote.',
  },
  CONFLICT: { status: 409, retryable: false, meaning: 'The record is in a state that does not allow this.' },
  NAME_TAKEN: { status: 409, retryable: false, meaning: 'Another cluster has this name.' },
  QUOTE_EXPIRED: {
    status: 410,
    retryable: false,
    meaning: 'The quote is older than its validity; ask for another.',
  },
  QUOTE_USED: {
    status: 409,
    retryable: false,
    meaning: 'The quote was used for a cluster by another request.',
  },
  NO_OFFERS: { status: 422, retryable: true, meaning: 'No offer matches the request at this moment.' },
  CAP_TOO_LOW: {
    status: 422,
    retryable: false,
    meaning: 'The cap does not cover what would be committed and saving.',
  },
  LOGIN_NEEDED: {
    status: 422,
    retryable: false,
    meaning: 'The network wants a login, or does not accept the one that it was given.',
  },
  FUNDS_TOO_LOW: {
    status: 422,
    retryable: false,
    meaning: 'The account at the network does not carry what was asked for.',
  },
  TOO_LARGE: { status: 413, retryable: false, meaning: 'The body or file is over the limit.' },
  STORAGE_FULL: {
    status: 507,
    retryable: true,
    meaning: 'The disk is full or the folder cannot be written.',
  },
  UNREACHABLE: {
    status: 503,
    retryable: true,
    meaning: 'The cluster does not answer; its work may continue.',
  },
  PROVIDER_ERROR: { status: 503, retryable: true, meaning: 'The network (provider) refused or failed.' },
  VERSION_MISMATCH: {
    status: 426,
    retryable: false,
    meaning: 'Client and daemon speak different protocol versions.',
  },
  INTERNAL: { status: 500, retryable: true, meaning: 'A defect in Hitch; the log has the details.' },
} as const satisfies Record<ErrorCode, { status: number; retryable: boolean; meaning: string }>;

export type ErrorCode = (typeof ERROR_CODES)[number];
export const errorCodeSchema = z.enum(ERROR_CODES);

/** What every failed call answers with, beside its HTTP status. */
export const errorEnvelopeSchema = z.object({
  code: errorCodeSchema,
  /** One sentence: what is wrong, where. */
  message: z.string(),
  /** Path of the offending field in the request, such as `caps.totalMicroUsd`. */
  field: z.string().optional(),
  retryable: z.boolean(),
  /** What the person can do about it. */
  next: z.string().optional(),
});
export type ErrorEnvelope = z.infer<typeof errorEnvelopeSchema>;

/** The typed error that clients and the daemon throw; its JSON form is {@link ErrorEnvelope}. */
export class HitchError extends Error {
  override readonly name = 'HitchError';
  readonly code: ErrorCode;
  readonly field: string | undefined;
  readonly next: string | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: { field?: string; next?: string; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.field = options.field;
    this.next = options.next;
  }

  get status(): number {
    return ERRORS[this.code].status;
  }

  get retryable(): boolean {
    return ERRORS[this.code].retryable;
  }

  toEnvelope(): ErrorEnvelope {
    return {
      code: this.code,
      message: this.message,
      retryable: this.retryable,
      ...(this.field === undefined ? {} : { field: this.field }),
      ...(this.next === undefined ? {} : { next: this.next }),
    };
  }
}
