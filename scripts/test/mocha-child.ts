// Runs test files in one mocha and reports to the parent process, which outlives a crash or a hang of this one.
import path from 'node:path';
import Mocha from 'mocha';
import type { Failure, Summary, TimedTest } from './summary.ts';

const slowTestMs = 2_000;
const lingerMs = 5_000;

function describeError(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** Adds up what mocha saw; a failed hook counts as one failure. */
function collect(runner: Mocha.Runner): () => Summary {
  const failures: (() => Failure)[] = [];
  const slow: TimedTest[] = [];
  let passed = 0;
  let skipped = 0;
  runner.on('pass', test => {
    passed += 1;
    if ((test.duration ?? 0) >= slowTestMs) {
      slow.push({ title: test.fullTitle(), durationMs: test.duration ?? 0 });
    }
  });
  runner.on('pending', () => {
    skipped += 1;
  });
  runner.on('fail', (test, error: unknown) => {
    const title = test.fullTitle();
    // Described at the end: what an `afterEach` has kept of it is added to the error.
    failures.push(() => ({ title, file: test.file ?? '', message: describeError(error) }));
  });
  return () => ({ passed, skipped, failures: failures.map(describe => describe()), slow, files: [] });
}

/** Says what keeps this process alive when it should have ended; the parent ends it and counts a failure. */
function explainLinger(): void {
  setTimeout(() => {
    console.error(`Still open after the last test: ${process.getActiveResourcesInfo().join(', ')}`);
  }, lingerMs).unref();
}

const [timeoutMs, grep, ...files] = process.argv.slice(2);
const mocha = new Mocha({
  reporter: 'spec',
  timeout: Number(timeoutMs),
  forbidOnly: true,
  color: process.env['FORCE_COLOR'] !== undefined,
  ...(grep ? { grep: new RegExp(grep) } : {}),
});
for (const file of files) mocha.addFile(path.resolve(file));
await mocha.loadFilesAsync();
const runner = mocha.run(() => {
  process.send?.(summary(), () => {
    process.disconnect();
    explainLinger();
  });
});
const summary = collect(runner);
