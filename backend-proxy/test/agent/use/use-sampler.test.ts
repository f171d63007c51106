import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { useQuerySchema } from '@hitch/contract/src/use/wire.ts';
import { systemClock } from '@hitch/platform/src/clock.ts';
import { silentLog } from '@hitch/platform/src/log.ts';
import type { GpuUse } from '../../../src/agent/use/gpu-use.ts';
import type { Share } from '../../../src/agent/use/shares.ts';
import { UseSampler } from '../../../src/agent/use/use-sampler.ts';

const GPU: GpuUse = {
  ...{ index: 0, name: 'RTX 4090', utilizationPercent: 80, vramUsedMiB: 1_000, vramTotalMiB: 24_000 },
  ...{ temperatureC: 60, powerW: null },
};
const SHARE: Share = { owner: { of: 'kernel', id: 'k' }, cpuPercent: 50, memoryMiB: 100, vramMiB: 900 };

describe('How a node does over time', () => {
  let folder: string;
  let nowMs: number;
  let gpu: GpuUse | null;
  let looks: number;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hitch-use-'));
    nowMs = 1_800_000_000_000;
    gpu = GPU;
    looks = 0;
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const sampler = (): UseSampler =>
    new UseSampler({
      clock: { ...systemClock, now: () => nowMs, monotonic: () => nowMs - 1_700_000_000_000 },
      log: silentLog,
      folder,
      workFolder: folder,
      gpus: { gpus: () => (gpu === null ? null : [gpu]), processes: () => [], stop: () => undefined },
      shares: () => {
        looks += 1;
        return [SHARE];
      },
      nameOf: () => 'train\n.ipynb',
    });
  const lookFor = async (of: UseSampler, ms: number): Promise<void> => {
    for (const endMs = nowMs + ms; nowMs < endMs; nowMs += 2_000) {
      await of.look();
    }
  };
  const page = (of: UseSampler, query: object = {}) => of.page(useQuerySchema.parse(query));
  const values = (of: UseSampler, query: object, owner: string, kind: string) =>
    page(of, query).series.find(each => each.of === owner && each.kind === kind)?.values;

  it('is a sample each two seconds, of the machine, its GPUs and its programs', async () => {
    const one = sampler();
    await lookFor(one, 20_000);
    const { timesMs, series } = page(one);
    assert.equal(timesMs.length, 10);
    assert.equal(looks, 2, 'processes are looked at more seldom');
    assert.deepEqual(
      series.map(({ of, kind }) => `${of} ${kind}`),
      [
        ...['machine cpu', 'machine memory', 'machine disk', 'machine received', 'machine sent'],
        ...[
          'gpu busy',
          'gpu vram',
          'gpu temperature',
          'gpu power',
          'kernel cpu',
          'kernel memory',
          'kernel vram',
        ],
      ],
    );
    assert.ok((values(one, {}, 'machine', 'memory')?.[0] ?? 0) > 0);
    assert.deepEqual(new Set(values(one, {}, 'kernel', 'vram')), new Set([900]));
    assert.equal(series.find(({ of }) => of === 'kernel')?.name, 'train?.ipynb');
    assert.deepEqual(page(one, { withinMs: 6_000 }).timesMs, timesMs.slice(-3));
  });

  it('keeps of a minute its mean, and the highest of its memory', async () => {
    const one = sampler();
    nowMs = Math.ceil(nowMs / 60_000) * 60_000;
    await lookFor(one, 30_000);
    gpu = { ...GPU, utilizationPercent: 40, vramUsedMiB: 23_000 };
    await lookFor(one, 30_000);
    gpu = { ...GPU, utilizationPercent: 0 };
    await lookFor(one, 2_000);
    assert.deepEqual(values(one, { scale: 'coarse' }, 'gpu', 'busy'), [60]);
    assert.deepEqual(values(one, { scale: 'coarse' }, 'gpu', 'vram'), [23_000]);
  });

  it('goes on where an agent was killed, with the minute that it had not ended', async () => {
    nowMs = Math.ceil(nowMs / 60_000) * 60_000;
    await lookFor(sampler(), 30_000);
    const next = sampler();
    next.resume();
    gpu = { ...GPU, utilizationPercent: 20 };
    await lookFor(next, 30_000);
    await lookFor(next, 2_000);
    assert.equal(page(next).timesMs.length, 31);
    assert.deepEqual(values(next, { scale: 'coarse' }, 'gpu', 'busy'), [50]);
    const third = sampler();
    third.resume();
    await lookFor(third, 60_000);
    assert.equal(page(third, { scale: 'coarse' }).timesMs.length, 2, 'and none of them twice');
  });

  it('shows the machine where no GPU is known', async () => {
    gpu = null;
    const one = sampler();
    await lookFor(one, 4_000);
    assert.ok(page(one).series.every(({ of }) => of !== 'gpu'));
  });
});
