/** Runs one command of `hitch` in this process. */
import { systemClock } from '../platform/clock.ts';
import { homeFromEnvironment } from '../platform/paths.ts';
import { createIds, systemRandom } from '../platform/random.ts';
import { homeDaemons } from './daemon-session.ts';
import type { ExitCode } from './exit-codes.ts';
import { processInterrupts } from './interrupts.ts';
import { runCli } from './program.ts';

/** @param program the file of `hitch`, which is started again as the daemon. @returns the exit code. */
export async function commandLine(program: string, argv: readonly string[]): Promise<ExitCode> {
  const home = homeFromEnvironment();
  // Timers that wait for a way back to a kernel do not keep a process alive; a command that is not over does.
  const running = new AbortController();
  systemClock.sleep(Number.MAX_SAFE_INTEGER, running.signal).catch(() => undefined);
  try {
    return await runCli(argv, {
      stdin: process.stdin,
      stdout: process.stdout,
      stderr: process.stderr,
      env: process.env,
      cwd: process.cwd(),
      clock: systemClock,
      random: systemRandom,
      ids: createIds(systemClock, systemRandom),
      interrupts: processInterrupts,
      daemons: homeDaemons({
        home,
        clock: systemClock,
        program: { command: process.execPath, args: [program, 'daemon', '--foreground'] },
        runForeground: async () => {
          const { runDaemon } = await import('../daemon/run.ts');
          await runDaemon({ home, environment: process.env });
        },
      }),
    });
  } finally {
    running.abort();
  }
}
