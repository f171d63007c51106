import assert from 'node:assert/strict';
import { rateWords, waitWords } from '../src/index.ts';
import { at, NOW } from './support/moment.ts';

describe('a machine that is waited for', () => {
  const node = { message: 'It fetches the image.', phaseSinceMs: at(14, 0), waitsUntilMs: at(14, 15) };

  it('says for what, and until when, once it takes longer than usual', () => {
    assert.equal(waitWords(node, NOW), 'It fetches the image; Hitch gives up at 14:15');
    assert.equal(waitWords({ ...node, message: '' }, NOW), 'Hitch gives up at 14:15');
    assert.equal(waitWords({ ...node, phaseSinceMs: NOW - 1_000 }, NOW), null);
    assert.equal(waitWords({ ...node, waitsUntilMs: null }, NOW), null);
    assert.equal(waitWords({ message: '', phaseSinceMs: 0 }, NOW), null, 'a daemon that says no end');
  });
});

describe('what a cluster costs an hour', () => {
  it('is what was agreed to, with what of it there is while machines are still to appear', () => {
    assert.equal(rateWords({ ratePerHourMicroUsd: '2400000' }), '$2.40/h');
    assert.equal(
      rateWords({ ratePerHourMicroUsd: '2400000', agreedRatePerHourMicroUsd: '4800000' }),
      '$4.80/h ($2.40/h of it so far)',
    );
  });
});
