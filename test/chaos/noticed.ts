/** Whether chaos runs notice what was broken on purpose. */
import type { Plant } from './daemons.ts';
import { failuresOf, type Report } from './report.ts';
import { chaosRun } from './run.ts';

const SEEDS_OF_A_PLANT = 300;

/** The first run on these networks that notices what was planted; null when none does. */
export async function noticed(
  networks: readonly string[],
  plant: Plant,
  isNoticed: (report: Report) => boolean = report => failuresOf(report).length > 0,
): Promise<Report | null> {
  for (let seed = 1; seed <= SEEDS_OF_A_PLANT; seed++) {
    const report = await chaosRun({ seed, networks, plant, patienceMs: 3 * 3_600_000 });
    if (isNoticed(report)) {
      return report;
    }
  }
  return null;
}
