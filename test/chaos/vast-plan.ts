/** What goes wrong in a chaos run on the simulated Vast.ai, drawn by a seed. */
import { type Random, randomInt } from '@hitch/platform/src/random.ts';
import { CAPTIVE_PORTAL, type FaultRule } from '../simulators/frame/faults.ts';
import type { LieRule } from '../simulators/vast/lies.ts';
import { drawPlan, type RunPlan } from './plan.ts';

const MINUTE = 60_000;

/** What goes wrong at the network; each with what it is seen in, which the simulator's comments name. */
export function drawRules(random: Random): readonly FaultRule[] {
  const some = (share: number, rule: () => FaultRule) => (random.next() < share ? [rule()] : []);
  const answer = (status: number, body: unknown) => ({ does: 'answer' as const, answer: { status, body } });
  const [create, end] = [/^PUT \/api\/v0\/asks\//, /^DELETE /];
  const chance = (most: number) => random.next() * most;
  return [
    ...some(0.5, () => ({ route: create, chance: chance(0.6), fault: { does: 'lose-reply' } })),
    ...some(0.4, () => ({ route: create, chance: chance(0.4), fault: { does: 'before' } })),
    ...some(0.4, () => ({ route: create, chance: chance(0.3), fault: { does: 'cut' } })),
    ...some(0.5, () => ({ route: end, chance: chance(0.6), fault: { does: 'lose-reply' } })),
    ...some(0.3, () => ({ route: /^GET /, chance: chance(0.2), fault: { does: 'cut' } })),
    ...some(0.3, () => ({
      route: /./,
      chance: chance(0.2),
      fault: answer(429, 'API requests too frequent: endpoint threshold=3.0'),
    })),
    ...some(0.3, () => ({ route: /./, chance: chance(0.2), fault: answer(502, 'Bad gateway') })),
    ...some(0.2, () => ({
      route: /./,
      chance: chance(0.1),
      fault: { does: 'answer', answer: CAPTIVE_PORTAL },
    })),
    ...some(0.2, () => ({
      route: /./,
      chance: chance(0.1),
      fault: { does: 'slow', ms: randomInt(random, 100, 90_000) },
    })),
  ];
}

export function drawLies(random: Random): readonly LieRule[] {
  const some = (share: number, most: number, lie: () => LieRule['lie']): readonly LieRule[] =>
    random.next() < share ? [{ lie: lie(), chance: random.next() * most }] : [];
  const minutes = (most: number) => randomInt(random, 0, most * MINUTE);
  return [
    ...some(0.3, 0.5, () => ({ does: 'vanish-offer' })),
    ...some(0.3, 0.5, () => ({ does: 'error-with-contract' })),
    ...some(0.3, 0.4, () => ({ does: 'never-runs' })),
    ...some(0.4, 0.6, () => ({ does: 'slow-boot', ms: minutes(20) })),
    ...some(0.2, 0.4, () => ({ does: 'status', word: 'contemplating' })),
    ...some(0.3, 0.5, () => ({ does: 'dearer', percent: randomInt(random, 1, 100) })),
    ...some(0.2, 0.5, () => ({ does: 'other-machine' })),
    ...some(0.3, 1, () => ({ does: 'no-label' })),
    ...some(0.3, 0.5, () => ({ does: 'page-shift' })),
    ...some(0.3, 0.6, () => ({ does: 'slow-destroy', ms: minutes(10) })),
    ...some(0.4, 0.8, () => ({ does: 'destroy-fails', tries: randomInt(random, 1, 4) })),
    ...some(0.4, 0.6, () => ({ does: 'outbid', afterMs: minutes(30) })),
    ...some(0.3, 0.5, () => ({ does: 'restart', afterMs: minutes(30) })),
    ...some(0.2, 0.3, () => ({ does: 'host-ends', afterMs: minutes(30) })),
  ];
}

/** Where daemons die that a provider as a whole does not show: the requests behind its calls. */
export const BETWEEN_REQUESTS: readonly string[] = [
  'before PUT /api/v0/asks/#/',
  'during PUT /api/v0/asks/#/',
  'after PUT /api/v0/asks/#/',
  'after the failure of PUT /api/v0/asks/#/',
  'after GET /api/v1/instances/',
  'before GET /api/v1/instances/ (a later page)',
  'during DELETE /api/v0/instances/#/',
  'after DELETE /api/v0/instances/#/',
  'after GET /api/v0/charges/',
];

/** Vast keeps marks and a history; what it does else is the simulator's, not the plan's. */
export function planFor(random: Random, seed: number, nowMs: number): RunPlan {
  const plan = drawPlan(random, seed, nowMs);
  return {
    ...plan,
    aim: seed % 2 === 0 ? plan.aim : (BETWEEN_REQUESTS[((seed - 1) / 2) % BETWEEN_REQUESTS.length] ?? ''),
    market: { seed, rules: [] },
    network: { hasRefs: true, hasHistory: true, mixUpChance: 0, nonsenseChance: 0, wordsChance: 0 },
    store: { ...plan.store, fullAtMs: null, lossChance: 0 },
  };
}
