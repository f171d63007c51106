/** Where an agent keeps its own things on a node. */
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HitchError, type AgentConfig } from '@hitch/contract';
import { storageError, writeFileAtomic } from '@hitch/platform/src/atomic-file.ts';

export interface AgentFolders {
  readonly state: string;
  readonly work: string;
  readonly logs: string;
  /** What the agent must find again after it was killed: pids, engine, watchdog. */
  readonly run: string;
  readonly jupyter: string;
  readonly journal: string;
  readonly uploads: string;
  readonly jobs: string;
  /** Samples of how the machine does. */
  readonly use: string;
  /**
   * Private and short: Unix socket paths may have 103 (macOS) to 107 (Linux) bytes and Ray puts 65 of its own
   * behind its `--temp-dir`.
   */
  readonly short: string;
}

/** In the folder `run`: holds the short folder's path, for whoever removes a node whose agent did not end by itself. */
export const SHORT_FOLDER_FILE = 'short-folder';

export function prepareFolders(config: AgentConfig): AgentFolders {
  const folders = {
    state: config.stateFolder,
    work: config.workFolder,
    logs: join(config.stateFolder, 'logs'),
    run: join(config.stateFolder, 'run'),
    jupyter: join(config.stateFolder, 'jupyter'),
    journal: join(config.stateFolder, 'journal'),
    uploads: join(config.stateFolder, 'uploads'),
    jobs: join(config.stateFolder, 'jobs'),
    use: join(config.stateFolder, 'use'),
  };
  for (const folder of [
    folders.state,
    folders.logs,
    folders.run,
    folders.jupyter,
    folders.journal,
    folders.uploads,
    folders.jobs,
    folders.use,
  ]) {
    makeFolder(folder, 0o700);
  }
  makeFolder(folders.work, 0o755);
  const short = shortFolder(config.stateFolder);
  writeFileAtomic(join(folders.run, SHORT_FOLDER_FILE), short);
  return { ...folders, short };
}

function makeFolder(path: string, mode: number): void {
  try {
    mkdirSync(path, { recursive: true, mode });
  } catch (error) {
    throw storageError(error, path);
  }
}

/** In the order in which they are tried. */
function shortFolders(stateFolder: string): readonly string[] {
  const root = process.platform === 'win32' ? tmpdir() : '/tmp';
  const name = createHash('sha256').update(stateFolder).digest('hex').slice(0, 10);
  return ['', 1, 2, 3, 4, 5, 6, 7, 8, 9].map(number => join(root, `ht-${name}${number.toString()}`));
}

/** Anybody may write to `/tmp`: a folder of somebody else's under our name is passed by, not used. */
function shortFolder(stateFolder: string): string {
  const folders = shortFolders(stateFolder);
  for (const folder of folders) {
    makeFolder(folder, 0o700);
    if (isPrivate(folder)) {
      return folder;
    }
  }
  throw new HitchError('STORAGE_FULL', `Every folder ${folders[0] ?? ''}… belongs to somebody else.`, {
    next: `Remove them, or use another state folder than ${stateFolder}.`,
  });
}

/** For whoever ends a node whose agent cannot any more: sockets and Ray's session lie outside its state folder. */
export function removeShortFolder(stateFolder: string): void {
  for (const folder of shortFolders(stateFolder)) {
    if (existsSync(folder) && isPrivate(folder)) {
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    }
  }
}

/** A real folder (no link), ours, closed to everyone else. */
export function isPrivate(folder: string): boolean {
  const stat = lstatSync(folder);
  const own = process.getuid?.();
  return stat.isDirectory() && (own === undefined || (stat.uid === own && (stat.mode & 0o077) === 0));
}
