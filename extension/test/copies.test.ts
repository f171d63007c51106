import assert from 'node:assert/strict';
import { type Account, type Copy, HitchError, type HitchApi, type OutcomeName } from '@hitch/contract';
import { allNames } from '../src/files/all-names.ts';
import { accountText, conflictQuestion, endOf, percentOf } from '../src/files/copy-texts.ts';
import { isIn } from '../src/files/places.ts';
import { copyOf } from './sample.ts';

const words = { doing: 'Sending to llm-dev', done: 'Sent to llm-dev' };
const account = (change: Partial<Account> = {}): Account => ({ ...copyOf().account, ...change });
const named = (...paths: string[]): OutcomeName[] => paths.map(path => ({ path, detail: '' }));

describe('the question about what stands in the way', () => {
  const asking = (names: string[], count = names.length) =>
    conflictQuestion(copyOf({ state: 'asking', inTheWay: { count, names } }));

  it('has the answer first that loses nothing', () => {
    assert.deepEqual(
      asking(['x.csv']).choices.map(({ label, conflict }) => [label, conflict]),
      [
        ['Keep Both', 'keep-both'],
        ['Skip It', 'skip'],
        ['Replace', 'replace'],
      ],
    );
    assert.equal(asking(['x.csv', 'y.csv']).choices[1]?.label, 'Skip Them');
  });

  it('says how much is copied, what is in the way, and what becomes of that', () => {
    assert.equal(
      asking(['x.csv']).detail,
      '3 files, 15 bytes.\nx.csv already exists there and differs.\nKeep Both: the existing file is kept under a name with the date.',
    );
    assert.match(
      asking(['a', 'b', 'c', 'd'], 9).detail,
      /^9 of them already exist there and differ: a, b, c, 6 more\.$/m,
    );
  });

  it('writes out what would turn a name around', () => {
    assert.match(asking(['a\u202egnp.exe\nb']).detail, /^a\\u202egnp\.exe\\u000ab already exists there/m);
  });
});

describe('the end of a copy', () => {
  const end = (change: Partial<Copy>) => endOf(copyOf(change), words);

  it('says what was copied, and what became of the rest', () => {
    assert.deepEqual(end({ account: account({ sameFiles: 2 }) }), {
      kind: 'all',
      text: 'Sent to llm-dev: 3 files, 15 bytes copied, 2 there already.',
      hasNames: false,
    });
    const kept = account({
      outcomes: { keptBeside: { count: 1, names: [{ path: 'x.csv', detail: 'x (2026-11-22).csv' }] } },
    });
    const { kind, text, hasNames } = end({ account: kept });
    assert.deepEqual([kind, hasNames], ['all', true]);
    assert.match(text, /x\.csv as x \(2026-11-22\)\.csv\.$/);
  });

  it('says so when there was nothing', () => {
    const nothing = account({ copiedFiles: 0, copiedBytes: 0 });
    assert.equal(end({ account: nothing }).text, 'Sending to llm-dev: there was nothing to copy.');
  });

  it('warns of what is missing by name', () => {
    const { kind, text } = end({
      account: account({
        outcomes: { unreadable: { count: 1, names: [{ path: 'key.pem', detail: 'permission denied' }] } },
      }),
    });
    assert.equal(kind, 'missing');
    assert.equal(
      text,
      'Sent to llm-dev: 3 files, 15 bytes copied. Not everything was copied: 1 unreadable: key.pem (permission denied).',
    );
  });

  it('says why it failed, and what to do', () => {
    const problem = {
      code: 'STORAGE_FULL' as const,
      message: 'The disk of llm-dev is full.',
      next: 'Remove something there.',
      retryable: false,
    };
    assert.deepEqual(end({ state: 'failed', problem }), {
      kind: 'failed',
      text: 'Sending to llm-dev failed. Not everything was copied: The disk of llm-dev is full. Remove something there.',
      hasNames: false,
    });
  });

  it('is no failure when somebody gave it up', () => {
    const given = account({ outcomes: { notCopied: { count: 2, names: named('a', 'b') } } });
    assert.deepEqual(
      [end({ state: 'cancelled', account: given }).kind, end({ state: 'cancelled' }).text],
      ['cancelled', 'Sending to llm-dev: cancelled. Start it again to resume.'],
    );
  });

  it('says of a save where it lies', () => {
    const saved = copyOf({ kind: 'save', target: '/home/ada/.hitch/saved/llm-dev' });
    assert.match(endOf(saved, words).text, /copied\. Saved in \/home\/ada\/\.hitch\/saved\/llm-dev\.$/);
  });
});

describe('the full account of a copy', () => {
  const outcomes = {
    gone: { count: 3, names: named('a') },
    renamed: { count: 1, names: [{ path: 'x:y', detail: 'x_y' }] },
  };
  const copy = copyOf({ account: account({ outcomes }) });
  const apiWith = (names: HitchApi['copies']['names']) =>
    // Only what is asked for is there.
    ({ copies: { names } }) as unknown as Pick<HitchApi, 'copies'>;

  it('has every name, in pages, and asks for none that it has', async () => {
    const asked: unknown[] = [];
    const api = apiWith(async ({ outcome, after }) => {
      asked.push([outcome, after]);
      return after === 0 ? { names: named('a', 'b'), next: 2 } : { names: named('c'), next: null };
    });
    const text = accountText(words.done, copy.account, await allNames(api, copy));
    assert.deepEqual(asked, [
      ['gone', 0],
      ['gone', 2],
    ]);
    assert.equal(
      text,
      'Sent to llm-dev: 3 files, 15 bytes copied\n\n3 not found\n  a\n  b\n  c\n\n' +
        '1 stored under another name\n  x:y as x_y\n',
    );
  });

  it('has what is known where the daemon no longer knows the copy', async () => {
    const api = apiWith(() => Promise.reject(new HitchError('NOT_FOUND', 'There is no such copy.')));
    const text = accountText(words.done, copy.account, await allNames(api, copy));
    assert.match(text, /3 not found\n {2}a\n {2}and 2 more\n/);
  });
});

describe('a copy’s progress', () => {
  it('is in bytes, and unknown while the files are looked through', () => {
    const half = { doneBytes: 5, bytes: 10 };
    assert.equal(percentOf({ state: 'copying', ...half }), 50);
    assert.equal(percentOf({ state: 'listing', ...half }), null);
    assert.equal(percentOf({ state: 'copying', doneBytes: 0, bytes: 0 }), null);
  });
});

describe('a folder that something was copied into', () => {
  it('is known from those beside it', () => {
    assert.deepEqual(
      [isIn('data', ''), isIn('data/x', 'data'), isIn('data', 'data'), isIn('database', 'data')],
      [true, true, true, false],
    );
  });
});
