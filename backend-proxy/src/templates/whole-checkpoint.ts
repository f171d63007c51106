/**
 * Whether a checkpoint is whole, by what its framework writes last. That nobody has changed it for a while is not enough: a
 * training that writes slowly, or was killed in the middle, leaves one that looks finished and cannot be loaded.
 */
import { posix } from 'node:path';
import type { FileEntry } from '@hitch/contract';

type Seen = Pick<FileEntry, 'path' | 'modifiedAtMs'>;

/** `unknown`: it is of no framework that is known, or tells nothing; `open`: something is missing. */
export type Wholeness = 'whole' | 'open' | 'unknown';

interface Folder {
  readonly name: string;
  readonly files: ReadonlyMap<string, Seen>;
  readonly folders: ReadonlyMap<string, Folder>;
}

interface GrowingFolder extends Folder {
  readonly files: Map<string, Seen>;
  readonly folders: Map<string, GrowingFolder>;
}

/** @returns null where the folder is none of this framework's. */
type Verdict = (folder: Folder) => boolean | null;

/** `torch.distributed.checkpoint`: `FileSystemWriter.finish` renames `.metadata` into its place when all shards are written. */
const torchShards: Verdict = ({ files }) => {
  const names = [...files.keys()];
  return names.some(name => name.endsWith('.distcp'))
    ? names.some(name => /^(?:__\d+)?\.metadata$/.test(name))
    : null;
};

/** transformers' `Trainer._save_checkpoint` writes `trainer_state.json` after the model, the optimizer and the random state. */
const trainer: Verdict = ({ name, files }) =>
  /^checkpoint-\d+$/.test(name) && files.has('training_args.bin') ? files.has('trainer_state.json') : null;

/** Ludwig's `Trainer.save_checkpoint` writes `training_progress.json` after the `latest.ckpt` that it goes on from. */
const ludwig: Verdict = ({ files, folders }) => {
  if (!files.has('training_set_metadata.json')) {
    return null;
  }
  const progress = files.get('training_progress.json');
  if (progress === undefined) {
    // One that is to keep no progress has its weights at the end, and nothing before.
    return [...files.keys()].some(name => name.startsWith('model_weights')) ? null : false;
  }
  const checkpoints = [...(folders.get('training_checkpoints')?.files ?? [])];
  const latest = checkpoints.filter(([name]) => name.startsWith('latest.ckpt'));
  return latest.length > 0 && latest.every(([, { modifiedAtMs }]) => modifiedAtMs <= progress.modifiedAtMs);
};

/**
 * Ray Train copies a checkpoint into the folder of the run. `CheckpointManager._write_state_to_storage` then names it in the
 * snapshot, which is all that a run goes on from.
 */
const rayTrain: Verdict = ({ files, folders }) => {
  const snapshot = files.get('checkpoint_manager_snapshot.json');
  const checkpoints = [...folders.values()].filter(({ name }) =>
    /^checkpoint_\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d/.test(name),
  );
  return snapshot === undefined && checkpoints.length === 0 && !files.has('.validate_storage_marker')
    ? null
    : snapshot !== undefined && checkpoints.every(each => newestMs(each) <= snapshot.modifiedAtMs);
};

const newestMs = ({ files, folders }: Folder): number =>
  Math.max(0, ...[...files.values()].map(file => file.modifiedAtMs), ...[...folders.values()].map(newestMs));

const VERDICTS: readonly Verdict[] = [torchShards, trainer, ludwig, rayTrain];

/** @param files all files of a checkpoint, in its folders too. */
export function wholeness(files: readonly Seen[]): Wholeness {
  const verdicts = [...allFolders(treeOf(files))].flatMap(folder => VERDICTS.map(of => of(folder)));
  return verdicts.includes(false) ? 'open' : verdicts.includes(true) ? 'whole' : 'unknown';
}

function* allFolders(folder: Folder): Generator<Folder> {
  yield folder;
  for (const below of folder.folders.values()) {
    yield* allFolders(below);
  }
}

function treeOf(files: readonly Seen[]): Folder {
  const newFolder = (name: string): GrowingFolder => ({ name, files: new Map(), folders: new Map() });
  const root = newFolder('');
  for (const file of files) {
    let at = root;
    const above = posix.dirname(file.path);
    for (const name of above.split('/')) {
      const below = at.folders.get(name) ?? newFolder(name);
      at.folders.set(name, below);
      at = below;
    }
    at.files.set(posix.basename(file.path), file);
  }
  return root;
}
