// What one runner reports, and the sum of several.
export interface Failure {
  readonly title: string;
  readonly file: string;
  readonly message: string;
}

export interface TimedTest {
  readonly title: string;
  readonly durationMs: number;
}

export interface Summary {
  readonly passed: number;
  readonly skipped: number;
  readonly failures: readonly Failure[];
  readonly slow: readonly TimedTest[];
  /** One a process: a file, or the files that share it. */
  readonly files: readonly TimedTest[];
}

export const emptySummary: Summary = { passed: 0, skipped: 0, failures: [], slow: [], files: [] };

export function add(left: Summary, right: Summary): Summary {
  return {
    passed: left.passed + right.passed,
    skipped: left.skipped + right.skipped,
    failures: [...left.failures, ...right.failures],
    slow: [...left.slow, ...right.slow],
    files: [...left.files, ...right.files],
  };
}

export function timed(summary: Summary, title: string, durationMs: number): Summary {
  return { ...summary, files: [...summary.files, { title, durationMs }] };
}

export function withFailure(summary: Summary, file: string, title: string, message: string): Summary {
  return { ...summary, failures: [...summary.failures, { title, file, message }] };
}

/** The last line of a test run, read by people and by machines. */
export function totalsLine(summary: Summary): string {
  return `${String(summary.passed)} passed, ${String(summary.failures.length)} failed, ${String(summary.skipped)} skipped`;
}
