/** How much memory a program that mostly waits beside others takes, and when it gives some back. */
import { getHeapStatistics } from 'node:v8';
import { type Clock, repeat, type Timer } from './clock.ts';

/**
 * For the Node of a program that mostly waits, said once when it is started: what runs changes no flag. The young
 * generation stays at its first size (1 MB a half), which a thousand launches at once would grow to 64 for no gain in
 * time. Of V8's three compilers only Maglev is left, which gives three quarters of the speed of all: TurboFan's own code
 * is 6 MB once it has run. And the collector can be called. Without them a program works the same, and takes more.
 */
export const FRUGAL_FLAGS: readonly string[] = [
  '--max-semi-space-size=1',
  '--no-opt',
  '--no-sparkplug',
  '--expose-gc',
];

/**
 * For the environment of a program that mostly waits: glibc keeps one heap for all threads and returns what is free.
 * The program reads it before it begins; {@link forgetAllocatorSettings} keeps it from what the program starts.
 */
export const FRUGAL_ALLOCATOR: Readonly<Record<string, string>> = {
  MALLOC_ARENA_MAX: '1',
  MALLOC_TRIM_THRESHOLD_: '65536',
  MALLOC_MMAP_THRESHOLD_: '65536',
};

/** Takes {@link FRUGAL_ALLOCATOR} out of this process's environment, where it has done its work. */
export function forgetAllocatorSettings(environment: NodeJS.ProcessEnv = process.env): void {
  for (const name of Object.keys(FRUGAL_ALLOCATOR)) {
    Reflect.deleteProperty(environment, name);
  }
}

/** V8 lets buffers of 64 MB pile up before it looks for those that nobody holds any more. */
const PILE_BYTES = 1024 * 1024;
/** Answers that were broken off leave more behind: what was made of their beginnings. */
const BROKEN_BYTES = 4 * 1024 * 1024;
let pile = 0;
let broken = 0;

/** Told of each buffer that was read from a machine: now and then those that are over are given back, in 1 ms or so. */
export function noteRead(bytes: number): void {
  pile += bytes;
  if (pile < PILE_BYTES) {
    return;
  }
  pile = 0;
  globalThis.gc?.({ type: 'minor' });
}

/** Told of each answer that was broken off because it went over a bound: now and then what is left of them is given back. */
export function noteBroken(bytes: number): void {
  broken += bytes;
  if (broken >= BROKEN_BYTES) {
    broken = 0;
    giveMemoryBack();
  }
}

/** Gives back what starting up left behind, in this thread. Takes some 30 ms, in which nothing else runs. */
export function giveMemoryBack(): void {
  // The last resort also compacts, and returns free pages to the system.
  globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}

const LOOK_EVERY_MS = 2_000;
const GROWN_BYTES = 24 * 1024 * 1024;
const APART_MS = 10_000;
/** Of one core, between two looks. */
const QUIET_SHARE = 0.2;

export interface Use {
  readonly heapBytes: () => number;
  /** Microseconds of processor time so far. */
  readonly cpuUs: () => number;
  readonly giveBack: () => void;
}

const OWN_USE: Use = {
  heapBytes: () => getHeapStatistics().total_physical_size,
  cpuUs: () => process.cpuUsage().user + process.cpuUsage().system,
  giveBack: giveMemoryBack,
};

/**
 * Gives memory back once a busy time is over: V8 keeps what a thousand launches at once have left behind, three times
 * what is in use, until as much is made anew.
 */
export function giveBackWhenQuiet(clock: Clock, use: Use = OWN_USE): Timer {
  let heapBytes = use.heapBytes();
  let cpuUs = use.cpuUs();
  let lookedMs = clock.monotonic();
  let gaveMs = lookedMs;
  return repeat(clock, LOOK_EVERY_MS, () => {
    const nowMs = clock.monotonic();
    const usedUs = use.cpuUs() - cpuUs;
    const isQuiet = usedUs < (nowMs - lookedMs) * 1_000 * QUIET_SHARE;
    cpuUs += usedUs;
    lookedMs = nowMs;
    if (isQuiet && use.heapBytes() - heapBytes >= GROWN_BYTES && nowMs - gaveMs >= APART_MS) {
      use.giveBack();
      heapBytes = use.heapBytes();
      gaveMs = nowMs;
    }
    return Promise.resolve();
  });
}
