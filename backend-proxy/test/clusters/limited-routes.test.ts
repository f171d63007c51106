/** A network that answers each kind of call so often and no more, with the figures of a real one. */
import assert from 'node:assert/strict';
import type { Provider } from '../../src/providers/provider.ts';
import { ProviderError } from '../../src/providers/provider.ts';
import type { FaultRule } from '../../src/providers/sandbox/faults.ts';
import { wrap } from './faulty.ts';
import { Practice } from './practice.ts';

const LIMITS: readonly FaultRule[] = [
  { fault: 'limited_route', on: 'create', everyMs: 4_500 },
  { fault: 'limited_route', on: 'get', everyMs: 2_000 },
  { fault: 'limited_route', on: 'list', everyMs: 1_000 },
  { fault: 'limited_route', on: 'destroy', everyMs: 3_000 },
  { fault: 'limited_route', on: 'offers', perMinute: 10, perDay: 200 },
];

/** Counts what the market answers with 429. */
function counting(refused: string[]): (provider: Provider) => Provider {
  const noting =
    <A extends readonly unknown[], T>(name: string, call: (...args: A) => Promise<T>) =>
    async (...args: A): Promise<T> => {
      try {
        return await call(...args);
      } catch (error) {
        if (error instanceof ProviderError && error.retryAfterMs !== null) {
          refused.push(name);
        }
        throw error;
      }
    };
  return provider =>
    wrap(provider, {
      create: noting('create', (request, signal) => provider.create(request, signal)),
      get: noting('get', (id, signal) => provider.get(id, signal)),
      list: noting('list', signal => provider.list(signal)),
      destroy: noting('destroy', (id, signal) => provider.destroy(id, signal)),
    });
}

describe('a network that limits each kind of call', () => {
  it('is never asked sooner than it allows by one daemon, and a cluster of six comes and goes all the same', async () => {
    const refused: string[] = [];
    const practice = new Practice({
      faults: { seed: 1, rules: [...LIMITS] },
      wrapProvider: counting(refused),
    });
    await practice.open();
    const { id } = await practice.rent({ nodes: 6 });
    await practice.untilPhase(id, 'ready');
    const bought = practice.market.rentals().map(({ boughtAtMs }) => boughtAtMs);
    assert.equal(bought.length, 6);
    assert.ok(bought.every((atMs, at) => at === 0 || atMs - (bought[at - 1] ?? 0) >= 4_500));
    await practice.pass(practice.service.stop(id, { skipSave: true }));
    await practice.untilPhase(id, 'stopped');
    assert.deepEqual(refused, []);
    assert.equal(practice.billing().length, 0);
    assert.equal(practice.service.get(id).usage.accruedMicroUsd, practice.billed(id).toString());
    practice.close();
  });

  it('refuses a daemon that does not know what the one before it asked, which goes on and leaves nothing', async () => {
    const refused: string[] = [];
    const practice = new Practice({
      faults: { seed: 1, rules: [...LIMITS] },
      wrapProvider: counting(refused),
    });
    await practice.open();
    const { id } = await practice.rent({ nodes: 3 });
    await practice.until(() => practice.market.rentals().length === 1);
    for (let restarts = 0; restarts < 4; restarts++) {
      practice.close();
      await practice.market.list(new AbortController().signal).catch(() => undefined);
      await practice.open();
      await practice.run(2_000);
    }
    await practice.untilPhase(id, 'ready');
    assert.ok(refused.length > 0, 'it was asked too soon');
    await practice.pass(practice.service.stop(id, { skipSave: true }));
    await practice.untilPhase(id, 'stopped');
    assert.equal(practice.billing().length, 0);
    const refs = practice.market.rentals().map(({ ref }) => ref);
    assert.equal(new Set(refs).size, refs.length);
    practice.close();
  });
});
