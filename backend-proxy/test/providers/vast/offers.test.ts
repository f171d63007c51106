import assert from 'node:assert/strict';
import { offerSchema } from '@hitch/contract';
import { failureOf, offerRow, signal, vast } from './api.ts';

describe('offers of Vast.ai', () => {
  const offersOf = async (...rows: readonly unknown[]) => {
    const { provider, asked } = vast({ body: { offers: rows } });
    const offers = await provider.offers(signal);
    offers.forEach(offer => offerSchema.parse(offer));
    return { offers, asked, leftOut: provider.offersLeftOut() };
  };

  it('are searched for without a login', async () => {
    const { asked, leftOut } = await offersOf();
    const [search] = asked;
    assert.equal(`${search?.method ?? ''} ${search?.path ?? ''}`, 'POST /api/v0/bundles/');
    assert.equal(search?.headers['authorization'], undefined);
    assert.equal(leftOut, null);
  });

  it('are two of each row that takes bids: on demand, and at the least bid', async () => {
    const { offers } = await offersOf(offerRow());
    const [demand, spot] = offers;
    assert.deepEqual(
      [demand?.id, demand?.market, demand?.pricePerHourMicroUsd],
      ['vast:71003', 'on_demand', '615000'],
    );
    assert.deepEqual(
      [spot?.id, spot?.market, spot?.pricePerHourMicroUsd],
      ['vast:71003:bid', 'spot', '265000'],
    );
    assert.deepEqual(demand?.takes, {
      disk: { minGiB: 8, maxGiB: 400, perGiBHourMicroUsd: '300' },
      image: true,
    });
    assert.deepEqual(spot?.takes?.bid, { leastPerHourMicroUsd: '265000' });
    assert.equal((await offersOf(offerRow({ min_bid: null }))).offers.length, 1);
  });

  it('say the driver, NVLink, architecture and traffic’s price where the network does', async () => {
    const told = {
      driver_version: '550.54.15',
      bw_nvlink: 0,
      cpu_arch: 'amd64',
      inet_down_cost: 0.003,
      inet_up_cost: '0.02',
    };
    const [offer] = (await offersOf(offerRow(told))).offers;
    assert.ok(offer !== undefined);
    const { driver, nvlink, arch, traffic, wayIn } = offer;
    assert.deepEqual([driver, nvlink, arch, wayIn], ['550.54.15', false, 'x86_64', 'ssh']);
    assert.deepEqual(traffic, { downPerGBMicroUsd: '3000', upPerGBMicroUsd: '20000' });
    const silent = Object.fromEntries(Object.keys(told).map(field => [field, null]));
    const [plain] = (await offersOf(offerRow(silent))).offers;
    assert.deepEqual([plain?.driver, plain?.nvlink, plain?.arch, plain?.traffic], Array(4).fill(undefined));
  });

  it('say the machine as it is sold: a part of its host, where it stands, and what its driver runs', async () => {
    const { offers } = await offersOf(offerRow());
    const [offer] = offers;
    assert.ok(offer !== undefined);
    const { cpuCores, ramMiB, vramMiB, gpuCount, gpuModel, diskGiB, hostId, stock } = offer;
    assert.deepEqual(
      { cpuCores, ramMiB, vramMiB, gpuCount, gpuModel, diskGiB, hostId, stock },
      {
        cpuCores: 16,
        ramMiB: 32_000,
        vramMiB: 24_564,
        gpuCount: 2,
        gpuModel: 'RTX 4090',
        diskGiB: 50,
        hostId: '4402',
        stock: 1,
      },
    );
    const { country, region, cudaMax, reliability, downMbps, upMbps, readyInMs } = offer;
    assert.deepEqual(
      { country, region, cudaMax, reliability, downMbps, upMbps, readyInMs },
      {
        country: 'DE',
        region: 'Lower Saxony',
        cudaMax: '12.8',
        reliability: 0.9931,
        downMbps: 812,
        upMbps: 640,
        readyInMs: null,
      },
    );
  });

  for (const [geolocation, country, region] of [
    ['Yutakacho, Shinagawa, Tokyo, JP', 'JP', 'Yutakacho, Shinagawa, Tokyo'],
    [', US', 'US', null],
    ['se', 'SE', null],
    ['Somewhere', null, 'Somewhere'],
    [null, null, null],
  ] as const) {
    it(`stand where their hosts say: ${String(geolocation)}`, async () => {
      const { offers } = await offersOf(offerRow({ geolocation }));
      assert.deepEqual([offers[0]?.country, offers[0]?.region], [country, region]);
    });
  }

  for (const [of, trust] of [
    [{}, 'verified'],
    [{ hosting_type: 1 }, 'data_center'],
    [{ hosting_type: 1, verification: 'unverified' }, 'community'],
    [{ verification: 'deverified' }, 'community'],
  ] as const) {
    it(`are trusted as ${trust}: ${JSON.stringify(of)}`, async () => {
      assert.equal((await offersOf(offerRow(of))).offers[0]?.trust, trust);
    });
  }

  it('round the price of a GB up, and no size of a disk costs more than is said', async () => {
    const { offers } = await offersOf(
      offerRow({ storage_cost: 0.15, dph_base: '0.6000001', disk_space: 30 }),
    );
    const [offer] = offers;
    assert.equal(offer?.takes?.disk?.perGiBHourMicroUsd, '209');
    assert.equal(offer.diskGiB, 30);
    assert.equal(offer.pricePerHourMicroUsd, (600_001 + 30 * 209).toString());
  });

  it('leave out what cannot be rented, whatever was searched for, and say what', async () => {
    const { offers, leftOut } = await offersOf(
      offerRow(),
      offerRow({ id: 2, rented: true }),
      offerRow({ id: 3, rentable: false }),
      offerRow({ id: 4, duration: 60 }),
      offerRow({ id: 5, disk_space: 7.9 }),
      offerRow({ id: 6, cpu_cores: null }),
      offerRow({ id: 7, cpu_cores_effective: 0.5 }),
      { id: 8, gpu_name: 'RTX 4090' },
    );
    assert.equal(offers.length, 2);
    assert.equal(
      leftOut,
      'Offers of Vast.ai are left out: 2 that cannot be rented now, 1 that end within the hour, 1 that have less than 8 GB of disk, 2 that do not say how much of the machine’s CPU and memory comes with them, 1 that were not understood.',
    );
  });

  it('say so where there are more than were asked for', async () => {
    const rows = Array.from({ length: 3000 }, (_, id) => offerRow({ id: id + 1 }));
    const { leftOut } = await offersOf(...rows);
    assert.equal(leftOut, 'Offers of Vast.ai are left out: all but the 3000 cheapest.');
  });

  it('wait for midnight where the day’s searches are used up', async () => {
    const { provider } = vast({ status: 429, body: { success: false, error: 'search_quota_exceeded' } });
    const { kind, retryAfterMs } = await failureOf(provider.offers(signal));
    assert.deepEqual([kind, retryAfterMs], ['retryable', 12 * 3_600_000]);
  });

  it('wait as long as the words of a refusal say, or its header', async () => {
    for (const [answer, waits] of [
      [{ body: 'API requests too frequent: endpoint threshold=2.5' }, 2_500],
      [{ body: 'API requests too frequent' }, 5_000],
      [{ body: 'threshold=2.5', headers: { 'retry-after': '7' } }, 7_000],
    ] as const) {
      const { provider } = vast({ status: 429, ...answer });
      assert.equal((await failureOf(provider.offers(signal))).retryAfterMs, waits);
    }
  });
});
