/** What is copied for a job that rents, and what a template becomes as one. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { jobQuoteRequestSchema } from '@hitch/contract';
import { templateSchema, type Template } from '@hitch/contract/src/templates/schema.ts';
import { clusterNameOf } from '../../src/jobs/names.ts';
import { freeze, freezeTemplate, targetOf } from '../../src/jobs/rented/files.ts';
import { planProgram, planTemplate } from '../../src/jobs/rented/plan.ts';
import { listFolder, readFolder } from '../../src/templates/folder.ts';

const { signal } = new AbortController();
const NOW = Date.UTC(2026, 0, 1);

describe('The files of a job that rents', () => {
  let place: string;
  beforeEach(() => {
    place = mkdtempSync(join(tmpdir(), 'hitch-files-'));
    mkdirSync(join(place, 'code', 'sub'), { recursive: true });
    writeFileSync(join(place, 'code', 'train.py'), 'print(1)');
    writeFileSync(join(place, 'code', 'sub', 'more.py'), 'x = 2');
  });
  afterEach(() => rmSync(place, { recursive: true, force: true }));
  const to = () => ({ to: join(place, 'kept'), spool: join(place, 'spool'), signal });

  it('are those that sending would take, as they were then', async () => {
    writeFileSync(join(place, 'code', '.gitignore'), 'data\n');
    mkdirSync(join(place, 'code', 'data'));
    writeFileSync(join(place, 'code', 'data', 'large'), 'x');
    const { files } = await freeze(join(place, 'code'), to());
    writeFileSync(join(place, 'code', 'train.py'), 'print(2)');
    assert.equal(files, 3);
    assert.equal(readFileSync(join(place, 'kept', 'train.py'), 'utf8'), 'print(1)');
    assert.equal(existsSync(join(place, 'kept', 'data')), false);
    assert.equal(existsSync(join(place, 'spool')), false);
  });

  it('are not the whole home of a person, and no folder that is not there', async () => {
    await assert.rejects(freeze(homedir(), to()), /is too much to send/);
    await assert.rejects(freeze(dirname(homedir()), to()), /is too much to send/);
    symlinkSync(homedir(), join(place, 'link'), 'dir');
    await assert.rejects(freeze(join(place, 'link'), to()), /is too much to send/);
    await assert.rejects(freeze(join(place, 'nowhere'), to()), /There is no folder/);
  });

  it('are refused where not all of them can be copied', async function () {
    if (process.platform === 'win32') {
      this.skip();
    }
    execFileSync('mkfifo', [join(place, 'code', 'pipe')]);
    await assert.rejects(freeze(join(place, 'code'), to()), /Not all of .* can be sent: .*pipe/);
  });

  it('of a template are those that its digest names', async () => {
    const folder = join(place, 'code');
    const { files } = await listFolder(folder);
    const { digest } = await readFolder(folder, files);
    assert.equal((await freezeTemplate(folder, files, { to: join(place, 'kept'), digest })).files, 2);
    writeFileSync(join(folder, 'train.py'), 'print(3)');
    await assert.rejects(
      freezeTemplate(folder, files, { to: join(place, 'again'), digest }),
      /changed while/,
    );
  });

  it('have a name on the machine that every system takes', () => {
    assert.equal(targetOf('/home/me/My code (2)'), 'My-code--2-');
    assert.equal(clusterNameOf('7b'), 'job-7b');
    assert.equal(clusterNameOf('x'), 'job-x');
    assert.equal(clusterNameOf(`a${'b'.repeat(60)}`).length, 36);
  });
});

describe('What a job that rents runs', () => {
  const places: string[] = [];
  afterEach(() => places.splice(0).forEach(place => rmSync(place, { recursive: true, force: true })));

  it('is placed where its folder goes', () => {
    const asked = jobQuoteRequestSchema.parse({
      work: {
        kind: 'program',
        spec: { work: { kind: 'notebook', path: 'a.ipynb' }, outputs: ['out'] },
        folder: '/home/me/code',
        checkpoints: 'out/steps',
      },
    });
    assert.ok(asked.work.kind === 'program');
    const plan = planProgram({ ...asked, work: asked.work }, NOW);
    assert.deepEqual(plan.spec.work, { kind: 'notebook', path: 'code/a.ipynb', cells: null });
    assert.deepEqual(plan.spec.outputs, ['code/out']);
    assert.equal(plan.spec.folder, 'code');
    assert.equal(plan.checkpointFolder, 'code/out/steps');
    const [request] = plan.requests;
    assert.deepEqual(request?.save, { paths: ['code/out'], toFolder: null, withinMs: 30 * 60_000 });
    assert.equal(request?.idleMs, 0, 'what it made is not deleted for being idle');
    assert.equal(plan.lastsMs, 4 * 3_600_000);
  });

  it('is refused before anything is rented where its machines cannot run it', () => {
    const plan = (nodes: number, memoryBytes: number | null) => {
      const work = { kind: 'nodes', nodes, torchrun: true, processes: null, command: ['train.py'] };
      const asked = jobQuoteRequestSchema.parse({
        work: { kind: 'program', spec: { work, memoryBytes }, folder: null },
        rent: { nodes: 2 },
      });
      assert.ok(asked.work.kind === 'program');
      return planProgram({ ...asked, work: asked.work }, NOW);
    };
    assert.equal(plan(2, null).requests[0]?.nodes, 2);
    assert.throws(() => plan(4, null), /The cluster would have 2 nodes; the job wants 4/);
    assert.throws(() => plan(2, 2 ** 30), /A memory limit holds on one machine/);
  });

  const template: Template = templateSchema.parse({
    schema: 'hitch-template/1',
    name: 'tune',
    version: '1.0.0',
    title: 'Tune',
    description: 'Tunes.',
    parameters: { steps: { type: 'integer', default: 5 }, note: { type: 'text', default: '' } },
    presets: { big: { title: 'Big', resources: [{ gpu: { vramGiB: 40 } }] } },
    resources: [{ gpu: { models: ['L4'] } }, { gpu: { vramGiB: 24 } }],
    limits: { perHour: '$1.50', total: '$12', time: '12h' },
    secrets: { HF_TOKEN: { why: 'to read', required: true } },
    prepare: { command: ['python', 'get.py', '${{ params.note }}'] },
    run: { command: ['python', 'train.py', '${{ params.steps }}'], folder: 'src' },
    checkpoints: { folder: 'out' },
    retry: { lost: 3, failed: 1 },
    outputs: { model: { path: 'out/model' } },
  });
  const planOf = (rent: object, preset?: string, environments: readonly (string | null)[] = [null]) =>
    planTemplate(
      jobQuoteRequestSchema.parse({ work: { kind: 'template', template: 'tune' }, rent }),
      {
        template,
        folder: '/t',
        id: 'tune',
        preset,
        values: { steps: 9, note: '$(rm -rf /); "x' },
        environments,
      },
      NOW,
    );

  it('of a template takes its machines in order, its limits, outputs, secrets and retries', () => {
    const plan = planOf({});
    assert.deepEqual(
      plan.requests.map(({ filter }) => [filter.gpuModels, filter.minVramMiB]),
      [
        [['L4'], undefined],
        [undefined, 24 * 1024],
      ],
    );
    const [request] = plan.requests;
    assert.equal(request?.capMicroUsd, '12000000');
    assert.equal(request.maxNodePricePerHourMicroUsd, '1500000');
    assert.deepEqual(request.secrets, ['HF_TOKEN']);
    assert.deepEqual(request.save.paths, ['tune/out/model']);
    assert.equal(plan.lastsMs, 12 * 3_600_000);
    assert.equal(plan.replacements, 3);
    assert.equal(plan.spec.retries, 1);
    assert.equal(plan.checkpointFolder, 'tune/out');
    assert.deepEqual(
      planOf({}, undefined, ['newer', 'older']).requests.map(({ filter, environment }) => [
        filter.gpuModels?.[0] ?? null,
        environment,
      ]),
      [
        ['L4', 'newer'],
        ['L4', 'older'],
        [null, 'newer'],
        [null, 'older'],
      ],
      'each with the packages for the newest CUDA first',
    );
    assert.deepEqual(
      planOf({}, 'big').requests.map(({ filter }) => filter.minVramMiB),
      [40 * 1024],
    );
  });

  it('gives way to what a person says', () => {
    const [request] = planOf({
      capMicroUsd: '500000',
      stopAtMs: NOW + 3_600_000,
      filter: { gpuModels: ['T4'] },
    }).requests;
    assert.equal(request?.capMicroUsd, '500000');
    assert.deepEqual(request.filter.gpuModels, ['T4']);
    assert.equal(planOf({ stopAtMs: NOW + 3_600_000 }).lastsMs, 3_600_000);
  });

  it('hands values to what prepares it as arguments, and never to a shell’s text', () => {
    const place = mkdtempSync(join(tmpdir(), 'hitch-prepare-'));
    places.push(place);
    const { work, variables, folder } = planOf({}).spec;
    assert.ok(work.kind === 'command');
    const [shell, flag, text, ...words] = work.command;
    mkdirSync(join(place, 'src'));
    writeFileSync(join(place, '.hitch-params.json'), '{"steps":9}');
    const shown = execFileSync(
      'bash',
      ['-c', text ?? '', 'hitch', '2', '.', 'true', 'src', 'bash', '-c', 'cat "$HITCH_PARAMS_FILE"'],
      { cwd: place, env: { ...process.env, ...variables }, encoding: 'utf8' },
    );
    assert.equal(shown, '{"steps":9}', 'its folder is another than that of the values');
    assert.deepEqual([shell, flag], ['bash', '-c']);
    assert.doesNotMatch(text ?? '', /rm -rf/);
    assert.deepEqual(words, [
      ...['hitch', '4', '.', 'python', 'get.py', '$(rm -rf /); "x'],
      ...['src', 'python', 'train.py', '9'],
    ]);
    assert.equal(variables['HITCH_PARAM_STEPS'], '9');
    assert.equal(variables['HITCH_PARAMS_FILE'], '.hitch-params.json');
    assert.equal(folder, 'tune');
  });
});
