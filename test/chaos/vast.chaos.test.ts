/** Runs of kills on simulated Vast.ai, through its real adapter. */
import assert from 'node:assert/strict';
import type { Provider } from '../../backend-proxy/src/providers/provider.ts';
import { addUp, emptyTotals, failuresOf, type Report } from './report.ts';
import { BETWEEN_REQUESTS } from './vast-plan.ts';
import { vastRun, type VastRunOptions } from './vast-run.ts';

const RUNS = 200;
const SEEDS_OF_A_PLANT = 30;

/** The first run that notices what was planted; null when none does. */
async function noticed(plant: NonNullable<VastRunOptions['plant']>): Promise<Report | null> {
  for (let seed = 1; seed <= SEEDS_OF_A_PLANT; seed++) {
    const report = await vastRun({ seed, plant, patienceMs: 3 * 3_600_000 });
    if (failuresOf(report).length > 0) {
      return report;
    }
  }
  return null;
}

describe('chaos on simulated Vast.ai', function () {
  this.timeout(600_000);

  it(`leaks nothing, buys nothing twice, harms no stranger and counts what is billed, in ${RUNS.toString()} runs of kills`, async () => {
    const totals = emptyTotals();
    for (let seed = 1; seed <= RUNS; seed++) {
      addUp(totals, await vastRun({ seed }));
    }
    const { failed, kills, purchases, visits } = totals;
    assert.deepEqual(failed, []);
    const missed = BETWEEN_REQUESTS.filter(where => visits.deaths[where] === undefined);
    assert.deepEqual(missed, [], 'daemons died between its requests');
    console.log(`      ${kills.toString()} kills, ${purchases.toString()} purchases`);
  });

  it('notices a machine that is never ended', async () => {
    const report = await noticed(provider => ({ ...provider, destroy: () => Promise.resolve() }));
    assert.ok((report?.leaks ?? 0) > 0, report?.problems.join());
  });

  it('notices a machine that is bought twice for one intent', async () => {
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
    assert.ok(((await noticed(twice))?.doublePurchases ?? 0) > 0);
  });

  it('notices that what is not ours is ended', async () => {
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
    assert.ok(((await noticed(greedy))?.foreignDestroyed ?? 0) > 0);
  });
});
