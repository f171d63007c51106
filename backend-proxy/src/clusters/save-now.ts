/** A save that a person asks for while their cluster runs. */
import { type Copy, cutText, HitchError, workPathSchema } from '@hitch/contract';
import { errorText } from '@hitch/platform/src/log.ts';
import { linkLatest } from '../copies/latest.ts';
import type { ClusterState } from '../ledger/cluster-state.ts';
import type { Parts } from './parts.ts';
import { noteSaved, ownListOf, saveFolder } from './save.ts';

/** @throws HitchError BAD_INPUT for what is not inside the work folder. */
export function checkPaths(paths: readonly string[]): void {
  const bad = paths.find(path => !workPathSchema.safeParse(path).success);
  if (bad !== undefined) {
    throw new HitchError('BAD_INPUT', `"${cutText(bad, 200)}" is not a path inside the work folder.`, {
      field: 'paths',
    });
  }
}

/** Begins a save; what it brought stands on the record once it is over. @throws HitchError BAD_INPUT or CONFLICT */
export function saveNow(parts: Parts, { cluster }: ClusterState, paths: readonly string[] | undefined): Copy {
  const wanted = paths ?? cluster.save.paths;
  checkPaths(wanted);
  if (wanted.length === 0) {
    throw new HitchError('BAD_INPUT', `No files of ${cluster.name} were chosen to be saved.`, {
      field: 'paths',
      next: 'Name files or folders of its work folder.',
    });
  }
  if (cluster.desired === 'stopped' && cluster.saveDone) {
    throw new HitchError('CONFLICT', `${cluster.name} has stopped: nothing more can be saved.`);
  }
  const { id } = cluster;
  const folder = saveFolder(parts.home, cluster);
  const { copy, ended } = parts.saves.save({
    clusterId: id,
    paths: wanted,
    folder,
    ownList: ownListOf(parts.home, cluster),
    untilMs: null,
    prepare: () => Promise.resolve(),
  });
  void ended
    .then(async over => {
      if (cluster.save.toFolder === null) {
        const problem = await linkLatest(folder);
        if (problem !== null) {
          parts.log.warn('The link “latest” beside a save could not be made.', { folder, problem });
        }
      }
      if (!parts.ending.aborted && over.state !== 'cancelled' && parts.ledger.state(id) !== undefined) {
        await parts.ledger.change(id, tx => noteSaved(tx, parts.home, over));
      }
    })
    .catch((error: unknown) => {
      parts.log.warn('A save could not be written down.', { error: errorText(error) });
    });
  return copy;
}
