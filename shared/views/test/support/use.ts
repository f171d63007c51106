/** How a machine with one GPU did: an hour of it, and what a kernel has. */
import type { UseName, UsePage } from '@hitch/contract/src/use/wire.ts';
import { MOMENT_MS } from './offers.ts';

const SAMPLES = 600;

/** @param title in the kernel's name: whose, and of which time. */
export function testUse(title: string): UsePage {
  const timesMs = Array.from({ length: SAMPLES }, (_, at) => MOMENT_MS - (SAMPLES - at) * 2_000);
  const series = (name: Omit<UseName, 'name'> & { readonly name?: string }, most: number) => ({
    ...{ name: '', ...name },
    values: timesMs.map((_, at) => Math.round((0.5 + 0.4 * Math.sin(at / 30)) * most)),
  });
  return {
    timesMs,
    series: [
      series({ of: 'machine', id: '', kind: 'cpu', most: 100 }, 100),
      series({ of: 'machine', id: '', kind: 'memory', most: 65_536 }, 65_536),
      series({ of: 'gpu', id: '0', name: 'RTX 4090', kind: 'busy', most: 100 }, 100),
      series({ of: 'gpu', id: '0', name: 'RTX 4090', kind: 'vram', most: 24_576 }, 24_576),
      series({ of: 'gpu', id: '0', name: 'RTX 4090', kind: 'temperature', most: null }, 80),
      series({ of: 'kernel', id: 'k', name: title, kind: 'memory', most: null }, 9_000),
    ],
    more: false,
  };
}
