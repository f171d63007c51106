/** A typed client of one of the contracts: oRPC's OpenAPI link, with every failure turned into a {@link HitchError}. */
import { createORPCClient, ORPCError, type ClientContext } from '@orpc/client';
import type { StandardLinkPlugin } from '@orpc/client/standard';
import type { AnyContractRouter, ContractRouterClient } from '@orpc/contract';
import { OpenAPILink } from '@orpc/openapi-client/fetch';
import { errorEnvelopeSchema, HitchError, type ErrorEnvelope } from './errors.ts';

export interface LinkOptions {
  /** Base URL of the contract's routes. */
  readonly url: string | (() => string | Promise<string>);
  /** Read on each call, so that a rotated token works. */
  readonly headers: () => Record<string, string> | Promise<Record<string, string>>;
  /**
   * `signal` is the caller's own: the one of the request is lost once the request has been collected, which may be long
   * before its answer ends.
   */
  readonly fetch?: (request: Request, signal: AbortSignal | undefined) => Promise<Response>;
  /** The sentence for a call that got no answer at all. */
  readonly unreachable: string;
  readonly plugins?: readonly StandardLinkPlugin<ClientContext>[];
  /** Any failure as the error that callers get; left out, {@link toHitchError}. */
  readonly failure?: (error: unknown) => unknown;
}

export function errorFromEnvelope(envelope: ErrorEnvelope, cause?: unknown): HitchError {
  return new HitchError(envelope.code, envelope.message, {
    ...(envelope.field === undefined ? {} : { field: envelope.field }),
    ...(envelope.next === undefined ? {} : { next: envelope.next }),
    ...(cause === undefined ? {} : { cause }),
  });
}

export const isAbort = (error: unknown): boolean =>
  error instanceof Error && (error.name === 'AbortError' || error.name === 'TimeoutError');

/** fetch says TypeError for a connection that could not be made or broke; oRPC wraps it when a body breaks off. */
function isBrokenConnection(error: unknown): boolean {
  return (
    error instanceof TypeError ||
    (error instanceof Error && ('code' in error || isBrokenConnection(error.cause)))
  );
}

/** Any failure of a call as the error that clients show. The caller's own abort passes through unchanged. */
export function toHitchError(error: unknown, unreachable: string): unknown {
  if (error instanceof HitchError) {
    return error;
  }
  if (error instanceof ORPCError) {
    const envelope = errorEnvelopeSchema.safeParse(error.data);
    return envelope.success
      ? errorFromEnvelope(envelope.data, error)
      : new HitchError('INTERNAL', `The answer was not understood (HTTP ${error.status.toString()}).`, {
          cause: error,
        });
  }
  if (isAbort(error)) {
    return error;
  }
  return isBrokenConnection(error)
    ? new HitchError('UNREACHABLE', unreachable, { cause: error })
    : new HitchError(
        'INTERNAL',
        `The call failed: ${error instanceof Error ? error.message : String(error)}`,
        {
          cause: error,
        },
      );
}

export function createContractClient<C extends AnyContractRouter>(
  contract: C,
  options: LinkOptions,
): ContractRouterClient<C> {
  const send = options.fetch ?? (request => globalThis.fetch(request));
  const link = new OpenAPILink<ClientContext>(contract, {
    url: options.url,
    headers: () => options.headers(),
    fetch: (request, _init, call) => send(request, call.signal),
    plugins: [...(options.plugins ?? [])],
    // The envelope travels as the error's data; the interceptor below reads it there.
    customErrorResponseBodyDecoder: (body, response) =>
      new ORPCError('ENVELOPE', { status: response.status, data: body }),
    interceptors: [
      async call => {
        try {
          return await call.next();
        } catch (error) {
          throw options.failure?.(error) ?? toHitchError(error, options.unreachable);
        }
      },
    ],
  });
  return createORPCClient(link);
}
