/** What it costs a node to be measured all day: processor time of a sample, and the room of a day of them. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FINE_EVERY_MS } from '@hitch/contract/src/use/wire.ts';
import { FRUGAL_FLAGS } from '@hitch/platform/src/memory.ts';
import * as z from 'zod';
import { type Benchmark, figure, median } from '../figure.ts';

const ROUNDS = 3;
const PROGRAM = join(import.meta.dirname, '../use-child.ts');
const saidSchema = z.object({ cpuMs: z.number(), bytes: z.number() });

function measure(hours: number): z.infer<typeof saidSchema> {
  const folder = mkdtempSync(join(tmpdir(), 'hitch-use-'));
  try {
    // As an agent runs: with few of V8's compilers.
    const args = [...FRUGAL_FLAGS, PROGRAM, folder, hours.toString()];
    const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    const said = saidSchema.safeParse(JSON.parse(stdout === '' ? 'null' : stdout));
    if (said.data === undefined) {
      throw new Error(`the program that measures a node ended without a figure: ${stderr}`);
    }
    return said.data;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export const useOverTime: Benchmark = {
  names: ['use_sampling_core_percent', 'use_day_mb'],
  run(report) {
    const costs: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      report(`round ${(round + 1).toString()} of ${ROUNDS.toString()}`);
      costs.push(measure(1).cpuMs);
    }
    report('a day of samples');
    const { bytes } = measure(24);
    return Promise.resolve([
      figure({
        name: 'use_sampling_core_percent',
        value: (median(costs) / FINE_EVERY_MS) * 100,
        unit: '%',
        target: { atMost: 1 },
        note: 'of one core, with the flags of an agent: eight GPUs, this computer’s processes every ten seconds, the files written; without nvidia-smi itself',
      }),
      figure({
        name: 'use_day_mb',
        value: bytes / 1_000_000,
        unit: 'MB',
        target: { atMost: 2 },
        note: 'on the disk after a day: eight GPUs and six kernels, the last hour or so by two seconds, the day by minutes',
      }),
    ]);
  },
};
