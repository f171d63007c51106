/** Whether chaos runs notice what was broken on purpose. */
import type { Plant } from './daemons.ts';
import { failuresOf, type Report } from './report.ts';
import { type ChaosOptions, chaosRun } from './run.ts';

const SEEDS_OF_A_PLANT = 300;

/** The first run on these networks that notices what was planted; null when none does. */
export async function noticed(
  networks: readonly string[],
  plant: Plant,
  isNoticed: (report: Report) => boolean = report => failuresOf(report).length > 0,
  more: Partial<ChaosOptions> = {},
): Promise<Report | null> {
  const first = more.seed ?? 1;
  for (let seed = first; seed < first + SEEDS_OF_A_PLANT; seed++) {
    const report = await chaosRun({ networks, plant, patienceMs: 3 * 3_600_000, ...more, seed });
    if (isNoticed(report)) {
      return report;
    }
  }
  return null;
}
