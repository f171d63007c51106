/** What goes wrong with requests to a simulated network, drawn by a seed; each can befall any of them. */
import { type Random, randomInt } from '@hitch/platform/src/random.ts';
import { CAPTIVE_PORTAL, type FaultRule } from '../../simulators/frame/faults.ts';
import type { SimAnswer } from '../../simulators/frame/simulator.ts';

export interface RuleRoutes {
  /** What buys. */
  readonly create: RegExp;
  /** What ends. */
  readonly end: RegExp;
  /** How it asks to wait, with 429, and where. */
  readonly tooOften: readonly { readonly route: RegExp; readonly answer: SimAnswer }[];
}

export function drawRules(random: Random, { create, end, tooOften }: RuleRoutes): readonly FaultRule[] {
  const some = (share: number, rule: () => FaultRule) => (random.next() < share ? [rule()] : []);
  const answer = (given: SimAnswer) => ({ does: 'answer' as const, answer: given });
  const chance = (most: number) => random.next() * most;
  return [
    ...some(0.5, () => ({ route: create, chance: chance(0.6), fault: { does: 'lose-reply' } })),
    ...some(0.4, () => ({ route: create, chance: chance(0.4), fault: { does: 'before' } })),
    ...some(0.4, () => ({ route: create, chance: chance(0.3), fault: { does: 'cut' } })),
    ...some(0.3, () => ({
      route: create,
      chance: chance(0.3),
      fault: { does: 'answer-after', answer: BAD_GATEWAY },
    })),
    ...some(0.5, () => ({ route: end, chance: chance(0.6), fault: { does: 'lose-reply' } })),
    ...some(0.3, () => ({ route: /^GET /, chance: chance(0.2), fault: { does: 'cut' } })),
    ...tooOften.flatMap(refusal =>
      some(0.3, () => ({ route: refusal.route, chance: chance(0.2), fault: answer(refusal.answer) })),
    ),
    ...some(0.3, () => ({ route: /./, chance: chance(0.2), fault: answer(BAD_GATEWAY) })),
    ...some(0.2, () => ({ route: /./, chance: chance(0.1), fault: answer(CAPTIVE_PORTAL) })),
    ...some(0.2, () => ({ route: /./, chance: chance(0.1), fault: { does: 'refuse' } })),
    ...some(0.2, () => ({
      route: /./,
      chance: chance(0.1),
      fault: { does: 'slow', ms: randomInt(random, 100, 90_000) },
    })),
  ];
}

const BAD_GATEWAY: SimAnswer = { status: 502, body: 'Bad gateway' };
