#!/usr/bin/env node
/** The program `hitch`: the command line, and (as `hitch daemon --foreground`) the daemon itself. */
import { systemClock } from '../platform/clock.ts';
import { homeFromEnvironment } from '../platform/paths.ts';
import { createIds, systemRandom } from '../platform/random.ts';
import { homeDaemons } from './daemon-session.ts';
import { processInterrupts } from './interrupts.ts';
import { runCli } from './program.ts';

const home = homeFromEnvironment();
const program = process.argv[1] ?? '';

// A reader that has seen enough (`hitch offers | head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1);
});

// Timers that wait for a way back to a kernel do not keep a process alive; a command that is not over does.
const running = new AbortController();
systemClock.sleep(Number.MAX_SAFE_INTEGER, running.signal).catch(() => undefined);

process.exitCode = await runCli(process.argv.slice(2), {
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
      // Loaded only here: every other command starts without the store, the providers and the API.
      const { runDaemon } = await import('../daemon/run.ts');
      await runDaemon({ home, environment: process.env });
    },
  }),
}).finally(() => running.abort());
