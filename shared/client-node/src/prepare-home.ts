/** Hitch's folder, made for its owner alone. */
import { accessSync, constants, mkdirSync } from 'node:fs';
import { HitchError } from '@hitch/contract';
import { storageError } from '@hitch/platform/src/atomic-file.ts';
import type { Home } from '@hitch/platform/src/paths.ts';

/** @throws HitchError STORAGE_FULL with a sentence when it cannot be made or written. */
export function prepareHome(home: Home): void {
  try {
    for (const folder of [home.root, home.logs]) {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOTDIR' || error.code === 'EEXIST')) {
      throw new HitchError('STORAGE_FULL', `${home.root} cannot be Hitch’s folder: a file is in its place.`, {
        next: 'Move that file, or point HITCH_HOME at another folder.',
        cause: error,
      });
    }
    throw storageError(error, home.root);
  }
}
