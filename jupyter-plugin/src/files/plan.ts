/** Which files a copy moves, and where each goes: found out before anything moves. */
import {
  NOT_COPIED,
  type PlannedFile,
  settleFiles,
  sizeOf,
  type WhenInTheWay,
} from '@hitch/contract/src/copying.ts';
import type { Entry } from './local-files.ts';
import { joinPath } from './paths.ts';

export interface Plan {
  readonly files: readonly PlannedFile[];
  /** In the order in which they can be made. */
  readonly folders: readonly string[];
  readonly sizeBytes: number;
  /** Whether something stands at a target. */
  readonly isTaken: (target: string) => boolean;
}

/** One side of a copy. */
export interface Listing {
  list(folder: string): Promise<readonly Entry[]>;
}

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
  const taken = new Set<string>();
  const folders: string[] = toFolder === '' ? [] : [toFolder];
  const take = async (entries: readonly Entry[], target: string, targetIsThere: boolean): Promise<void> => {
    const there = targetIsThere ? await listed(to, target) : null;
    there?.forEach(({ name }) => taken.add(joinPath(target, name)));
    for (const entry of entries) {
      const path = joinPath(target, entry.name);
      const standing = there?.get(entry.name);
      if (entry.kind === 'file') {
        const { sizeBytes } = entry;
        files.push({ from: entry.path, to: path, sizeBytes, inTheWay: standing?.kind === 'file' });
      } else if (entry.kind === 'folder' && !NOT_COPIED.has(entry.name)) {
        folders.push(path);
        await take(await from.list(entry.path), path, standing?.kind === 'folder');
      }
    }
  };
  await take(sources, toFolder, true);
  return { files, folders, sizeBytes: sizeOf(files), isTaken: target => taken.has(target) };
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

/** The plan with the person's answer about files that stand in the way. */
export function settle(plan: Plan, answer: WhenInTheWay): Plan {
  const files = settleFiles(plan.files, answer, plan.isTaken);
  return { ...plan, files, sizeBytes: sizeOf(files) };
}
