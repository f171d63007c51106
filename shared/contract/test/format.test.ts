import assert from 'node:assert/strict';
import { format } from '../src/index.ts';
import { at } from './support/moment.ts';

describe('amounts, times and sizes', () => {
  it('show less than a cent as that, and no amount smaller than it is', () => {
    assert.deepEqual(
      ['0', '1', '9999', '10000', '10001', '22000', '99001', '420000', '1010100'].map(format.dollars),
      ['$0.00', '<$0.01', '<$0.01', '$0.01', '$0.011', '$0.022', '$0.10', '$0.42', '$1.02'],
    );
  });

  it('read as people write them', () => {
    assert.deepEqual([0, 14_000, 725_000, 3_723_000, -5].map(format.elapsed), [
      '0:00',
      '0:14',
      '12:05',
      '1:02:03',
      '0:00',
    ]);
    assert.deepEqual([900, 45_000, 1_800_000, 14_400_000, 9_000_000].map(format.duration), [
      '1 s',
      '45 s',
      '30 min',
      '4 h',
      '2.5 h',
    ]);
    assert.deepEqual([7, 12_000, 340_000_000, 1_230_000_000].map(format.bytes), [
      '7 bytes',
      '12 kB',
      '340 MB',
      '1.2 GB',
    ]);
    assert.equal(format.clock(at(9, 5)), '09:05');
    assert.equal(format.clock(at(23, 50), at(0, 10)), '23:50');
    assert.equal(format.clock(at(20, 0) + 10 * 3_600_000, at(20, 0)), '06:00');
    assert.equal(format.clock(at(20, 0) + 23 * 3_600_000, at(20, 0)), '2026-11-23 19:00');
    assert.equal(format.clock(at(9, 5) + 48 * 3_600_000, at(9, 5)), '2026-11-24 09:05');
    assert.equal(
      format.machineTitle({ gpuModel: null, gpuCount: 0, vramMiB: 0, cpuCores: 8 }),
      '8 CPU cores',
    );
    const offer = { gpuModel: 'RTX 4090', gpuCount: 2, vramMiB: 24_576, cpuCores: 8, country: 'DE' };
    assert.equal(format.offerTitle(offer, 'Vast.ai'), '2× RTX 4090, 24 GB, Vast.ai, DE');
    assert.equal(format.machineTitle({ ...offer, vramMiB: 0 }), '2× RTX 4090', 'nobody said how much');
    assert.equal(format.offerTitle({ ...offer, country: null }, 'Vast.ai'), '2× RTX 4090, 24 GB, Vast.ai');
  });
});
