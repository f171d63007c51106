/** What `hitch job run` refuses before anything is asked for. */
import assert from 'node:assert/strict';
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
});
