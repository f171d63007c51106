import assert from 'node:assert/strict';
import { HitchError } from '@hitch/contract';
import type { Entry } from '../../src/files/local-files.ts';
import { missingPath, parsePlace, placesOf } from '../../src/files/missing-file.ts';
import { asKeptThere, asSeenHere } from '../../src/files/notebook-names.ts';
import { splitDrive, tidy } from '../../src/files/paths.ts';
import { type Listing, planCopy, settle } from '../../src/files/plan.ts';

describe('what a cell missed', () => {
  const error = (evalue: string, ename = 'FileNotFoundError') => missingPath({ ename, evalue });

  it('is the path in the error, as the cell wrote it', () => {
    assert.equal(error("[Errno 2] No such file or directory: 'data/x.csv'"), 'data/x.csv');
    assert.equal(error(`[Errno 2] No such file or directory: "it's.csv"`), "it's.csv");
    assert.equal(error("[Errno 2] No such file or directory: 'a\\'b\"c.csv'"), 'a\'b"c.csv');
    assert.equal(error("[Errno 2] No such file or directory: b'x.bin'"), 'x.bin');
    assert.equal(error("[Errno 2] No such file or directory: 'a' -> 'b'"), 'a');
  });

  it('is nothing in other errors', () => {
    assert.equal(error("[Errno 2] No such file or directory: 'x'", 'OSError'), null);
    assert.equal(error('no path at all'), null);
    assert.equal(error("[Errno 2] No such file or directory: ''"), null);
  });

  it('lies beside the notebook here, and where the cell looked there', () => {
    const root = { cwd: '/w', workFolder: '/w' };
    assert.deepEqual(placesOf('data/x.csv', 'proj', root), {
      local: 'proj/data/x.csv',
      remote: 'data/x.csv',
    });
    const deeper = { cwd: '/w/proj', workFolder: '/w/' };
    assert.deepEqual(placesOf('./x.csv', 'proj', deeper), { local: 'proj/x.csv', remote: 'proj/x.csv' });
    assert.deepEqual(placesOf('../x.csv', 'proj', deeper), { local: 'x.csv', remote: 'x.csv' });
    assert.deepEqual(placesOf('/w/proj/x.csv', '', deeper), { local: 'x.csv', remote: 'proj/x.csv' });
  });

  it('is not offered where it could not be put', () => {
    assert.equal(placesOf('../x.csv', 'proj', { cwd: '/w', workFolder: '/w' }), null);
    assert.equal(placesOf('/etc/passwd', 'proj', { cwd: '/w', workFolder: '/w' }), null);
    assert.equal(placesOf('x.csv', '', { cwd: '/elsewhere', workFolder: '/w' }), null);
    assert.equal(placesOf('.', '', { cwd: '/w', workFolder: '/w' }), null);
  });

  it('is looked for where the kernel says that it is', () => {
    assert.deepEqual(parsePlace(`'["/w/a b", "/w"]'`), { cwd: '/w/a b', workFolder: '/w' });
    assert.deepEqual(parsePlace(`'["/w/f\\\\u00fcr", "/w"]'`), { cwd: '/w/für', workFolder: '/w' });
    assert.equal(parsePlace('None'), null);
  });
});

describe('a notebook on a cluster', () => {
  const notebook = (kernelspec: object | undefined) => ({ cells: [], metadata: { kernelspec, other: 1 } });

  it('runs on that cluster when it is opened, and is kept with the cluster’s own names', () => {
    const kept = notebook({ name: 'python3', display_name: 'Python 3', language: 'python' });
    const seen = asSeenHere(kept, 'llm-dev');
    assert.deepEqual(
      seen,
      notebook({ name: 'hitch-llm-dev--python3', display_name: 'Python 3', language: 'python' }),
    );
    assert.deepEqual(asKeptThere(seen, 'llm-dev'), kept);
  });

  it('runs on that cluster when it names no kernel yet', () => {
    const { metadata } = asSeenHere(notebook(undefined), 'llm-dev') as ReturnType<typeof notebook>;
    assert.deepEqual(metadata.kernelspec, {
      name: 'hitch-llm-dev--python3',
      display_name: 'Python 3',
      language: 'python',
    });
  });

  it('keeps the kernel of another cluster', () => {
    const other = notebook({ name: 'hitch-other--python3', display_name: 'Python 3 · other' });
    assert.deepEqual(asSeenHere(other, 'llm-dev'), other);
    assert.deepEqual(asKeptThere(other, 'llm-dev'), other);
  });
});

describe('paths', () => {
  it('name a drive only when there is one of that name', () => {
    const isDrive = (name: string) => name === 'llm-dev';
    assert.deepEqual(splitDrive('llm-dev:data/x', isDrive), { drive: 'llm-dev', path: 'data/x' });
    assert.deepEqual(splitDrive('llm-dev:/x', isDrive), { drive: 'llm-dev', path: 'x' });
    assert.equal(splitDrive('odd:name.txt', isDrive), null);
    assert.equal(splitDrive('a/llm-dev:x', isDrive), null);
  });

  it('stay inside their root', () => {
    assert.equal(tidy('a/./b/../c'), 'a/c');
    assert.equal(tidy('../a'), null);
    assert.equal(tidy('C:/a'), null);
  });
});

describe('a copy', () => {
  const file = (path: string, sizeBytes = 1): Entry => ({
    path,
    name: path.split('/').at(-1) ?? '',
    kind: 'file',
    sizeBytes,
  });
  const folder = (path: string): Entry => ({ ...file(path, 0), kind: 'folder' });
  const side = (folders: Record<string, Entry[]>): Listing => ({
    list: async path => {
      const found = folders[path];
      if (found === undefined) throw new HitchError('NOT_FOUND', path);
      return found;
    },
  });

  it('takes folders whole, without what tools leave in them', async () => {
    const here = side({
      data: [file('data/a', 5), folder('data/.git'), folder('data/sub'), folder('data/__pycache__')],
      'data/sub': [file('data/sub/b', 7)],
    });
    const plan = await planCopy(here, side({}), [folder('data'), file('x', 1)], 'to');
    assert.deepEqual(
      plan.files.map(({ from, to }) => [from, to]),
      [
        ['data/a', 'to/data/a'],
        ['data/sub/b', 'to/data/sub/b'],
        ['x', 'to/x'],
      ],
    );
    assert.deepEqual(plan.folders, ['to', 'to/data', 'to/data/sub']);
    assert.equal(plan.sizeBytes, 13);
  });

  it('knows what stands in its way, and does as it is told', async () => {
    const there = side({ '': [file('x.csv'), file('x-1.csv'), folder('data')], data: [file('data/a')] });
    const here = side({ data: [file('data/a'), file('data/new')] });
    const plan = await planCopy(here, there, [file('x.csv'), folder('data')], '');
    const standing = plan.files.filter(({ inTheWay }) => inTheWay);
    assert.deepEqual(
      standing.map(({ to }) => to),
      ['x.csv', 'data/a'],
    );
    assert.deepEqual(
      settle(plan, 'skip').files.map(({ to }) => to),
      ['data/new'],
    );
    assert.deepEqual(
      settle(plan, 'keep-both').files.map(({ to }) => to),
      ['x-2.csv', 'data/a-1', 'data/new'],
    );
    assert.deepEqual(settle(plan, 'replace'), plan);
  });
});
