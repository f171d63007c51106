/** Copies between this computer and a cluster: what they move is found out, and what stands in the way, before anything moves. */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClusterId, HitchApi, HitchClient } from '@hitch/contract';
import {
  moveAll,
  type Moved,
  NOT_COPIED,
  type PlannedFile,
  settleFiles,
  sizeOf,
  type WhenInTheWay,
} from '@hitch/contract/src/copying.ts';
import { HitchError } from '@hitch/contract/src/errors.ts';
import * as format from '@hitch/contract/src/format.ts';
import { planDownload, planUpload } from '@hitch/proxy/src/cli/files/plan.ts';
import { download, upload } from '@hitch/proxy/src/cli/files/transfer.ts';
import { folderOf, joinPath, nameOf } from './places.ts';

export interface CopyPlan {
  readonly direction: 'send' | 'fetch';
  readonly files: readonly PlannedFile[];
  /** Work paths when sending, local paths when fetching; in the order in which they can be made. */
  readonly folders: readonly string[];
  /** What is not copied, a sentence each. */
  readonly leftOut: readonly string[];
  /** Whether something stands at a target. */
  readonly isTaken: (target: string) => boolean;
}

/** The first ignored folder on the way, below what was chosen; null: none. */
function ignoredOn(path: string): string | null {
  const names = path.split('/').slice(1);
  const at = names.findIndex(name => NOT_COPIED.has(name));
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
  const files: PlannedFile[] = [];
  const sifted = sift(plan.files, ({ workPath }) => below(workPath), ignored);
  for (const { localPath: from, workPath: to, sizeBytes } of sifted) {
    const standing = await there.kindOf(to);
    if (standing === 'folder') {
      throw new HitchError('CONFLICT', `${to} is a folder on the cluster and a file here.`, {
        next: 'Rename one of them.',
      });
    }
    files.push({ from, to, sizeBytes, inTheWay: standing !== null });
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
    files: sift(plan.files, ({ localPath }) => below(localPath), ignored).map(
      ({ workPath: from, localPath: to, sizeBytes }) => ({ from, to, sizeBytes, inTheWay: existsSync(to) }),
    ),
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

/** The plan with the person's answer about files that stand in the way. */
export const settle = (plan: CopyPlan, answer: WhenInTheWay): CopyPlan => ({
  ...plan,
  files: settleFiles(plan.files, answer, plan.isTaken),
});

/** `3 files, 1.2 GB`. */
export const amount = (plan: Pick<CopyPlan, 'files'>): string =>
  `${plan.files.length} ${plan.files.length === 1 ? 'file' : 'files'}, ${format.bytes(sizeOf(plan.files))}`;

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
  await moveAll(
    plan.files,
    signal,
    ({ from, to }, each, progress) =>
      plan.direction === 'send'
        ? upload({ client, clusterId, localPath: from, workPath: to, signal: each, progress })
        : download({ client, clusterId, localPath: to, workPath: from, signal: each, progress }),
    onMoved,
  );
}

export const movedWords = (plan: CopyPlan, { doneFiles, doneBytes }: Moved): string =>
  `${format.bytes(doneBytes)} of ${format.bytes(sizeOf(plan.files))}${
    plan.files.length === 1 ? '' : `, ${doneFiles} of ${plan.files.length} files`
  }`;
