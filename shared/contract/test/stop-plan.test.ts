import assert from 'node:assert/strict';
import type { Cluster, FileEntry, HitchApi } from '../src/index.ts';
import { lossesOf, stopPlan } from '../src/stop-plan.ts';
import { notSavedWords } from '../src/words.ts';

/** Of a cluster the plan needs its id and what it saves. */
const saving = (...paths: string[]): Cluster =>
  ({ id: 'cl_1', phase: 'ready', save: { paths, toFolder: null } }) as unknown as Cluster;

const folder = (path: string) => ({ kind: 'folder', path }) as FileEntry;
const file = (path: string, sizeBytes: number) => ({ kind: 'file', path, sizeBytes }) as FileEntry;

const FOLDERS: Readonly<Record<string, readonly FileEntry[]>> = {
  '': [folder('data'), folder('out'), file('notes.md', 10)],
  data: [file('data/a.bin', 1_200_000_000), folder('data/more')],
  out: [file('out/model.pt', 5_000)],
  'data/more': [file('data/more/b.bin', 3_000_000_000)],
};

/** A cluster whose folders are answered until the one named, which fails as given. */
function asked(until: string | null, fail: () => Promise<never>): HitchApi {
  const list = ({ path }: { path: string }): Promise<readonly FileEntry[]> =>
    path === until ? fail() : Promise.resolve(FOLDERS[path] ?? []);
  return {
    files: { list },
    kernels: { list: () => Promise.resolve([]) },
  } as unknown as HitchApi;
}

describe('what a stop loses, when not all of it was counted in time', () => {
  const late = (): Promise<never> => Promise.reject(new DOMException('too late', 'TimeoutError'));

  it('is what was counted, as more than that', async () => {
    const signal = new AbortController().signal;
    const { saves, notSaved } = await stopPlan(asked('data/more', late), saving('out'), { signal });
    assert.deepEqual(saves, [{ path: '~/work/out', takesMs: null, sizeBytes: 5_000, orMore: false }]);
    assert.deepEqual(notSaved, [
      { path: '~/work/data', sizeBytes: 1_200_000_000, orMore: true },
      { path: '~/work/notes.md', sizeBytes: 10, orMore: false },
    ]);
    assert.equal(
      notSavedWords({ notSaved }),
      'Not saved: ~/work/data (more than 1.2 GB), ~/work/notes.md (10 bytes).',
    );
  });

  it('names what was not looked into at all', async () => {
    assert.deepEqual(await lossesOf(asked('data', late), saving()), {
      words: 'Not saved: ~/work/notes.md (10 bytes), ~/work/data (not counted), ~/work/out (not counted).',
      paths: ['notes.md', 'data', 'out'],
      counted: true,
    });
  });

  it('is all of it, with its size, when the cluster answered in time', async () => {
    assert.deepEqual(await lossesOf(asked(null, late), saving('out')), {
      words: 'Not saved: ~/work/data (4.2 GB), ~/work/notes.md (10 bytes).',
      paths: ['data', 'notes.md'],
      counted: true,
    });
  });

  it('is not known when nothing was answered', async () => {
    const { words, paths, counted } = await lossesOf(asked('', late), saving());
    assert.match(words ?? '', /could not be counted/);
    assert.deepEqual([paths, counted], [[''], false]);
    assert.equal((await lossesOf(asked('', late), saving('.'))).words, null, 'all of it is saved anyway');
    const { signal } = new AbortController();
    await assert.rejects(stopPlan(asked('', late), saving(), { signal }), /too late/);
  });
});
