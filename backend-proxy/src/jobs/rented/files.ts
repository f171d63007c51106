/** The files of a job that rents, as they were when it was approved: each of its machines gets the same. */
import { access, copyFile, mkdir, realpath, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, isAbsolute, join, parse, relative, sep } from 'node:path';
import { HitchError, type JobId, type Outcome } from '@hitch/contract';
import { copyTree, DiskSource, DiskTarget, SEND_RULES } from '@hitch/transfer';
import { type FolderFile, readFolder } from '../../templates/folder.ts';

/** Left free on this computer. */
const SPARE_BYTES = 64 * 1024 * 1024;
const MISSING: readonly Outcome[] = ['gone', 'unreadable', 'leftOut', 'changed'];

export const filesFolder = (root: string, id: JobId): string => join(root, id, 'files');
/** What one of several jobs is sent beside the files that they share. */
export const ownFolder = (root: string, id: JobId): string => join(root, id, 'own');
export const checkpointsFolder = (root: string, id: JobId): string => join(root, id, 'checkpoints');

/** What a folder of this computer is called on the machine. */
export const targetOf = (folder: string): string =>
  basename(folder).replaceAll(/[^A-Za-z0-9._-]/g, '-') || 'work';

export interface Frozen {
  readonly files: number;
  readonly bytes: number;
}

/**
 * Copies a folder for a job, by the rules that hold for all that is sent.
 * @throws HitchError where not all of it can be copied.
 */
export async function freeze(
  from: string,
  { to, spool, signal }: { readonly to: string; readonly spool: string; readonly signal: AbortSignal },
): Promise<Frozen> {
  if (from === parse(from).root || (await holds(from, homedir()))) {
    throw new HitchError(
      'BAD_INPUT',
      `A job sends the folder that it is in, and ${from} is too much to send.`,
      {
        field: 'work.folder',
        next: 'Name the folder of your code.',
      },
    );
  }
  await mkdir(to, { recursive: true, mode: 0o700 });
  await mkdir(spool, { recursive: true, mode: 0o700 });
  const missing: string[] = [];
  let [files, bytes] = [0, 0];
  await copyTree(
    {
      source: new DiskSource(null),
      target: new DiskTarget({ base: to, throughLinks: false }),
      roots: [from],
      to: [''],
      rules: SEND_RULES,
      conflict: 'replace',
      stamp: '',
      spareBytes: SPARE_BYTES,
      missing: root =>
        new HitchError('NOT_FOUND', `There is no folder ${root} on this computer.`, { field: 'work.folder' }),
    },
    {
      signal,
      spool: { folder: spool, name: basename(to) },
      listed: () => undefined,
      ask: () => Promise.resolve('replace'),
      moved: () => undefined,
      file: (_state, size) => {
        files += 1;
        bytes += size;
      },
      outcome: (outcome, path) => {
        if (MISSING.includes(outcome)) {
          missing.push(path);
        }
      },
      again: (error: unknown) => Promise.reject(error instanceof Error ? error : new Error(String(error))),
    },
  );
  await rm(spool, { recursive: true, force: true });
  const [first] = missing;
  if (first !== undefined) {
    throw new HitchError(
      'CONFLICT',
      `Not all of ${from} can be sent: ${first}${missing.length === 1 ? '' : ` and ${missing.length - 1} more`} cannot be read, or changed meanwhile.`,
      { field: 'work.folder', next: 'Name what is not needed in .hitchignore, or try again.' },
    );
  }
  return { files, bytes };
}

/** By whatever links one gets there: a home has the keys of all that its owner uses. */
async function holds(folder: string, home: string): Promise<boolean> {
  const [outer, inner] = await Promise.all([folder, home].map(path => realpath(path).catch(() => path)));
  const below = relative(outer ?? folder, inner ?? home);
  return below !== '..' && !below.startsWith(`..${sep}`) && !isAbsolute(below);
}

/**
 * Copies a template's files, and sees that they are those that its digest names.
 * @throws HitchError CONFLICT where they changed meanwhile.
 */
export async function freezeTemplate(
  from: string,
  files: readonly FolderFile[],
  { to, digest }: { readonly to: string; readonly digest: string },
): Promise<Frozen> {
  await mkdir(to, { recursive: true, mode: 0o700 });
  for (const { path } of files) {
    await mkdir(dirname(join(to, path)), { recursive: true });
    await copyFile(join(from, path), join(to, path));
  }
  if ((await readFolder(to, files)).digest !== digest) {
    throw new HitchError('CONFLICT', `The template in ${from} changed while it was copied.`, {
      field: 'work.template',
      next: 'Save what is open and try again.',
    });
  }
  return { files: files.length, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0) };
}

/** Adds a file to what is sent. */
export async function addFile(folder: string, name: string, text: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(join(folder, name), text, { mode: 0o600 });
}

/** All that is kept for a job that was never approved. */
export const removeJob = (root: string, id: JobId): Promise<void> =>
  rm(join(root, id), { recursive: true, force: true });

/** What is sent to a job's machine, in this order: the files that it shares with others, and its own. */
export async function filesOf(
  root: string,
  {
    id,
    rental: { queue },
  }: { readonly id: JobId; readonly rental: { readonly queue: { readonly id: JobId } | null } },
): Promise<readonly string[]> {
  const own = ownFolder(root, id);
  const hasOwn = await access(own).then(
    () => true,
    () => false,
  );
  return [filesFolder(root, queue?.id ?? id), ...(hasOwn ? [own] : [])];
}

export const removeOwn = (root: string, id: JobId): Promise<void> =>
  rm(ownFolder(root, id), { recursive: true, force: true });

/** What was to be sent to its machines: there will be no other. */
export async function removeFiles(root: string, id: JobId): Promise<void> {
  await rm(filesFolder(root, id), { recursive: true, force: true });
  await removeOwn(root, id);
}
