/** A simulator as adapters ask it in the same process: no sockets, so that it stays on the clock of a chaos run. */
import type { Clock } from '@hitch/platform/src/clock.ts';
import {
  type HttpAnswer,
  type HttpRequest,
  type Transport,
  TransportError,
} from '../../../backend-proxy/src/providers/http/transport.ts';
import type { Fault, Faults } from './faults.ts';
import type { SimAnswer, SimRequest, Simulator } from './simulator.ts';

export interface TransportOptions {
  readonly clock: Clock;
  readonly faults: Faults;
}

/** @throws TransportError as the transport to real networks does. */
export function transportTo(simulator: Simulator, { clock, faults }: TransportOptions): Transport {
  return async (request, signal) => {
    const asked = simRequest(request);
    const fault = faults.of(asked);
    const given = signal.aborted
      ? givenUp(signal, false)
      : await orGivenUp(answer(simulator, asked, { fault, faults, clock }), signal);
    return given;
  };
}

async function answer(
  simulator: Simulator,
  request: SimRequest,
  { fault, faults, clock }: TransportOptions & { readonly fault: Fault | null },
): Promise<HttpAnswer> {
  switch (fault?.does) {
    case 'refuse':
      throw new TransportError('the connection was refused', { mayHaveArrived: false });
    case 'before':
      throw broken();
    case 'answer':
      return httpAnswer(fault.answer, clock);
    default:
  }
  const real = faults.answered(request, await simulator.handle(request), fault);
  switch (fault?.does) {
    case 'lose-reply':
      throw broken();
    case 'answer-after':
      return httpAnswer(fault.answer, clock);
    case 'slow':
      await clock.sleep(fault.ms);
      return httpAnswer(real, clock);
    case 'cut': {
      const whole = httpAnswer(real, clock);
      return { ...whole, text: whole.text.slice(0, Math.floor(whole.text.length / 2)) };
    }
    default:
      return httpAnswer(real, clock);
  }
}

const broken = () =>
  new TransportError('the connection broke before the whole answer was there', { mayHaveArrived: true });

/** What was asked goes on at the network; only nobody waits for it any more. */
async function orGivenUp(answering: Promise<HttpAnswer>, signal: AbortSignal): Promise<HttpAnswer> {
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = () => {
    givenUp(signal, true).catch(reject);
  };
  signal.addEventListener('abort', abort, { once: true });
  answering.catch(() => undefined);
  try {
    return await Promise.race([answering, promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

const givenUp = (signal: AbortSignal, mayHaveArrived: boolean): Promise<never> =>
  Promise.reject(new TransportError('no answer came in time', { mayHaveArrived, cause: signal.reason }));

function simRequest({ method, url, headers, body }: HttpRequest): SimRequest {
  const { pathname, searchParams } = new URL(url);
  return {
    method,
    path: pathname,
    query: searchParams,
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
    body: body === null ? undefined : bodyOf(body),
  };
}

/** A body as a simulator reads it. */
export function bodyOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** An answer as it goes over the wire. */
export function httpAnswer({ status, headers = {}, body }: SimAnswer, clock: Clock): HttpAnswer {
  const isText = typeof body === 'string';
  return {
    status,
    headers: {
      date: new Date(clock.now()).toUTCString(),
      'content-type': isText ? 'text/plain; charset=utf-8' : 'application/json',
      ...headers,
    },
    text: body === undefined ? '' : isText ? body : JSON.stringify(body),
  };
}
