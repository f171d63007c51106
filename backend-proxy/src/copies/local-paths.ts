/** Paths of this computer that a client names: absolute, or relative to the root that its own server confines it to. */
import { lstat, realpath } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { cutText, HitchError } from '@hitch/contract';

/**
 * @param localRoot null: the client is a program of the user's. Else the root of the server that speaks for a page; '' for
 * a server whose files do not lie in a folder.
 * @throws HitchError BAD_INPUT for a path that the client may not name.
 */
export async function localPath(path: string, localRoot: string | null): Promise<string> {
  if (path.includes('\0')) {
    throw new HitchError('BAD_INPUT', 'A path on this computer holds a NUL character.', { field: 'sources' });
  }
  if (localRoot === null) {
    if (!isAbsolute(path)) {
      throw new HitchError('BAD_INPUT', `The path “${cutText(path, 200)}” must be absolute.`, {
        field: 'sources',
      });
    }
    return resolve(path);
  }
  if (localRoot === '') {
    throw new HitchError(
      'BAD_INPUT',
      'This Jupyter server does not keep its files in a folder of this computer, so they cannot be copied.',
      { next: 'Use hitch cp on the computer where the files lie.' },
    );
  }
  const absolute = resolve(join(localRoot, path));
  const [root, real] = await Promise.all([realpath(localRoot), nearestReal(absolute)]);
  if (isOutside(localRoot, absolute) || isOutside(root, real)) {
    throw new HitchError(
      'BAD_INPUT',
      `The path “${cutText(path, 200)}” leads out of this Jupyter server’s folder.`,
      {
        field: 'sources',
      },
    );
  }
  return absolute;
}

/**
 * A path that a client was told before, absolute, or one that it names itself. The server of a page takes only what lies in
 * its own folder. @throws HitchError BAD_INPUT as {@link localPath}
 */
export const toldPath = (path: string, localRoot: string | null): Promise<string> =>
  localPath(
    localRoot === null || localRoot === '' || !isAbsolute(path) ? path : relative(localRoot, path) || '.',
    localRoot,
  );

function isOutside(folder: string, path: string): boolean {
  const below = relative(folder, path);
  return below === '..' || below.startsWith(`..${sep}`) || isAbsolute(below);
}

/** With its links followed as far as it exists. */
async function nearestReal(path: string): Promise<string> {
  for (let at = path; ; at = dirname(at)) {
    const real = await realpath(at).catch(() => null);
    if (real !== null) {
      return join(real, relative(at, path));
    }
    // A link to nothing would be made into a file at its other end.
    if ((await lstat(at).catch(() => null))?.isSymbolicLink() === true || at === dirname(at)) {
      return sep;
    }
  }
}

/** A folder that a person chose: what it leads to, where it is there. */
export const chosenFolder = (path: string): Promise<string> => realpath(path).catch(() => path);
