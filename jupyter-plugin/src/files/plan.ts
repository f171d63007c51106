/** Which files a copy moves, and where each goes: found out before anything moves. */
import type { Entry } from './local-files.ts';
import { freePath, joinPath } from './paths.ts';

export interface PlannedFile {
  readonly from: string;
  readonly to: string;
  readonly sizeBytes: number;
  /** A file stands at `to` already. */
  readonly inTheWay: boolean;
}

export interface Plan {
  readonly files: readonly PlannedFile[];
  /** In the order in which they can be made. */
  readonly folders: readonly string[];
  readonly sizeBytes: number;
}

/** One side of a copy. */
export interface Listing {
  list(folder: string): Promise<readonly Entry[]>;
}

/** Made by tools on either side, and of no use on the other. */
const IGNORED = new Set(['.git', '__pycache__', '.ipynb_checkpoints']);

/**
 * @param sources what to copy, as the person chose it.
 * @param toFolder where it goes; made when it is not there.
 */
export async function planCopy(
  from: Listing,
  to: Listing,
  sources: readonly Entry[],
  toFolder: string,
): Promise<Plan> {
  const files: PlannedFile[] = [];
  const folders: string[] = toFolder === '' ? [] : [toFolder];
  const take = async (entries: readonly Entry[], target: string, targetIsThere: boolean): Promise<void> => {
    const there = targetIsThere ? await listed(to, target) : null;
    for (const entry of entries) {
      const path = joinPath(target, entry.name);
      const standing = there?.get(entry.name);
      if (entry.kind === 'file') {
        const { sizeBytes } = entry;
        files.push({ from: entry.path, to: path, sizeBytes, inTheWay: standing?.kind === 'file' });
      } else if (entry.kind === 'folder' && !IGNORED.has(entry.name)) {
        folders.push(path);
        await take(await from.list(entry.path), path, standing?.kind === 'folder');
      }
    }
  };
  await take(sources, toFolder, true);
  return { files, folders, sizeBytes: files.reduce((sum, file) => sum + file.sizeBytes, 0) };
}

/** A folder that is not there has nothing in it. */
async function listed(side: Listing, folder: string): Promise<ReadonlyMap<string, Entry>> {
  const entries = await side.list(folder).catch((error: unknown) => {
    if (isMissing(error)) {
      return [];
    }
    throw error;
  });
  return new Map(entries.map(entry => [entry.name, entry]));
}

function isMissing(error: unknown): boolean {
  const seen = error as { code?: unknown; response?: { status?: unknown } } | null;
  return seen?.code === 'NOT_FOUND' || seen?.response?.status === 404;
}

export type WhenInTheWay = 'keep-both' | 'replace' | 'skip';

/** The plan with the person's answer about files that stand in the way. */
export function settle(plan: Plan, answer: WhenInTheWay): Plan {
  if (answer === 'replace') {
    return plan;
  }
  const taken = new Set(plan.files.map(({ to }) => to));
  const files = plan.files.flatMap(file => {
    if (!file.inTheWay) {
      return [file];
    }
    if (answer === 'skip') {
      return [];
    }
    const to = freePath(file.to, path => taken.has(path));
    taken.add(to);
    return [{ ...file, to, inTheWay: false }];
  });
  return { ...plan, files, sizeBytes: files.reduce((sum, file) => sum + file.sizeBytes, 0) };
}

export interface Moved {
  readonly doneFiles: number;
  readonly doneBytes: number;
}

/** Moves the files, a few at a time, and adds up how far they are. @throws the first error; the others end then. */
export async function moveAll(
  files: readonly PlannedFile[],
  signal: AbortSignal,
  move: (file: PlannedFile, signal: AbortSignal, progress: (doneBytes: number) => void) => Promise<void>,
  onMoved: (moved: Moved) => void,
  atOnce = 3,
): Promise<void> {
  const waiting = files.values();
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  let [doneFiles, doneBytes] = [0, 0];
  const work = async (): Promise<void> => {
    for (const file of waiting) {
      either.throwIfAborted();
      let before = 0;
      const progress = (now: number): void => {
        doneBytes += now - before;
        before = now;
        onMoved({ doneFiles, doneBytes });
      };
      try {
        await move(file, either, progress);
      } catch (error) {
        failed.abort(error);
        throw error;
      }
      doneFiles += 1;
      progress(file.sizeBytes);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
}
