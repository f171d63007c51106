import assert from 'node:assert/strict';
import { CliHarness } from './harness.ts';

describe('hitch secrets', () => {
  let harness: CliHarness;
  beforeEach(async () => {
    harness = await CliHarness.start();
  });
  afterEach(() => harness.close());

  it('takes a value from a prompt that does not show it', async () => {
    const { code, stdout, stderr } = await harness.run(['secrets', 'set', 'HF_TOKEN'], {
      tty: true,
      stdin: 'hf_very_secret\r',
    });
    assert.equal(code, 0);
    assert.equal(harness.served.secrets.get('HF_TOKEN'), 'hf_very_secret');
    assert.doesNotMatch(stdout + stderr, /hf_very_secret/);
  });

  it('takes a value from a pipe, without its last line break', async () => {
    await harness.run(['secrets', 'set', 'HF_TOKEN'], { stdin: 'two\nlines\n' });
    assert.equal(harness.served.secrets.get('HF_TOKEN'), 'two\nlines');
  });

  it('refuses a value on the command line, where every user of this computer could read it', async () => {
    const { code } = await harness.run(['secrets', 'set', 'HF_TOKEN', 'hf_very_secret']);
    assert.equal(code, 2);
    assert.equal(harness.served.secrets.size, 0);
  });

  it('lists names only, and forgets', async () => {
    harness.served.secrets.set('HF_TOKEN', 'hf_very_secret');
    const list = await harness.run(['secrets', 'ls']);
    assert.match(list.stdout, /HF_TOKEN/);
    assert.doesNotMatch(list.stdout, /hf_very_secret/);
    assert.equal((await harness.run(['secrets', 'rm', 'HF_TOKEN'])).code, 0);
    assert.equal(harness.served.secrets.size, 0);
  });

  it('refuses an empty value and a name that is none', async () => {
    assert.match(
      (await harness.run(['secrets', 'set', 'HF_TOKEN'], { stdin: '\n' })).stderr,
      /No value was given/,
    );
    assert.match(
      (await harness.run(['secrets', 'set', 'hf-token'], { stdin: 'x' })).stderr,
      /must be an environment variable name/,
    );
  });
});
