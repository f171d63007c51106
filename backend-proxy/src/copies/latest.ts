/** `latest` beside the folders of a cluster's runs: a link to the newest that holds something. */
import { rename, rm, stat, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/**
 * Where links cannot be made there is none: the folders' names tell their order too.
 * @returns why there is none; null: there is one, or nothing that it could lead to.
 */
export async function linkLatest(folder: string): Promise<string | null> {
  if ((await stat(folder).catch(() => null)) === null) {
    return null;
  }
  const link = join(dirname(folder), 'latest');
  const part = `${link}.${process.pid.toString()}.tmp`;
  try {
    await rm(part, { force: true });
    await symlink(basename(folder), part, 'junction');
    await rename(part, link);
    return null;
  } catch (error) {
    await rm(part, { force: true }).catch(() => undefined);
    return error instanceof Error ? error.message : String(error);
  }
}
