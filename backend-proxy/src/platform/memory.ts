/**
 * How much memory V8 spends on speed, for programs that mostly wait beside others. The flags are those of the whole
 * process; V8 reads them again at each decision.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Before anything else is loaded: the young generation stays at its first size (1 MB a half), which a thousand launches
 * at once would grow to 64 for no gain in time; and nothing is optimised, because the optimising compiler's own code is
 * 6 MB once it has run.
 */
export function workFrugally(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--no-opt');
}

/** From now on what is hot is optimised. Costs nothing when it is said again. */
export function workAtFullSpeed(): void {
  setFlagsFromString('--opt');
}

const isCollector = (value: unknown): value is NodeJS.GCFunction => typeof value === 'function';

/** Gives back what starting up left behind, in this thread. Takes some 30 ms, in which nothing else runs. */
export function giveMemoryBack(): void {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  setFlagsFromString('--no-expose-gc');
  if (isCollector(collect)) {
    // The last resort also compacts, and returns free pages to the system.
    collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  }
}
