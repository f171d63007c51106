/** GPUs are found as people write them. */
import assert from 'node:assert/strict';
import { gpuMatcher, nearest } from '../src/gpu-names.ts';

const MODELS = [
  'RTX 4090',
  'NVIDIA GeForce RTX 4090',
  'RTX 4090 D',
  'RTX 4070',
  'RTX 4070 Ti',
  'RTX 4070 Ti SUPER',
  'RTX 4070S',
  'RTX 6000 Ada',
  'Quadro RTX 6000',
  'RTX A6000',
  'A100 40GB',
  'A100 80GB',
  'A100-SXM4-80GB',
  'NVIDIA A100 PCIe 80 GB',
  'H100 SXM',
  'H100 NVL',
  'NVIDIA H100 80GB HBM3',
  'GH200',
  'L4',
  'L40S',
  'L40',
  'MI300X',
  'AMD Instinct MI300X',
  'Radeon RX 7900 XTX',
  'Tesla V100-SXM2-16GB',
];

const CASES: Readonly<Record<string, readonly string[]>> = {
  '4090': ['RTX 4090', 'NVIDIA GeForce RTX 4090'],
  RTX4090: ['RTX 4090', 'NVIDIA GeForce RTX 4090'],
  'rtx-4090': ['RTX 4090', 'NVIDIA GeForce RTX 4090'],
  'geforce rtx 4090': ['RTX 4090', 'NVIDIA GeForce RTX 4090'],
  '4090d': ['RTX 4090 D'],
  'RTX 4070': ['RTX 4070'],
  '4070ti': ['RTX 4070 Ti'],
  '4070 ti super': ['RTX 4070 Ti SUPER'],
  '4070s': ['RTX 4070S'],
  'RTX 6000': ['Quadro RTX 6000'],
  'rtx 6000 ada': ['RTX 6000 Ada'],
  a6000: ['RTX A6000'],
  RTXA6000: ['RTX A6000'],
  A100: ['A100 40GB', 'A100 80GB', 'A100-SXM4-80GB', 'NVIDIA A100 PCIe 80 GB'],
  'a100-80gb': ['A100 80GB', 'A100-SXM4-80GB', 'NVIDIA A100 PCIe 80 GB'],
  'A100 SXM4 80GB': ['A100-SXM4-80GB'],
  H100: ['H100 SXM', 'H100 NVL', 'NVIDIA H100 80GB HBM3'],
  'h100 nvl': ['H100 NVL'],
  L40: ['L40'],
  l40s: ['L40S'],
  L4: ['L4'],
  mi300x: ['MI300X', 'AMD Instinct MI300X'],
  rx7900xtx: ['Radeon RX 7900 XTX'],
  '7900 xtx': ['Radeon RX 7900 XTX'],
  v100: ['Tesla V100-SXM2-16GB'],
  '': [],
  nvidia: [],
  '100': [],
};

describe('GPU names', () => {
  for (const [wanted, found] of Object.entries(CASES)) {
    it(`find ${found.length.toString()} for “${wanted}”`, () => {
      assert.deepEqual(MODELS.filter(gpuMatcher(wanted)), found);
    });
  }

  it('that no network has lead to those that are written alike', () => {
    assert.deepEqual(nearest('H1O0', ['H100 SXM', 'L4', 'RTX 4090']), ['H100 SXM']);
    assert.deepEqual(nearest('H10', ['H100 SXM', 'L4', 'RTX 4090']), ['H100 SXM']);
    assert.deepEqual(nearest('RTX 4900', ['RTX 4090', 'RTX 3090', 'H200']), ['RTX 4090']);
    assert.deepEqual(nearest('vastai', ['local', 'vast']), ['vast']);
    assert.deepEqual(nearest('zzzz', ['local', 'vast']), []);
  });
});
