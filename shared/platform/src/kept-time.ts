/** This computer's time, and what one process leaves of it for the next. */
import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';
import * as z from 'zod';
import { writeFileAtomic } from './atomic-file.ts';
import { errorText, type Log } from './log.ts';
import { type KeptTime, SteadyClock, type TimeSource } from './steady-clock.ts';

/** So old may the last known time be after the computer was off. */
const KEEP_EVERY_MS = 10 * 60_000;

const keptSchema = z.object({
  bootId: z.string().nullable(),
  sinceBootMs: z.number(),
  nowMs: z.number(),
  isSure: z.boolean().default(true),
});

/** A clock that goes on where the one of the process that kept `file` ended, or with it; `file` is only read. */
export function steadyClockBeside(file: string): SteadyClock {
  return new SteadyClock(thisComputer(), readKept(file));
}

/** Leaves the clock's time in `file` from now on. One process does that: another's time would take the place of its. */
export function keepTime(clock: SteadyClock, file: string, log: Log): void {
  const keep = (): void => {
    try {
      writeFileAtomic(file, JSON.stringify(clock.kept()));
    } catch (error) {
      log.warn('The time cannot be kept for the next start', { error: errorText(error) });
    }
  };
  keep();
  clock.onJump(keep);
  clock.onConfirmed(keep);
  const next = (): void => {
    clock.setTimer(() => {
      keep();
      next();
    }, KEEP_EVERY_MS);
  };
  next();
}

function thisComputer(): TimeSource {
  return {
    wall: () => Date.now(),
    monotonic: () => performance.now(),
    sinceBoot: () => uptime() * 1000,
    bootId: bootId(),
  };
}

function bootId(): string | null {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return null;
  }
}

function readKept(file: string): KeptTime | null {
  try {
    return keptSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return null;
  }
}
