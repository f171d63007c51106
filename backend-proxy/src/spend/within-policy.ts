/**
 * Holds what is to be rented against the team's policies. What a person asks for beyond them is refused; what a person left open
 * is filled with what they allow, and stands in the quote.
 */
import {
  type Caps,
  DEFAULT_LIMITS,
  format,
  formatMicroUsd,
  type HitchError,
  type LimitChange,
  parseMicroUsd,
  type Quote,
  type QuoteRequest,
  showDollars,
} from '@hitch/contract';
import { refusedBy, type TeamPolicy } from '../templates/team-policy.ts';

/** Machines of one's own cost nothing; practice has a rule of its own. */
const NO_NETWORKS = ['local', 'ssh', 'sandbox'];
/** Clients reckon a stop time from their own now. */
const SLACK_MS = 2 * 60_000;

/** @throws HitchError BAD_INPUT that names the policy and its rule. */
export function withinPolicies(
  policies: readonly TeamPolicy[],
  request: QuoteRequest,
  nowMs: number,
): QuoteRequest {
  return policies.reduce((wanted, policy) => {
    checkPrice(policy, wanted);
    return withPlaces(policy, withCaps(policy, wanted, nowMs));
  }, request);
}

function withCaps(policy: TeamPolicy, request: QuoteRequest, nowMs: number): QuoteRequest {
  const { totalMicroUsd: total, timeMs } = policy.limits;
  const { capMicroUsd: cap, stopAtMs } = request;
  if (cap !== null) {
    checkTotal(policy, parseMicroUsd(cap));
  }
  if (stopAtMs !== null) {
    checkTime(policy, stopAtMs - nowMs);
  }
  const usual = DEFAULT_LIMITS.capMicroUsd;
  return {
    ...request,
    ...(total === null || cap !== null ? {} : { capMicroUsd: formatMicroUsd(total < usual ? total : usual) }),
    ...(timeMs === null || stopAtMs !== null ? {} : { stopAtMs: nowMs + timeMs }),
  };
}

function checkTotal(policy: TeamPolicy, cap: bigint): void {
  const { totalMicroUsd: total } = policy.limits;
  if (total !== null && cap > total) {
    throw tooMuch(policy, 'total', 'capMicroUsd', `at most ${showDollars(total)} in total`, showDollars(cap));
  }
}

/** @param lastsMs null: no end. */
function checkTime(policy: TeamPolicy, lastsMs: number | null): void {
  const { timeMs } = policy.limits;
  if (timeMs !== null && (lastsMs === null || lastsMs > timeMs + SLACK_MS)) {
    const asked = lastsMs === null ? 'no end' : format.duration(lastsMs);
    throw tooMuch(policy, 'time', 'stopAtMs', `for ${format.duration(timeMs)} at most`, asked);
  }
}

function checkPrice(policy: TeamPolicy, { maxNodePricePerHourMicroUsd: asked, nodes }: QuoteRequest): void {
  const { perHourMicroUsd: most } = policy.limits;
  const all = asked === null ? null : parseMicroUsd(asked) * BigInt(nodes);
  if (most !== null && all !== null && all > most) {
    throw tooMuch(
      policy,
      'perHour',
      'maxNodePricePerHourMicroUsd',
      `at most ${showDollars(most)} an hour`,
      showDollars(all),
    );
  }
}

const tooMuch = (policy: TeamPolicy, rule: string, field: string, most: string, asked: string): HitchError =>
  refusedBy(policy, `limits.${rule}`, `Your team rents ${most}; ${asked} was asked for.`, field);

function withPlaces(policy: TeamPolicy, request: QuoteRequest): QuoteRequest {
  const { networks, practice } = policy.limits;
  const { filter, offerIds } = request;
  checkPlaces(policy, [...(filter.providers ?? []), ...offerIds.map(id => id.split(':', 1)[0] ?? '')]);
  if (filter.practice !== undefined) {
    checkPractice(policy, filter.practice === 'only');
  }
  return {
    ...request,
    filter: {
      ...filter,
      ...(networks === null || filter.providers !== undefined
        ? {}
        : { providers: [...networks, ...NO_NETWORKS] }),
      ...(practice === 'only' ? { practice: 'only' } : practice === 'never' ? { practice: 'exclude' } : {}),
    },
  };
}

function checkPlaces(policy: TeamPolicy, networks: readonly string[]): void {
  const allowed = policy.limits.networks;
  const other =
    allowed === null ? undefined : networks.find(id => !allowed.includes(id) && !NO_NETWORKS.includes(id));
  if (other !== undefined) {
    throw refusedBy(
      policy,
      'limits.networks',
      `Your team does not rent at ${other}; it rents at ${allowed?.join(', ') ?? ''}.`,
      'filter.providers',
    );
  }
}

function checkPractice(policy: TeamPolicy, isPractice: boolean): void {
  const { practice } = policy.limits;
  if (practice === (isPractice ? 'never' : 'only')) {
    const sentence = isPractice
      ? 'Your team rents no practice machines here.'
      : 'Your team rents practice machines alone here.';
    throw refusedBy(policy, 'limits.practice', sentence, 'filter.practice');
  }
}

/** The rule on the price of an hour that is the lowest, and what it leaves for one machine; null: there is none. */
export function mostPerNode(
  policies: readonly TeamPolicy[],
  nodes: number,
): { readonly policy: TeamPolicy; readonly mostMicroUsd: bigint } | null {
  const [lowest] = policies
    .flatMap(policy => {
      const { perHourMicroUsd } = policy.limits;
      return perHourMicroUsd === null ? [] : [{ policy, mostMicroUsd: perHourMicroUsd / BigInt(nodes) }];
    })
    .sort((one, other) => (one.mostMicroUsd < other.mostMicroUsd ? -1 : 1));
  return lowest ?? null;
}

/** A quote as it came out, whatever it was made of. @throws HitchError BAD_INPUT that names the policy and its rule. */
export function checkQuote(policies: readonly TeamPolicy[], quote: Quote, nowMs: number): void {
  for (const policy of policies) {
    const { caps, candidates, practice, highestRatePerHourMicroUsd } = quote;
    const { perHourMicroUsd: most } = policy.limits;
    checkTotal(policy, parseMicroUsd(caps.totalMicroUsd));
    checkTime(policy, caps.stopAtMs === null ? null : caps.stopAtMs - nowMs);
    checkPlaces(
      policy,
      candidates.map(({ provider }) => provider),
    );
    checkPractice(policy, practice);
    const rate = parseMicroUsd(highestRatePerHourMicroUsd);
    if (most !== null && rate > most) {
      const limit = `at most ${showDollars(most)} an hour`;
      throw tooMuch(policy, 'perHour', 'maxNodePricePerHourMicroUsd', limit, showDollars(rate));
    }
  }
}

/** New limits of a cluster that is there: less than before is always allowed. @throws HitchError BAD_INPUT */
export function checkLimitChange(
  policies: readonly TeamPolicy[],
  change: LimitChange,
  { caps, startedAtMs }: { readonly caps: Caps; readonly startedAtMs: number },
): void {
  for (const policy of policies) {
    const cap = change.capMicroUsd === undefined ? null : parseMicroUsd(change.capMicroUsd);
    if (cap !== null && cap > parseMicroUsd(caps.totalMicroUsd)) {
      checkTotal(policy, cap);
    }
    const { stopAtMs: stop } = change;
    if (stop !== undefined && caps.stopAtMs !== null && (stop === null || stop > caps.stopAtMs)) {
      checkTime(policy, stop === null ? null : stop - startedAtMs);
    }
  }
}
