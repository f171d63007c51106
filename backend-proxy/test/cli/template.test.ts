/** `hitch template` in a terminal. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CliHarness } from './harness.ts';

const wrong = join(import.meta.dirname, '../../../test/templates/wrong');
const samples = join(import.meta.dirname, '../../../samples/templates');

describe('hitch template', () => {
  let harness: CliHarness;
  let folder: string;
  beforeEach(async () => {
    harness = await CliHarness.start();
    folder = mkdtempSync(join(tmpdir(), 'hitch-cli-template-'));
  });
  afterEach(async () => {
    await harness.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('check says “0 problems” of every template that comes with Hitch', async () => {
    const targets = readdirSync(samples).map(name => join(samples, name));
    const { code, stdout, stderr } = await harness.run(['template', 'check', ...targets]);
    assert.equal(`${stdout}${stderr}`, '0 problems\n');
    assert.equal(code, 0);
  });

  it('check exits with 2 and the sentences of every wrong file', async function () {
    this.timeout(60_000);
    for (const name of readdirSync(wrong).filter(file => file.endsWith('.yaml'))) {
      const expected = readFileSync(join(wrong, name.replace('.yaml', '.txt')), 'utf8')
        .trimEnd()
        .split('\n');
      const { code, stdout } = await harness.run(['template', 'check', join(wrong, name)]);
      const lines = stdout.trimEnd().split('\n');
      assert.equal(code, 2, name);
      assert.deepEqual(
        lines.slice(0, -1),
        expected.map(line => line.replace('hitch.yaml', join(wrong, name))),
      );
      assert.equal(lines.at(-1), expected.length === 1 ? '1 problem' : `${expected.length} problems`);
    }
  });

  it('check gives a script the problems by field', async () => {
    const { code, stdout } = await harness.run([
      'template',
      'check',
      join(wrong, 'key-misspelt.yaml'),
      '--json',
    ]);
    const { problems, checks } = JSON.parse(stdout) as {
      problems: number;
      checks: { problems: { line: number; column: number; sentence: string }[] }[];
    };
    assert.equal(code, 2);
    assert.equal(problems, 1);
    assert.deepEqual(checks[0]?.problems[0], {
      file: 'key-misspelt.yaml',
      line: 12,
      column: 1,
      sentence: 'There is no key “paramters” in a template. Did you mean “parameters”?',
    });
  });

  it('check of a folder without a template says what to do', async () => {
    const { code, stdout } = await harness.run(['template', 'check', folder]);
    assert.equal(code, 2);
    assert.match(stdout, /There is no hitch\.yaml in .*\. Write one with hitch template init\./);
  });

  it('init writes a template that is right, under the folder’s name', async () => {
    const place = join(folder, 'My Training');
    const made = await harness.run(['template', 'init', place]);
    assert.equal(made.code, 0, made.stderr);
    assert.match(readFileSync(join(place, 'hitch.yaml'), 'utf8'), /^name: my-training$/m);
    const checked = await harness.run(['template', 'check', place]);
    assert.equal(checked.stdout, '0 problems\n');
  });

  it('init writes into no folder that has files', async () => {
    writeFileSync(join(folder, 'mine.txt'), 'mine');
    const { code, stderr } = await harness.run(['template', 'init', folder]);
    assert.equal(code, 4);
    assert.match(stderr, /is not empty; nothing was written/);
    assert.deepEqual(readdirSync(folder), ['mine.txt']);
  });

  it('ls names where each comes from', async () => {
    const { code, stdout } = await harness.run(['template', 'ls']);
    assert.equal(code, 0);
    assert.match(stdout, /numpy-classifier +1\.0\.0 +Train a small classifier with NumPy +Hitch/);
  });

  it('show prints the form, and judges the values that are given', async () => {
    const shown = await harness.run(['template', 'show', 'numpy-classifier', '--preset', 'smoke']);
    assert.equal(shown.code, 0);
    assert.match(shown.stdout, /steps +300 +Steps \(integer, 1 to 100000\)/);
    assert.match(shown.stdout, /cpu +requirements\.cpu\.lock, \d+ packages/);
    const bad = await harness.run(['template', 'show', 'numpy-classifier', '--set', 'steps=many']);
    assert.equal(bad.code, 2);
    assert.match(bad.stderr, /“Steps” is “many”; it must be a whole number\./);
  });

  it('lock says what is missing before it does anything', async () => {
    const none = await harness.run(['template', 'lock', folder]);
    assert.equal(none.code, 3);
    assert.match(none.stderr, /There is no hitch\.yaml/);
    writeFileSync(join(folder, 'hitch.yaml'), 'schema: hitch-template/1\n');
    const bare = await harness.run(['template', 'lock', folder]);
    assert.equal(bare.code, 2);
    assert.match(bare.stderr, /does not say for which Python and accelerators/);
    writeFileSync(
      join(folder, 'hitch.yaml'),
      'environment: {python: "3.12", locks: {cpu: cpu.lock}}\nnotebook: a.ipynb\n',
    );
    assert.match((await harness.run(['template', 'lock', folder])).stderr, /There is no requirements\.in/);
    assert.ok(!existsSync(join(folder, 'cpu.lock')));
  });
});
