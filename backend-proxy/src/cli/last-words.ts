/** What is left to say when nobody caught an error: a sentence, and an exit code, as of every other failure. */
import { describeFailure } from './errors.ts';
import { reportFailure } from './report-failure.ts';
import { Io } from './screen/io.ts';

/** Ends the process. */
export function lastWords(error: unknown): never {
  const { stdin, stdout, stderr, env } = process;
  try {
    reportFailure(new Io({ stdin, stdout, stderr, env }), error, process.argv.includes('--json'));
  } finally {
    process.exit(describeFailure(error).exitCode);
  }
}
