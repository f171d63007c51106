/** What is gathered of two jobs for a comparison, and what is said of what is not there any more. */
import assert from 'node:assert/strict';
import { HitchError, type HitchApi, type Job, jobIdSchema, jobSchema, jobSpecSchema } from '../src/index.ts';
import { comparedSections, shownParameters } from '../src/job-compare.ts';
import { gatherTwo, jobSurroundings, surroundingsWords } from '../src/job-gather.ts';
import { rayJobsOf } from '../src/ray-jobs.ts';

const [ONE, OTHER] = [
  jobIdSchema.parse('job_01ARZ3NDEKTSV4RRFFQ69G5FAV'),
  jobIdSchema.parse('job_01ARZ3NDEKTSV4RRFFQ69G5FAW'),
];
const job = (id: string, lr: string, change: Partial<Job> = {}): Job => ({
  ...jobSchema.parse({
    id,
    name: `lr-${lr.replace('.', '')}`,
    state: 'succeeded',
    message: '',
    runs: [],
    clusterId: 'clu_01ARZ3NDEKTSV4RRFFQ69G5FAV',
    clusterName: 'llm-dev',
    attemptId: 'att_01ARZ3NDEKTSV4RRFFQ69G5FAV',
    environmentId: null,
    createdAtMs: 0,
    spec: { work: { kind: 'command', command: ['python', 'train.py', '--lr', lr] } },
    heardAtMs: 0,
    costMicroUsd: null,
    kept: [],
  }),
  ...change,
});
const gone = () => Promise.reject(new HitchError('NOT_FOUND', 'There is no such cluster.'));
const series = (name: string, source = 'output') => ({
  ...{ name, source, count: 1, first: 1, last: 1, lastStep: 1, min: 1, max: 1 },
  ...{ notFinite: 0, notFiniteAtStep: null, points: { steps: [], timesMs: [], values: [] } },
});

/** As much of the daemon as is asked. */
const api = (jobs: readonly Job[], more: object = {}): HitchApi =>
  ({
    clusters: { get: gone },
    environments: { get: gone },
    jobs: {
      get: ({ jobId }: { jobId: string }) => Promise.resolve(jobs.find(({ id }) => id === jobId)),
      metrics: ({ from }: { from: number }) =>
        Promise.resolve({
          ...{ run: 1, total: 2, notes: from === 0 ? [] : ['cut at 10 MB'], isOver: true },
          series: from === 0 ? [series('loss')] : [series('CPU', 'machine')],
        }),
    },
    ...more,
  }) as unknown as HitchApi;

describe('Two jobs that are gathered', () => {
  it('have all of their own figures, and say what of them is not known', async () => {
    const locked = job(OTHER, '0.01', { environmentId: '0123456789abcdef' });
    const { names, comparison, notes } = await gatherTwo(api([job(ONE, '0.1'), locked]), [ONE, OTHER], 0);
    assert.deepEqual(names, ['lr-01', 'lr-001']);
    assert.deepEqual(
      comparison.metrics.map(({ name }) => name),
      ['loss'],
    );
    assert.deepEqual(notes, [
      'lr-01: cut at 10 MB',
      'lr-001: cut at 10 MB',
      'lr-001: its lock (0123456789abcdef) is not on this computer any more.',
    ]);
    const sections = Object.fromEntries(comparedSections(comparison, false));
    assert.deepEqual(sections['Parameters'], [{ name: 'lr', a: '0.1', b: '0.01' }]);
    assert.equal(Object.fromEntries(comparedSections(comparison, true))['Parameters']?.length, 2);
  });

  it('are refused where the daemon does not answer, not shown without', async () => {
    const away = () => Promise.reject(new HitchError('UNREACHABLE', 'It does not answer.'));
    await assert.rejects(
      jobSurroundings(api([], { clusters: { get: away } }), job(ONE, '0.1')),
      (error: unknown) => error instanceof HitchError && error.code === 'UNREACHABLE',
    );
  });

  it('ran with packages that have a name in any case, and with secrets that are not shown', () => {
    const none = { attempt: null, lock: null };
    assert.deepEqual(surroundingsWords({ environmentId: null }, none), {
      offer: null,
      packages: 'Hitch’s own packages',
    });
    assert.match(
      surroundingsWords({ environmentId: '0123456789abcdef' }, none).packages,
      /not on this computer any more/,
    );
    const spec = jobSpecSchema.parse({
      work: { kind: 'command', command: ['train', '--api-key', 'mine'] },
      variables: { WANDB_API_KEY: 'mine', SEED: '1' },
    });
    assert.ok(!JSON.stringify(shownParameters(spec)).includes('mine'));
    assert.ok(JSON.stringify(shownParameters(spec)).includes('["$SEED","1"]'));
  });
});

describe('Jobs of Ray itself', () => {
  it('are those of each cluster whose Ray runs; one that does not answer hides no other', async () => {
    const cluster = (id: string, engine: string, status: string) => ({
      ...{ id, name: id, engine },
      conditions: { engine: { status } },
    });
    const list = () =>
      Promise.resolve([
        cluster('a', 'ray', 'yes'),
        cluster('b', 'ray', 'yes'),
        cluster('c', 'ray', 'no'),
        cluster('d', 'single', 'yes'),
      ]);
    const ofRay = ({ clusterId }: { clusterId: string }) =>
      clusterId === 'a'
        ? Promise.reject(new HitchError('UNREACHABLE', 'It does not answer.'))
        : Promise.resolve({ jobs: [{ submissionId: `of-${clusterId}` }], more: 3 });
    const { jobs, notes } = await rayJobsOf({ clusters: { list }, jobs: { ofRay } } as unknown as HitchApi);
    assert.deepEqual(
      jobs.map(({ submissionId }) => submissionId),
      ['of-b'],
    );
    assert.deepEqual(notes, [
      'What was submitted to the Ray of a is not known: It does not answer.',
      '3 older jobs of the Ray of b are not shown.',
    ]);
  });
});
