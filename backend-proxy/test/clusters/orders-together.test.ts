/** Purchases of several steps: what is ordered is advanced until there are machines, or closed. */
import assert from 'node:assert/strict';
import type { Cluster } from '@hitch/contract';
import type { Instance, Provider } from '../../src/providers/provider.ts';
import { faultPlanSchema } from '../../src/providers/sandbox/faults.ts';
import { endsClean, wrap } from './faulty.ts';
import { Practice } from './practice.ts';

const NODES = 3;
const MINUTE = 60_000;
/** A step is answered so long after it was asked for. */
const STEP_MS = 5_000;

interface Orders {
  readonly practice: Practice;
  /** Steps that were asked for, and the most of them at once. */
  readonly steps: { asked: number; most: number };
}

/** A market that sells several machines in one order, and agrees to nothing before `agreesAfterMs`. */
async function ordering(agreesAfterMs: number, bootDelayMs: number): Promise<Orders> {
  const steps = { asked: 0, most: 0 };
  const leased = new Set<string>();
  const shown = (instance: Instance): Instance =>
    instance.status === 'gone' || leased.has(instance.id)
      ? instance
      : { ...instance, status: 'ordered', members: [] };
  let underWay = 0;
  const stepOn = async (provider: Provider, { id }: Instance, signal: AbortSignal): Promise<Instance> => {
    steps.asked += 1;
    underWay += 1;
    steps.most = Math.max(steps.most, underWay);
    await practice.clock.sleep(STEP_MS, signal);
    underWay -= 1;
    const boughtAtMs = practice.market.rentals().find(rental => rental.id === id)?.boughtAtMs ?? 0;
    if (practice.clock.now() >= boughtAtMs + agreesAfterMs) {
      leased.add(id);
    }
    return shown(await provider.get(id, signal));
  };
  const practice: Practice = await new Practice({
    bootDelayMs,
    faults: faultPlanSchema.parse({ seed: 1, rules: [{ fault: 'sold_together' }] }),
    wrapProvider: provider =>
      wrap(provider, {
        create: async (request, signal) => shown(await provider.create(request, signal)),
        get: async (id, signal) => shown(await provider.get(id, signal)),
        list: async signal => (await provider.list(signal)).map(shown),
        advance: (instance, _, signal) => stepOn(provider, instance, signal),
      }),
  }).open();
  return { practice, steps };
}

const rent = ({ practice }: Orders): Promise<Cluster> =>
  practice.rent({ nodes: NODES, idleMs: 0, capMicroUsd: '900000000' });

const phases = (practice: Practice, { id }: Cluster): string[] =>
  practice.service.get(id).nodes.map(({ phase }) => phase);

describe('an order for several machines', () => {
  it('is advanced for all of its nodes together, never twice at once', async () => {
    const orders = await ordering(MINUTE, 30_000);
    const { practice, steps } = orders;
    const cluster = await rent(orders);
    await practice.untilPhase(cluster.id, 'ready', 'failed');
    await practice.until(() => phases(practice, cluster).every(phase => phase !== 'booting'));
    assert.ok(steps.asked > 1, 'it was asked again');
    assert.equal(steps.most, 1);
    assert.equal(practice.market.rentals().length, 1);
    await endsClean(practice, cluster);
  });

  it('leaves each of them its time to boot from when they were agreed to', async () => {
    const orders = await ordering(9 * MINUTE, 20 * MINUTE);
    const { practice } = orders;
    const cluster = await rent(orders);
    await practice.until(() => phases(practice, cluster).every(phase => phase !== 'booting'));
    await practice.until(() =>
      phases(practice, cluster).every(phase => phase === 'ready' || phase === 'failed'),
    );
    assert.deepEqual(phases(practice, cluster), ['ready', 'ready', 'ready']);
    await endsClean(practice, cluster);
  });

  it('is closed, and what was ordered is ended, where nothing comes of it', async () => {
    const orders = await ordering(Infinity, 30_000);
    const { practice } = orders;
    const cluster = await rent(orders);
    await practice.until(() => practice.market.rentals().some(({ endedAtMs }) => endedAtMs !== null));
    const events = await practice.pass(practice.service.events(cluster.id, 0, 1000));
    assert.ok(
      events.some(({ message }) =>
        /had no machine for the order within 10 min; it is closed\./.test(message),
      ),
    );
    await practice.until(
      () => practice.service.get(cluster.id).phase === 'failed' || practice.market.rentals().length > 1,
    );
    await endsClean(practice, cluster);
  });
});
