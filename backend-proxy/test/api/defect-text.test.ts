import assert from 'node:assert/strict';
import { defectText } from '@hitch/platform/src/log.ts';

describe('a defect in the log', () => {
  it('says what lay under it, and where', () => {
    const text = defectText(new Error('the list failed', { cause: new TypeError('x is not a function') }));
    assert.match(
      text,
      /^the list failed \(.+\); because: x is not a function \(.+defect-text\.test\.ts.+\)$/,
    );
  });

  it('ends with causes that go in circles', () => {
    const error = new Error('round');
    error.cause = error;
    assert.equal(defectText(error).split('because').length, 4);
  });

  it('tells what was thrown without being an error', () => {
    assert.equal(defectText('plain words'), 'plain words');
  });
});
