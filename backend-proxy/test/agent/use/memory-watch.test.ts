import assert from 'node:assert/strict';
import type { UseName } from '@hitch/contract/src/use/wire.ts';
import { MemoryWatch } from '../../../src/agent/use/memory-watch.ts';

const NODE: UseName = { of: 'machine', id: '', name: '', kind: 'memory', most: 65_536 };
const GPU: UseName = { of: 'gpu', id: '1', name: 'RTX 4090', kind: 'vram', most: 24_576 };
const KERNEL: UseName = { of: 'kernel', id: 'a', name: 'train.ipynb', kind: 'memory', most: null };
const JOB: UseName = { of: 'job', id: 'job_1', name: 'sweep', kind: 'vram', most: null };

describe('Memory that runs out', () => {
  it('is said once, with who has most of it, and again after there was room', () => {
    const said: string[] = [];
    const watch = new MemoryWatch(({ sentence }) => said.push(sentence));
    const look = (node: number, gpu: number): void =>
      watch.look({ atMs: 1, names: [NODE, GPU, KERNEL, JOB], values: [node, gpu, 50_000, 24_000] });
    look(40_000, 23_000);
    assert.deepEqual(said, []);
    look(62_000, 23_000);
    look(63_000, 24_300);
    look(60_000, 24_300);
    assert.deepEqual(said, [
      'The memory of this machine is nearly full: 60.5 GB of 64.0 GB. kernel train.ipynb (48.8 GB) has most of it.',
      'The memory of GPU 1 is nearly full: 23.7 GB of 24.0 GB. job sweep (23.4 GB) has most of it.',
    ]);
    look(30_000, 24_300);
    look(62_000, 24_300);
    assert.equal(said.length, 3);
  });

  it('is said of a machine whose processes are not known', () => {
    const said: string[] = [];
    new MemoryWatch(({ sentence }) => said.push(sentence)).look({ atMs: 1, names: [NODE], values: [65_000] });
    assert.deepEqual(said, ['The memory of this machine is nearly full: 63.5 GB of 64.0 GB.']);
  });
});
