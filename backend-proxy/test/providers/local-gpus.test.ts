/** What nvidia-smi tells, and a computer that has none. */
import assert from 'node:assert/strict';
import { NO_GPUS, parseGpus, readGpus } from '../../src/providers/local/gpus.ts';

const BANNER = '| NVIDIA-SMI 570.86.10    Driver Version: 570.86.10    CUDA Version: 12.8     |';
const signal = new AbortController().signal;

describe('the GPUs of this computer', () => {
  it('are counted, with the name everybody uses and the memory each has', () => {
    assert.deepEqual(parseGpus('NVIDIA GeForce RTX 4090, 24564\nNVIDIA GeForce RTX 4090, 24564\n', BANNER), {
      model: 'RTX 4090',
      count: 2,
      vramMiB: 24_564,
      cudaMax: '12.8',
    });
    assert.equal(parseGpus('NVIDIA A100-SXM4-80GB, 81920', BANNER).model, 'A100-SXM4-80GB');
    assert.equal(parseGpus('Tesla T4, 15360', 'no version').cudaMax, null);
  });

  it('are none where nvidia-smi is absent, fails or says nothing of use', async () => {
    assert.deepEqual(await readGpus(() => Promise.reject(new Error('ENOENT')), signal), NO_GPUS);
    assert.deepEqual(await readGpus(() => Promise.resolve('No devices were found'), signal), NO_GPUS);
  });

  it('are asked for with programs that exist', async () => {
    const asked: string[][] = [];
    await readGpus(async (file, args) => {
      asked.push([file, ...args]);
      return '';
    }, signal);
    assert.ok(asked.every(([file]) => file === 'nvidia-smi'));
  });
});
