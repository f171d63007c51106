/**
 * How much memory V8 spends on speed, for programs that mostly wait beside others. The flags are those of the whole
 * process; V8 reads them again at each decision.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Maglev is turned off and on again only where it is on by itself; Node 22 leaves it off. */
const hasMaglev = Number(process.versions.node.split('.')[0]) >= 24;

/**
 * Before anything else is loaded: the young generation stays at its first size (1 MB a half), which a thousand launches
 * at once would grow to 64 for no gain in time; and nothing is compiled beyond bytecode, because the compilers' own code
 * is 9 MB once they have run.
 */
export function workFrugally(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--no-opt');
  setFlagsFromString('--no-sparkplug');
  if (hasMaglev) {
    setFlagsFromString('--no-maglev');
  }
}

/** From now on what is hot is optimised. Costs nothing when it is said again. */
export function workAtFullSpeed(): void {
  setFlagsFromString('--opt');
  setFlagsFromString('--sparkplug');
  if (hasMaglev) {
    setFlagsFromString('--maglev');
  }
}

/** From now on what is hot is compiled, but not by the compiler that takes the most memory. */
export function workAtGoodSpeed(): void {
  setFlagsFromString('--sparkplug');
  if (hasMaglev) {
    setFlagsFromString('--maglev');
  }
}

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

const isCollector = (value: unknown): value is NodeJS.GCFunction => typeof value === 'function';

/** V8's collector, which is there only while it is asked for. */
function collector(): unknown {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  setFlagsFromString('--no-expose-gc');
  return collect;
}

/** V8 lets buffers of 64 MB pile up before it looks for those that nobody holds any more. */
const PILE_BYTES = 1024 * 1024;
/** Answers that were broken off leave more behind: what was made of their beginnings. */
const BROKEN_BYTES = 4 * 1024 * 1024;
let pile = 0;
let broken = 0;
let known: unknown;

/** Told of each buffer that was read from a machine: now and then those that are over are given back, in 1 ms or so. */
export function noteRead(bytes: number): void {
  pile += bytes;
  if (pile < PILE_BYTES) {
    return;
  }
  pile = 0;
  known ??= collector();
  if (isCollector(known)) {
    known({ type: 'minor' });
  }
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
  const collect = collector();
  if (isCollector(collect)) {
    // The last resort also compacts, and returns free pages to the system.
    collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  }
}
