/** A machine that has less than was bought goes back before it is set up, and the next candidate is tried. */
import assert from 'node:assert/strict';
import type { MachineHas, NetworkSpeed } from '../../src/access/host.ts';
import { type Bought, slowNetwork, worseThanBought } from '../../src/clusters/as-offered.ts';
import { driverNeeds } from '../../src/spend/drivers.ts';
import { ProviderError } from '../../src/providers/provider.ts';
import { FLAWS } from '../../src/providers/sandbox/faults.ts';
import { endsClean, faulty, wrap } from './faulty.ts';
import { Practice } from './practice.ts';

const DISK = { minGiB: 10, maxGiB: 1_000, perGiBHourMicroUsd: '100' };
const OFFER: Bought = {
  gpuCount: 2,
  vramMiB: 24_576,
  cudaMax: '12.8',
  driver: '570.86.10',
  downMbps: 900,
  takes: { disk: DISK },
};
const TERMS = { diskGiB: 100 };
const HAS: MachineHas = {
  gpuCount: 2,
  gpuMemoryMiB: 24_564,
  driver: '570.86.10',
  cudaMax: '12.8',
  gpuProblem: null,
  freeDiskMiB: 90_000,
  clockAheadS: 3,
  network: null,
};
const brings = (downMbps: number | null, upMbps: number | null = null): NetworkSpeed => ({
  downMbps,
  upMbps,
  isOwnIndex: false,
  whyNoDown: downMbps === null ? 'index' : '',
  whyNoUp: upMbps === null ? 'priced' : '',
  begun: 2,
  ended: 2,
});
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
      worseThanBought({ gpuCount: 0, vramMiB: 0, cudaMax: null, downMbps: null }, TERMS, {
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

describe('the driver of a machine', () => {
  it('is judged by its branch, where its CUDA says nothing', () => {
    const offer = { cudaMax: null };
    assert.deepEqual(wrong({ driver: '570.133.7' }, offer), []);
    assert.deepEqual(wrong({ driver: '570.26' }, offer), []);
    assert.deepEqual(wrong({ driver: '550.54.15' }, offer), [
      'the NVIDIA driver 550.54.15, and 570.86.10 was offered',
    ]);
    assert.deepEqual(wrong({ driver: null }, offer), []);
    const older = { driver: '550.54.15', cudaMax: '12.4' };
    assert.deepEqual(wrong(older), ['a driver for CUDA up to 12.4, and 12.8 was offered']);
  });

  it('must run what the cluster’s environment brings, whatever was offered', () => {
    const needs = driverNeeds({ accelerator: 'cuda13', file: 'requirements.txt' });
    const judged = (change: Partial<MachineHas>, offer: Partial<Bought> = {}) =>
      worseThanBought({ ...OFFER, cudaMax: null, ...offer }, TERMS, { ...HAS, ...change }, needs);
    assert.deepEqual(judged({ cudaMax: '12.8' }), [
      'a driver for CUDA up to 12.8, and requirements.txt brings CUDA 13',
    ]);
    assert.deepEqual(judged({ cudaMax: '13.0' }), []);
    assert.deepEqual(judged({ cudaMax: null }), []);
    assert.deepEqual(judged({ gpuCount: 0, cudaMax: null }, { gpuCount: 0 }), []);
    assert.equal(driverNeeds({ accelerator: 'cpu', file: 'requirements.txt' }), null);
    assert.equal(driverNeeds(null), null);
  });
});

describe('the network of a machine', () => {
  it('goes back with it below a quarter of what was offered, of which 100 Mbps count', () => {
    assert.deepEqual(wrong({ network: brings(24.9) }), [
      'a network that brought 25 Mbps from the package index, and 900 Mbps were offered',
    ]);
    assert.deepEqual(wrong({ network: brings(2.4) }, { downMbps: 10 }), [
      'a network that brought 2.4 Mbps from the package index, and 10 Mbps were offered',
    ]);
    assert.deepEqual(wrong({ network: brings(25) }), []);
    assert.deepEqual(wrong({ network: brings(0) }, { downMbps: null }), []);
    assert.deepEqual(wrong({ network: brings(null, 0) }), []);
  });

  it('is a warning where it is slow and stays', () => {
    const offered = { downMbps: 900, upMbps: 400 };
    assert.deepEqual(slowNetwork(offered, brings(50, 25)), []);
    assert.deepEqual(slowNetwork(offered, null), []);
    assert.deepEqual(slowNetwork({ downMbps: null, upMbps: null }, brings(0, 0)), []);
    assert.deepEqual(slowNetwork(offered, brings(49, 3.5)), [
      'Its network brought 49 Mbps from the package index, and 900 Mbps were offered: models and data may take long to get there. Rent another machine where that matters.',
      "It sent 3.5 Mbps to this computer, and 400 Mbps were offered: its network or this computer's is slow. Leave time for saving what is large.",
    ]);
  });

  it('stays with it where the index is one that the user has set, and says so', () => {
    const own = { ...brings(2), isOwnIndex: true };
    assert.deepEqual(wrong({ network: own }), []);
    assert.deepEqual(slowNetwork({ downMbps: 900, upMbps: null }, own), [
      "Its network brought 2 Mbps from the package index that is set on this computer, and 900 Mbps were offered: that index or the machine's network is slow. Unset UV_DEFAULT_INDEX, UV_INDEX_URL or PIP_INDEX_URL where packages take long.",
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
