/** A machine that is not what was agreed to goes back, like one that costs more. */
import assert from 'node:assert/strict';
import type { Offer } from '@hitch/contract';
import { worseThanOffered } from '../../src/clusters/got.ts';
import type { Got } from '../../src/providers/provider.ts';
import { endsClean, faulty, states } from './faulty.ts';

const OFFER = { gpuModel: 'H100 SXM', gpuCount: 8, market: 'on_demand', trust: 'data_center' } as Offer;
const worse = (got: Partial<Got>, offer: Partial<Offer> = {}) =>
  worseThanOffered({ ...OFFER, ...offer }, { ...OFFER, ...offer, ...got });

describe('what was rented', () => {
  it('is as offered or better, or its network does not say', () => {
    assert.equal(worseThanOffered(OFFER, undefined), null);
    assert.equal(worse({}), null);
    assert.equal(worse({ gpuCount: 9, trust: 'own' }), null);
    assert.equal(worse({ market: null, trust: null }), null);
    assert.equal(worse({ market: 'on_demand' }, { market: 'spot' }), null);
    assert.equal(worse({ gpuModel: 'T4', gpuCount: 1 }, { gpuModel: null, gpuCount: 0 }), null);
  });

  it('is as offered whichever way its network names the GPU', () => {
    for (const [offered, named] of [
      ['RTX 4090', 'NVIDIA GeForce RTX 4090'],
      ['RTX 4090', 'RTX_4090'],
      ['H100 SXM', 'NVIDIA H100 80GB SXM'],
      ['NVIDIA A100 80GB', 'A100'],
    ] as const) {
      assert.equal(worse({ gpuModel: named }, { gpuModel: offered }), null, named);
    }
    for (const [offered, named] of [
      ['RTX 4070', 'RTX 4070 Ti'],
      ['RTX 4070 Ti', 'NVIDIA GeForce RTX 4070'],
      ['A100 80GB', 'A100 40GB'],
      ['H100 SXM', 'H100 PCIe'],
      ['RTX 6000 Ada', 'Quadro RTX 6000'],
      ['L40S', 'L40'],
    ] as const) {
      assert.notEqual(worse({ gpuModel: named }, { gpuModel: offered }), null, named);
    }
  });

  it('is worse with another GPU or fewer, where it may be taken back, and where others stand behind it', () => {
    assert.equal(worse({ gpuModel: 'A100 80GB' }), '8× A100 80GB and not 8× H100 SXM');
    assert.equal(worse({ gpuCount: 4 }), '4× H100 SXM and not 8× H100 SXM');
    assert.equal(worse({ gpuModel: null, gpuCount: 0 }), 'a machine without a GPU and not 8× H100 SXM');
    assert.equal(
      worse({ market: 'spot', trust: 'community' }),
      'spot and not on demand, community and not data centre',
    );
  });

  it('goes back where it is worse, said with what that cost, before anything is set up there', async () => {
    const practice = await faulty({ fault: 'other_machine' });
    const { id } = await practice.rent({ filter: { trusts: ['data_center'] } });
    const failed = await practice.untilPhase(id, 'failed');
    const events = await practice.pass(practice.service.events(id, 0, 1000));
    const said = events.filter(({ value }) => value === 'other_machine');
    assert.match(
      said[0]?.message ?? '',
      /^Practice market rented .*community and not data centre; the machine is given back\. Non-refundable: \$/,
    );
    assert.equal(said.length, states(failed).length);
    assert.ok(!events.some(({ value }) => value === 'bootstrapping'));
    await endsClean(practice, failed);
  });
});
