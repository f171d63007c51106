/** A machine is given up when its network's own time to come up is over, and no sooner. */
import assert from 'node:assert/strict';
import type { Provider } from '../../src/providers/provider.ts';
import { OTHER, otherNetwork } from './other-network.ts';
import { Practice } from './practice.ts';

const MINUTE_MS = 60_000;

/** A network whose machines never start, which gives them so long. */
const neverStarts =
  (minutes: number) =>
  (market: Provider): Partial<Provider> => ({
    capabilities: { ...market.capabilities, phaseLimitsMs: { booting: minutes * MINUTE_MS } },
    get: async (id, signal) => {
      const instance = await market.get(id, signal);
      return instance.status === 'running' ? { ...instance, status: 'booting' } : instance;
    },
  });

describe('how long a machine may take to start', () => {
  for (const minutes of [5, 25]) {
    it(`is what its network says: ${minutes.toString()} minutes`, async () => {
      const practice = await new Practice({
        others: clock => [otherNetwork(clock, neverStarts(minutes))],
      }).open();
      const startMs = practice.clock.now();
      const { id } = await practice.rent({ filter: { providers: [OTHER] }, capMicroUsd: '90000000' });
      await practice.until(() => practice.service.get(id).nodes[0]?.phase === 'booting');
      const untilMs = practice.service.get(id).nodes[0]?.waitsUntilMs ?? 0;
      assert.ok(Math.abs(untilMs - startMs - minutes * MINUTE_MS) < MINUTE_MS, 'it is said until when');
      const failed = await practice.untilPhase(id, 'failed');
      assert.ok(practice.clock.now() - startMs >= minutes * MINUTE_MS);
      assert.match(failed.message, new RegExp(`did not start in ${minutes.toString()} minutes`));
      await practice.until(() => practice.service.get(id).conditions.cleanup.status === 'yes');
      practice.close();
    });
  }
});
