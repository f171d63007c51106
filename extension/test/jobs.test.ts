/** The Jobs view's rows, and what the extension and a job's page say to each other. */
import assert from 'node:assert/strict';
import { HitchError, type Job, jobSchema, LOG_FACTS, splitWords } from '@hitch/contract';
import { jobOfRow, jobRows, rayJobRows } from '../src/jobs/rows.ts';
import { JobTalk } from '../src/page/job-talk.ts';
import { rentedJob } from '../../shared/views/test/support/job.ts';
import { type ToPage, toPageSchema } from '../src/page/messages.ts';

const ID = 'job_01ARZ3NDEKTSV4RRFFQ69G5FAV';

const job = (change: Partial<Job> = {}): Job => ({
  ...jobSchema.parse({
    id: ID,
    name: 'train',
    state: 'running',
    message: '',
    runs: [
      {
        number: 1,
        startedAtMs: 1_000,
        endedAtMs: null,
        cause: null,
        exitCode: null,
        signal: null,
        peakBytes: null,
        message: '',
        leftBehind: 0,
        log: { endByte: 4, droppedBytes: 0 },
      },
    ],
    clusterId: 'clu_01ARZ3NDEKTSV4RRFFQ69G5FAV',
    clusterName: 'llm-dev',
    attemptId: null,
    environmentId: null,
    createdAtMs: 1_000,
    spec: { work: { kind: 'command', command: ['python', 'train.py'] } },
    heardAtMs: 1_000,
    costMicroUsd: '20000',
    kept: [],
  }),
  ...change,
});

describe('The rows of jobs', () => {
  it('show those that run first, with state, time and cost, and say what can be done', () => {
    const over = job({ name: 'old', state: 'succeeded', createdAtMs: 9_000 });
    const rows = jobRows([over, job()], 62_000);
    assert.deepEqual(
      rows.map(({ label }) => label),
      ['train', 'old'],
    );
    assert.equal(rows[0]?.description, 'Running, 1:01, $0.02');
    const glance = { name: 'loss', last: 1, step: 40, values: [3, 2, 1] };
    const [withFigure] = jobRows([job({ glance })], 62_000);
    assert.equal(withFigure?.description, 'Running, 1:01, $0.02, loss 1 at step 40 █▅▁');
    assert.equal(withFigure.spoken, 'Job train on llm-dev: Running, 1:01, $0.02, loss 1 at step 40');
    assert.equal(rows[0]?.contextValue, 'job;live');
    assert.equal(rows[1]?.contextValue, 'job;over');
    assert.equal(jobOfRow(rows[0]?.id), ID);
    assert.match(rows[0]?.spoken ?? '', /^Job train on llm-dev: Running/);
  });

  it('say of one that rents where it stands with its machine, and offer no other run of it', () => {
    const rows = jobRows(
      [
        job({ ...rentedJob({ stage: 'renting' }), state: 'waiting', runs: [], costMicroUsd: '0' }),
        job({ ...rentedJob({ stage: 'over' }), state: 'succeeded' }),
      ],
      62_000,
    );
    assert.equal(rows[0]?.description, 'Renting a machine, $0.00');
    assert.equal(rows[0]?.contextValue, 'job;live');
    assert.match(rows[1]?.description ?? '', /^Finished in .*; machine deleted, \$0\.02$/);
    assert.equal(rows[1]?.contextValue, 'job;rented');
  });

  it('offer outputs where there are any', () => {
    const { spec } = job();
    const [row] = jobRows([job({ spec: { ...spec, outputs: ['out'] } })], 0);
    assert.equal(row?.contextValue, 'job;live;outputs');
  });
});

describe('The rows of jobs of Ray itself', () => {
  it('say how they stand, where, and that Ray stops them', () => {
    const [row] = rayJobRows(
      [
        {
          clusterId: 'clu_01ARZ3NDEKTSV4RRFFQ69G5FAV',
          clusterName: 'llm-dev',
          submissionId: 'raysubmit_1',
          state: 'running',
          entrypoint: 'python train.py',
          message: '',
          startedAtMs: 1_000,
          endedAtMs: null,
        },
      ],
      62_000,
    );
    assert.equal(row?.description, 'Running, 1:01, submitted to the Ray of llm-dev');
    assert.equal(row.contextValue, 'ray-job');
    assert.match(
      row.tooltip().at(-1) ?? '',
      /^Ray runs it\. To stop it, in a terminal of llm-dev: ray job stop raysubmit_1;/,
    );
  });
});

describe('The talk with a page that shows a job', () => {
  function begin(
    api: Record<string, (input: unknown) => Promise<unknown>>,
    raw: (path: string) => Promise<Response> = () => Promise.reject(new Error('not asked for')),
  ) {
    const gone = () => Promise.reject(new HitchError('NOT_FOUND', 'There is no such cluster.'));
    const posted: ToPage[] = [];
    const acted: string[] = [];
    const reported: string[] = [];
    const talk = new JobTalk(
      {
        // As much of the client as the talk uses.
        client: () => ({ api: { jobs: api, clusters: { get: gone } }, raw }) as never,
        post: message => posted.push(toPageSchema.parse(message)),
        act: (action, jobId) => acted.push(`${action} ${jobId}`),
        report: problem => reported.push(problem),
      },
      ID,
    );
    return { talk, posted, acted, reported };
  }
  const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

  it('tells how the job stands, and what was asked of its log', async () => {
    const facts = { run: 1, from: 0, endByte: 2, isOver: true };
    const { talk, posted, acted } = begin(
      {
        get: () => Promise.resolve(job()),
        search: () => Promise.resolve({ run: 1, lines: [{ at: 0, text: 'hi' }], next: null }),
      },
      path => {
        assert.equal(path, `/api/jobs/${ID}/log-bytes?from=0&waitMs=10`);
        return Promise.resolve(new Response('hi', { headers: { [LOG_FACTS]: JSON.stringify(facts) } }));
      },
    );
    talk.take({ kind: 'ready', kept: null });
    talk.take({ kind: 'job-log', question: 1, query: { from: 0, waitMs: 10 } });
    talk.take({ kind: 'job-search', question: 2, text: 'hi', run: 1, from: 0 });
    talk.take({ kind: 'job-action', action: 'stop' });
    while (posted.length < 3) {
      await turn();
    }
    assert.deepEqual(posted.map(({ kind }) => kind).sort(), ['job', 'job-finds', 'job-log']);
    const told = posted.find(({ kind }) => kind === 'job');
    assert.deepEqual(told?.kind === 'job' ? told.around : null, {
      offer: null,
      packages: 'Hitch’s own packages',
    });
    assert.deepEqual(acted, [`stop ${ID}`]);
  });

  it('says in a sentence what could not be had, and reports what it does not understand', async () => {
    const refuse = () => Promise.reject(new HitchError('NOT_FOUND', 'There is no such job.'));
    const { talk, posted, reported } = begin({ get: refuse, search: refuse }, refuse);
    talk.take({ kind: 'ready', kept: null });
    talk.take({ kind: 'job-log', question: 7, query: { from: 0, waitMs: 0 } });
    talk.take({ kind: 'job-log', question: 8, query: { from: -1, waitMs: 0 } });
    await turn();
    assert.deepEqual(
      posted.map(message => ('sentence' in message ? message.sentence : message.kind)),
      ['job', 'There is no such job.'],
    );
    assert.equal(reported.length, 1);
  });
});

describe('Arguments that a person types', () => {
  it('are parted as a shell would part them, and nothing of a shell happens', () => {
    assert.deepEqual(splitWords(`--name "a b" --glob *.py 'it''s' $HOME`), [
      '--name',
      'a b',
      '--glob',
      '*.py',
      'its',
      '$HOME',
    ]);
    assert.deepEqual(splitWords('  '), []);
  });
});
