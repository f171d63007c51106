import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, existsSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HitchError, PRESETS_TEXT } from '@hitch/contract';
import { Presets, readPresets } from '../../src/offers/presets.ts';

const HEAD = 'schema: hitch-presets/1\npresets:\n';

describe('presets', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hitch-presets-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const file = () => join(folder, 'presets.yaml');

  it('are those that Hitch brings until somebody writes others, and again after they were removed', async () => {
    const presets = new Presets(file());
    const brought = await presets.list();
    assert.deepEqual(brought.problems, []);
    assert.deepEqual(
      brought.presets.map(({ id }) => id),
      ['vram-24', 'vram-48', 'vram-80', 'one-gpu', 'ray-two', 'practice'],
    );
    assert.equal(existsSync(file()), false, 'who only looks writes nothing');

    const text = `${HEAD}  - { id: mine, label: Mine, gpu: [RTX 4090], maxPrice: 0.40 }\n`;
    const kept = await presets.keep(text);
    assert.equal(readFileSync(file(), 'utf8'), text);
    assert.deepEqual(kept.presets, [
      {
        id: 'mine',
        label: 'Mine',
        detail: '',
        nodes: 1,
        template: null,
        filter: { markets: ['on_demand'], rentable: true, gpuModels: ['RTX 4090'] },
        maxNodePricePerHourMicroUsd: '400000',
      },
    ]);
    assert.deepEqual((await presets.keep(null)).presets, brought.presets);
  });

  it('mean what the options of the command line mean', () => {
    const { presets } = readPresets(
      `${HEAD}  - { id: two, label: Two, nodes: 2, gpus: 1, vram: 24, ram: 64, disk: 100, spot: true, country: [de] }\n`,
    );
    assert.deepEqual(presets[0]?.filter, {
      markets: ['spot'],
      rentable: true,
      minGpuCount: 1,
      maxGpuCount: 1,
      minVramMiB: 24_000,
      minRamMiB: 65_536,
      minDiskGiB: 100,
      countries: ['DE'],
      multiNode: true,
    });
  });

  it('with mistakes are refused with each place, and the file stays as it was', async () => {
    const presets = new Presets(file());
    const good = `${HEAD}  - { id: mine, label: Mine }\n`;
    await presets.keep(good);
    const wrong = `${HEAD}  - id: Mine\n    label: Mine\n    vramm: 24\n  - { id: a, label: A, gpus: many }\n`;
    await assert.rejects(presets.keep(wrong), (error: unknown) => {
      assert.ok(error instanceof HitchError && error.code === 'BAD_INPUT');
      assert.match(error.message, /Line 3, column 9: “id”: has lower-case letters/);
      assert.match(error.message, /Line 5, column 12: “vramm” is no key of a preset/);
      assert.match(error.message, /Line 6, column \d+: “gpus”/);
      return true;
    });
    assert.equal(readFileSync(file(), 'utf8'), good);
  });

  const told: readonly (readonly [string, string, RegExp])[] = [
    ['no YAML', `${HEAD}  - {`, /This is no YAML/],
    ['another schema', 'schema: hitch-presets/9\npresets: [{ id: a, label: A }]', /begins with/],
    ['an id twice', `${HEAD}  - { id: a, label: A }\n  - { id: a, label: B }\n`, /a stands here twice/],
    ['an alias', `${HEAD}  - &x { id: a, label: A }\n  - *x\n`, /An alias/],
    ['an empty file', '', /The file/],
    ['a huge file', '#'.repeat(70_000), /longer than 64 kB/],
  ];
  for (const [what, text, sentence] of told) {
    it(`say ${what}`, () => {
      const { presets, problems } = readPresets(text);
      assert.deepEqual(presets, []);
      assert.match(problems.map(problem => problem.sentence).join('\n'), sentence);
    });
  }

  it('show those that Hitch brings beside what is wrong, and what stands in the file', async () => {
    mkdirSync(file());
    const { presets, problems } = await new Presets(file()).list();
    assert.deepEqual(presets, readPresets(PRESETS_TEXT).presets);
    assert.match(problems[0]?.sentence ?? '', /cannot be read/);
  });
});
