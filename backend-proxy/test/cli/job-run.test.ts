/** What `hitch job run` refuses before anything is asked for. */
import assert from 'node:assert/strict';
import { jobSpecSchema } from '@hitch/contract';
import { gridOf, queueOfProgram } from '../../src/cli/commands/job-queue-options.ts';
import { CliHarness } from './harness.ts';

describe('hitch job run', () => {
  let harness: CliHarness;
  beforeEach(async () => {
    harness = await CliHarness.start();
  });
  afterEach(() => harness.close());

  const refused = async (...options: readonly string[]): Promise<string> => {
    const { code, stderr } = await harness.run(['job', 'run', '--rent', ...options]);
    assert.equal(code, 2, stderr);
    return stderr;
  };

  it('refuses what a template says itself, and what it is not for', async () => {
    for (const option of [
      '--env=A=b',
      '--output=out',
      '--retries=2',
      '--time=1h',
      '--memory=4',
      '--folder=a',
      '--checkpoints=out',
    ]) {
      const [name = ''] = option.split('=');
      const said = await refused('--template', 'numpy-classifier', option);
      assert.ok(said.includes(`${name} would change nothing: a template says that itself.`), said);
    }
    for (const option of ['--torchrun', '--no-send']) {
      const said = await refused('--template', 'numpy-classifier', option);
      assert.ok(said.includes(`${option} would change nothing`), said);
    }
    assert.match(await refused('--python', '3.12', 'train.py'), /--python is the Python of --packages/);
    assert.match(
      await refused('--set', 'steps=2', 'train.py'),
      /--set would change nothing: it is for a template\./,
    );
    assert.match(
      await refused('--on-conflict', 'skip', 'train.py'),
      /--on-conflict would change nothing: a machine that is rented for a job has no files yet\./,
    );
  });

  it('refuses several jobs that would be the same, or have no limit together', async () => {
    for (const [options, said] of [
      [['--sweep', 'lr=1,2', 'true'], /Several jobs need --budget/],
      [['--budget', '5', 'true'], /--budget is for several jobs/],
      [['--sweep', 'lr=1,2', '--budget', '5', '--', 'true', '--lr'], /Nothing of the command says \{lr\}/],
      [['--sweep', 'lr=1,1', '--budget', '5', '--', 'true', '{lr}'], /each of its values, stands there once/],
      [['--sweep', 'lr=1', '--each', 'x', '--budget', '5'], /both say which jobs there are/],
      [['--each', 'no-such-file', '--budget', '5'], /no-such-file cannot be read/],
    ] as const) {
      const { code, stderr } = await harness.run(['job', 'run', '--rent', ...options]);
      assert.notEqual(code, 0);
      assert.match(stderr, said);
    }
  });

  it('makes a job of each combination of a sweep', () => {
    assert.deepEqual(gridOf(['lr=1e-3,1e-4', 'steps=10, 20']), [
      { lr: '1e-3', steps: '10' },
      { lr: '1e-3', steps: '20' },
      { lr: '1e-4', steps: '10' },
      { lr: '1e-4', steps: '20' },
    ]);
    const spec = jobSpecSchema.parse({
      work: { kind: 'command', command: ['train', '--lr={lr}', '{other}'] },
    });
    const input = { sweep: ['lr=1,2'], budget: '5000000' };
    assert.deepEqual(
      queueOfProgram({ ...input, each: undefined, atOnce: undefined, beginWithin: undefined }, spec).jobs.map(
        job => [job.label, job.spec?.work],
      ),
      ['1', '2'].map(lr => [`lr=${lr}`, { kind: 'command', command: ['train', `--lr=${lr}`, '{other}'] }]),
    );
    const wide = Array.from({ length: 15 }, (_, at) => at.toString()).join(',');
    assert.throws(() => gridOf([`a=${wide}`, `b=${wide}`]), /more than 200 jobs/);
  });
});
