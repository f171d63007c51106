/** `hitch daemon --foreground`: this process becomes the daemon. */
import { runDaemon } from '../daemon/run.ts';
import { homeFromEnvironment } from '@hitch/platform/src/paths.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { reportFailure } from './report-failure.ts';
import { Io } from './screen/io.ts';

/** Resolves when the daemon has ended. */
export async function daemonInForeground(): Promise<ExitCode> {
  try {
    await runDaemon({ home: homeFromEnvironment(), environment: process.env });
    return EXIT.ok;
  } catch (error) {
    const { stdin, stdout, stderr, env } = process;
    return reportFailure(new Io({ stdin, stdout, stderr, env }), error, false);
  }
}
