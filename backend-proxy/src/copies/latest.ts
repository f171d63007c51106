/** `latest` beside the folders of a cluster's runs: a link to the newest that holds something. */
import { rename, rm, stat, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** Where links cannot be made there is none: the folders' names tell their order too. */
export async function linkLatest(folder: string): Promise<void> {
  if ((await stat(folder).catch(() => null)) === null) {
    return;
  }
  const link = join(dirname(folder), 'latest');
  const part = `${link}.${process.pid.toString()}.tmp`;
  try {
    await rm(part, { force: true });
    await symlink(basename(folder), part, 'junction');
    await rename(part, link);
  } catch {
    await rm(part, { force: true });
  }
}
