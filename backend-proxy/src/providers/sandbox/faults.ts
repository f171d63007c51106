/**
 * What goes wrong in the practice market, decided by a seed: the same plan, refs and order of calls give the same
 * faults again. A decision about one rental depends only on the seed, the rule, the rental's ref and which try it
 * is, so that neither a restart of the daemon nor other rentals in between change it.
 */
import { HitchError, routeLimitSchema } from '@hitch/contract';
import * as z from 'zod';
import { hashUnit } from './drift.ts';

const chance = z.number().min(0).max(1).default(1);
const milliseconds = z
  .number()
  .int()
  .min(0)
  .max(30 * 24 * 3_600_000);
/** `times`: the rule fires on the first so many tries of one rental only. */
const common = { chance, times: z.number().int().min(1).optional() };
const operation = z.enum([
  'offers',
  'create',
  'get',
  'list',
  'destroy',
  'host',
  'extend',
  'buy_time',
  'bids',
  'lease',
  'account',
  'bill',
  'price',
]);

/** Kinds of calls that are one request each, under one name here and in the contract of networks. */
const LIMITED = ['offers', 'create', 'get', 'list', 'destroy', 'extend', 'account', 'bill', 'price'] as const;

/** What a machine may lack of what its offer says; `clock`: it is off by an hour, `network`: it brings a megabit a second. */
export const FLAWS = ['gpu', 'memory', 'driver', 'disk', 'clock', 'network'] as const;

export const faultRuleSchema = z.discriminatedUnion('fault', [
  /** The offer is sold the moment one asks for it, and leaves the shelf. */
  z.strictObject({ fault: z.literal('vanished_offer'), ...common }),
  /** Booting takes this much longer. */
  z.strictObject({ fault: z.literal('slow_boot'), ...common, delayMs: milliseconds }),
  z.strictObject({ fault: z.literal('never_ready'), ...common }),
  /** The network takes the machine back so long after it booted. */
  z.strictObject({ fault: z.literal('preempted'), ...common, afterMs: milliseconds }),
  /** Rented, and the answer never arrives. */
  z.strictObject({ fault: z.literal('reply_lost_after_create'), ...common }),
  z.strictObject({ fault: z.literal('reply_lost_before_create'), ...common }),
  /** Rented, and the answer is an error that names what was rented. */
  z.strictObject({ fault: z.literal('error_with_id'), ...common }),
  /** Rented, and the answer says that certainly nothing was. */
  z.strictObject({ fault: z.literal('refused_but_rented'), ...common }),
  /** The list and the history miss a rental for so much longer than the visibility delay. */
  z.strictObject({ fault: z.literal('shows_late'), ...common, delayMs: milliseconds }),
  /** From so long after it booted the market knows nothing of a rental for a while; it runs and bills all the same. */
  z.strictObject({
    fault: z.literal('mislaid'),
    ...common,
    afterMs: milliseconds,
    durationMs: milliseconds,
  }),
  /** Sold for so much more than was asked for, whatever the caller's limit. */
  z.strictObject({ fault: z.literal('dearer'), ...common, percent: z.number().int().min(1).max(1000) }),
  /** Another machine than was asked for: a GPU less, a stranger's, one that may be taken back. */
  z.strictObject({ fault: z.literal('other_machine'), ...common }),
  /** The network says that it is what was asked for, and the machine has less: a GPU less, half of a GPU's memory, … */
  z.strictObject({ fault: z.literal('poor_machine'), ...common, lacks: z.enum(FLAWS) }),
  /** So long after it booted a rental costs so much more, or less. */
  z.strictObject({
    fault: z.literal('repriced'),
    ...common,
    percent: z.number().int().min(-99).max(1000),
    afterMs: milliseconds,
  }),
  /** Offers that take so much at once, whatever becomes of the rental. */
  z.strictObject({
    fault: z.literal('setup_fee'),
    ...common,
    microUsd: z.number().int().min(1).max(1_000_000_000),
  }),
  /** Offers that cost at least so many minutes at their price, however early they end. */
  z.strictObject({
    fault: z.literal('minimum_time'),
    ...common,
    minutes: z.number().int().min(1).max(10_000),
  }),
  /** Offers that are sold for so long at a time: paid at once and not given back, more is bought before it is over. */
  z.strictObject({
    fault: z.literal('sold_by_terms'),
    ...common,
    minutes: z.number().int().min(1).max(10_000),
  }),
  /** Offers of which several are one rental: they begin, cost and end together. */
  z.strictObject({ fault: z.literal('sold_together'), ...common }),
  /** One machine of several in one rental breaks so long after it booted, and is not replaced: the last of them. */
  z.strictObject({ fault: z.literal('member_lost'), ...common, afterMs: milliseconds }),
  /** Offers that are sold so long ahead: what is not used comes back, but for what is kept in any case. */
  z.strictObject({
    fault: z.literal('sold_ahead'),
    ...common,
    minutes: z.number().int().min(1).max(10_000),
    keptMinutes: z.number().int().min(0).max(10_000),
  }),
  /**
   * Offers that are ordered with a deposit, and rented by agreeing to a bid for the order; the order's mark is computed. What
   * is not used of the deposit comes back.
   */
  z.strictObject({
    fault: z.literal('sold_by_bids'),
    ...common,
    depositMicroUsd: z.number().int().min(1).max(1_000_000_000),
  }),
  /** Nobody bids for an order. */
  z.strictObject({ fault: z.literal('no_bids'), ...common }),
  /** Bids for an order come so much later. */
  z.strictObject({ fault: z.literal('bids_late'), ...common, delayMs: milliseconds }),
  /** The bid that is agreed to is withdrawn in that moment. */
  z.strictObject({ fault: z.literal('bid_withdrawn'), ...common }),
  /** A bid was agreed to, and the answer never arrives. */
  z.strictObject({ fault: z.literal('reply_lost_after_lease'), ...common }),
  z.strictObject({ fault: z.literal('reply_lost_before_lease'), ...common }),
  /**
   * Offers that cost something else than the list says: so much more by the machine's own part, and so much less for each
   * term after the first that is bought at once. The market says what on being asked.
   */
  z.strictObject({
    fault: z.literal('list_price_off'),
    ...common,
    percent: z.number().int().min(-90).max(1000),
    longerPercent: z.number().int().min(0).max(10).default(0),
  }),
  /** Offers whose disk costs from the purchase, and all else only from when it runs. */
  z.strictObject({ fault: z.literal('disk_apart'), ...common }),
  /** Rentals whose own page does not say their label; the list does. */
  z.strictObject({ fault: z.literal('detail_without_label'), ...common }),
  /** Rentals that the first call to end them only stops. */
  z.strictObject({ fault: z.literal('ends_by_steps'), ...common }),
  /** More time was bought, and the answer never arrives. */
  z.strictObject({ fault: z.literal('reply_lost_after_more_time'), ...common }),
  z.strictObject({ fault: z.literal('reply_lost_before_more_time'), ...common }),
  /** `running` while it boots, a word no adapter knows, or `running` and `booting` by turns. */
  z.strictObject({
    fault: z.literal('lying_status'),
    ...common,
    as: z.enum(['running_while_booting', 'unknown_word', 'flapping']),
  }),
  z.strictObject({ fault: z.literal('list_fails'), ...common }),
  /** The network ends its list half way: the adapter must refuse it. */
  z.strictObject({ fault: z.literal('list_partial'), ...common }),
  /** With `times: n` the first n tries fail and the next one works. */
  z.strictObject({ fault: z.literal('destroy_fails'), ...common }),
  z.strictObject({ fault: z.literal('destroy_reply_lost'), ...common }),
  /** Accepted, and done (and billed) only so much later. */
  z.strictObject({ fault: z.literal('destroy_slow'), ...common, delayMs: milliseconds }),
  z.strictObject({
    fault: z.literal('rate_limited'),
    ...common,
    on: z.array(operation).min(1).optional(),
    retryAfterMs: milliseconds.default(1000),
  }),
  /**
   * Calls of this kind are answered so often, as routeLimitSchema says; the market says so of itself, and answers no more:
   * 429 with how long to wait. A later rule for the same kind takes the place of an earlier one.
   */
  z.strictObject({
    fault: z.literal('limited_route'),
    on: z.enum(LIMITED),
    ...routeLimitSchema.shape,
  }),
  /** Each answer takes so long; what was asked for has happened before it. */
  z.strictObject({
    fault: z.literal('slow_reply'),
    ...common,
    on: z.array(operation).min(1).optional(),
    delayMs: milliseconds,
  }),
  /** Every call is refused for `durationMs`, from `afterMs` after the market opened. */
  z.strictObject({ fault: z.literal('outage'), afterMs: milliseconds.default(0), durationMs: milliseconds }),
]);
export type FaultRule = z.infer<typeof faultRuleSchema>;
export type FaultKind = FaultRule['fault'];
export type Operation = z.infer<typeof operation>;

export const faultPlanSchema = z.strictObject({
  seed: z.number().int().default(1),
  rules: z.array(faultRuleSchema).max(100).default([]),
});
export type FaultPlan = z.infer<typeof faultPlanSchema>;

export const NO_FAULTS: FaultPlan = { seed: 1, rules: [] };

/**
 * Reads a plan as it stands in the setting or the variable `HITCH_SANDBOX_FAULTS`.
 * @throws HitchError BAD_INPUT with a sentence when it is not one.
 */
export function parseFaultPlan(text: string): FaultPlan {
  const next = 'Write it like {"seed":1,"rules":[{"fault":"slow_boot","delayMs":60000}]} or unset it.';
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch (cause) {
    throw new HitchError('BAD_INPUT', 'HITCH_SANDBOX_FAULTS is not JSON.', { next, cause });
  }
  const plan = faultPlanSchema.safeParse(data);
  if (!plan.success) {
    const issue = plan.error.issues[0];
    const where = issue?.path.join('.') ?? '';
    throw new HitchError(
      'BAD_INPUT',
      `HITCH_SANDBOX_FAULTS is not a fault plan: ${where === '' ? '' : `${where}: `}${issue?.message ?? 'invalid'}.`,
      { field: where, next, cause: plan.error },
    );
  }
  return plan.data;
}

/** Decides which faults of a plan strike. */
export class FaultDice {
  readonly #plan: FaultPlan;
  readonly #onStrike: (kind: FaultKind) => void;
  /** How many calls each rule was asked about. */
  readonly #calls = new Map<number, number>();

  /** `onStrike` hears of each fault that strikes. */
  constructor(plan: FaultPlan, onStrike: (kind: FaultKind) => void = () => undefined) {
    this.#plan = plan;
    this.#onStrike = onStrike;
  }

  /** The rule of `kind` that strikes try number `attempt` (1, 2, …) on the rental `ref`, or null. */
  strike<K extends FaultKind>(kind: K, ref: string, attempt = 1): Extract<FaultRule, { fault: K }> | null {
    for (const [index, rule] of this.#plan.rules.entries()) {
      if (isKind(rule, kind) && this.#draw(rule, index, ref, attempt)) {
        this.#onStrike(kind);
        return rule;
      }
    }
    return null;
  }

  /** As {@link strike}, for rules that strike any call of some kinds; every call is its own draw. */
  strikeCall<K extends 'rate_limited' | 'slow_reply' | 'list_fails' | 'list_partial'>(
    kind: K,
    on: Operation,
  ): Extract<FaultRule, { fault: K }> | null {
    for (const [index, rule] of this.#plan.rules.entries()) {
      const meant = !('on' in rule) || rule.on === undefined || rule.on.includes(on);
      if (!isKind(rule, kind) || !meant) {
        continue;
      }
      const call = (this.#calls.get(index) ?? 0) + 1;
      this.#calls.set(index, call);
      if (this.#draw(rule, index, 'call', call)) {
        this.#onStrike(kind);
        return rule;
      }
    }
    return null;
  }

  /** Whether an outage covers the moment `sinceOpeningMs` after the market opened. */
  outage(sinceOpeningMs: number): boolean {
    const isOut = this.#plan.rules.some(
      rule =>
        rule.fault === 'outage' &&
        sinceOpeningMs >= rule.afterMs &&
        sinceOpeningMs < rule.afterMs + rule.durationMs,
    );
    if (isOut) {
      this.#onStrike('outage');
    }
    return isOut;
  }

  /** A rule that no chance decides about has struck. */
  struck(kind: FaultKind): void {
    this.#onStrike(kind);
  }

  #draw(rule: FaultRule, index: number, key: string, attempt: number): boolean {
    const isDrawn = rule.fault !== 'outage' && rule.fault !== 'limited_route';
    if (!isDrawn || (rule.times !== undefined && attempt > rule.times)) {
      return false;
    }
    return hashUnit(this.#plan.seed, index, rule.fault, key, attempt) < rule.chance;
  }
}

function isKind<K extends FaultKind>(rule: FaultRule, kind: K): rule is Extract<FaultRule, { fault: K }> {
  return rule.fault === kind;
}
