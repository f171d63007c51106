/**
 * How a request leaves this computer. Adapters are given it, so that a simulator in the same process can stand where the
 * network would.
 */
export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With its query. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

export interface HttpAnswer {
  readonly status: number;
  /** By their names in small letters. */
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** Sends one request and follows no redirect: a login would go along. @throws TransportError where no whole answer comes. */
export type Transport = (request: HttpRequest, signal: AbortSignal) => Promise<HttpAnswer>;

export class TransportError extends Error {
  override readonly name = 'TransportError';
  /** False: certainly nothing of the request arrived there. */
  readonly mayHaveArrived: boolean;

  constructor(message: string, options: { readonly mayHaveArrived: boolean; readonly cause?: unknown }) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.mayHaveArrived = options.mayHaveArrived;
  }
}
