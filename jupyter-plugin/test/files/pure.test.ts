import assert from 'node:assert/strict';
import { clusterIdSchema, copyRequestSchema } from '@hitch/contract';
import { localPathOf } from '../../src/files/local-files.ts';
import { parsePlace, placesOf } from '../../src/files/missing-file.ts';
import { asKeptThere, asSeenHere } from '../../src/files/notebook-names.ts';
import { freeName, splitDrive, tidy } from '../../src/files/paths.ts';
import { fetchInto, sendAs, sendInto } from '../../src/files/requests.ts';

describe('what a cell missed', () => {
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

  it('find a name that is free', () => {
    assert.equal(freeName('x.csv', new Set()), 'x.csv');
    assert.equal(freeName('x.csv', new Set(['x.csv', 'x-1.csv'])), 'x-2.csv');
    assert.equal(freeName('.env', new Set(['.env'])), '.env-1');
  });
});

describe('what is asked of the daemon', () => {
  const clusterId = clusterIdSchema.parse('clu_01ARZ3NDEKTSV4RRFFQ69G5FAV');
  const contents = (...drives: string[]) => {
    const driveName = (path: string) => drives.find(name => path.startsWith(`${name}:`)) ?? '';
    const localPath = (path: string) =>
      driveName(path) === '' ? path : path.slice(driveName(path).length + 1);
    return { driveName, localPath };
  };

  it('names local files below the server’s root, whatever shows them', () => {
    assert.equal(localPathOf(contents('RTC'), 'RTC:data/x.csv'), 'data/x.csv');
    assert.equal(localPathOf(contents('RTC'), 'data/x.csv'), 'data/x.csv');
    assert.equal(localPathOf(contents(), 'odd:name.txt'), 'odd:name.txt');
  });

  it('names nothing of another drive, such as a cluster’s', () => {
    assert.equal(localPathOf(contents('llm-dev', 'S3'), 'llm-dev:data'), null);
    assert.equal(localPathOf(contents('llm-dev', 'S3'), 'S3:data'), null);
  });

  it('is to be asked about what stands in the way, always', () => {
    const requests = [
      sendInto(clusterId, ['a', 'b'], 'to'),
      sendAs(clusterId, 'a', 'data/a'),
      fetchInto(clusterId, ['a'], ''),
    ];
    assert.deepEqual(
      requests.map(request => copyRequestSchema.parse(request)).map(({ conflict, all }) => [conflict, all]),
      requests.map(() => ['ask', false]),
    );
    assert.deepEqual(
      requests.map(({ intoFolder }) => intoFolder),
      [true, false, true],
    );
  });
});
