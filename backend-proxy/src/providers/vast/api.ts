/** Vast.ai's HTTP API: where it is, how one logs in there, and what its refusals mean. */
import type { Clock } from '@hitch/platform/src/clock.ts';
import * as z from 'zod';
import { asBearer } from '../http/key-login.ts';
import { type Meaning, NetworkHttp, type Refusal } from '../http/network-http.ts';
import type { Transport } from '../http/transport.ts';
import type { LoginValues } from '../provider.ts';

export const VAST_URL = 'https://console.vast.ai';

export interface VastApiOptions {
  readonly base: string;
  readonly transport: Transport;
  readonly clock: Pick<Clock, 'now' | 'setTimer'>;
  readonly login: () => Promise<LoginValues | null>;
}

export function vastHttp({ base, transport, clock, login }: VastApiOptions): NetworkHttp {
  return new NetworkHttp({
    title: 'Vast.ai',
    base,
    transport,
    login,
    // Never in the address, where logs on the way would keep it.
    authorize: asBearer,
    explain: refusal => meaningOf(refusal, clock.now()),
    words: body => wordsOf(refusalSchema.safeParse(body).data ?? null),
  });
}

const text = z.string().nullish().catch(null);
const refusalSchema = z.looseObject({
  error: text,
  msg: text,
  message: text,
  detail: text,
  new_contract: z
    .union([z.number().int(), z.string().min(1)])
    .nullish()
    .catch(null),
});
type Said = z.output<typeof refusalSchema>;

export const wordsOf = (said: Partial<Said> | null): string | null =>
  said?.msg ?? said?.message ?? said?.detail ?? said?.error ?? null;

/**
 * Something exists all the same: a bid that was too low leaves a stopped machine whose disk is charged. Source: dstack
 * `backends/vastai/api_client.py`, `VastAICreateInstanceError`.
 */
const somethingExists = ({ new_contract: id }: Partial<Said>): Meaning | null =>
  id === null || id === undefined ? null : { kind: 'unknownOutcome', instanceId: String(id) };

/** What a refusal means beside what its status says; null: that alone. */
function meaningOf(refusal: Refusal, nowMs: number): Meaning | null {
  const said = refusalSchema.safeParse(refusal.body).data ?? {};
  const exists = somethingExists(said);
  if (exists !== null) {
    return exists;
  }
  return refusal.status === 429 ? tooOften(refusal, said, nowMs) : meaningOfWords(said, refusal.status);
}

/** The same of an answer whose status is that of a success, and which says that it is none. */
export function meaningOfFailure(body: unknown): Meaning {
  const said = refusalSchema.safeParse(body).data ?? {};
  return somethingExists(said) ?? meaningOfWords(said, 200) ?? { kind: 'unknownOutcome' };
}

const NO_FUNDS: ReadonlySet<string> = new Set(['insufficient_credit', 'missing_billing']);

function meaningOfWords(said: Partial<Said>, status: number): Meaning | null {
  const code = said.error ?? '';
  // Said as a code, or only in the words, with 404 and with 410.
  if (code === 'no_such_ask' || /\bno_such_ask\b/.test(said.msg ?? '')) {
    return { kind: 'capacity' };
  }
  if (NO_FUNDS.has(code) || /lacks credit|billing page/i.test(said.msg ?? '')) {
    return { kind: 'auth', lacks: 'funds' };
  }
  if (code === 'auth_error') {
    return { kind: 'auth' };
  }
  // What was asked for is wrong, also where its status is the one of a login that may not.
  return code === 'invalid_args' && status < 500 ? { kind: 'permanent' } : null;
}

/** Who rents too often waits longer. Source: `x-rate-limit` of the route in the API reference. */
const CREATE_PENALTY_MS = 12_000;
const DAY_MS = 86_400_000;

/**
 * Searches are counted until midnight UTC. Of the rest only the words say how often they may come, and a `Retry-After`
 * where there is one. Source: `vastai` 1.9.1, `api/client.py`, `is_search_quota_exceeded` and `retry_delay`.
 */
function tooOften(
  { headers, path, atMs, text: words }: Refusal,
  said: Partial<Said>,
  nowMs: number,
): Meaning {
  const now = atMs ?? nowMs;
  if (said.error === 'search_quota_exceeded') {
    return { kind: 'retryable', retryAfterMs: DAY_MS - (now % DAY_MS) };
  }
  const seconds = Number(/threshold=([0-9]{1,3}(?:\.[0-9]{1,3})?)/.exec(words)?.[1] ?? Number.NaN);
  if (headers['retry-after'] !== undefined || Number.isNaN(seconds)) {
    return { kind: 'retryable' };
  }
  const leastMs = path.startsWith('/api/v0/asks/') ? CREATE_PENALTY_MS : 0;
  return { kind: 'retryable', retryAfterMs: Math.max(leastMs, Math.ceil(seconds * 1000)) };
}
