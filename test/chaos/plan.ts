/** What goes wrong in a run, drawn from its seed: every fault of the practice market is in some of them. */
import { pick, type Random, randomInt } from '../../backend-proxy/src/platform/random.ts';
import type { FaultPlan, FaultRule } from '../../backend-proxy/src/providers/sandbox/faults.ts';

const MINUTE = 60_000;

export function drawFaults(random: Random): FaultPlan {
  const chance = (most: number) => Math.round(random.next() * most * 100) / 100;
  const minutes = (low: number, high: number) => randomInt(random, low * MINUTE, high * MINUTE);
  const all: readonly (() => FaultRule)[] = [
    () => ({ fault: 'vanished_offer', chance: chance(0.5) }),
    () => ({ fault: 'slow_boot', chance: chance(0.6), delayMs: minutes(0, 20) }),
    () => ({ fault: 'never_ready', chance: chance(0.3) }),
    () => ({ fault: 'preempted', chance: chance(0.5), afterMs: minutes(0, 30) }),
    () => ({ fault: 'reply_lost_after_create', chance: chance(0.7) }),
    () => ({ fault: 'reply_lost_before_create', chance: chance(0.5) }),
    () => ({ fault: 'error_with_id', chance: chance(0.5) }),
    () => ({ fault: 'dearer', chance: chance(0.5), percent: randomInt(random, 1, 100) }),
    () => ({
      fault: 'lying_status',
      chance: chance(0.5),
      as: pick(random, ['running_while_booting', 'unknown_word', 'flapping'] as const),
    }),
    () => ({ fault: 'list_fails', chance: chance(0.5) }),
    () => ({ fault: 'list_partial', chance: chance(0.5) }),
    () => ({ fault: 'destroy_fails', chance: chance(1), times: randomInt(random, 1, 6) }),
    () => ({ fault: 'destroy_reply_lost', chance: chance(0.7), times: randomInt(random, 1, 4) }),
    () => ({ fault: 'destroy_slow', chance: chance(0.6), delayMs: minutes(0, 10) }),
    () => ({ fault: 'rate_limited', chance: chance(0.5), retryAfterMs: randomInt(random, 0, 20_000) }),
    () => ({ fault: 'slow_reply', chance: chance(0.2), delayMs: randomInt(random, 100, 90_000) }),
    () => ({ fault: 'outage', afterMs: minutes(0, 60), durationMs: minutes(1, 60) }),
  ];
  const rules = all.filter(() => random.next() < 0.3).map(draw => draw());
  return { seed: randomInt(random, 1, 2 ** 30), rules };
}
