import assert from 'node:assert/strict';
import { cellErrorOf, isKernelOf, missedBy } from '../src/kernel/missed.ts';

const missed = (name: string, message: string) => {
  const error = cellErrorOf(JSON.stringify({ name, message, stack: '' }));
  return error === null ? null : missedBy(error);
};

describe('what a cell of an open notebook missed', () => {
  it('is a file beside the notebook, or a module that may be one', () => {
    assert.deepEqual(missed('FileNotFoundError', "[Errno 2] No such file or directory: './data/x.csv'"), {
      paths: ['data/x.csv'],
      module: null,
    });
    assert.deepEqual(missed('ModuleNotFoundError', "No module named 'losses'"), {
      paths: ['losses.py', 'losses'],
      module: 'losses',
    });
  });

  it('is nothing where it lies elsewhere, or in other errors', () => {
    for (const path of ['/etc/passwd', '../x.csv', '.', '']) {
      assert.equal(missed('FileNotFoundError', `[Errno 2] No such file or directory: '${path}'`), null);
    }
    assert.equal(missed('ValueError', 'no'), null);
    assert.equal(cellErrorOf('{'), null);
    assert.equal(cellErrorOf('{"name":1}'), null);
  });

  it('was missed on the cluster that has a kernel of the notebook, as Jupyter names its session', () => {
    const session = 'train-jvsc-0123456789abcdef-0123-4567-89ab-0123456789ab.ipynb';
    assert.equal(isKernelOf('/home/a/train.ipynb', [{ path: null }, { path: session }]), true);
    assert.equal(isKernelOf('/home/a/other.ipynb', [{ path: session }]), false);
  });
});
