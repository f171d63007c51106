import assert from 'node:assert/strict';
import type { Condition, Conditions } from '../src/clusters.ts';
import { conditionWords, withWords } from '../src/event-words.ts';

const is = (status: Condition['status'], message = ''): Condition => ({
  status,
  reason: 'a_code',
  message,
  sinceMs: 0,
});
const ready: Conditions = { kernel: is('yes'), engine: is('yes'), billing: is('yes'), cleanup: is('no') };

describe('what can be said of a cluster besides its phase', () => {
  it('is said in words, and not at all where it goes without saying', () => {
    assert.deepEqual(conditionWords({ phase: 'ready', conditions: ready }), [
      'Notebook server ready',
      'Setup complete',
      'Billing',
    ]);
  });

  it('says of an end what is waited for', () => {
    const conditions: Conditions = {
      kernel: is('no'),
      engine: is('no'),
      billing: is('yes', 'Billing until Vast confirms.'),
      cleanup: is('no', 'Waiting for confirmation that 1 machine is gone.'),
    };
    assert.deepEqual(conditionWords({ phase: 'stopping', conditions }), [
      'Billing until Vast confirms.',
      'Waiting for confirmation that 1 machine is gone.',
    ]);
  });

  it('names nothing twice', () => {
    assert.equal(withWords('Installing', 'Installing packages.'), 'Installing packages.');
    assert.equal(withWords('Starting', 'Connected.'), 'Starting: Connected.');
    assert.equal(withWords('Ready', ''), 'Ready');
    assert.equal(withWords('', 'Cut.'), 'Cut.');
  });
});
