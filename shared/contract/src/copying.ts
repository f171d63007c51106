/** What every copy of many files between a computer and a cluster keeps to, whoever lists the files and moves them. */

/** Made by tools on either side, and of no use on the other. */
export const NOT_COPIED: ReadonlySet<string> = new Set(['.git', '__pycache__', '.ipynb_checkpoints']);

export interface PlannedFile {
  readonly from: string;
  readonly to: string;
  readonly sizeBytes: number;
  /** A file stands at `to` already. */
  readonly inTheWay: boolean;
}

export const sizeOf = (files: readonly Pick<PlannedFile, 'sizeBytes'>[]): number =>
  files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);

export type WhenInTheWay = 'keep-both' | 'replace' | 'skip';

/** `x-1.csv`, `x-2.csv`: the first beside `path` that is free. */
export function freePath(path: string, isTaken: (path: string) => boolean): string {
  const nameAt = 1 + Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\'));
  const dot = path.lastIndexOf('.');
  const stemEnd = dot > nameAt ? dot : path.length;
  for (let number = 1; ; number++) {
    const candidate = `${path.slice(0, stemEnd)}-${number}${path.slice(stemEnd)}`;
    if (!isTaken(candidate)) {
      return candidate;
    }
  }
}

/**
 * The files, with the person's answer about those that something stands in the way of.
 * @param isTaken whether something stands at a target, besides the files themselves.
 */
export function settleFiles(
  files: readonly PlannedFile[],
  answer: WhenInTheWay,
  isTaken: (target: string) => boolean,
): readonly PlannedFile[] {
  switch (answer) {
    case 'replace':
      return files;
    case 'skip':
      return files.filter(({ inTheWay }) => !inTheWay);
    case 'keep-both': {
      const targets = new Set(files.map(({ to }) => to));
      return files.map(file => {
        if (!file.inTheWay) {
          return file;
        }
        const to = freePath(file.to, path => targets.has(path) || isTaken(path));
        targets.add(to);
        return { ...file, to, inTheWay: false };
      });
    }
  }
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
