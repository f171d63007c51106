/**
 * An hour of samples of a node, taken one after the other without a pause: how much processor time a sample takes, and how many
 * bytes a day has. Run with the flags of an agent; prints one line of JSON. The node has eight GPUs, an NVIDIA driver that says its
 * lines, and this computer's processes.
 */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { FINE_EVERY_MS } from '@hitch/contract/src/use/wire.ts';
import { silentLog } from '@hitch/platform/src/log.ts';
import { systemClock } from '@hitch/platform/src/clock.ts';
import type { GpuUse } from '../../backend-proxy/src/agent/use/gpu-use.ts';
import { parseGpuLine } from '../../backend-proxy/src/agent/use/nvidia.ts';
import { type Share, Shares } from '../../backend-proxy/src/agent/use/shares.ts';
import { UseSampler } from '../../backend-proxy/src/agent/use/use-sampler.ts';

const [folder = '', hours = ''] = process.argv.slice(2);
const GPUS = 8;
const OWNERS = 6;
const STEPS = Number(hours) * 3_600_000;

let nowMs = 1_800_000_000_000;
let seed = 1;
/** Figures that differ each time, as measured ones do. */
const chance = (): number => {
  seed = (seed * 16_807) % 2_147_483_647;
  return seed / 2_147_483_647;
};
const line = (gpu: number): string =>
  `${gpu.toString()}, NVIDIA H100 80GB HBM3, ${Math.round(chance() * 100).toString()}, ${Math.round(chance() * 80_000).toString()}, 81559, ${Math.round(30 + chance() * 50).toString()}, ${(100 + chance() * 600).toFixed(2)}`;
const gpus = (): GpuUse[] => Array.from({ length: GPUS }, (_, gpu) => parseGpuLine(line(gpu)) ?? []).flat();
const real = new Shares({ ref: 'none' });
const shares = (atMs: number): Share[] => {
  real.look(atMs, []);
  return Array.from({ length: OWNERS }, (_, at) => ({
    owner: { of: 'kernel', id: `00000000-0000-0000-0000-00000000000${at.toString()}` },
    cpuPercent: chance() * 400,
    memoryMiB: chance() * 60_000,
    vramMiB: chance() * 80_000,
  }));
};

const sampler = new UseSampler({
  clock: { ...systemClock, now: () => nowMs, monotonic: () => nowMs },
  log: silentLog,
  folder,
  workFolder: folder,
  gpus: { gpus, processes: () => [], stop: () => undefined },
  shares,
  nameOf: ({ id }) => `notebooks/${id.slice(-4)}.ipynb`,
});
const before = process.cpuUsage();
const beginMs = nowMs;
for (; nowMs - beginMs < STEPS; nowMs += FINE_EVERY_MS) {
  await sampler.look();
}
const { user, system } = process.cpuUsage(before);
const bytes = readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
const samples = STEPS / FINE_EVERY_MS;
process.stdout.write(JSON.stringify({ cpuMs: (user + system) / 1000 / samples, bytes }));
