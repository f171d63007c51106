import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { CliHarness } from './harness.ts';

describe('hitch presets', () => {
  let harness: CliHarness;
  beforeEach(async () => {
    harness = await CliHarness.start();
  });
  afterEach(() => harness.close());

  it('lists what is usually rented with what it costs now', async () => {
    const { code, stdout } = await harness.run(['presets', 'ls']);
    assert.equal(code, 0);
    assert.match(stdout, /^vram-24 +Cheapest 24 GB +(from \$|none available now)/m);
  });

  it('rents one by its name, under what else is said', async () => {
    const { code, stdout } = await harness.run(['rent', '--preset', 'practice', '--yes', '--max', '5']);
    assert.equal(code, 0, stdout);
    assert.equal(harness.clusters.list().length, 1);
  });

  it('names the others where there is none of that name', async () => {
    const { code, stderr } = await harness.run(['rent', '--preset', 'vram-99']);
    assert.equal(code, 2);
    assert.match(stderr, /There is no preset vram-99\./);
    assert.match(stderr, /Choose among vram-24, /);
  });

  it('writes the file where there is none, says where, and tells what is wrong with it', async () => {
    const { code, stdout } = await harness.run(['presets', 'edit']);
    assert.equal(code, 0);
    const file = stdout.trim();
    assert.match(file, /presets\.yaml$/);
    writeFileSync(file, 'schema: hitch-presets/1\npresets: [{ id: a, label: A, vramm: 3 }]\n');
    const wrong = await harness.run(['presets', 'ls']);
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /presets\.yaml:2:\d+ “vramm” is no key of a preset/);
    assert.equal((await harness.run(['presets', 'reset'])).code, 0);
    assert.equal((await harness.run(['presets', 'ls'])).code, 0);
  });
});
