/** The daemon as a process: started, told to end by a signal or over its API, gone. */
import { type DaemonOptions, startDaemon } from '../main.ts';
import { systemClock } from '@hitch/platform/src/clock.ts';
import { giveBackWhenQuiet, giveMemoryBack } from '@hitch/platform/src/memory.ts';
import { AlreadyRunning } from './singleton.ts';

/** By then every network has been asked once. */
const STARTED_AFTER_MS = 2_000;

/**
 * Runs the daemon in this process until it ends. Another daemon that already does the work is no failure: that is
 * said, and the call returns. @throws HitchError with a sentence when it cannot start.
 */
export async function runDaemon(
  options: DaemonOptions,
  say: (line: string) => void = console.log,
): Promise<void> {
  let daemon;
  try {
    daemon = await startDaemon(options);
  } catch (error) {
    if (error instanceof AlreadyRunning) {
      say(error.message);
      return;
    }
    throw error;
  }
  say(`Hitch listens on http://127.0.0.1:${daemon.port}.`);
  const stop = () => void daemon.stop();
  // A second signal while it drains ends the process at once: the store survives that.
  process.once('SIGTERM', stop).once('SIGINT', stop);
  const tidying = [systemClock.setTimer(giveMemoryBack, STARTED_AFTER_MS), giveBackWhenQuiet(systemClock)];
  await daemon.ended;
  tidying.forEach(timer => timer.cancel());
  process.off('SIGTERM', stop).off('SIGINT', stop);
}
