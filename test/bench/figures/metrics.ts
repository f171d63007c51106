/** How fast an agent takes figures: TensorBoard's events as its writer makes them, read, kept, and read again by a page. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { FRUGAL_FLAGS } from '@hitch/platform/src/memory.ts';
import { type Benchmark, figure, median } from '../figure.ts';

const ROUNDS = 5;
const PROGRAM = join(import.meta.dirname, '../metrics-child.ts');
const saidSchema = z.object({ points: z.number(), ms: z.number() });

export const metricsPoints: Benchmark = {
  names: ['metrics_points_per_s'],
  run(report) {
    const rates: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      report(`round ${(round + 1).toString()} of ${ROUNDS.toString()}`);
      const folder = mkdtempSync(join(tmpdir(), 'hitch-metrics-'));
      try {
        // As an agent runs: with few of V8's compilers.
        const { stdout, stderr } = spawnSync(process.execPath, [...FRUGAL_FLAGS, PROGRAM, folder], {
          encoding: 'utf8',
        });
        const said = saidSchema.safeParse(JSON.parse(stdout === '' ? 'null' : stdout));
        if (said.data === undefined) {
          throw new Error(`the program that takes figures ended without any: ${stderr}`);
        }
        rates.push((said.data.points / said.data.ms) * 1_000);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    }
    return Promise.resolve([
      figure({
        name: 'metrics_points_per_s',
        value: median(rates),
        unit: 'points/s',
        target: { atLeast: 100_000 },
        note: 'a second of processor time; scalars of an event file to points on the disk and series in the daemon’s memory, with the flags of an agent',
      }),
    ]);
  },
};
