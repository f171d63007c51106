/** When a checkpoint is whole, by what each framework writes last. The names and their order are those of real runs. */
import assert from 'node:assert/strict';
import { wholeness } from '../../src/templates/whole-checkpoint.ts';

/** Of files in `out`, in the order in which they were written. */
const written = (...paths: readonly string[]): string =>
  wholeness(paths.map((path, index) => ({ path: `code/out/${path}`, modifiedAtMs: index + 1 })));

const LATEST = 'run/model/training_checkpoints/latest.ckpt';
const PROGRESS = 'run/model/training_progress.json';
const METADATA = 'run/model/training_set_metadata.json';
const SNAPSHOT = 'run/checkpoint_manager_snapshot.json';

/** Each checkpoint, its last file last. */
const CHECKPOINTS: Readonly<Record<string, readonly string[]>> = {
  'torch.distributed.checkpoint': ['step-10/__0_0.distcp', 'step-10/__1_0.distcp', 'step-10/.metadata'],
  'torch.distributed.checkpoint, of one process alone': ['step-10/__0_0.distcp', 'step-10/__0.metadata'],
  'transformers’ Trainer': [
    'checkpoint-20/config.json',
    'checkpoint-20/model.safetensors',
    'checkpoint-20/training_args.bin',
    'checkpoint-20/optimizer.pt',
    'checkpoint-20/rng_state.pth',
    'checkpoint-20/trainer_state.json',
  ],
  'the Trainer, its weights split': [
    'checkpoint-20/training_args.bin',
    'checkpoint-20/trainer_state.json',
    'checkpoint-20/pytorch_model_fsdp_0/__0_0.distcp',
    'checkpoint-20/pytorch_model_fsdp_0/.metadata',
  ],
  Ludwig: ['run/description.json', METADATA, 'run/model/model_hyperparameters.json', LATEST, PROGRESS],
  'Ray Train': [
    'run/.validate_storage_marker',
    'run/checkpoint_2026-12-01_10-25-05.716953/state.pt',
    SNAPSHOT,
  ],
};

describe('A checkpoint', () => {
  for (const [framework, files] of Object.entries(CHECKPOINTS)) {
    it(`of ${framework} is whole once its last file is there`, () => {
      assert.equal(written(...files), 'whole');
      assert.equal(written(...files.slice(0, -1)), 'open');
    });
  }

  it('that Ludwig writes over the one before is whole once its progress is that of the newer one', () => {
    assert.equal(written(METADATA, PROGRESS, LATEST), 'open');
    assert.equal(written(METADATA, LATEST, PROGRESS), 'whole');
    // The best weights are written again at the end, and nothing goes on from them.
    assert.equal(written(METADATA, LATEST, PROGRESS, 'run/model/training_checkpoints/best.ckpt'), 'whole');
    // One that keeps no progress has weights alone, at the end.
    assert.equal(written(METADATA, 'run/model/model_weights.safetensors'), 'unknown');
  });

  it('that Ray Train has copied is not whole before a snapshot names it', () => {
    const first = 'run/checkpoint_2026-12-01_10-25-05.716953/state.pt';
    const second = 'run/checkpoint_2026-12-01_10-26-05.716953/rank/state.pt';
    assert.equal(written('run/.validate_storage_marker'), 'open');
    assert.equal(written(first, SNAPSHOT, second), 'open');
    assert.equal(written(first, second, SNAPSHOT), 'whole');
  });

  it('of no framework that is known tells nothing', () => {
    assert.equal(written('step-1.pt'), 'unknown');
    assert.equal(written('checkpoint-5/weights.npz', 'checkpoint-5/notes/.metadata.tmp'), 'unknown');
    // A model that is saved at the end has nothing to go on from.
    assert.equal(written('model/model.safetensors', 'model/training_args.bin'), 'unknown');
  });
});
