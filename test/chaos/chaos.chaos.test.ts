import assert from 'node:assert/strict';
import type { Source } from '@hitch/transfer';
import type { Store } from '../../backend-proxy/src/ledger/store.ts';
import type { Instance, Provider } from '../../backend-proxy/src/providers/provider.ts';
import type { PurchaseFile } from '../../backend-proxy/src/store/purchase-file.ts';
import { manyRuns } from './many.ts';
import { NETWORK_IDS, PRACTICE } from './networks/all.ts';
import { emptyTotals, failuresOf, missedBy, type Report } from './report.ts';
import { chaosRun, type ChaosOptions } from './run.ts';
import { ENOUGH_RUNS, LOSES_RECLAIMED, MANY_RUNS, RECLAIMS_GONE, REQUIRED_DEATHS, Visits } from './visits.ts';
import type { Written } from './written.ts';

const RUNS = MANY_RUNS;
/** Virtual seconds, since the last start of a daemon and the last time that the network gave no list, or asked to wait. */
const FIND_WITHIN_SECONDS = 120;
/**
 * The same for a price that changed, since the last list that failed: every look at a machine shows it. A market that
 * asks to wait is not asked for five minutes, and then in its turn.
 */
const PRICE_WITHIN_SECONDS = 390;
/** A machine that runs and answers, also while the market answers nobody: ways in may break again and again. */
const REACH_WITHIN_SECONDS = 450;

/** The first run of `seeds` on the practice market that notices what was planted; null when none does. */
async function noticed(
  plant: NonNullable<ChaosOptions['plant']>,
  seeds: number,
  isNoticed: (report: Report) => boolean,
): Promise<Report | null> {
  for (let seed = 1; seed <= seeds; seed++) {
    const report = await chaosRun({ seed, plant, networks: [PRACTICE], patienceMs: 3 * 3_600_000 });
    if (isNoticed(report)) {
      return report;
    }
  }
  return null;
}

describe('chaos', () => {
  it(`leaks nothing, buys nothing twice, harms no stranger and bills exactly, in ${RUNS.toString()} runs of kills over all networks`, async function () {
    this.timeout(900_000);
    const totals = await manyRuns({ first: 1, runs: RUNS, networks: NETWORK_IDS });
    const { failed, kills, purchases, worstFindSeconds, worstPriceSeconds, worstReachSeconds } = totals;
    assert.deepEqual(failed, []);
    const { leaks, doublePurchases, foreignDestroyed, meterErrorMicroUsd, damagedFiles } = totals;
    assert.deepEqual(
      { leaks, doublePurchases, foreignDestroyed, meterErrorMicroUsd, damagedFiles },
      { leaks: 0, doublePurchases: 0, foreignDestroyed: 0, meterErrorMicroUsd: 0n, damagedFiles: 0 },
    );
    assert.ok(
      worstFindSeconds <= FIND_WITHIN_SECONDS,
      `a machine was unknown for ${worstFindSeconds.toString()} s while its network answered`,
    );
    assert.ok(
      worstPriceSeconds <= PRICE_WITHIN_SECONDS,
      `a price was unknown for ${worstPriceSeconds.toString()} s while the market answered`,
    );
    assert.ok(
      worstReachSeconds <= REACH_WITHIN_SECONDS,
      `a machine that ran was called unreachable for ${worstReachSeconds.toString()} s`,
    );
    // A run in which nothing dies or nothing is bought would show nothing.
    assert.ok(kills > 2 * RUNS, `${kills.toString()} kills`);
    assert.ok(purchases > 2 * RUNS, `${purchases.toString()} purchases`);
    assert.deepEqual(missedBy(totals), []);
  });

  it('says what enough runs never visited, and of fewer nothing', () => {
    const full = emptyTotals();
    full.runs = ENOUGH_RUNS;
    REQUIRED_DEATHS.filter(where => where !== 'during create').forEach(where => full.visits.died(where));
    const missed = missedBy(full);
    assert.ok(missed.includes('No daemon died during create.'), missed.join(' '));
    assert.ok(missed.includes(`It never was that ${RECLAIMS_GONE}.`), missed.join(' '));
    full.visits.died('during create');
    assert.ok(!missedBy(full).some(line => line.startsWith('No daemon died')));
    assert.deepEqual(missedBy({ ...full, runs: ENOUGH_RUNS - 1 }), []);
    assert.ok(!missed.some(line => line.includes(LOSES_RECLAIMED)));
    assert.ok(missedBy({ ...full, runs: MANY_RUNS }).includes(`It never was that ${LOSES_RECLAIMED}.`));
  });

  it('models nothing that is not said to stand for something', () => {
    assert.throws(() => new Visits().fault('a meteorite'), /stands for nothing/);
  });

  it('gives the same run again for the same seed', async () => {
    assert.deepEqual(await chaosRun({ seed: 7 }), await chaosRun({ seed: 7 }));
  });

  it('comes to the same in threads, which share the seeds', async () => {
    const two = { first: 7, runs: 2, networks: NETWORK_IDS };
    assert.deepEqual(await manyRuns({ ...two, workers: 2 }), await manyRuns({ ...two, workers: 1 }));
  });

  it('names the seed of a run that broke off in a thread', async () => {
    const broken = manyRuns({ first: 7, runs: 3, networks: ['nowhere'], workers: 2 });
    await assert.rejects(broken, /The run of seed [789] broke off: There is no network nowhere here/);
  });

  it('notices a launch that buys before its intent is stored', async function () {
    this.timeout(300_000);
    const forgetful = (store: Store): Store => ({
      ...store,
      commit: change =>
        store.commit({
          ...change,
          attempts: (change.attempts ?? []).filter(({ state }) => state !== 'intended'),
        }),
    });
    const report = await noticed({ store: forgetful, purchaseLog: lost }, 200, ({ leaks }) => leaks > 0);
    assert.ok(report !== null && failuresOf(report).length > 0);
  });

  it('notices an adapter that calls a machine gone that still bills', async function () {
    this.timeout(300_000);
    const liar = (provider: Provider): Provider => ({
      ...provider,
      destroy: () => Promise.resolve(),
      get: (id, signal) =>
        provider.get(id, signal).then(instance => ({ ...instance, status: 'gone', billedUntilMs: 0 })),
      list: () => Promise.resolve([]),
    });
    const report = await noticed({ provider: liar }, 10, ({ leaks }) => leaks > 0);
    assert.ok(report !== null);
  });

  it('notices a daemon that reaches a machine only where its network says that it is', async function () {
    this.timeout(300_000);
    const forgetful = (provider: Provider): Provider => ({
      ...provider,
      dial: () => Promise.reject(new Error('Nobody knows where it is.')),
    });
    const report = await noticed(
      { provider: forgetful },
      200,
      ({ worstReachSeconds }) => worstReachSeconds > REACH_WITHIN_SECONDS,
    );
    assert.ok(report !== null);
  });

  it('notices a sweep that takes everything for its own', async function () {
    this.timeout(300_000);
    const greedy = (provider: Provider): Provider => ({
      ...provider,
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
      ...provider,
      create: (request, signal) =>
        provider.create(request, signal).then(instance => ({
          ...instance,
          rates: instance.rates.map(rate => ({ ...rate, fromMs: (rate.fromMs ?? 0) + 1_000 })),
        })),
    });
    const report = await noticed(
      { provider: late },
      200,
      ({ meterErrorMicroUsd }) => meterErrorMicroUsd > 0n,
    );
    assert.ok(report !== null);
  });

  it('notices a sweep that never takes back', async function () {
    this.timeout(300_000);
    const blind = (provider: Provider, written: Written): Provider => ({
      ...provider,
      list: async signal =>
        (await provider.list(signal)).filter(({ mark }) => {
          const state = written.attempts().find(attempt => attempt.mark === mark)?.state;
          return state !== 'gone' && state !== 'refused';
        }),
    });
    assert.ok((await noticed({ provider: blind }, 200, ({ leaks }) => leaks > 0)) !== null);
  });

  it('notices records that forget the refs of a removed cluster', async function () {
    this.timeout(300_000);
    const forgetful = (store: Store): Store => ({
      ...store,
      commit: change =>
        store.commit({
          ...change,
          refs: [],
          forget: (change.clusters ?? []).flatMap(({ id, removedAtMs }) =>
            removedAtMs === null ? [] : [id],
          ),
        }),
    });
    const withoutRefs = (file: PurchaseFile): PurchaseFile => {
      const left = (text: string): string =>
        text.replaceAll(/^\{"kind":"ref".*\n/gm, '').replaceAll(/"kept":\{.*\}\}$/gm, '"kept":null}');
      return { ...file, append: text => file.append(left(text)), replace: text => file.replace(left(text)) };
    };
    const plant = { store: forgetful, purchaseLog: withoutRefs };
    assert.ok((await noticed(plant, 300, ({ leaks }) => leaks > 0)) !== null);
  });

  it('notices a purchase log that keeps nothing when the database is lost', async function () {
    this.timeout(300_000);
    assert.ok((await noticed({ purchaseLog: lost }, 200, ({ leaks }) => leaks > 0)) !== null);
  });

  it('notices a price read back that is ignored', async function () {
    this.timeout(300_000);
    const silent = (instance: Instance): Instance => ({ ...instance, rates: [] });
    const deaf = (provider: Provider): Provider => ({
      ...provider,
      get: async (id, signal) => silent(await provider.get(id, signal)),
      list: async signal => (await provider.list(signal)).map(silent),
    });
    const report = await noticed(
      { provider: deaf },
      200,
      ({ worstPriceSeconds }) => worstPriceSeconds > PRICE_WITHIN_SECONDS,
    );
    assert.ok(report !== null);
  });

  it('notices a charge at once that is left out', async function () {
    this.timeout(300_000);
    const generous = (provider: Provider): Provider => ({
      ...provider,
      offers: async signal =>
        (await provider.offers(signal)).map(offer => ({ ...offer, nonRefundableMicroUsd: '0' })),
    });
    const report = await noticed(
      { provider: generous },
      200,
      ({ meterErrorMicroUsd }) => meterErrorMicroUsd > 0n,
    );
    assert.ok(report !== null);
  });

  it('notices a minimum charge that is counted wrong', async function () {
    this.timeout(300_000);
    const twice = ({ floorMicroUsd = 0n, ...instance }: Instance): Instance => ({
      ...instance,
      floorMicroUsd: floorMicroUsd * 2n,
    });
    const dear = (provider: Provider): Provider => ({
      ...provider,
      create: async (request, signal) => twice(await provider.create(request, signal)),
      get: async (id, signal) => twice(await provider.get(id, signal)),
      list: async signal => (await provider.list(signal)).map(twice),
    });
    const report = await noticed(
      { provider: dear },
      200,
      ({ meterErrorMicroUsd }) => meterErrorMicroUsd > 0n,
    );
    assert.ok(report !== null);
  });

  it('notices a refusal of the store that is swallowed before a purchase', async function () {
    this.timeout(300_000);
    const careless = (store: Store): Store => ({
      ...store,
      commit: change => store.commit(change).catch(() => undefined),
    });
    assert.ok(
      (await noticed({ store: careless, purchaseLog: lost }, 200, ({ leaks }) => leaks > 0)) !== null,
    );
  });

  it('notices a purchase whose answer is taken for ours whatever it says', async function () {
    this.timeout(300_000);
    const trusting = (provider: Provider): Provider => ({
      ...provider,
      create: async (request, signal) => ({ ...(await provider.create(request, signal)), mark: request.ref }),
    });
    const report = await noticed({ provider: trusting }, 200, ({ foreignDestroyed }) => foreignDestroyed > 0);
    assert.ok(report !== null);
  });

  it('notices a purchase that is asked for twice', async function () {
    this.timeout(300_000);
    const stubborn = (provider: Provider): Provider => ({
      ...provider,
      create: (request, signal) =>
        provider.create(request, signal).catch(() => provider.create(request, signal)),
    });
    const report = await noticed({ provider: stubborn }, 200, ({ doublePurchases }) => doublePurchases > 0);
    assert.ok(report !== null);
  });

  it('notices more time that is bought twice', async function () {
    this.timeout(300_000);
    const stubborn = (provider: Provider): Provider => ({
      ...provider,
      buyTime: async (id, ms, signal) => {
        await provider.buyTime?.(id, ms, signal);
        return (await provider.buyTime?.(id, ms, signal)) ?? assert.fail();
      },
    });
    const report = await noticed({ provider: stubborn }, 300, ({ doublePurchases }) => doublePurchases > 0);
    assert.ok(report !== null);
  });

  it('notices a save that leaves files out and says nothing of it', async function () {
    this.timeout(300_000);
    const forgetful = (source: Source): Source => ({
      ...methodsOf(source),
      list: (roots, rules, signal) => withoutTexts(source.list(roots, rules, signal)),
    });
    assert.ok((await noticed({ source: forgetful }, 100, ({ damagedFiles }) => damagedFiles > 0)) !== null);
  });

  it('notices saved files that are not what they were', async function () {
    this.timeout(300_000);
    const garbled = (source: Source): Source => ({
      ...methodsOf(source),
      open: async (roots, entry, offset, signal) => {
        const file = await source.open(roots, entry, offset, signal);
        return {
          sizeBytes: file.sizeBytes,
          modifiedAtMs: file.modifiedAtMs,
          mode: file.mode,
          bytes: zeros(file.bytes),
          changed: () => file.changed(),
          close: () => file.close(),
        };
      },
    });
    assert.ok((await noticed({ source: garbled }, 100, ({ damagedFiles }) => damagedFiles > 0)) !== null);
  });
});

/** A purchase log that keeps nothing. */
function lost(file: PurchaseFile): PurchaseFile {
  return {
    read: () => '',
    append: () => Promise.resolve(),
    replace: () => Promise.resolve(),
    isWhole: () => file.isWhole(),
  };
}

async function* zeros(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const piece of bytes) {
    yield new Uint8Array(piece.length);
  }
}

/** Those of a source that is an object of a class, which a spread has not. */
const methodsOf = (source: Source): Source => ({
  list: (roots, rules, signal) => source.list(roots, rules, signal),
  read: (roots, entries, signal) => source.read(roots, entries, signal),
  open: (roots, entry, offset, signal) => source.open(roots, entry, offset, signal),
  hash: (roots, entries, upTo, signal) => source.hash(roots, entries, upTo, signal),
});

async function* withoutTexts(batches: ReturnType<Source['list']>): ReturnType<Source['list']> {
  for await (const batch of batches) {
    yield batch.filter(({ path }) => !path.endsWith('.txt'));
  }
}
