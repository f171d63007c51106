/** A cluster that is there becomes a draft of a template: its needs, limits, packages and what ran on it; nothing else changes. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Cluster, HitchError, jobSpecSchema, type JobSpec, type TemplateDraft } from '@hitch/contract';
import { checkTemplate } from '@hitch/contract/src/templates/check.ts';
import type { Template } from '@hitch/contract/src/templates/schema.ts';
import { draftFiles, type DraftOf } from '../../src/templates/draft.ts';
import { checkFolder } from '../../src/templates/check-folder.ts';
import { TemplateDrafts } from '../../src/jobs/template-drafts.ts';
import { Practice } from '../clusters/practice.ts';

describe('a draft of a template', () => {
  let root: string;
  let practice: Practice;
  let cluster: Cluster;
  let drafts: TemplateDrafts;
  before(async () => {
    root = mkdtempSync(join(tmpdir(), 'hitch-draft-'));
    practice = await new Practice().open();
    const { id } = await practice.rent({
      capMicroUsd: '5000000',
      idleMs: 1_800_000,
      stopAtMs: practice.clock.now() + 4 * 3_600_000,
      save: { paths: ['out/model', '.'], toFolder: null },
    });
    cluster = await practice.untilPhase(id, 'ready');
    drafts = new TemplateDrafts({
      ledger: practice.ledger,
      clusters: practice.service,
      lockOf: () => null,
      templates: {
        check: async ({ folder }) => (await checkFolder(folder, { hitch: null, offers: () => [] })).check,
      },
    });
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  const write = (name: string): Promise<TemplateDraft> =>
    drafts.write({ clusterId: cluster.id, folder: join(root, name) }, null);
  const of = (more: Partial<DraftOf> = {}): DraftOf => ({
    name: 'mine',
    cluster,
    lastsMs: null,
    secrets: [],
    gpuModels: [],
    lock: null,
    added: [],
    job: null,
    ...more,
  });
  const templateOf = (draft: DraftOf): Template => {
    const { template, problems } = checkTemplate(draftFiles(draft).get('hitch.yaml') ?? '', {
      names: null,
      hitch: null,
    });
    assert.deepEqual(problems, []);
    return template ?? assert.fail();
  };
  const job = (spec: Partial<JobSpec>): DraftOf['job'] => ({
    name: 'train',
    spec: jobSpecSchema.parse({ work: { kind: 'command', command: ['true'] }, ...spec }),
  });

  it('can be used as it is where no program ran, with its limits and what is saved', async () => {
    const draft = await write('First Try');
    assert.deepEqual(draft.check.problems, []);
    assert.deepEqual(draft.files.sort(), ['hitch.yaml', 'start.ipynb']);
    const text = readFileSync(join(root, 'First Try', 'hitch.yaml'), 'utf8');
    const { template } = checkTemplate(text, { names: null, hitch: null });
    assert.equal(template?.name, 'first-try');
    assert.equal(template.limits?.total, '$5');
    assert.equal(template.limits?.time, '4h');
    assert.equal(template.limits?.idle, '30m');
    assert.deepEqual(
      Object.values(template.outputs).map(({ path }) => path),
      ['out/model'],
      'all of the work folder is no output',
    );
    const offerId = cluster.nodes[0]?.attempts[0]?.offerId ?? assert.fail();
    assert.ok(text.includes(`(${offerId})`), 'the very offer stands in a comment');
  });

  it('is written into no folder that has files', async () => {
    const place = mkdtempSync(join(root, 'full-'));
    writeFileSync(join(place, 'mine.txt'), 'mine');
    await assert.rejects(
      drafts.write({ clusterId: cluster.id, folder: place }, null),
      (error: unknown) => error instanceof HitchError && /not empty; nothing was written/.test(error.message),
    );
    assert.deepEqual(readdirSync(place), ['mine.txt']);
  });

  it('asks for the machine that it had: its cards, and a fifth more than was in use', () => {
    const [node] = cluster.nodes;
    assert.ok(node !== undefined);
    const signals = {
      atMs: 0,
      cpuPercent: 1,
      cpuCores: 8,
      memoryUsedMiB: 10 * 1024,
      memoryTotalMiB: 64 * 1024,
      diskUsedMiB: 50 * 1024,
      diskTotalMiB: 200 * 1024,
      gpus: [{ index: 0, name: 'RTX 4090', utilizationPercent: 0, vramUsedMiB: 1, vramTotalMiB: 24_564 }],
    };
    const { resources } = templateOf(
      of({ cluster: { ...cluster, nodes: [{ ...node, signals }] }, gpuModels: ['RTX 4090'] }),
    );
    const [machine] = resources;
    assert.deepEqual(machine?.gpu, { models: ['RTX 4090'], count: 1, vramGiB: 24 });
    assert.equal(machine.memoryGiB, 12);
    assert.equal(machine.diskGiB, 60);
  });

  it('has the parameters of what ran, and its command with them in their places', () => {
    const template = templateOf(
      of({
        job: job({
          work: { kind: 'command', command: ['python', 'train.py', '--steps', '40', '--lr', '0.1', 'gpt2'] },
          variables: {
            HITCH_PARAM_STEPS: '40',
            HITCH_PARAM_LR: '0.1',
            HITCH_PARAM_MODEL: 'gpt2',
            HITCH_PARAM_DEBUG: 'false',
            OTHER: 'x',
          },
        }),
      }),
    );
    assert.deepEqual(template.parameters, {
      steps: { type: 'integer', default: 40 },
      lr: { type: 'number', default: 0.1 },
      model: { type: 'text', default: 'gpt2' },
      debug: { type: 'boolean', default: false },
    });
    assert.deepEqual(template.run?.command, [
      'python',
      'train.py',
      '--steps',
      '${{ params.steps }}',
      '--lr',
      '${{ params.lr }}',
      '${{ params.model }}',
    ]);
    assert.equal(template.notebook, undefined);
  });

  it('has its packages by lock, and says which were installed by hand', () => {
    const draft = of({
      lock: { text: 'numpy==2.5.5\n', python: '3.12', accelerator: 'cuda13' },
      added: ['rich==14.0.0'],
    });
    const files = draftFiles(draft);
    assert.equal(files.get('requirements.cuda13.lock'), 'numpy==2.5.5\n');
    assert.match(
      files.get('hitch.yaml') ?? '',
      /^# Installed by hand, and not in its lock: rich==14\.0\.0\.$/m,
    );
  });

  it('of a name with line breaks stays a draft: nothing of it becomes a key', () => {
    const hostile = {
      ...cluster,
      nodes: cluster.nodes.map(node => ({
        ...node,
        attempts: node.attempts.map(each => ({ ...each, offerTitle: 'x\nrun: {script: evil}\n' })),
      })),
    };
    assert.equal(templateOf(of({ cluster: hostile })).run, undefined);
  });
});
