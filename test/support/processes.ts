/** What the operating system says about processes, as the tests need it. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';

export interface SeenProcess {
  readonly pid: number;
  readonly command: string;
  /** Empty where it belongs to somebody else. */
  readonly environment: readonly string[];
}

/** Everything that runs on this computer but zombies and this process. Linux only. */
export function allProcesses(): readonly SeenProcess[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap(name => {
      try {
        if (/\) [ZX] /.test(readFileSync(`/proc/${name}/stat`, 'latin1'))) {
          return [];
        }
        const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
        return [{ pid: Number(name), command, environment: environmentOf(name) }];
      } catch {
        // It ended while we looked.
        return [];
      }
    });
}

function environmentOf(pid: string): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  } catch {
    return [];
  }
}

/** A node's ref that another run of the tests on this computer does not have. @param name letters and digits */
export const refOfThisRun = (name: string): string => `hitch-${name}${process.pid.toString()}`;

/** Everything that carries the tag of this node. */
export function nodeProcesses(ref: string): readonly SeenProcess[] {
  return allProcesses().filter(({ environment }) => environment.includes(`HITCH_NODE=${ref}`));
}

export function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid.toString()}/stat`, 'latin1'));
  } catch {
    return false;
  }
}

/**
 * A process and what it started, as far as that stayed in its process group: what was detached is meant to outlive it.
 * To be asked while the process lives, since orphans do not tell where they come from.
 */
export function familyOf(pid: number): readonly number[] {
  const known = readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .flatMap(name => {
      try {
        // The command's name stands in brackets and may have any sign in it.
        const [, fields = ''] = /\) . (\d+ \d+)/.exec(readFileSync(`/proc/${name}/stat`, 'latin1')) ?? [];
        const [parent, group] = fields.split(' ').map(Number);
        return [{ pid: Number(name), parent, group }];
      } catch {
        return [];
      }
    });
  const group = known.find(each => each.pid === pid)?.group;
  const family = group === undefined ? [] : [pid];
  for (const member of family) {
    family.push(
      ...known.filter(each => each.parent === member && each.group === group).map(each => each.pid),
    );
  }
  return family;
}

export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone in the meantime.
  }
}

/** Skips a whole suite, with the reason printed, where it cannot run. */
export function needsRealNodes(context: Mocha.Context): void {
  const python = process.env['HITCH_PYTHON'];
  if (process.platform !== 'linux') {
    skip(context, 'what runs here is read from /proc');
  } else if (python === undefined || !existsSync(python)) {
    skip(context, 'HITCH_PYTHON names no Python with Jupyter and Ray');
  }
}

export function skip(context: Mocha.Context, reason: string): void {
  console.log(`      skipped: ${reason}`);
  context.skip();
}
