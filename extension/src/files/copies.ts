/** Copies between this computer and a cluster: what they move is found out, and what stands in the way, before anything moves. */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import type { ClusterId, HitchApi, HitchClient } from '@hitch/contract';
import { HitchError } from '@hitch/contract/src/errors.ts';
import * as format from '@hitch/contract/src/format.ts';
import { planDownload, planUpload } from '@hitch/proxy/src/cli/files/plan.ts';
import { download, upload } from '@hitch/proxy/src/cli/files/transfer.ts';
import { folderOf, joinPath, nameOf } from './places.ts';

export interface CopiedFile {
  readonly localPath: string;
  readonly workPath: string;
  readonly sizeBytes: number;
  readonly inTheWay: boolean;
}

export interface CopyPlan {
  readonly direction: 'send' | 'fetch';
  readonly files: readonly CopiedFile[];
  /** Work paths when sending, local paths when fetching; in the order in which they can be made. */
  readonly folders: readonly string[];
  /** What is not copied, a sentence each. */
  readonly leftOut: readonly string[];
  /** Whether something stands at a target. */
  readonly isTaken: (target: string) => boolean;
}

/** Made by tools on either side, and of no use on the other. */
const IGNORED: ReadonlySet<string> = new Set(['.git', '__pycache__', '.ipynb_checkpoints']);

/** The first ignored folder on the way, below what was chosen; null: none. */
function ignoredOn(path: string): string | null {
  const names = path.split('/').slice(1);
  const at = names.findIndex(name => IGNORED.has(name));
  return at < 0 ? null : path.split('/', at + 2).join('/');
}

/** @param below gives a path relative to the folder in which the chosen things lie. */
function sift<T>(items: readonly T[], below: (item: T) => string, ignored: Set<string>): T[] {
  return items.filter(item => {
    const found = ignoredOn(below(item));
    if (found !== null) {
      ignored.add(found);
    }
    return found === null;
  });
}

const sentencesOf = (skipped: readonly string[], ignored: ReadonlySet<string>): string[] => [
  ...skipped,
  ...[...ignored].map(path => `${path} is left out.`),
];

/** @param sources absolute paths here. @param folder a work path; made when it is not there. */
export async function planSend(
  api: HitchApi,
  clusterId: ClusterId,
  sources: readonly string[],
  folder: string,
): Promise<CopyPlan> {
  const plan = await planUpload(api, clusterId, sources, { path: folder, intoFolder: true });
  const ignored = new Set<string>();
  const below = (path: string): string => (folder === '' ? path : path.slice(folder.length + 1));
  const there = new Listings(api, clusterId);
  const files: CopiedFile[] = [];
  for (const file of sift(plan.files, ({ workPath }) => below(workPath), ignored)) {
    const standing = await there.kindOf(file.workPath);
    if (standing === 'folder') {
      throw new HitchError('CONFLICT', `${file.workPath} is a folder on the cluster and a file here.`, {
        next: 'Rename one of them.',
      });
    }
    files.push({ ...file, inTheWay: standing !== null });
  }
  const folders = sift(plan.folders, below, ignored);
  return {
    direction: 'send',
    files,
    folders: [...new Set([...(folder === '' ? [] : [folder]), ...folders])],
    leftOut: sentencesOf(plan.skipped, ignored),
    isTaken: target => there.hasNow(target),
  };
}

/** @param sources work paths. @param folder a folder here that exists. */
export async function planFetch(
  api: HitchApi,
  clusterId: ClusterId,
  sources: readonly string[],
  folder: string,
): Promise<CopyPlan> {
  const plan = await planDownload(api, clusterId, sources, join(folder, '/'));
  const ignored = new Set<string>();
  const below = (path: string): string => path.slice(folder.length).replaceAll('\\', '/').replace(/^\/+/, '');
  return {
    direction: 'fetch',
    files: sift(plan.files, ({ localPath }) => below(localPath), ignored).map(file => ({
      ...file,
      inTheWay: existsSync(file.localPath),
    })),
    folders: sift(plan.folders, below, ignored),
    leftOut: sentencesOf(plan.skipped, ignored),
    isTaken: target => existsSync(target),
  };
}

/** Folders of a cluster, each asked for once, and none that its parent does not have. */
class Listings {
  readonly #api: HitchApi;
  readonly #clusterId: ClusterId;
  readonly #known = new Map<string, Promise<ReadonlyMap<string, string>>>();
  readonly #paths = new Set<string>();

  constructor(api: HitchApi, clusterId: ClusterId) {
    this.#api = api;
    this.#clusterId = clusterId;
  }

  async kindOf(path: string): Promise<string | null> {
    return (await this.#entries(folderOf(path))).get(nameOf(path)) ?? null;
  }

  hasNow(path: string): boolean {
    return this.#paths.has(path);
  }

  #entries(folder: string): Promise<ReadonlyMap<string, string>> {
    const known = this.#known.get(folder) ?? this.#ask(folder);
    this.#known.set(folder, known);
    return known;
  }

  async #ask(folder: string): Promise<ReadonlyMap<string, string>> {
    if (folder !== '' && (await this.kindOf(folder)) !== 'folder') {
      return new Map();
    }
    const entries = await this.#api.files.list({ clusterId: this.#clusterId, path: folder });
    entries.forEach(({ name }) => this.#paths.add(joinPath(folder, name)));
    return new Map(entries.map(({ name, kind }) => [name, kind]));
  }
}

export type WhenInTheWay = 'keep-both' | 'replace' | 'skip';

/** The plan with the person's answer about files that stand in the way. */
export function settle(plan: CopyPlan, answer: WhenInTheWay): CopyPlan {
  if (answer === 'replace') {
    return plan;
  }
  const sends = plan.direction === 'send';
  const taken = new Set(plan.files.map(file => (sends ? file.workPath : file.localPath)));
  const isTaken = (target: string): boolean => taken.has(target) || plan.isTaken(target);
  const files = plan.files.flatMap(file => {
    if (!file.inTheWay) {
      return [file];
    }
    if (answer === 'skip') {
      return [];
    }
    const to = sends ? freeWorkPath(file.workPath, isTaken) : freeLocalPath(file.localPath, isTaken);
    taken.add(to);
    return [{ ...file, ...(sends ? { workPath: to } : { localPath: to }), inTheWay: false }];
  });
  return { ...plan, files };
}

/** `x-1.csv`, `x-2.csv`: the first that is free. */
function free(at: (name: string) => string, name: string, isTaken: (path: string) => boolean): string {
  const extension = extname(name);
  const stem = name.slice(0, name.length - extension.length);
  for (let number = 1; ; number++) {
    const path = at(`${stem}-${number}${extension}`);
    if (!isTaken(path)) {
      return path;
    }
  }
}
const freeWorkPath = (path: string, isTaken: (path: string) => boolean): string =>
  free(name => joinPath(folderOf(path), name), nameOf(path), isTaken);
const freeLocalPath = (path: string, isTaken: (path: string) => boolean): string =>
  free(name => join(dirname(path), name), basename(path), isTaken);

export const sizeOf = ({ files }: Pick<CopyPlan, 'files'>): number =>
  files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);

/** `3 files, 1.2 GB`. */
export const amount = (plan: Pick<CopyPlan, 'files'>): string =>
  `${plan.files.length} ${plan.files.length === 1 ? 'file' : 'files'}, ${format.bytes(sizeOf(plan))}`;

export interface Moved {
  readonly doneFiles: number;
  readonly doneBytes: number;
}

const AT_ONCE = 3;

/**
 * Copies, a few files at a time. Done again after a failure or a cancel, it goes on where it stopped.
 * @throws the first error; the others end then.
 */
export async function copy(
  client: HitchClient,
  clusterId: ClusterId,
  plan: CopyPlan,
  signal: AbortSignal,
  onMoved: (moved: Moved) => void,
): Promise<void> {
  for (const path of plan.folders) {
    if (plan.direction === 'send') {
      await client.api.files.makeFolder({ clusterId, path }, { signal });
    } else {
      await mkdir(path, { recursive: true });
    }
  }
  const move = plan.direction === 'send' ? upload : download;
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  const waiting = plan.files.values();
  let [doneFiles, doneBytes] = [0, 0];
  const work = async (): Promise<void> => {
    for (const { localPath, workPath, sizeBytes } of waiting) {
      either.throwIfAborted();
      let before = 0;
      const progress = (now: number): void => {
        doneBytes += now - before;
        before = now;
        onMoved({ doneFiles, doneBytes });
      };
      try {
        await move({ client, clusterId, localPath, workPath, signal: either, progress });
      } catch (error) {
        failed.abort(error);
        throw error;
      }
      doneFiles += 1;
      progress(sizeBytes);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

export const movedWords = (plan: CopyPlan, { doneFiles, doneBytes }: Moved): string =>
  `${format.bytes(doneBytes)} of ${format.bytes(sizeOf(plan))}${
    plan.files.length === 1 ? '' : `, ${doneFiles} of ${plan.files.length} files`
  }`;
