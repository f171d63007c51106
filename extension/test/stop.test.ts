import assert from 'node:assert/strict';
import { jobsAtStop } from '@hitch/contract/src/stop-plan.ts';
import { isStopClear, stopQuestion } from '../src/clusters/stop.ts';
import { cluster } from './sample.ts';

const saving = cluster({ save: { paths: ['results'], toFolder: null } });
const nothingLost = { words: null, paths: [], counted: true };
const lost = { words: 'Not saved: ~/work/model.pt (2 MB).', paths: ['model.pt'], counted: true };
const labels = ({ choices }: ReturnType<typeof stopQuestion>) => choices.map(({ label }) => label);

describe('the answers to a stop', () => {
  it('offers first to save what would be lost', () => {
    for (const each of [cluster(), saving]) {
      const question = stopQuestion(each, lost, null);
      assert.deepEqual(labels(question), ['Save These and Stop', 'Stop without Saving These']);
      const [first, second] = question.choices;
      assert.deepEqual([first?.savePaths, first?.skipSave], [['model.pt'], false]);
      // As it was asked for when it was rented: what was named is saved all the same.
      assert.deepEqual([second?.savePaths, second?.skipSave], [[], false]);
    }
  });

  it('names what would be lost, and what is saved in any case', () => {
    const detail = stopQuestion(saving, lost, 'train.ipynb runs on it.').detail.split('\n');
    assert.deepEqual(detail.slice(0, 3), [
      'train.ipynb runs on it.',
      '~/work/results is saved to this computer first.',
      lost.words,
    ]);
    assert.match(
      stopQuestion(cluster(), lost, null).detail,
      /^Not saved: .*\nThe machine is deleted with everything on it\.\nSpent so far: \$1\.13/,
    );
  });

  it('names the jobs that run, and what becomes of them', async () => {
    const listed = (state: string) => ({ jobs: { list: () => Promise.resolve([{ name: 'train', state }]) } });
    const words = await jobsAtStop(listed('running') as never, cluster());
    assert.match(words ?? '', /^1 job is running: train\. A stop ends what runs; the log so far stays/);
    assert.equal(stopQuestion(cluster(), nothingLost, null, words).detail.split('\n')[0], words);
    assert.equal(isStopClear(saving, nothingLost, words), false, 'a job that runs is asked about');
    assert.equal(await jobsAtStop(listed('succeeded') as never, cluster()), null);
    const away = { jobs: { list: () => Promise.reject(new Error('away')) } };
    assert.match(
      (await jobsAtStop(away as never, cluster())) ?? '',
      /^Whether a job is running could not be asked/,
    );
  });

  it('says of practice that nobody is charged', () => {
    const { detail } = stopQuestion(cluster({ practice: true }), nothingLost, null);
    assert.match(detail, /Practice: nobody is charged\.$/);
    assert.doesNotMatch(detail, /Billing/);
  });

  it('says what this run has cost, as the row does, where there was one before', () => {
    const { usage } = cluster();
    const again = cluster({
      usage: { ...usage, accruedMicroUsd: '20670000', spentBeforeMicroUsd: '20000000' },
    });
    assert.match(stopQuestion(again, nothingLost, null).detail, /Spent so far: \$0\.67\./);
  });

  it('has a plain yes where nothing is lost', () => {
    assert.deepEqual(labels(stopQuestion(cluster(), nothingLost, null)), ['Stop']);
    assert.match(
      stopQuestion(cluster(), nothingLost, null).detail,
      /^⚠ Nothing is saved: no paths were chosen\.\nThe machine is deleted/,
    );
    const { choices } = stopQuestion(saving, nothingLost, null);
    assert.deepEqual(
      choices.map(({ label, skipSave }) => [label, skipSave]),
      [
        ['Save and Stop', false],
        ['Stop without Saving', true],
      ],
    );
  });

  it('is left out after a message only where something is saved and nothing else is lost', () => {
    assert.deepEqual(
      [
        isStopClear(saving, nothingLost, null),
        isStopClear(saving, lost, null),
        isStopClear(cluster(), nothingLost, null),
      ],
      [true, false, false],
    );
  });
});
