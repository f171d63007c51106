// A file that failed gets a second run, alone and after all others: of tiers whose real programs share a busy machine.
// What passes then failed by chance, which is said aloud; what fails again fails the run.
import { add, emptySummary, type Failure, type Summary } from './summary.ts';
import { isNightly } from './tiers.ts';

/** The others are repeatable: what fails there once is wrong. */
const tiersWithChance: readonly string[] = ['engine', 'jupyterlab', 'vscode'];
/** More than this is no chance. */
export const mostFilesAgain = 3;

/** What one process ran. */
export interface Part {
  readonly tier: string;
  /** One, where each file has a process of its own. */
  readonly files: readonly string[];
  readonly sum: Summary;
}

/** A failure of a file that passed when it ran once more. */
export interface ByChance {
  readonly failure: Failure;
  /** Where the output of the run that failed is kept. */
  readonly log: string;
}

export interface Outcome {
  readonly sum: Summary;
  readonly byChance: readonly ByChance[];
}

export interface AgainOptions {
  /** Takes no second run: every failure counts. */
  readonly strict: boolean;
  /** Runs the part's file with nothing beside it. */
  readonly run: (part: Part) => Promise<Summary>;
  /** Where the output of the part's first run is. */
  readonly logOf: (part: Part) => string;
  readonly say: (line: string) => void;
}

const failed = ({ sum }: Part): boolean => sum.failures.length > 0;
const total = (parts: readonly Part[]): Summary => parts.map(({ sum }) => sum).reduce(add, emptySummary);
const mayBeChance = ({ tier, files }: Part): boolean =>
  tiersWithChance.includes(tier) && files.length === 1 && !files.some(isNightly);

/** The parts that get a second run, or in a sentence why none does: what fails the run anyway needs no more minutes. */
export function partsAgain(parts: readonly Part[], strict: boolean): readonly Part[] | string {
  const all = parts.filter(failed);
  const certain = all.find(part => !mayBeChance(part));
  if (strict) return '--strict: nothing is run a second time.';
  if (certain !== undefined) {
    return `Nothing is run a second time, as ${certain.files.join(', ') || certain.tier} does not fail by chance.`;
  }
  if (all.length > mostFilesAgain) {
    return `Nothing is run a second time: ${String(all.length)} files failed, and more than ${String(mostFilesAgain)} do not fail by chance.`;
  }
  return all;
}

/** The sum of all parts, with the second run in the place of the first where that one passed. */
export async function withSecondRuns(parts: readonly Part[], options: AgainOptions): Promise<Outcome> {
  const { strict, run, logOf, say } = options;
  if (!parts.some(failed)) return { sum: total(parts), byChance: [] };
  const again = partsAgain(parts, strict);
  if (typeof again === 'string') {
    say(`\n${again}`);
    return { sum: total(parts), byChance: [] };
  }
  const byChance: ByChance[] = [];
  const replaced = new Map<Part, Part>();
  for (const part of again) {
    say(`\nonce more, alone: ${part.files.join(', ')}`);
    const sum = await run(part);
    // A run in which nothing ran shows nothing.
    if (sum.failures.length === 0 && sum.passed > 0) {
      replaced.set(part, { ...part, sum });
      byChance.push(...part.sum.failures.map(failure => ({ failure, log: logOf(part) })));
    } else {
      say(`It failed again: ${sum.failures.map(({ title }) => title).join('; ') || 'no test ran'}.`);
    }
  }
  return { sum: total(parts.map(part => replaced.get(part) ?? part)), byChance };
}

const firstLine = (text: string): string => text.split('\n')[0] ?? '';

/** For the end of the report; empty when nothing failed by chance. */
export function chanceLines(byChance: readonly ByChance[]): string[] {
  if (byChance.length === 0) return [];
  return [
    '',
    'Failed once, passed alone:',
    ...byChance.flatMap(({ failure, log }, index) => [
      `  ${String(index + 1)}. ${failure.title} (${firstLine(failure.message)})`,
      `     The output of the run that failed is in ${log}`,
    ]),
  ];
}
