/** What a stop would lose and which answers there are to it; which files are saved; what a row offers meanwhile. */
import assert from 'node:assert/strict';
import type { Losses } from '@hitch/contract/src/stop-plan.ts';
import { testCluster } from '../../shared/views/test/support/cluster.ts';
import { offers } from '../src/actions/ids.ts';
import { readPaths, typedFrom } from '../src/actions/save-words.ts';
import { stopChoices, stopLines } from '../src/actions/stop-words.ts';
import { moneyLines } from '@hitch/views/money-lines';
import { viewWords } from '../src/ui/view-words.ts';
import { trans } from './support.ts';

const NOTHING: Losses = { words: null, paths: [], counted: true };
const LOST: Losses = { words: 'Not saved: ~/work/runs (2 GB).', paths: ['runs'], counted: true };
const saving = (...paths: string[]) => testCluster({ save: { paths, toFolder: null } });

const saved = { files: 3, bytes: 10, doneFiles: 1, doneBytes: 2, untilMs: 1, problem: null };

describe('a stop', () => {
  const labels = (losses: Losses, ...paths: string[]) =>
    stopChoices(saving(...paths), losses, trans).map(({ label, warn }) =>
      warn === true ? `! ${label}` : label,
    );

  it('offers to save what would be lost, whatever is named for the cluster', () => {
    const both = ['! Stop without saving these', 'Save these and stop'];
    assert.deepEqual(labels(LOST), both);
    assert.deepEqual(labels(LOST, 'out'), both);
  });

  it('is one answer where nothing is lost and nothing named', () => {
    assert.deepEqual(labels(NOTHING), ['! Stop']);
    assert.deepEqual(labels(NOTHING, 'out'), ['! Stop without saving', 'Save and stop']);
  });

  it('names what would be lost, and hides nothing in it', () => {
    const losses = { words: 'Not saved: ~/work/\u202egpj.exe (2 GB).', paths: ['x'], counted: true };
    const lines = stopLines(saving(), null, losses, 'Vast.ai', trans);
    assert.ok(lines.includes('Not saved: ~/work/\\u202egpj.exe (2 GB).'), lines.join('\n'));
    assert.equal(stopLines(saving(), null, NOTHING, 'Vast.ai', trans).length, lines.length - 1);
  });

  it('names the jobs that run, and calls it nothing only where there is none', () => {
    const jobs = '1 job is running: train. A stop ends what runs.';
    const lines = stopLines(testCluster(), [], NOTHING, 'Vast.ai', trans, jobs);
    assert.deepEqual(lines.slice(0, 2), ['No notebook is running there now.', jobs]);
    assert.equal(stopLines(testCluster(), [], NOTHING, 'Vast.ai', trans)[0], 'Nothing is running there now.');
  });

  it('says what this run has cost, as the row does; what is over, what all its runs have', () => {
    const { usage } = testCluster();
    const again = {
      ...usage,
      accruedMicroUsd: '20670000',
      spentBeforeMicroUsd: '20000000',
      capMicroUsd: '20000000',
    };
    const lines = stopLines(testCluster({ usage: again }), null, NOTHING, 'Vast.ai', trans);
    assert.match(lines.join('\n'), /Spent so far: \$0\.67\./);
    const [over] = moneyLines(
      testCluster({ phase: 'stopped', endedAtMs: 1, usage: again }),
      2,
      viewWords(trans),
    );
    assert.equal(over, 'Cost $20.67 in total, $0.67 of it in the last run (limit $20.00)');
  });
});

describe('the paths of a save', () => {
  const read = (text: string) => readPaths(text, trans);

  it('are read as people write them, each once', () => {
    assert.deepEqual(read(' results/, ~/work/model.pt,./notes.txt, results '), {
      paths: ['results', 'model.pt', 'notes.txt'],
      problem: null,
    });
    assert.deepEqual(read('~/work').paths, ['']);
    assert.deepEqual(read('.').paths, ['']);
    assert.deepEqual(read('.config, ~/workshop').paths, ['.config', '~/workshop']);
  });

  it('stay inside the work folder', () => {
    assert.match(read('results, ../secret').problem ?? '', /“\.\.\/secret”/);
    assert.match(read('/etc/passwd').problem ?? '', /“\/etc\/passwd”/);
  });

  it('are some', () => {
    assert.match(read(' , ').problem ?? '', /^No path was entered/);
  });

  it('are written so that they are read again', () => {
    assert.equal(typedFrom(['', 'a/b']), '~/work, a/b');
    assert.deepEqual(read(typedFrom(['.', 'a/b'])).paths, ['', 'a/b']);
  });
});

describe('a row', () => {
  it('offers to save also where no path was named', () => {
    assert.equal(offers(saving(), 'save'), true);
    assert.equal(offers(testCluster({ phase: 'stopping' }), 'save'), false);
  });

  it('offers to end a save that goes before a stop, and no other', () => {
    assert.equal(offers(testCluster({ phase: 'stopping', saving: saved }), 'endSave'), true);
    assert.equal(offers(testCluster({ phase: 'stopping' }), 'endSave'), false);
    assert.equal(offers(testCluster({ saving: { ...saved, untilMs: null } }), 'endSave'), false);
  });
});
