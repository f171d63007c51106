/** What the file system says, in our words. */
import { lstatSync, type Stats } from 'node:fs';
import { HitchError } from '@hitch/contract/src/errors.ts';
import { encodePath } from './names.ts';

/** What `lstat` says of each path, or its error's code. */
export const lstatAll = (paths: readonly string[]): readonly (Stats | string)[] =>
  paths.map(path => {
    try {
      // Making an error for each file that is not there yet would cost more than all of the looking.
      return lstatSync(encodePath(path), { throwIfNoEntry: false }) ?? 'ENOENT';
    } catch (error) {
      return codeOf(error);
    }
  });

/** Node's code of an error, such as `ENOENT`; '' where it has none, as our own. */
export const codeOf = (error: unknown): string =>
  error instanceof Error &&
  !(error instanceof HitchError) &&
  'code' in error &&
  typeof error.code === 'string'
    ? error.code
    : '';

export const isMissing = (error: unknown): boolean => ['ENOENT', 'ENOTDIR'].includes(codeOf(error));

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ENAMETOOLONG: 'the name is too long',
  EIO: 'the disk fails there',
  ELOOP: 'too many links',
  EBUSY: 'in use',
  EISDIR: 'a folder',
  EILSEQ: 'the system takes no such name',
  EINVAL: 'the system takes no such name',
  ENXIO: 'not a file',
  ETXTBSY: 'a program that runs',
  ESTALE: 'the disk it lay on is away',
};

/** An error's code in words. */
export const reasonOf = (error: unknown): string => {
  const code = typeof error === 'string' ? error : codeOf(error);
  return REASONS[code] ?? (code === '' ? 'unknown error' : code);
};

/** The system is short of something for the moment: the same call may go well later. */
export const isPassing = (error: unknown): boolean =>
  ['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN', 'EINTR'].includes(codeOf(error));

/** What was opened cannot be read there, now or later: a bad place of a disk, for example. */
export const isUnreadable = (error: unknown): boolean => codeOf(error) !== '' && !isPassing(error);

/** No room, or no right to write anywhere there: it concerns the whole copy, not one file. */
export const isFull = (error: unknown): boolean => ['ENOSPC', 'EDQUOT', 'EROFS'].includes(codeOf(error));

/** No disk says later honestly, and a longer number has no place in a stream of files. */
const LATEST_MS = 999_999_999_999_999;

/** When a thing was last changed, in whole ms since the epoch; before it, 0. */
export const timeOf = ({ mtimeMs }: Stats): number => Math.min(LATEST_MS, Math.max(0, Math.floor(mtimeMs)));
