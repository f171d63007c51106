/** Which files a copy moves, and where each goes. */
import { HitchError, type ClusterId, type FileEntry } from '@hitch/contract';
import { readdir, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type { Api } from '../session.ts';
import { baseOf, joinWork, safeLocalPath } from './paths.ts';

export interface PlannedFile {
  readonly localPath: string;
  readonly workPath: string;
  readonly sizeBytes: number;
}

export interface Plan {
  readonly files: readonly PlannedFile[];
  /** Folders to make even when nothing lies in them: work paths up, local paths down. */
  readonly folders: readonly string[];
  /** What is left out, a sentence each. */
  readonly skipped: readonly string[];
}

async function remoteEntry(api: Api, clusterId: ClusterId, path: string): Promise<FileEntry | null> {
  try {
    return await api.files.stat({ clusterId, path });
  } catch (error) {
    if (error instanceof HitchError && error.code === 'NOT_FOUND') return null;
    throw error;
  }
}

interface Walk {
  readonly files: PlannedFile[];
  readonly folders: string[];
  readonly skipped: string[];
}

async function walkLocal(localPath: string, workPath: string, walk: Walk): Promise<void> {
  walk.folders.push(workPath);
  const entries = await readdir(localPath, { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const below = join(localPath, entry.name);
    if (entry.isDirectory()) {
      await walkLocal(below, joinWork(workPath, entry.name), walk);
    } else if (entry.isFile()) {
      const { size } = await stat(below);
      walk.files.push({ localPath: below, workPath: joinWork(workPath, entry.name), sizeBytes: size });
    } else {
      walk.skipped.push(`${below} is a link or a device and is left out.`);
    }
  }
}

/** @param sources paths here. @param target a work path; `intoFolder` when it was typed as a folder. */
export async function planUpload(
  api: Api,
  clusterId: ClusterId,
  sources: readonly string[],
  target: { readonly path: string; readonly intoFolder: boolean },
): Promise<Plan> {
  const isFolder =
    target.intoFolder ||
    sources.length > 1 ||
    (await remoteEntry(api, clusterId, target.path))?.kind === 'folder';
  const walk: Walk = { files: [], folders: [], skipped: [] };
  for (const source of sources) {
    const found = await stat(source).catch(() => null);
    if (found === null) {
      throw new HitchError('NOT_FOUND', `There is no file or folder ${source} on this computer.`);
    }
    const workPath = isFolder ? joinWork(target.path, basename(resolve(source))) : target.path;
    if (found.isDirectory()) {
      await walkLocal(source, workPath, walk);
    } else {
      const folder = workPath.split('/').slice(0, -1).join('/');
      if (folder !== '') walk.folders.push(folder);
      walk.files.push({ localPath: source, workPath, sizeBytes: found.size });
    }
  }
  return walk;
}

async function walkRemote(
  api: Api,
  clusterId: ClusterId,
  root: string,
  workPath: string,
  localRoot: string,
  walk: Walk,
): Promise<void> {
  const entries = await api.files.list({ clusterId, path: workPath });
  for (const entry of entries) {
    const below = joinWork(workPath, entry.name);
    const localPath = safeLocalPath(localRoot, root === '' ? below : below.slice(root.length + 1));
    if (entry.kind === 'folder') {
      walk.folders.push(localPath);
      await walkRemote(api, clusterId, root, below, localRoot, walk);
    } else if (entry.kind === 'file') {
      walk.files.push({ localPath, workPath: below, sizeBytes: entry.sizeBytes });
    } else {
      walk.skipped.push(`${below} is a link or a device and is left out.`);
    }
  }
}

/** @param sources work paths. @param target a path here. */
export async function planDownload(
  api: Api,
  clusterId: ClusterId,
  sources: readonly string[],
  target: string,
): Promise<Plan> {
  const there = await stat(target).catch(() => null);
  const isFolder = /[/\\]$/.test(target) || sources.length > 1 || there?.isDirectory() === true;
  const walk: Walk = { files: [], folders: [], skipped: [] };
  for (const source of sources) {
    const entry = source === '' ? null : await api.files.stat({ clusterId, path: source });
    const localPath = isFolder && source !== '' ? safeLocalPath(target, baseOf(source)) : target;
    if (entry === null || entry.kind === 'folder') {
      walk.folders.push(localPath);
      await walkRemote(api, clusterId, source, source, localPath, walk);
    } else {
      walk.files.push({ localPath, workPath: source, sizeBytes: entry.sizeBytes });
    }
  }
  return walk;
}
