/** Where a job writes its figures: event files and W&B's files below its folder, looked for within bounds. */
import { opendir } from 'node:fs/promises';
import { join } from 'node:path';

export type MetricFileKind = 'tensorboard' | 'wandb';

export interface MetricFile {
  /** Absolute. */
  readonly path: string;
  readonly kind: MetricFileKind;
}

export interface FoundFiles {
  readonly files: readonly MetricFile[];
  /** There were more entries than are looked at. */
  readonly isCut: boolean;
}

const MOST_ENTRIES = 20_000;
const MOST_FILES = 200;
const DEEPEST = 8;
/** Folders that are large and hold none. */
const PASSED = new Set(['node_modules', '__pycache__', 'site-packages', 'venv', 'mlruns']);

const kindOf = (name: string): MetricFileKind | null =>
  name.includes('.tfevents.') ? 'tensorboard' : /^run-.*\.wandb$/.test(name) ? 'wandb' : null;

/** Links are not followed: what they lead to is not of this job, or is found where it lies. */
export async function findMetricFiles(root: string): Promise<FoundFiles> {
  const files: MetricFile[] = [];
  let level = [root];
  let left = MOST_ENTRIES;
  for (let depth = 0; depth <= DEEPEST && level.length > 0; depth++) {
    const next: string[] = [];
    for (const folder of level) {
      const entries = await opendir(folder).catch(() => null);
      if (entries === null) {
        continue;
      }
      for await (const entry of entries) {
        if (left-- <= 0 || files.length >= MOST_FILES) {
          return { files: sorted(files), isCut: true };
        }
        const kind = entry.isFile() ? kindOf(entry.name) : null;
        if (kind !== null) {
          files.push({ path: join(folder, entry.name), kind });
        } else if (entry.isDirectory() && !entry.name.startsWith('.') && !PASSED.has(entry.name)) {
          next.push(join(folder, entry.name));
        }
      }
    }
    level = next;
  }
  return { files: sorted(files), isCut: false };
}

/** The shallowest first: of two that tell of the same figure the first keeps its name. */
const sorted = (files: readonly MetricFile[]): MetricFile[] =>
  [...files].sort(
    (a, b) => a.path.split(/[\\/]/).length - b.path.split(/[\\/]/).length || (a.path < b.path ? -1 : 1),
  );
