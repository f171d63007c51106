/** What a person reads of a copy: while it goes on, where something stands in the way, and how it ended. */
import assert from 'node:assert/strict';
import type { Copy } from '@hitch/contract';
import { fitting } from '../../src/actions/fitting.ts';
import {
  type CopyWords,
  endingOf,
  inTheWayLines,
  nameLine,
  outcomesIn,
  progressMessage,
  progressOf,
} from '../../src/copies/words.ts';
import { testCopy, trans } from '../support.ts';

const words: CopyWords = { trans, name: 'llm-dev', doing: 'Sending to llm-dev', done: 'Sent to llm-dev' };

const withOutcomes = (outcomes: Copy['account']['outcomes'], changes: Partial<Copy> = {}): Copy =>
  testCopy({ account: { copiedFiles: 3, copiedBytes: 3_000, sameFiles: 0, outcomes }, ...changes });

describe('a copy that goes on', () => {
  it('says how far it is', () => {
    const copy = testCopy({ state: 'copying', doneFiles: 1, doneBytes: 1_500 });
    assert.equal(progressMessage(words, copy), 'Sending to llm-dev: 1 of 3 files, 1.5 of 3 kB');
    assert.equal(progressOf(copy), 0.5);
  });

  it('has a share also where there is nothing to weigh', () => {
    assert.equal(
      progressOf(testCopy({ state: 'listing', files: 0, bytes: 0, doneFiles: 0, doneBytes: 0 })),
      0,
    );
    assert.equal(progressOf(testCopy({ files: 4, bytes: 0, doneFiles: 1, doneBytes: 0 })), 0.25);
  });
});

describe('files in the way of a copy', () => {
  it('are counted and named, with what each answer does', () => {
    const lines = inTheWayLines(words, testCopy({ inTheWay: { count: 2, names: ['a.csv', 'b\u202e.csv'] } }));
    assert.deepEqual(lines.slice(0, 2), [
      'Sending to llm-dev: 3 files, 3 kB.',
      '2 of them already exist there and differ: a.csv, b\\u202e.csv.',
    ]);
    assert.match(lines.slice(2).join(' '), /^Keep both: .* Skip: .* Replace: .* lost\.$/);
  });

  it('are named in part when they are many', () => {
    const inTheWay = { count: 12, names: ['a', 'b', 'c', 'd'] };
    assert.match(inTheWayLines(words, testCopy({ inTheWay })).join(' '), /differ: a, b, c, 9 more\./);
  });
});

describe('a copy that has ended', () => {
  it('tells what was copied, and what is other than asked', () => {
    const kept = { count: 1, names: [{ path: 'a.csv', detail: 'a.2026-11-25.csv' }] };
    assert.deepEqual(endingOf(words, withOutcomes({ keptBeside: kept })), {
      kind: 'whole',
      message:
        'Sent to llm-dev: 3 files, 3 kB copied. 1 kept, renamed with the date: a.csv as a.2026-11-25.csv.',
    });
  });

  it('says where a save lies, before what a notification may cut', () => {
    const gone = { count: 1, names: [{ path: 'x'.repeat(200), detail: '' }] };
    const { message } = endingOf(
      words,
      withOutcomes({ changed: gone }, { kind: 'save', target: '/home/ann/saved' }),
    );
    assert.equal(fitting(message), 'Sent to llm-dev: 3 files, 3 kB copied. Saved in /home/ann/saved.');
  });

  it('is no success when there was nothing to copy', () => {
    const account = { copiedFiles: 0, copiedBytes: 0, sameFiles: 0, outcomes: {} };
    assert.equal(endingOf(words, testCopy({ account })).kind, 'nothing');
    assert.equal(endingOf(words, testCopy({ account: { ...account, sameFiles: 2 } })).kind, 'whole');
  });

  it('warns when something is missing, naming it', () => {
    const unreadable = { count: 1, names: [{ path: 'secret.pem', detail: 'permission denied' }] };
    const ending = endingOf(words, withOutcomes({ unreadable }));
    assert.equal(ending.kind, 'missing');
    assert.match(ending.message, /^llm-dev: Not everything was copied: .*secret\.pem \(permission denied\)/);
  });

  it('says why it failed and what to do', () => {
    const problem = {
      code: 'STORAGE_FULL',
      message: 'The disk is full.',
      next: 'Make room and try again.',
      retryable: true,
    } as const;
    const ending = endingOf(words, testCopy({ state: 'failed', problem }));
    assert.equal(ending.kind, 'failed');
    assert.match(ending.message, /^llm-dev: .*The disk is full\. Make room and try again\.$/);
  });

  it('goes on where it stopped when it was cancelled', () => {
    const notCopied = { count: 2, names: [] };
    const ending = endingOf(words, withOutcomes({ notCopied }, { state: 'cancelled' }));
    assert.equal(ending.kind, 'cancelled');
    assert.match(ending.message, /^Sending to llm-dev: cancelled\. /);
  });
});

describe('the names of an account', () => {
  it('stand by what became of them', () => {
    const copy = withOutcomes({
      skipped: { count: 2, names: [] },
      unreadable: { count: 1, names: [] },
      gone: { count: 0, names: [] },
    });
    assert.deepEqual(
      outcomesIn(copy).map(({ outcome, count }) => `${outcome} ${String(count)}`),
      ['unreadable 1', 'skipped 2'],
    );
  });

  it('say the other name or the reason, and hide nothing', () => {
    assert.equal(nameLine('renamed', { path: 'a:b', detail: 'a_b' }, trans), 'a:b as a_b');
    assert.equal(nameLine('unreadable', { path: 'a\nb', detail: 'refused' }, trans), 'a\\u000ab (refused)');
    assert.equal(nameLine('gone', { path: 'a', detail: '' }, trans), 'a');
  });
});
