/**
 * Fetches files from a machine into a folder of this computer. Each file arrives beside its place as `<name>.part`,
 * goes on from there after a break, and takes its place only when its checksum is right. What a machine says a file
 * is called never leads out of the folder.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, sep } from 'node:path';
import { type FileEntry, HitchError, workPathSchema } from '@hitch/contract';
import type { AgentPort } from '../access/links.ts';
import { storageError } from '../platform/atomic-file.ts';

/** No sane save has more; a machine that lists more is wrong or hostile. */
const MOST_FILES = 100_000;

/** @returns the absolute paths that now lie in `folder`, also those that were there complete. */
export async function fetchPaths(options: {
  readonly agent: AgentPort;
  readonly paths: readonly string[];
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly onSaved?: (absolutePath: string) => void;
}): Promise<readonly string[]> {
  const { agent, folder, signal } = options;
  const files: FileEntry[] = [];
  for (const path of options.paths) {
    await collect(agent, await agent.stat(path, signal), files, signal);
  }
  const saved: string[] = [];
  for (const file of files) {
    const target = await fetchFile(agent, file, folder, signal);
    saved.push(target);
    options.onSaved?.(target);
  }
  return saved;
}

async function collect(
  agent: AgentPort,
  entry: FileEntry,
  into: FileEntry[],
  signal: AbortSignal,
): Promise<void> {
  if (entry.kind === 'file') {
    into.push(entry);
    if (into.length > MOST_FILES) {
      throw new HitchError('TOO_LARGE', `There are more than ${MOST_FILES.toString()} files to save.`, {
        next: 'Name fewer folders, or pack them into one file first.',
      });
    }
  } else if (entry.kind === 'folder') {
    for (const child of await agent.list(entry.path, signal)) {
      if (!isInside(entry.path, child.path)) {
        throw new HitchError(
          'BAD_INPUT',
          `The machine lists "${child.path.slice(0, 200)}" inside ${entry.path}; it is not saved.`,
        );
      }
      await collect(agent, child, into, signal);
    }
  }
}

function isInside(folder: string, path: string): boolean {
  return (
    workPathSchema.safeParse(path).success &&
    (folder === '' || folder === '.' || path.startsWith(`${folder}/`))
  );
}

/** Where `path` goes inside `folder`. @throws HitchError when it would be elsewhere, through a link for example. */
async function targetOf(path: string, folder: string): Promise<string> {
  const target = join(folder, ...path.split('/'));
  try {
    await mkdir(dirname(target), { recursive: true, mode: 0o700 });
    const inside = relative(await realpath(folder), await realpath(dirname(target)));
    if (inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside)) {
      throw new HitchError('BAD_INPUT', `${target} leads out of ${folder}; it is not written.`);
    }
  } catch (error) {
    throw storageError(error, target);
  }
  return target;
}

async function fetchFile(
  agent: AgentPort,
  file: FileEntry,
  folder: string,
  signal: AbortSignal,
): Promise<string> {
  const target = await targetOf(file.path, folder);
  const wanted = await agent.checksum(file.path, signal);
  if ((await hashOf(target)) === wanted.sha256) {
    return target;
  }
  const part = `${target}.part`;
  const kept = await sizeOf(part);
  await receive(agent, file.path, part, kept < wanted.sizeBytes ? kept : 0, signal);
  if ((await hashOf(part)) !== wanted.sha256) {
    // What was kept from an earlier try was of another version of the file.
    await receive(agent, file.path, part, 0, signal);
    if ((await hashOf(part)) !== wanted.sha256) {
      await rm(part, { force: true });
      throw new HitchError('CONFLICT', `${file.path} changed while it was fetched; it is not saved.`);
    }
  }
  await rename(part, target);
  return target;
}

async function receive(
  agent: AgentPort,
  path: string,
  part: string,
  offset: number,
  signal: AbortSignal,
): Promise<void> {
  try {
    const file = await open(part, offset > 0 ? 'a' : 'w', 0o600);
    try {
      for await (const bytes of agent.read(path, offset, signal)) {
        await file.writeFile(bytes);
      }
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    throw storageError(error, part);
  }
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

async function hashOf(path: string): Promise<string | null> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(path)) {
      if (chunk instanceof Uint8Array) {
        hash.update(chunk);
      }
    }
  } catch {
    return null;
  }
  return hash.digest('hex');
}
