/** Locks for whoever asks: what is to be locked, for which machines, and the answer with all that is wrong. */
import {
  type Cluster,
  type ClusterId,
  type EnvironmentPlatform,
  type environmentRequestSchema,
  type FoundEnvironments,
  HitchError,
  type LockedEnvironment,
  type LockResult,
  shownName,
} from '@hitch/contract';
import { basename } from 'node:path';
import type * as z from 'zod';
import { toldPath } from '../copies/local-paths.ts';
import { findEnvironmentFiles, readEnvironmentFile } from '../machines/environments/environment-file.ts';
import type { LocalEnvironments } from '../machines/environments/local-environments.ts';
import { lockFile, type ToLock } from '../machines/environments/locker.ts';
import { type Lock, type Locks, shownLock } from '../machines/environments/locks.ts';

export interface EnvironmentLocksOptions {
  readonly locks: Locks;
  readonly local: LocalEnvironments;
  /** @throws HitchError NOT_FOUND */
  readonly clusterOf: (id: ClusterId) => Cluster;
}

/** Networks whose machines are processes on this computer. */
const HERE = new Set(['local', 'sandbox']);

export class EnvironmentLocks {
  readonly #options: EnvironmentLocksOptions;

  constructor(options: EnvironmentLocksOptions) {
    this.#options = options;
  }

  /** @throws HitchError BAD_INPUT for a folder that the client may not name. */
  async find(folders: readonly string[], localRoot: string | null): Promise<FoundEnvironments> {
    const paths = await Promise.all([...new Set(folders)].map(folder => toldPath(folder, localRoot)));
    const found = await Promise.all(paths.map(findEnvironmentFiles));
    return { files: found.flatMap(({ files }) => files), notes: found.flatMap(({ notes }) => notes) };
  }

  /** @throws HitchError BAD_INPUT where nothing can be locked, UNREACHABLE where the package index is not reached. */
  async lock(
    asked: z.output<typeof environmentRequestSchema>,
    localRoot: string | null,
    signal: AbortSignal,
  ): Promise<LockResult> {
    const request = await withFile(asked, localRoot);
    return this.#lock(request, signal);
  }

  async #lock(request: z.output<typeof environmentRequestSchema>, signal: AbortSignal): Promise<LockResult> {
    const { locks, local, clusterOf } = this.#options;
    const cluster = request.clusterId === undefined ? null : clusterOf(request.clusterId);
    const id = cluster?.environment?.id ?? null;
    const base = id === null ? null : locks.need(id);
    const { asked, file } = whatToLock(request, cluster, base);
    const result = await lockFile(asked, await local.tools(signal), signal);
    if ('problems' in result) {
      return { environment: null, problems: [...result.problems] };
    }
    const lock = { ...result.lock, file };
    locks.put(lock);
    return { environment: shownLock(lock), problems: [] };
  }

  get(id: string): LockedEnvironment {
    return shownLock(this.#options.locks.need(id));
  }

  clean(signal: AbortSignal) {
    return this.#options.local.clean(signal);
  }
}

/** With the text of the file that is named by its path. */
async function withFile(
  request: z.output<typeof environmentRequestSchema>,
  localRoot: string | null,
): Promise<z.output<typeof environmentRequestSchema>> {
  const { path, file } = request;
  if (path === undefined) {
    return request;
  }
  if (file !== undefined) {
    throw new HitchError('BAD_INPUT', 'Both a file’s text and a path are given; give one.', {
      field: 'path',
    });
  }
  const named = { name: shownName(basename(path)), field: 'path' };
  return { ...request, file: await readEnvironmentFile(await toldPath(path, localRoot), named) };
}

function whatToLock(
  { file, add, python, engine, platform }: z.output<typeof environmentRequestSchema>,
  cluster: Cluster | null,
  base: Lock | null,
): { readonly asked: ToLock; readonly file: string } {
  const on = {
    add,
    engine: cluster?.engine ?? engine,
    platform:
      platform === 'this-computer' || (cluster !== null && isHere(cluster)) ? thisPlatform() : platform,
  };
  if (file !== undefined) {
    return { asked: { ...on, file, python }, file: file.name };
  }
  if (add.length === 0) {
    throw new HitchError('BAD_INPUT', 'Neither a file nor a package is given, so there is nothing to lock.', {
      field: 'file',
    });
  }
  if (base === null) {
    throw new HitchError(
      'BAD_INPUT',
      `${cluster?.name ?? 'The cluster'} runs on Hitch’s own packages, which are the same for all clusters.`,
      {
        field: 'add',
        next: 'Add a package for it alone with “%pip install” in a notebook, or give it a file of its own.',
      },
    );
  }
  return {
    asked: {
      ...on,
      file: { name: 'requirements.lock', text: base.text },
      python: python ?? base.python,
      platform: base.platform,
    },
    file: base.file.endsWith(' and more') ? base.file : `${base.file} and more`,
  };
}

const isHere = ({ nodes }: Cluster): boolean =>
  nodes.length > 0 && nodes.every(({ provider }) => provider !== null && HERE.has(provider));

/** @throws HitchError where there is no Ray for this computer. */
export function thisPlatform(): EnvironmentPlatform {
  const systems: Readonly<Record<string, string>> = { linux: 'linux', darwin: 'macos', win32: 'windows' };
  const found = `${systems[process.platform] ?? ''}-${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}`;
  const platforms: readonly string[] = [
    'linux-x86_64',
    'linux-aarch64',
    'macos-x86_64',
    'macos-aarch64',
    'windows-x86_64',
  ];
  if (!platforms.includes(found)) {
    throw new HitchError(
      'BAD_INPUT',
      `There are no environments for ${process.platform} on ${process.arch}.`,
    );
  }
  return found as EnvironmentPlatform;
}
