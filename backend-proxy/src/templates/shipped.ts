/** Lays the templates that come with Hitch out as folders, which jobs take along and people may look into and copy. */
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { writeFileAtomicAside } from '@hitch/platform/src/atomic-file.ts';
import { errorText, type Log } from '@hitch/platform/src/log.ts';
import { SHIPPED } from './shipped-texts.ts';

/** Never rejects: without them the user's own templates still work. */
export async function layOutShipped(folder: string, log: Log): Promise<void> {
  try {
    const before = await readdir(folder).catch(() => []);
    // Another version of Hitch may have brought others.
    await Promise.all(
      before
        .filter(name => !Object.hasOwn(SHIPPED, name))
        .map(name => rm(join(folder, name), { recursive: true, force: true })),
    );
    for (const [name, files] of Object.entries(SHIPPED)) {
      for (const [path, text] of Object.entries(files)) {
        const place = join(folder, name, path);
        if ((await readFile(place, 'utf8').catch(() => null)) !== text) {
          await mkdir(dirname(place), { recursive: true });
          await writeFileAtomicAside(place, text);
        }
      }
    }
  } catch (error) {
    log.warn('The templates that come with Hitch could not be laid out', { error: errorText(error) });
  }
}
