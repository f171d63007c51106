/** What Prime Intellect's pods say that they have. */
import assert from 'node:assert/strict';
import { instanceOf } from '../../src/providers/prime/instances.ts';
import { podSchema } from '../../src/providers/prime/shapes.ts';

const got = (change: object) =>
  instanceOf(
    podSchema.parse({
      id: 'pod1',
      name: 'hitch-one',
      status: 'ACTIVE',
      gpuName: 'RTX4090_24GB',
      gpuCount: 2,
      isSpot: false,
      ...change,
    }),
  ).got;

describe('what a pod of Prime Intellect has', () => {
  it('is the type, number and market that its offer had, and nobody says whose house it stands in', () => {
    assert.deepEqual(got({}), { gpuModel: 'RTX 4090', gpuCount: 2, market: 'on_demand', trust: null });
    assert.deepEqual(got({ isSpot: true })?.market, 'spot');
    assert.deepEqual(got({ isSpot: null })?.market, null);
    assert.deepEqual(got({ gpuName: 'CPU_NODE', gpuCount: 0 })?.gpuModel, null);
  });

  it('is not said where it is not written as the types of offers are', () => {
    assert.equal(got({ gpuName: null }), undefined);
    assert.equal(got({ gpuName: 'NVIDIA A100 80GB PCIe' }), undefined);
    assert.equal(got({ gpuCount: null }), undefined);
  });
});
