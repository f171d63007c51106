/** What renting for a template begins with. */
import assert from 'node:assert/strict';
import { templateFilter, templateLimits } from '../../src/templates/rent-wish.ts';

const WISH = {
  filter: { minGpuCount: 1, maxGpuCount: 1, minVramMiB: 24_576 },
  nodes: 1,
  capMicroUsd: '12000000',
  maxNodePricePerHourMicroUsd: '1500000',
  timeMs: 43_200_000,
  idleMs: 1_200_000,
  save: ['out'],
  secrets: [],
};

describe('renting for a template', () => {
  it('looks for its machine among the offers that the person would take', () => {
    assert.deepEqual(
      templateFilter(
        {
          practice: 'exclude',
          trusts: ['own'],
          minReliability: 0.98,
          minVramMiB: 81_920,
          minDiskGiB: 50,
          text: 'h100',
        },
        WISH,
      ),
      {
        practice: 'exclude',
        trusts: ['own'],
        minReliability: 0.98,
        minGpuCount: 1,
        maxGpuCount: 1,
        minVramMiB: 24_576,
        maxPricePerHourMicroUsd: '1500000',
      },
    );
  });

  it('takes the lower limit of the two, and the one that there is', () => {
    assert.deepEqual(
      templateLimits({ capMicroUsd: '2000000', timeMs: 14_400_000, idleMs: 1_800_000 }, WISH),
      {
        capMicroUsd: '2000000',
        timeMs: 14_400_000,
        idleMs: 1_200_000,
      },
    );
    assert.deepEqual(templateLimits({ capMicroUsd: '20000000', timeMs: null, idleMs: 0 }, WISH), {
      capMicroUsd: '12000000',
      timeMs: 43_200_000,
      idleMs: 1_200_000,
    });
    const without = { ...WISH, capMicroUsd: null, timeMs: null, idleMs: null };
    assert.deepEqual(templateLimits({ capMicroUsd: '2000000', timeMs: null, idleMs: 0 }, without), {
      capMicroUsd: '2000000',
      timeMs: null,
      idleMs: 0,
    });
  });
});
