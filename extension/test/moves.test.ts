import assert from 'node:assert/strict';
import { sortMoves } from '../src/kernel/moves.ts';
import { cluster, clusterId } from './sample.ts';

const moveTo = (index: number) => ({
  clusterId: clusterId(index),
  notebook: `file:///${index.toString()}.ipynb`,
  cell: null,
});

describe('notebooks that move to what is being rented', () => {
  it('are due once a notebook can run there, wait until then, and are dropped when nothing can come of it', () => {
    const clusters = [
      cluster({ id: clusterId(1), phase: 'bootstrapping' }, { kernel: false }),
      // A notebook runs as soon as Jupyter does; Ray follows.
      cluster({ id: clusterId(2), phase: 'starting' }),
      cluster({ id: clusterId(3), phase: 'failed' }, { kernel: false }),
    ];
    const [starting, due, failed, unknown] = [moveTo(1), moveTo(2), moveTo(3), moveTo(4)];
    const ordered = moveTo(5);
    const moves = [starting, due, failed, unknown, ordered];
    assert.deepEqual(sortMoves(moves, clusters, new Set([clusterId(5)])), {
      due: [due],
      waiting: [starting, ordered],
    });
  });
});
