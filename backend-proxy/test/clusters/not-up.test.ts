/** A machine that never comes up is ended, and another is tried in its place as far as the approval says. */
import assert from 'node:assert/strict';
import { parseMicroUsd } from '@hitch/contract';
import type { Provider } from '../../src/providers/provider.ts';
import { endsClean, faulty, wrap } from './faulty.ts';
import { Practice } from './practice.ts';

/** Prices move in a quarter of an hour: the limit of a node has room for that. */
const WISH = { maxNodePricePerHourMicroUsd: '9000000', idleMs: 0, capMicroUsd: '90000000' };
const states = (practice: Practice, id: Parameters<Practice['service']['get']>[0]): readonly string[] =>
  (practice.service.get(id).nodes[0]?.attempts ?? []).map(({ state }) => state);

/** The first so many machines never run. */
function firstNeverRun(count: number): (provider: Provider) => Provider {
  const dead = new Set<string>();
  return provider =>
    wrap(provider, {
      create: async (request, signal) => {
        const instance = await provider.create(request, signal);
        if (dead.size < count) {
          dead.add(instance.id);
        }
        return instance;
      },
      get: async (id, signal) => {
        const instance = await provider.get(id, signal);
        return dead.has(id) && instance.status === 'running' ? { ...instance, status: 'booting' } : instance;
      },
    });
}

describe('a machine that never starts', () => {
  for (const dead of [1, 2]) {
    it(`is ended, and another is in its place: ${dead.toString()} of them`, async () => {
      const practice = await new Practice({ wrapProvider: firstNeverRun(dead) }).open();
      const { id } = await practice.rent(WISH);
      const ready = await practice.untilPhase(id, 'ready');
      await practice.until(() => practice.billing().length === 1);
      assert.deepEqual(states(practice, id), [...Array<string>(dead).fill('gone'), 'owned']);
      const events = await practice.pass(practice.service.events(id, 0, 1000));
      const said = events.filter(({ value }) => value === 'not_up').map(({ message }) => message);
      assert.equal(said.length, dead);
      assert.match(
        said[0] ?? '',
        /did not start in 15 minutes\. .*It is ended; another is tried in its place \(1 of 2\)\. It has cost \$[\d.]+ so far\./,
      );
      const [first] = ready.nodes[0]?.attempts ?? [];
      assert.equal(practice.book.get(first?.offerId ?? '')?.history?.notUp, 1, 'its host is remembered');
      await endsClean(practice, ready);
    });
  }

  it('is the last that is tried once as many were as the approval says, and all of them end', async () => {
    const practice = await faulty({ fault: 'never_ready' });
    const { id } = await practice.rent(WISH);
    const failed = await practice.untilPhase(id, 'failed');
    assert.match(failed.message, /did not start in 15 minutes.* Nor did 2 before it come up\./);
    assert.equal(failed.nodes[0]?.attempts.length, 3);
    const over = await endsClean(practice, failed);
    assert.ok(parseMicroUsd(over.usage.accruedMicroUsd) <= parseMicroUsd(WISH.capMicroUsd));
  });

  it('fails at once where the approval names no others', async () => {
    const practice = await faulty({ fault: 'never_ready' });
    const [only] = practice.book.query({
      filter: { gpuModels: ['RTX 4090'], markets: ['on_demand'] },
      sort: { key: 'pricePerHour', descending: false },
      offset: 0,
      limit: 1,
    }).offers;
    assert.ok(only !== undefined);
    practice.book.replace('sandbox', [only], practice.clock.now());
    const { id } = await practice.rent({ ...WISH, filter: { gpuModels: ['RTX 4090'] } });
    const failed = await practice.untilPhase(id, 'failed');
    assert.equal(failed.nodes[0]?.attempts.length, 1);
    assert.match(failed.message, /did not start in 15 minutes/);
    assert.doesNotMatch(failed.message, /before it/);
    await endsClean(practice, failed);
  });

  it('is not replaced above the limit', async () => {
    const practice = await new Practice({ wrapProvider: firstNeverRun(1) }).open();
    const { id } = await practice.rent({
      filter: { gpuModels: ['RTX 4090'] },
      idleMs: 0,
      capMicroUsd: '150000',
    });
    await practice.until(() => practice.service.get(id).phase === 'failed', 2 * 3_600_000);
    const failed = practice.service.get(id);
    assert.match(failed.message, /did not start in 15 minutes/);
    const over = await endsClean(practice, failed);
    assert.ok(parseMicroUsd(over.usage.accruedMicroUsd) <= 150_000n);
  });
});
