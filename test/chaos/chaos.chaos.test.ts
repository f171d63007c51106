import assert from 'node:assert/strict';
import type { Store } from '../../backend-proxy/src/store/store.ts';
import type { Provider } from '../../backend-proxy/src/providers/provider.ts';
import { addUp, emptyTotals, failuresOf, type Report } from './report.ts';
import { chaosRun, type ChaosOptions } from './run.ts';

const RUNS = 1_000;
/** Virtual seconds: the market shows late, its lists fail or are partial, it asks to wait, and the daemon is killed. */
const FIND_WITHIN_SECONDS = 900;

/** The first run of `seeds` that notices what was planted; null when none does. */
async function noticed(
  plant: NonNullable<ChaosOptions['plant']>,
  seeds: number,
  isNoticed: (report: Report) => boolean,
): Promise<Report | null> {
  for (let seed = 1; seed <= seeds; seed++) {
    const report = await chaosRun({ seed, plant, patienceMs: 3 * 3_600_000 });
    if (isNoticed(report)) {
      return report;
    }
  }
  return null;
}

describe('chaos', () => {
  it(`leaks nothing, buys nothing twice, harms no stranger and bills exactly, in ${RUNS.toString()} runs of kills`, async function () {
    this.timeout(900_000);
    const totals = emptyTotals();
    for (let seed = 1; seed <= RUNS; seed++) {
      addUp(totals, await chaosRun({ seed }));
    }
    const { failed, kills, purchases, worstOrphanSeconds: _worst, worstFindSeconds, ...zeros } = totals;
    assert.deepEqual(failed, []);
    assert.deepEqual(zeros, {
      runs: RUNS,
      leaks: 0,
      doublePurchases: 0,
      foreignDestroyed: 0,
      meterErrorMicroUsd: 0n,
    });
    assert.ok(
      worstFindSeconds <= FIND_WITHIN_SECONDS,
      `a machine was unknown for ${worstFindSeconds.toString()} s while the market answered`,
    );
    // A run in which nothing dies or nothing is bought would show nothing.
    assert.ok(kills > 2 * RUNS, `${kills.toString()} kills`);
    assert.ok(purchases > 2 * RUNS, `${purchases.toString()} purchases`);
  });

  it('gives the same run again for the same seed', async () => {
    assert.deepEqual(await chaosRun({ seed: 7 }), await chaosRun({ seed: 7 }));
  });

  it('notices a launch that buys before its intent is stored', async function () {
    this.timeout(300_000);
    const forgetful = (store: Store): Store => ({
      ...bound(store),
      commit: change =>
        store.commit({
          ...change,
          attempts: (change.attempts ?? []).filter(({ state }) => state !== 'intended'),
        }),
    });
    const report = await noticed({ store: forgetful }, 60, ({ leaks }) => leaks > 0);
    assert.ok(report !== null && failuresOf(report).length > 0);
  });

  it('notices an adapter that calls a machine gone that still bills', async function () {
    this.timeout(300_000);
    const liar = (provider: Provider): Provider => ({
      ...boundProvider(provider),
      destroy: () => Promise.resolve(),
      get: (id, signal) =>
        provider.get(id, signal).then(instance => ({ ...instance, status: 'gone', billedUntilMs: 0 })),
      list: () => Promise.resolve([]),
    });
    const report = await noticed({ provider: liar }, 10, ({ leaks }) => leaks > 0);
    assert.ok(report !== null);
  });

  it('notices a sweep that takes everything for its own', async function () {
    this.timeout(300_000);
    const greedy = (provider: Provider): Provider => ({
      ...boundProvider(provider),
      list: async signal => {
        const list = await provider.list(signal);
        await Promise.all(list.map(({ id }) => provider.destroy(id, signal).catch(() => undefined)));
        return list;
      },
    });
    const report = await noticed({ provider: greedy }, 10, ({ foreignDestroyed }) => foreignDestroyed > 0);
    assert.ok(report !== null);
  });

  it('notices a meter that starts a second late', async function () {
    this.timeout(300_000);
    const late = (provider: Provider): Provider => ({
      ...boundProvider(provider),
      create: (request, signal) =>
        provider.create(request, signal).then(instance => ({
          ...instance,
          billedFromMs: (instance.billedFromMs ?? 0) + 1_000,
        })),
    });
    const report = await noticed({ provider: late }, 20, ({ meterErrorMicroUsd }) => meterErrorMicroUsd > 0n);
    assert.ok(report !== null);
  });
});

/** The methods of a store, callable apart from it. */
function bound(store: Store): Store {
  return {
    load: () => store.load(),
    commit: change => store.commit(change),
    eventsOf: (id, afterSeq, limit) => store.eventsOf(id, afterSeq, limit),
    eventsAfter: (position, limit) => store.eventsAfter(position, limit),
    forgottenCost: (fromMs, toMs) => store.forgottenCost(fromMs, toMs),
    close: () => store.close(),
  };
}

function boundProvider(provider: Provider): Provider {
  const { id, title, kind, verifiedLive, capabilities } = provider;
  return {
    id,
    title,
    kind,
    verifiedLive,
    capabilities,
    credentials: () => provider.credentials(),
    offers: signal => provider.offers(signal),
    create: (request, signal) => provider.create(request, signal),
    get: (instanceId, signal) => provider.get(instanceId, signal),
    list: signal => provider.list(signal),
    history: async (ref, signal) => (await provider.history?.(ref, signal)) ?? [],
    destroy: (instanceId, signal) => provider.destroy(instanceId, signal),
    host: (instance, signal) => provider.host(instance, signal),
    extend: async (instanceId, endAtMs, signal) => provider.extend?.(instanceId, endAtMs, signal),
  };
}
