/** A machine that has less than was bought goes back before it is set up, and the next candidate is tried. */
import assert from 'node:assert/strict';
import type { Offer } from '@hitch/contract';
import type { MachineHas } from '../../src/access/host.ts';
import { worseThanBought } from '../../src/clusters/as-offered.ts';
import { ProviderError } from '../../src/providers/provider.ts';
import { FLAWS } from '../../src/providers/sandbox/faults.ts';
import { endsClean, faulty, wrap } from './faulty.ts';
import { Practice } from './practice.ts';

type Bought = Pick<Offer, 'gpuCount' | 'vramMiB' | 'cudaMax' | 'takes'>;
const DISK = { minGiB: 10, maxGiB: 1_000, perGiBHourMicroUsd: '100' };
const OFFER: Bought = { gpuCount: 2, vramMiB: 24_576, cudaMax: '12.8', takes: { disk: DISK } };
const TERMS = { diskGiB: 100 };
const HAS: MachineHas = {
  gpuCount: 2,
  gpuMemoryMiB: 24_564,
  cudaMax: '12.8',
  gpuProblem: null,
  freeDiskMiB: 90_000,
  clockAheadS: 3,
};
const wrong = (change: Partial<MachineHas>, offer: Partial<Bought> = {}) =>
  worseThanBought({ ...OFFER, ...offer }, TERMS, { ...HAS, ...change });

describe('what a machine says that it has', () => {
  it('is as bought where all is there, or more, or is not said', () => {
    assert.deepEqual(wrong({}), []);
    assert.deepEqual(wrong({ gpuCount: 8, gpuMemoryMiB: 81_559, cudaMax: '13.0', freeDiskMiB: 9e6 }), []);
    assert.deepEqual(wrong({ gpuMemoryMiB: null, cudaMax: null, freeDiskMiB: null }), []);
    // What real drivers say of an L4, an A10 and an L40S.
    for (const [sold, says] of [
      [24, 23_034],
      [24, 22_731],
      [48, 46_068],
    ] as const) {
      assert.deepEqual(wrong({ gpuMemoryMiB: says }, { vramMiB: sold * 1024 }), []);
    }
    assert.deepEqual(
      worseThanBought({ gpuCount: 0, vramMiB: 0, cudaMax: null }, TERMS, {
        ...HAS,
        gpuCount: 0,
        gpuMemoryMiB: null,
      }),
      [],
    );
  });

  it('may have its disk where nobody looked, unless so much was bought of it', () => {
    const { takes: _takes, ...fixed } = OFFER;
    assert.deepEqual(worseThanBought(fixed, { diskGiB: 1_500 }, { ...HAS, freeDiskMiB: 70_000 }), []);
  });

  it('is worse in each thing that it lacks, with what was offered', () => {
    assert.deepEqual(wrong({ gpuCount: 1 }), ['1 GPU, and 2 GPUs were offered']);
    assert.deepEqual(wrong({ gpuCount: 0, gpuProblem: 'No devices were found.' }), [
      'no GPU (nvidia-smi says: No devices were found), and 2 GPUs were offered',
    ]);
    assert.deepEqual(wrong({ gpuMemoryMiB: 12_288 }), ['GPUs with 12 GB, and 24 GB were offered']);
    assert.deepEqual(wrong({ cudaMax: '12.4' }), ['a driver for CUDA up to 12.4, and 12.8 was offered']);
    assert.deepEqual(wrong({ freeDiskMiB: 40 * 1024, clockAheadS: -3_600 }), [
      '40 GB of disk free, and 100 GB were bought',
      'a clock that is 60 min behind',
    ]);
  });
});

/** With this one the first is poor, and the next is not. */
const SEED = 8;

describe('a machine that is not what was bought', () => {
  for (const lacks of FLAWS) {
    it(`goes back for its ${lacks}, and the next one is tried inside the same approval`, async () => {
      const practice = await faulty({ fault: 'poor_machine', lacks, chance: 0.5 }, SEED);
      const { id } = await practice.rent({ filter: { gpuModels: ['RTX 4090'] }, idleMs: 0 });
      const cluster = await practice.untilPhase(id, 'ready');
      const events = await practice.pass(practice.service.events(id, 0, 1000));
      const said = events.filter(({ value }) => value === 'not_as_bought');
      assert.equal(said.length, 1);
      assert.match(
        said[0]?.message ?? '',
        /^Practice market rented a machine with .*; it is given back\. It has cost \$[\d.]+ so far\. Non-refundable: \$/,
      );
      const attempts = cluster.nodes[0]?.attempts ?? [];
      assert.equal(attempts.length, 2);
      const history = practice.book.get(attempts[0]?.offerId ?? '')?.history;
      assert.deepEqual([history?.failedChecks, history?.notUp], [1, 1]);
      assert.match(history?.lastFailure?.message ?? '', /rented a machine with/);
      await endsClean(practice, cluster);
    });
  }

  it('says so before anything is installed', async () => {
    const practice = await faulty({ fault: 'poor_machine', lacks: 'gpu' });
    const { id } = await practice.rent({ filter: { gpuModels: ['RTX 4090'] } });
    const failed = await practice.untilPhase(id, 'failed');
    assert.match(
      failed.message,
      /None of the offers could be rented\. Last: Practice market rented a machine with/,
    );
    const events = await practice.pass(practice.service.events(id, 0, 1000));
    assert.ok(events.some(({ message }) => message === 'Checking that it is what was bought.'));
    assert.ok(!events.some(({ message }) => message === 'Installing packages.'));
    await endsClean(practice, failed);
  });

  it('is not tried once more under another offer of the same host', async () => {
    const practice = await faulty({ fault: 'poor_machine', lacks: 'gpu' });
    const [one, two, three] = practice.book.query({
      filter: { gpuModels: ['RTX 4090'], markets: ['on_demand'] },
      sort: { key: 'pricePerHour', descending: false },
      offset: 0,
      limit: 3,
    }).offers;
    assert.ok(one !== undefined && two !== undefined && three !== undefined);
    const hosted = [one, two].map(offer => ({ ...offer, hostId: 'h1' }));
    practice.book.replace('sandbox', [...hosted, { ...three, hostId: 'h2' }], practice.clock.now());
    const { id } = await practice.rent({ offerIds: [one.id, two.id, three.id], capMicroUsd: '900000000' });
    const failed = await practice.untilPhase(id, 'failed');
    assert.deepEqual(
      failed.nodes[0]?.attempts.map(({ offerId }) => offerId),
      [one.id, three.id],
    );
    assert.equal(practice.book.get(two.id)?.history?.failedChecks, 1);
    await endsClean(practice, failed);
  });
});

describe('a machine whose clock is not this computer’s', () => {
  for (const [title, time] of [
    [
      'its network’s, so that this computer’s is wrong',
      (nowMs: number) => Promise.resolve(nowMs - 3_600_000),
    ],
    ['nobody’s who can be asked', () => Promise.reject(new ProviderError('retryable', 'It is down.'))],
  ] as const) {
    it(`is kept where it is ${title}`, async () => {
      const practice: Practice = new Practice({
        faults: { seed: 1, rules: [{ fault: 'poor_machine', lacks: 'clock', chance: 1 }] },
        wrapProvider: provider => wrap(provider, { time: () => time(practice.clock.now()) }),
      });
      await practice.open();
      const { id } = await practice.rent({ filter: { gpuModels: ['RTX 4090'] }, idleMs: 0 });
      const cluster = await practice.untilPhase(id, 'ready');
      assert.equal(cluster.nodes[0]?.attempts.length, 1);
      await endsClean(practice, cluster);
    });
  }
});
