/** Runs one command of `hitch` in this process. */
import { systemClock } from '@hitch/platform/src/clock.ts';
import { steadyClockBeside } from '@hitch/platform/src/kept-time.ts';
import { homeFromEnvironment } from '@hitch/platform/src/paths.ts';
import { createIds, systemRandom } from '@hitch/platform/src/random.ts';
import { homeDaemons } from '@hitch/client-node/src/daemon-session.ts';
import { openInBrowser } from './browser.ts';
import type { ExitCode } from './exit-codes.ts';
import { processInterrupts } from './interrupts.ts';
import { runCli } from './program.ts';

/** @param program the file of `hitch`, which is started again as the daemon. @returns the exit code. */
export async function commandLine(program: string, argv: readonly string[]): Promise<ExitCode> {
  const home = homeFromEnvironment();
  // The daemon's time: a computer's clock that was set must not show negative times, nor send a wrong stop time.
  const clock = steadyClockBeside(home.clock);
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
      clock,
      random: systemRandom,
      ids: createIds(clock, systemRandom),
      interrupts: processInterrupts,
      browser: url => openInBrowser(url, { folder: home.root, env: process.env, clock: systemClock }),
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
