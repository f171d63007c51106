/** A lock between processes: a folder that one of them makes. A lock whose maker is dead is taken over. */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '@hitch/platform/src/clock.ts';
import { systemProcesses } from './process-table.ts';

const LOOK_AGAIN_MS = 250;

/** Runs `work` while this process alone holds `folder`; `wait` is called once when another one holds it. */
export async function withFolderLock<T>(
  folder: string,
  options: { clock: Clock; signal: AbortSignal; wait: () => void },
  work: () => Promise<T>,
): Promise<T> {
  const { clock, signal } = options;
  const me = await ownMark();
  for (let said = false; !take(folder, me);) {
    if (await isAbandoned(folder)) {
      steal(folder, me);
      continue;
    }
    if (!said) {
      options.wait();
      said = true;
    }
    await clock.sleep(LOOK_AGAIN_MS, signal);
  }
  try {
    return await work();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The folder appears with its owner's mark in it or not at all. */
function take(folder: string, mark: string): boolean {
  const draft = `${folder}.${mark.replaceAll(/\W+/g, '-')}`;
  try {
    mkdirSync(draft, { recursive: true, mode: 0o700 });
    writeFileSync(join(draft, 'owner'), mark);
    // Renaming onto a folder with something in it fails.
    renameSync(draft, folder);
    return true;
  } catch {
    rmSync(draft, { recursive: true, force: true });
    return false;
  }
}

async function isAbandoned(folder: string): Promise<boolean> {
  const owner = ownerOf(folder);
  if (owner === null) {
    return false;
  }
  const entries = await systemProcesses.read();
  return !entries.some(({ pid, startedAt }) => `${pid.toString()} ${startedAt}` === owner);
}

/** Only one of several that see a dead owner gets to move its folder away. */
function steal(folder: string, mark: string): void {
  const grave = `${folder}.dead-${mark.replaceAll(/\W+/g, '-')}`;
  try {
    renameSync(folder, grave);
  } catch {
    // Somebody else did.
  }
  rmSync(grave, { recursive: true, force: true });
}

function ownerOf(folder: string): string | null {
  try {
    return readFileSync(join(folder, 'owner'), 'utf8');
  } catch {
    return null;
  }
}

async function ownMark(): Promise<string> {
  const entries = await systemProcesses.read();
  const own = entries.find(({ pid }) => pid === process.pid);
  return `${process.pid.toString()} ${own?.startedAt ?? ''}`;
}
