import assert from 'node:assert/strict';
import { OutputFold } from '../../src/agent/kernels/outputs.ts';

const display = (text: string, displayId?: string): Record<string, unknown> => ({
  data: { 'text/plain': text },
  metadata: {},
  transient: displayId === undefined ? {} : { display_id: displayId },
});

describe("a cell's outputs", () => {
  it('join neighbouring pieces of one stream and keep carriage returns', () => {
    const fold = new OutputFold();
    fold.add('stream', { name: 'stdout', text: '1%\r' });
    fold.add('stream', { name: 'stdout', text: '2%\r' });
    fold.add('stream', { name: 'stderr', text: 'warn' });
    fold.add('stream', { name: 'stdout', text: 'done' });
    assert.deepEqual(fold.outputs(), [
      { output_type: 'stream', name: 'stdout', text: '1%\r2%\r' },
      { output_type: 'stream', name: 'stderr', text: 'warn' },
      { output_type: 'stream', name: 'stdout', text: 'done' },
    ]);
  });

  it('are cleared at once, or by the next output when the cell asks to wait', () => {
    const fold = new OutputFold();
    fold.add('stream', { name: 'stdout', text: 'a' });
    fold.add('clear_output', { wait: true });
    assert.equal(fold.outputs().length, 1);
    fold.add('display_data', display('b'));
    assert.deepEqual(
      fold.outputs().map(({ output_type }) => output_type),
      ['display_data'],
    );
    fold.add('clear_output', { wait: false });
    assert.deepEqual(fold.outputs(), []);
  });

  it('show the latest of each display id, from whatever cell it comes', () => {
    const fold = new OutputFold();
    fold.add('display_data', display('one', 'd'));
    fold.add('display_data', display('other'));
    fold.add('display_data', display('two', 'd'));
    fold.update(display('three', 'd'));
    fold.update(display('nobody', 'unknown'));
    assert.deepEqual(
      fold.outputs().map(({ data }) => data),
      [{ 'text/plain': 'three' }, { 'text/plain': 'other' }, { 'text/plain': 'three' }],
    );
  });

  it('hold the last of a long stream and count what they leave out', () => {
    const fold = new OutputFold(1000);
    for (let n = 0; n < 100; n++) {
      fold.add('stream', { name: n % 2 === 0 ? 'stdout' : 'stderr', text: n.toString().padStart(100, ' ') });
    }
    fold.add('error', { ename: 'E', evalue: 'v', traceback: ['t'] });
    const outputs = fold.outputs();
    const text = outputs.map(output => (typeof output['text'] === 'string' ? output['text'] : '')).join('');
    assert.equal(text.length, 1000);
    assert.ok(text.endsWith('99'));
    assert.equal(fold.droppedBytes, 9000);
    assert.deepEqual(outputs.at(-1), { output_type: 'error', ename: 'E', evalue: 'v', traceback: ['t'] });
  });

  it('take content that is not what the protocol says without failing', () => {
    const fold = new OutputFold();
    for (const type of ['clear_output', 'stream', 'display_data', 'execute_result', 'error'] as const) {
      fold.add(type, {});
      fold.add(type, { data: 1, text: [], traceback: 'x', transient: null });
    }
    assert.ok(fold.outputs().length > 0);
  });
});
