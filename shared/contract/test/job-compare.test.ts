/** Two jobs beside each other. */
import assert from 'node:assert/strict';
import { type Job, jobSchema, jobSpecSchema, type LockedEnvironment } from '../src/index.ts';
import { type ComparedJob, compareJobs, differs, type Metric, parametersOf } from '../src/job-compare.ts';

const STARTED_MS = 1_000_000;
const testJob = (change: Partial<Job>): Job => ({
  ...jobSchema.parse({
    id: 'job_01ARZ3NDEKTSV4RRFFQ69G5FAV',
    name: 'train',
    state: 'running',
    message: '',
    runs: [
      {
        number: 1,
        startedAtMs: STARTED_MS,
        ...{ endedAtMs: null, cause: null, exitCode: null, signal: null, peakBytes: null },
        message: '',
        leftBehind: 0,
        log: { endByte: 14, droppedBytes: 0 },
      },
    ],
    clusterId: 'clu_01ARZ3NDEKTSV4RRFFQ69G5FAV',
    clusterName: 'llm-dev',
    attemptId: 'att_01ARZ3NDEKTSV4RRFFQ69G5FAV',
    environmentId: null,
    createdAtMs: STARTED_MS,
    spec: { work: { kind: 'command', command: ['python', 'train.py'] } },
    heardAtMs: STARTED_MS,
    costMicroUsd: '20000',
    kept: [],
  }),
  ...change,
});

const spec = (command: readonly string[], more: object = {}) =>
  jobSpecSchema.parse({ work: { kind: 'command', command }, ...more });

describe('What a job was given', () => {
  it('is named however it was written', () => {
    assert.deepEqual(
      parametersOf(
        spec(
          [
            'python',
            '-u',
            'train.py',
            '--lr',
            '-0.1',
            '--rank=16',
            'optim.name=adam',
            '--fast',
            '-v',
            'data',
          ],
          {
            variables: { SEED: '1' },
            retries: 2,
          },
        ),
      ),
      [
        ['command', 'python train.py'],
        ['u', 'yes'],
        ['lr', '-0.1'],
        ['rank', '16'],
        ['optim.name', 'adam'],
        ['fast', 'yes'],
        ['v', 'data'],
        ['$SEED', '1'],
        ['retries', '2'],
      ],
    );
    const cells = { kind: 'notebook', path: 'a.ipynb', cells: { first: 0, last: 2 } };
    assert.deepEqual(parametersOf(jobSpecSchema.parse({ work: cells })), [
      ['notebook', 'a.ipynb'],
      ['cells', '1–3'],
    ]);
  });
});

describe('Two jobs beside each other', () => {
  const lock = (version: string): LockedEnvironment => ({
    id: version === '1' ? '0123456789abcdef' : '0123456789abcde0',
    file: 'requirements.txt',
    python: '3.12',
    platform: 'linux-x86_64',
    accelerator: 'cpu',
    packages: [{ name: 'numpy', version }],
    added: [],
    leftOut: [],
    ray: null,
  });
  const one = (change: Partial<ComparedJob>, job: Partial<Job> = {}): ComparedJob => ({
    job: testJob(job),
    attempt: { offerTitle: '1× RTX 4090', pricePerHourMicroUsd: '420000' },
    lock: null,
    metrics: [],
    ...change,
  });
  const loss = (last: number): Metric => ({ name: 'loss', last, min: last, max: 3, count: 4 });

  it('show what differs in what they were given, printed, cost, ran on and had', () => {
    const [first] = testJob({}).runs;
    assert.ok(first !== undefined);
    const ended = { ...first, endedAtMs: first.startedAtMs + 60_000, cause: 'exit' as const, exitCode: 3 };
    const found = compareJobs(
      one({ lock: lock('1'), metrics: [loss(1)] }, { spec: spec(['python', 'a.py', '--lr', '1']) }),
      one(
        { lock: lock('2'), metrics: [{ ...loss(2), count: 1 }] },
        {
          spec: spec(['python', 'a.py', '--lr', '2']),
          state: 'failed',
          runs: [ended],
          costMicroUsd: '1000000',
        },
      ),
      first.startedAtMs + 120_000,
    );
    assert.deepEqual(found.parameters.filter(differs), [{ name: 'lr', a: '1', b: '2' }]);
    assert.deepEqual(found.metrics, [{ name: 'loss', a: '1 (1 to 3)', b: '2' }]);
    assert.deepEqual(found.results.slice(0, 3), [
      { name: 'state', a: 'running', b: 'failed: exit code 3' },
      { name: 'time', a: '2:00', b: '1:00' },
      { name: 'cost', a: '$0.02', b: '$1.00' },
    ]);
    assert.deepEqual(found.packages, [{ name: 'numpy', a: '1', b: '2' }]);
    assert.equal(found.machine.find(({ name }) => name === 'price')?.a, '$0.42/h');
  });

  it('say that secrets differ, and show none', () => {
    const given = (value: string) => spec(['true', '--api-key', value], { variables: { HF_TOKEN: 'same' } });
    const { parameters } = compareJobs(one({}, { spec: given('abc') }), one({}, { spec: given('xyz') }), 0);
    assert.doesNotMatch(JSON.stringify(parameters), /abc|xyz|same/);
    assert.deepEqual(
      parameters.filter(differs).map(({ name }) => name),
      ['api-key'],
    );
  });
});
