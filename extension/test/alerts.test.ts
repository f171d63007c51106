import assert from 'node:assert/strict';
import type { HitchApi } from '@hitch/contract';
import { savedBy, stopPlan } from '@hitch/contract/src/stop-plan.ts';
import { notebookName } from '../src/kernel/notebooks.ts';
import { alertsOf, Departures, Standing } from '../src/status/alerts.ts';
import { RemoteStandIn } from './remote-stand-in.ts';
import { at, cluster, kernel, NOW } from './sample.ts';

const titleOf = () => 'Vast';
const ending = (stopAtMs: number, change = {}) =>
  cluster({ caps: { totalMicroUsd: '2000000', stopAtMs, idleMs: null }, ...change });

describe('a message that stands until its cause is over', () => {
  it('goes with its cause, or when a person closes it, and no sooner', async () => {
    const standing = new Standing();
    const gone: string[] = [];
    for (const key of ['one', 'other', 'closed']) {
      void standing.stand(key).then(() => gone.push(key));
    }
    standing.end('closed');
    standing.keep([{ key: 'one' }, { key: 'other' }]);
    await Promise.resolve();
    assert.deepEqual(gone, ['closed']);
    standing.keep([{ key: 'one' }]);
    await Promise.resolve();
    assert.deepEqual(gone, ['closed', 'other']);
    standing.keep([]);
    await Promise.resolve();
    assert.deepEqual(gone, ['closed', 'other', 'one']);
  });
});

describe('what a person is told although they look elsewhere', () => {
  it('is that a cluster stops within ten minutes, once for one stop time', () => {
    const [first] = alertsOf([ending(NOW + 9 * 60_000)], NOW, titleOf);
    assert.equal(
      first?.text,
      'llm-dev stops in 9 min ($1.13 of $2.00 spent): nothing is saved, and the machine is deleted with everything on it.',
    );
    assert.deepEqual(first.actions, ['extend', 'stop']);
    const [later] = alertsOf([ending(NOW + 9 * 60_000)], NOW + 60_000, titleOf);
    assert.equal(later?.key, first.key);
    const [extended] = alertsOf([ending(NOW + 69 * 60_000)], NOW + 60 * 60_000, titleOf);
    assert.notEqual(extended?.key, first.key);
  });

  it('names what is saved', () => {
    const saving = ending(NOW + 60_000, { save: { paths: ['results'], toFolder: null } });
    assert.match(
      alertsOf([saving], NOW, titleOf)[0]?.text ?? '',
      /~\/work\/results is saved, then the machine is deleted/,
    );
  });

  it('is nothing while all is well, or when it already stops', () => {
    assert.deepEqual(alertsOf([cluster()], NOW, titleOf), []);
    assert.deepEqual(alertsOf([ending(NOW + 60_000, { phase: 'stopping' })], NOW, titleOf), []);
  });

  it('is that one does not answer, without a claim about its network', () => {
    const silent = cluster({ phase: 'unreachable', phaseSinceMs: at(14, 2) });
    assert.equal(
      alertsOf([silent], NOW, titleOf)[0]?.text,
      'llm-dev has not answered since 14:02; it may still bill $0.42/h. Work there may continue; your stop limits still apply.',
    );
  });

  it('is that one is over and may still bill', () => {
    const [alert] = alertsOf([cluster({ phase: 'failed' })], NOW, titleOf);
    assert.match(alert?.text ?? '', /Vast has not confirmed that its machine is gone/);
    assert.deepEqual(alertsOf([cluster({ phase: 'failed', practice: true })], NOW, titleOf), []);
  });
});

describe('a cluster that goes', () => {
  const gone = cluster({ phase: 'stopped', endedAtMs: at(18, 12) }, { clean: true });

  it('is said once, when its network has confirmed it', () => {
    const departures = new Departures();
    assert.deepEqual(departures.look([cluster()], NOW, titleOf), []);
    assert.deepEqual(departures.look([cluster({ phase: 'stopping' })], NOW, titleOf), []);
    assert.deepEqual(departures.look([cluster({ phase: 'stopped' })], NOW, titleOf), []);
    assert.deepEqual(departures.look([gone], NOW, titleOf), [
      'llm-dev is gone, confirmed 18:12, $1.13 total.',
    ]);
    assert.deepEqual(departures.look([gone], NOW, titleOf), []);
  });

  it('is told of by the window after the one in which it ran, once, and is forgotten with the list', () => {
    const before = new Departures();
    before.look([cluster()], NOW, titleOf);
    assert.deepEqual(before.here, [cluster().id]);
    const departures = new Departures(before.here);
    assert.equal(departures.look([gone], NOW, titleOf).length, 1);
    assert.deepEqual(departures.here, []);
    const removed = new Departures(before.here);
    removed.look([], NOW, titleOf);
    assert.deepEqual(removed.here, []);
  });

  it('is no news where it was gone when the window opened, and says why where it failed', () => {
    const departures = new Departures();
    assert.deepEqual(departures.look([gone], NOW, titleOf), []);
    const failed = cluster({ phase: 'failed', message: 'No GPU visible.' }, { clean: true });
    departures.look([cluster()], NOW, titleOf);
    assert.deepEqual(departures.look([failed], NOW, titleOf), [
      'llm-dev: No GPU visible; gone, $1.13 total.',
    ]);
  });
});

describe('what a stop would save and lose', () => {
  const remote = new RemoteStandIn();
  const api = {
    files: remote.files,
    kernels: { list: () => Promise.resolve([kernel({ state: 'busy' }), kernel({ id: 'k2' })]) },
    // Only what is asked for is there.
  } as unknown as HitchApi;
  const plan = (paths: string[]) =>
    stopPlan(api, cluster({ save: { paths, toFolder: null } }), {
      signal: new AbortController().signal,
      nameOf: notebookName,
    });

  beforeEach(async () => {
    remote.clear();
    await remote.files.makeFolder({ path: 'data' });
    await remote.files.makeFolder({ path: 'data/out' });
    remote.put('data/train.bin', 14_000_000_000);
    remote.put('data/out/model.pt', 1_200_000_000);
    remote.put('notes.md', 10);
    remote.put('empty', 0);
  });

  it('is counted in the work folder, also where only a part of a folder is saved', async () => {
    const counted = await plan(['data/out']);
    assert.deepEqual(counted.interrupts, ['train.ipynb']);
    assert.deepEqual(counted.saves, [
      { path: '~/work/data/out', sizeBytes: 1_200_000_000, takesMs: null, orMore: false },
    ]);
    const [alert] = alertsOf([ending(NOW + 9 * 60_000)], NOW, titleOf);
    assert.equal(
      alert?.textWith?.(counted, NOW),
      'llm-dev stops in 9 min ($1.13 of $2.00 spent): train.ipynb is interrupted, ~/work/data/out (1.2 GB) is saved, then the machine is deleted with everything on it. ' +
        'Not saved: ~/work/data (14 GB), ~/work/notes.md (10 bytes).',
    );
  });

  it('names the largest, and says when not all was counted', async () => {
    for (let index = 0; index < 400; index++) {
      await remote.files.makeFolder({ path: `f${index.toString()}` });
    }
    remote.put('a', 3);
    remote.put('b', 2);
    remote.put('f0/c', 1);
    const { notSaved } = await plan([]);
    assert.deepEqual(
      notSaved.slice(0, 3).map(({ path }) => path),
      ['~/work/data', '~/work/notes.md', '~/work/a'],
    );
    assert.match(notSaved[3]?.path ?? '', /more$/);
    assert.equal(notSaved[3]?.orMore, true);
  });

  it('is all saved with the work folder itself', async () => {
    assert.deepEqual((await plan(['.'])).notSaved, []);
    assert.deepEqual([savedBy('data/x', ['data/']), savedBy('database', ['data'])], ['data/', null]);
  });

  it('can be saved and stopped at once where something is saved', () => {
    const saving = ending(NOW + 60_000, { save: { paths: ['results'], toFolder: null } });
    assert.deepEqual(alertsOf([saving], NOW, titleOf)[0]?.actions, ['extend', 'saveAndStop']);
  });
});
