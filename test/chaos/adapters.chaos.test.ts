/** What a chaos run notices of an adapter that is broken on purpose, on the simulator of its network. */
import assert from 'node:assert/strict';
import type { Instance, Provider } from '../../backend-proxy/src/providers/provider.ts';
import type { Plant } from './daemons.ts';
import { noticed as noticedOn } from './noticed.ts';
import { failuresOf, type Report } from './report.ts';
import { TRIES_ANOTHER } from './visits.ts';
import type { Written } from './written.ts';

/** The first run on this network that notices what was planted in its adapter; null when none does. */
const noticed = (
  network: string,
  provider: NonNullable<Plant['provider']>,
  isNoticed?: (report: Report) => boolean,
): Promise<Report | null> => noticedOn([network], { provider }, isNoticed);

const leaks = (report: Report): boolean => report.leaks > 0;
const doublePurchases = (report: Report): boolean => report.doublePurchases > 0;
const meterError = (report: Report): boolean => report.meterErrorMicroUsd > 0n;

describe('chaos on simulated networks', function () {
  this.timeout(900_000);

  it('notices a machine of Vast.ai that is never ended', async () => {
    const report = await noticed(
      'vast',
      provider => ({ ...provider, destroy: () => Promise.resolve() }),
      leaks,
    );
    assert.ok(report !== null);
  });

  it('notices a machine of Vast.ai that is bought twice for one intent', async () => {
    const twice = (provider: Provider): Provider => ({
      ...provider,
      create: async (request, signal) => {
        await provider.create(request, signal);
        const [other] = (await provider.offers(signal)).filter(
          ({ market }) => market === request.terms.market,
        );
        return provider.create({ ...request, offer: other ?? request.offer }, signal);
      },
    });
    assert.ok((await noticed('vast', twice, doublePurchases)) !== null);
  });

  it('notices that what is not ours at Vast.ai is ended', async () => {
    const greedy = (provider: Provider): Provider => ({
      ...provider,
      list: async (signal, nextPage) => {
        const all = await provider.list(signal, nextPage);
        const other = all.find(({ mark }) => mark === 'somebody-elses');
        if (other !== undefined) {
          await provider.destroy(other.id, signal);
        }
        return all;
      },
    });
    const report = await noticed('vast', greedy, ({ foreignDestroyed }) => foreignDestroyed > 0);
    assert.ok(report !== null);
  });

  it('notices a list of Vast.ai that drops its pages and says nothing', async () => {
    const empty = (provider: Provider): Provider => ({
      ...provider,
      list: async (signal, nextPage) => (await provider.list(signal, nextPage)).slice(0, 0),
    });
    assert.ok((await noticed('vast', empty)) !== null);
  });

  it('notices an answer that a machine of io.net is gone which stands', async () => {
    const gone = (provider: Provider): Provider => ({
      ...provider,
      destroy: () => Promise.resolve(),
      get: (id, signal) =>
        provider.get(id, signal).then(instance => ({ ...instance, status: 'gone', billedUntilMs: 0 })),
      list: () => Promise.resolve([]),
    });
    assert.ok((await noticed('ionet', gone, leaks)) !== null);
  });

  it('notices a purchase at RunPod that is repeated after its answer was lost', async () => {
    const stubborn = (provider: Provider): Provider => ({
      ...provider,
      create: (request, signal) =>
        provider.create(request, signal).catch(() => provider.create(request, signal)),
    });
    assert.ok((await noticed('runpod', stubborn, doublePurchases)) !== null);
  });

  it('notices a disk of RunPod that is not counted', async () => {
    const bare = (instance: Instance): Instance => ({
      ...instance,
      rates: instance.rates.filter(({ label }) => label !== 'Disk'),
    });
    const forgetful = (provider: Provider): Provider => ({
      ...provider,
      create: async (request, signal) => bare(await provider.create(request, signal)),
      get: async (id, signal) => bare(await provider.get(id, signal)),
      list: async (signal, nextPage) => (await provider.list(signal, nextPage)).map(bare),
    });
    assert.ok((await noticed('runpod', forgetful, meterError)) !== null);
  });

  it('tries another machine of Vast.ai in the place of one that never runs', async () => {
    const isTried = (report: Report): boolean => (report.visits.deeds[TRIES_ANOTHER] ?? 0) > 0;
    const report = await noticedOn(['vast'], {}, isTried);
    assert.ok(report !== null);
    assert.deepEqual(failuresOf(report), []);
  });

  it('notices an order of Akash that nobody closes', async () => {
    const careless = (provider: Provider): Provider => ({
      ...provider,
      destroy: () => Promise.resolve(),
      get: (id, signal) =>
        provider.get(id, signal).then(instance => ({ ...instance, status: 'gone', billedUntilMs: 0 })),
      list: () => Promise.resolve([]),
    });
    assert.ok((await noticed('akash', careless, leaks)) !== null);
  });

  it('notices a lease of Akash that is counted from its order on', async () => {
    const early = (instance: Instance): Instance => ({
      ...instance,
      rates: instance.rates.map(rate => ({ ...rate, fromMs: Number(instance.id) })),
    });
    const hasty = (provider: Provider): Provider => ({
      ...provider,
      get: async (id, signal) => early(await provider.get(id, signal)),
      list: async (signal, nextPage) => (await provider.list(signal, nextPage)).map(early),
      advance: async (...args) => early((await provider.advance?.(...args)) ?? assert.fail()),
    });
    assert.ok((await noticed('akash', hasty, meterError)) !== null);
  });

  it('notices an adapter that gives what another Hitch bought a mark of ours', async () => {
    const mixed = (provider: Provider, written: Written): Provider => ({
      ...provider,
      list: async (signal, nextPage) => {
        const mark = written.attempts().find(({ state }) => state === 'gone')?.mark;
        const list = await provider.list(signal, nextPage);
        return list.map(instance => ({ ...instance, mark: mark ?? instance.mark }));
      },
    });
    const report = await noticed('runpod', mixed, ({ foreignDestroyed }) => foreignDestroyed > 0);
    assert.ok(report !== null);
  });
});
