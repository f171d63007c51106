/**
 * AMD's GPUs, from the files of their driver that `rocm-smi` reads too: `gpu_busy_percent`, `mem_info_vram_used` and
 * `mem_info_vram_total` (rocm_smi_lib, src/rocm_smi_device.cc), the card's hwmon (src/rocm_smi_monitor.cc), and what each process
 * has (`/sys/class/kfd/kfd/proc/<pid>/vram_<gpu>`, src/rocm_smi_kfd.cc). `rocm-smi` itself is a Python program, which takes
 * longer to start than two seconds' share of a core.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GpuUse, GpuWatch, ProcessVram } from './gpu-use.ts';

const MIB = 1024 * 1024;
const AMD = '0x1002';
/** Cards that are there when the agent starts are those there are. */
const CARD = /^card\d{1,3}$/;

export class AmdWatch implements GpuWatch {
  readonly #root: string;
  readonly #cards: readonly string[];

  constructor(root = '/sys/class') {
    this.#root = root;
    const folder = join(root, 'drm');
    this.#cards = namesIn(folder)
      .filter(name => CARD.test(name))
      .toSorted((a, b) => Number(a.slice(4)) - Number(b.slice(4)))
      .map(name => join(folder, name, 'device'))
      // A display without memory of its own is none that anybody computes on.
      .filter(
        card => read(join(card, 'vendor')) === AMD && figure(join(card, 'mem_info_vram_total')) !== null,
      );
  }

  gpus(): readonly GpuUse[] | null {
    return this.#cards.length === 0 ? null : this.#cards.map(gpuAt);
  }

  processes(): readonly ProcessVram[] {
    if (this.#cards.length === 0) {
      return [];
    }
    const folder = join(this.#root, 'kfd/kfd/proc');
    return namesIn(folder)
      .filter(name => /^\d+$/.test(name))
      .map(pid => ({
        pid: Number(pid),
        vramMiB: namesIn(join(folder, pid))
          .filter(name => name.startsWith('vram_'))
          .reduce((sum, name) => sum + (figure(join(folder, pid, name)) ?? 0) / MIB, 0),
      }))
      .filter(({ vramMiB }) => vramMiB > 0);
  }

  stop(): void {
    // Files alone: nothing runs.
  }
}

function gpuAt(card: string, index: number): GpuUse {
  const mebibytes = (name: string): number | null => scaled(figure(join(card, name)), MIB);
  const [sensors = ''] = namesIn(join(card, 'hwmon'));
  const sensor = (name: string): number | null => figure(join(card, 'hwmon', sensors, name));
  const name = read(join(card, 'product_name'));
  return {
    index,
    name: name === '' ? 'AMD GPU' : name.slice(0, 100),
    utilizationPercent: figure(join(card, 'gpu_busy_percent')),
    vramUsedMiB: mebibytes('mem_info_vram_used'),
    vramTotalMiB: mebibytes('mem_info_vram_total'),
    temperatureC: scaled(sensor('temp1_input'), 1_000),
    // Newer drivers say the power of the moment alone.
    powerW: scaled(sensor('power1_average') ?? sensor('power1_input'), 1_000_000),
  };
}

const scaled = (value: number | null, by: number): number | null =>
  value === null ? null : Math.round((value / by) * 10) / 10;

function figure(path: string): number | null {
  const text = read(path);
  return /^\d+$/.test(text) ? Number(text) : null;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
