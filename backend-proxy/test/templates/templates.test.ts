/** Templates are listed from what is known, shown with a form that the daemon judges, and looked up for quotes. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  formProblem,
  formValues,
  HitchError,
  templateProblemLine,
  quoteRequestSchema,
} from '@hitch/contract';
import { systemClock } from '@hitch/platform/src/clock.ts';
import { silentLog } from '@hitch/platform/src/log.ts';
import { homeAt } from '@hitch/platform/src/paths.ts';
import { createIds, systemRandom } from '@hitch/platform/src/random.ts';
import type { DriverCeiling } from '@hitch/contract/src/templates/lock.ts';
import { SHIPPED } from '../../src/templates/shipped-texts.ts';
import { createTemplates } from '../../src/templates/compose.ts';
import type { Templates } from '../../src/templates/templates.ts';

const samples = join(import.meta.dirname, '../../../samples/templates');

describe('templates', () => {
  let home: string;
  let offers: DriverCeiling[];
  let templates: Templates;
  const make = (): Templates =>
    createTemplates({
      home: homeAt(home),
      environment: process.env,
      hitch: '0.1.0',
      clock: systemClock,
      ids: createIds(systemClock, systemRandom),
      log: silentLog,
      policies: { read: () => Promise.resolve([]) },
      offers: () => offers,
    }).templates;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'hitch-templates-'));
    offers = [];
    templates = make();
  });
  afterEach(() => rmSync(home, { recursive: true, force: true }));

  const put = (name: string, change: (text: string) => string = text => text): string => {
    const folder = join(home, 'templates', name);
    mkdirSync(join(home, 'templates'), { recursive: true });
    cpSync(join(samples, 'numpy-classifier'), folder, { recursive: true });
    const file = join(folder, 'hitch.yaml');
    writeFileSync(
      file,
      change(readFileSync(file, 'utf8').replace('name: numpy-classifier', `name: ${name}`)),
    );
    return folder;
  };
  const ids = async (): Promise<readonly string[]> => (await templates.list([], null)).map(({ id }) => id);

  it('that come with Hitch have no mistake, and every file of their folders', async () => {
    for (const info of await templates.list([], null)) {
      const { check } = await templates.show(info.id, {}, null);
      assert.deepEqual(check.problems.map(templateProblemLine), [], info.id);
      assert.equal(check.digest, (await templates.check({ folder: join(samples, info.id) }, null)).digest);
    }
    assert.deepEqual(await ids(), Object.keys(SHIPPED).sort());
    assert.deepEqual(await ids(), readdirSync(samples).sort(), 'and there are no others');
  });

  it('of the user are beside them, and gone when their folder is', async () => {
    const folder = put('mine');
    assert.ok((await ids()).includes('mine'));
    rmSync(folder, { recursive: true });
    assert.ok(!(await ids()).includes('mine'));
  });

  it('are read again when they change, by a later daemon too', async () => {
    put('mine');
    await ids();
    templates = make();
    put('mine', text => text.replace('title: Train a small', 'title: Another small'));
    const found = (await templates.list([], null)).find(({ id }) => id === 'mine');
    assert.equal(found?.title, 'Another small classifier with NumPy');
  });

  it('of one name do not stand for each other', async () => {
    const folder = put('notebook');
    const all = await templates.list([], null);
    assert.deepEqual(
      all.filter(({ id }) => id === 'notebook' || id === folder).map(({ id, source }) => [id, source]),
      [
        ['notebook', 'hitch'],
        [folder, 'user'],
      ],
    );
  });

  it('that are wrong are on the list with how many mistakes, and rented by nobody', async () => {
    put('wrong', text => text.replace('title:', 'titel:'));
    const found = (await templates.list([], null)).find(({ folder }) => folder.endsWith('wrong'));
    assert.equal(found?.problems, 1);
    await assert.rejects(
      templates.forQuote(quoteRequestSchema.parse({ template: found?.id }), null),
      (error: unknown) => error instanceof HitchError && /has a mistake/.test(error.message),
    );
  });

  it('of a workspace are found in its folder and one below', async () => {
    const workspace = join(home, 'workspace');
    cpSync(join(samples, 'notebook'), join(workspace, 'inner'), { recursive: true });
    const all = await templates.list([workspace], null);
    assert.equal(all[0]?.id, join(workspace, 'inner'));
    assert.equal(all[0]?.source, 'folder');
  });

  it('of a page’s folder are shown by the path that a list gives, and none outside of it', async () => {
    const root = join(home, 'served');
    cpSync(join(samples, 'notebook'), join(root, 'inner'), { recursive: true });
    const [info] = await templates.list(['.'], root);
    assert.equal(info?.id, join(root, 'inner'));
    assert.equal((await templates.show(info.id, {}, root)).info.title, 'Notebook');
    const outside = put('mine');
    await assert.rejects(
      templates.show(outside, {}, root),
      (error: unknown) => error instanceof HitchError && /leads out of/.test(error.message),
    );
  });

  it('say what machine they need, and why nothing is rented for them', async () => {
    const all = await templates.list([], null);
    assert.deepEqual(
      all.filter(({ id }) => ['notebook', 'numpy-classifier'].includes(id)).map(({ needs }) => needs),
      ['any machine', '1 core; 2 GB memory'],
    );
    assert.equal((await templates.show('notebook', {}, null)).refusal, null);
    const { refusal } = await templates.show('numpy-classifier', {}, null);
    assert.match(refusal?.message ?? '', /the template numpy-classifier has a command/);
  });

  it('show a form whose values are judged, with presets', async () => {
    const plain = await templates.show('numpy-classifier', {}, null);
    assert.ok(plain.form !== null);
    assert.equal(formProblem(plain.form), null);
    assert.deepEqual(formValues(plain.form), { steps: 400, learning_rate: 0.5, points: 20000, seed: 7 });

    const preset = await templates.show(
      'numpy-classifier',
      { preset: 'smoke', values: { steps: '5' } },
      null,
    );
    assert.ok(preset.form !== null);
    assert.deepEqual(formValues(preset.form), { steps: 5, learning_rate: 0.5, points: 50000, seed: 7 });
    assert.deepEqual(preset.machines, [{ words: '1 core; 1 GB memory' }]);

    const wrong = await templates.show('numpy-classifier', { values: { steps: '1.5', lr: 1 } }, null);
    assert.ok(wrong.form !== null);
    assert.equal(wrong.form.fields[0]?.problem, '“Steps” is 1.5; it must be a whole number.');
    assert.equal(
      formProblem(wrong.form),
      'There is no parameter “lr”. There are: steps, learning_rate, points, seed.',
    );
  });

  it('say what a quote is asked for with', async () => {
    const { rent } = await templates.show('numpy-classifier', { preset: 'full' }, null);
    assert.deepEqual(rent, {
      filter: { minCpuCores: 2, minRamMiB: 4096, orNotStated: true },
      nodes: 1,
      capMicroUsd: '1000000',
      maxNodePricePerHourMicroUsd: null,
      timeMs: 3_600_000,
      idleMs: 600_000,
      save: ['out/weights.npz'],
      secrets: [],
    });
  });

  it('check what an editor has not saved yet', async () => {
    const folder = put('mine');
    const text = readFileSync(join(folder, 'hitch.yaml'), 'utf8').replace('idle: 10m', 'idle: 10');
    const { problems } = await templates.check({ folder, text }, null);
    assert.match(
      problems.map(templateProblemLine).join(),
      /“limits\.idle” is the number 10\. Write a time with its unit/,
    );
  });

  it('check locks, and say which offers they leave out', async () => {
    const folder = put('mine', text =>
      text
        .replace('{ cpu: requirements.cpu.lock }', '{ cpu: requirements.cpu.lock, cuda13: gpu.lock }')
        .replace('\nresources:\n  - {', '\nresources:\n  - { gpu: { vramGiB: 24 } }\n  - {'),
    );
    writeFileSync(join(folder, 'gpu.lock'), 'ipykernel==7.0.0\nray==2.49.2\ntransformers>=5\n');
    const wrong = await templates.check({ folder }, null);
    assert.deepEqual(wrong.problems.map(templateProblemLine), [
      'gpu.lock:3  “transformers>=5” is no exact version; run hitch template lock.',
    ]);

    writeFileSync(join(folder, 'gpu.lock'), 'ipykernel==7.0.0\nnvidia-cuda-runtime==13.2.86\n');
    offers = [
      { gpuCount: 1, gpuModel: 'RTX 4090', cudaMax: '12.8' },
      { gpuCount: 1, gpuModel: 'RTX 4090', cudaMax: '13.0' },
    ];
    const right = await templates.check({ folder }, null);
    assert.deepEqual(right.problems, []);
    assert.deepEqual(right.notes.map(templateProblemLine), [
      'gpu.lock  brings CUDA 13 (nvidia-cuda-runtime 13.2.86); 1 of 2 offers have a driver for CUDA 12.x only. Add a lock for cuda12 to use them.',
    ]);
  });

  it('are named by a page only inside the folder that its server shows', async () => {
    await assert.rejects(
      templates.check({ folder: '../elsewhere' }, home),
      /leads out of this Jupyter server/,
    );
    put('mine');
    assert.equal((await templates.check({ folder: 'templates/mine' }, home)).problems.length, 0);
  });

  it('that nobody knows are named with those that there are', async () => {
    await assert.rejects(templates.show('noteboko', {}, null), (error: unknown) => {
      assert.ok(error instanceof HitchError);
      assert.equal(error.message, 'There is no template “noteboko”.');
      return /Did you mean notebook\?/.test(JSON.stringify(error));
    });
  });

  it('that nobody knows are not rented either', async () => {
    await assert.rejects(
      templates.forQuote(quoteRequestSchema.parse({ template: 'numpy-classifier' }), null),
      (error: unknown) => error instanceof HitchError && /starts nothing on it/.test(error.message),
    );
    await assert.rejects(
      templates.forQuote(quoteRequestSchema.parse({ template: 'nonsense' }), null),
      (error: unknown) => error instanceof HitchError && error.field === 'template',
    );
  });

  it('give a quote the engine that they name', async () => {
    const engine = async (request: object) =>
      (await templates.forQuote(quoteRequestSchema.parse(request), null)).engine;
    assert.equal(await engine({ template: 'ray' }), 'ray');
    assert.equal(await engine({ template: 'notebook' }), 'single');
    assert.equal(await engine({ template: 'notebook', nodes: 2 }), 'ray');
    assert.equal(await engine({ template: 'notebook', engine: 'ray' }), 'ray');
    assert.equal(await engine({}), null);
  });
});
