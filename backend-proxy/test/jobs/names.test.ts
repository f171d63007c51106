/** What jobs are called, and what a command line says is to be run. */
import assert from 'node:assert/strict';
import { type JobRun, jobLine, runningJobsWords, workWordsOf } from '@hitch/contract';
import { cellsOf } from '../../src/cli/jobs/job-work.ts';
import { withVerbatimCommand } from '../../src/cli/jobs/verbatim.ts';
import { freeName, jobNameFor } from '../../src/jobs/names.ts';

const nothing = (): boolean => false;
const command = (...words: string[]) => ({ kind: 'command' as const, command: words });

describe('A job nobody named', () => {
  it('is called after its file, else after its program', () => {
    assert.equal(jobNameFor(command('python', 'src/Train_LoRA.py', '--lr', '1'), nothing), 'train-lora');
    assert.equal(jobNameFor(command('/usr/bin/nvidia-smi', '-L'), nothing), 'nvidia-smi');
    assert.equal(jobNameFor({ kind: 'script', script: 'ls' }, nothing), 'script');
    assert.equal(jobNameFor({ kind: 'notebook', path: 'a/b.ipynb', cells: null }, nothing), 'b');
    assert.equal(jobNameFor(command('…'), nothing), 'job');
  });

  it('has the first number that is free', () => {
    const taken = new Set(['train', 'train-2']);
    assert.equal(
      freeName('train', name => taken.has(name)),
      'train-3',
    );
  });
});

describe('hitch job run', () => {
  it('leaves to the file what stands behind it', () => {
    const line = ['job', 'run', '--retries', '3', '-d', 'llm', 'train.py', '--json', '-d', 'x'];
    assert.deepEqual(withVerbatimCommand(line), [
      ...['job', 'run', '--retries', '3', '-d', 'llm', '--', 'train.py', '--json', '-d', 'x'],
    ]);
  });

  it('changes no other line, none with -- in it, and none with a notebook', () => {
    for (const line of [
      ['run', 'llm', 'train.ipynb', '--json'],
      ['job', 'logs', 'train', '-f'],
      ['job', 'run', 'llm', '--', 'python', 'x.py'],
      ['job', 'run', 'llm', '--sh', 'ls -l'],
      ['job', 'run', 'llm', 'train.ipynb', '--cells', '-2'],
    ]) {
      assert.deepEqual(withVerbatimCommand(line), line);
    }
  });

  it('counts cells from one, as editors do', () => {
    assert.deepEqual(cellsOf('3'), { first: 2, last: 2 });
    assert.deepEqual(cellsOf('2-5'), { first: 1, last: 4 });
    assert.deepEqual(cellsOf('-5'), { first: 0, last: 4 });
    for (const text of ['0', '5-2', 'all', '', '1-', '-']) {
      assert.throws(() => cellsOf(text), /names no cells/, text);
    }
  });
});

describe('A job in words', () => {
  const run: JobRun = {
    number: 1,
    startedAtMs: 0,
    endedAtMs: 12_000,
    cause: 'exit',
    exitCode: 3,
    signal: null,
    peakBytes: null,
    message: '',
    leftBehind: 0,
    log: { endByte: 0, droppedBytes: 0 },
  };
  const line = (state: Parameters<typeof jobLine>[0]['state'], ...runs: JobRun[]): string =>
    jobLine({ state, message: '', runs }, 60_000);

  it('says how it stands and why it ended', () => {
    assert.equal(line('running', { ...run, endedAtMs: null, cause: null }), 'Running, 1:00');
    assert.equal(line('failed', run), 'Failed after 0:12: exit code 3');
    const memory = { ...run, cause: 'memory' as const, peakBytes: 24 * 1024 ** 3 };
    assert.match(line('failed', run, memory), /^Failed after 0:24, run 2: out of memory at 2\d(?:\.\d)? GB$/);
    assert.equal(line('stopped'), 'Stopped before it began');
    assert.equal(line('stopped', { ...run, cause: 'cluster' }), 'Stopped after 0:12: its cluster ended');
  });

  it('names those that a stop would end', () => {
    const jobs = ['a', 'b', 'c', 'd'].map(name => ({ name, state: 'running' as const }));
    assert.equal(runningJobsWords([{ name: 'a', state: 'failed' }]), null);
    assert.equal(runningJobsWords(jobs.slice(0, 1)), '1 job is running: a');
    assert.equal(runningJobsWords(jobs), '4 jobs are running: a, b, c and 1 more');
  });

  it('shows a command as a shell would take it', () => {
    assert.equal(
      workWordsOf({ work: command('python', "it's.py", '--lr=1') }),
      "python 'it'\\''s.py' --lr=1",
    );
  });
});
