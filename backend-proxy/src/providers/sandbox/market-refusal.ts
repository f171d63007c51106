/** How the market says no. `lost`: the caller got no answer at all. */
export type RefusalCode =
  | 'sold_out'
  | 'too_dear'
  | 'conflict'
  | 'not_ready'
  | 'unauthorized'
  | 'no_funds'
  | 'rate_limited'
  | 'unavailable'
  | 'server_error'
  | 'lost';

export class MarketRefusal extends Error {
  override readonly name = 'MarketRefusal';
  readonly code: RefusalCode;
  readonly rentalId: string | null;
  readonly retryAfterMs: number | null;

  constructor(
    code: RefusalCode,
    message: string,
    options: { rentalId?: string; retryAfterMs?: number; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.rentalId = options.rentalId ?? null;
    this.retryAfterMs = options.retryAfterMs ?? null;
  }
}
