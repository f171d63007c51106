/** MLflow's tracking API as its client asks it: a job's own run, runs beside it, strangers, and nonsense. */
import assert from 'node:assert/strict';
import { jobIdSchema } from '@hitch/contract';
import { MlflowServer } from '../../../src/agent/jobs/metrics/mlflow-server.ts';

const JOB = jobIdSchema.parse(`job_${'0'.repeat(26)}`);
const OTHER = jobIdSchema.parse(`job_${'1'.repeat(26)}`);

describe('MLflow’s address', () => {
  const taken: unknown[] = [];
  let saved = 0;
  const server = new MlflowServer({
    secret: 'a secret',
    now: () => 5,
    jobOf: id =>
      id === OTHER
        ? null
        : {
            id,
            folder: '/work/folder',
            takerOf: run => (name, step, atMs, value) => taken.push([run, name, step, atMs, value]),
            kept: () => {
              saved = taken.length;
              return Promise.resolve();
            },
          },
  });

  before(async () => {
    assert.notEqual(await server.listen(null), null);
  });
  after(() => server.close());

  async function ask(
    method: string,
    path: string,
    body?: unknown,
    token: string | null = server.accessOf(JOB)?.token ?? '',
  ): Promise<{ status: number; json: unknown }> {
    const answer = await fetch(`${server.accessOf(JOB)?.uri ?? ''}/api/2.0/mlflow/${path}`, {
      method,
      headers: token === null ? {} : { authorization: `Bearer ${token}` },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    return { status: answer.status, json: await answer.json() };
  }

  const runId = (): string => server.accessOf(JOB)?.runId ?? '';

  it('takes figures of the job’s own run, and answers once they are kept', async () => {
    taken.length = 0;
    const one = { run_id: runId(), key: 'loss', value: 0.5, timestamp: 1_000, step: 3 };
    assert.equal((await ask('POST', 'runs/log-metric', one)).status, 200);
    const metrics = [
      { key: 'loss', value: 0.4, timestamp: '1001', step: '4' },
      { key: 'loss', value: 'NaN', timestamp: 1_002, step: 5 },
    ];
    const params = [{ key: 'lr', value: '0.1' }];
    assert.equal((await ask('POST', 'runs/log-batch', { run_id: runId(), metrics, params })).status, 200);
    assert.deepEqual(taken, [
      ['', 'loss', 3, 1_000, 0.5],
      ['', 'loss', 4, 1_001, 0.4],
      ['', 'loss', 5, 1_002, Number.NaN],
    ]);
    assert.equal(saved, 3);
    const { json } = await ask('GET', `runs/get?run_id=${runId()}`);
    assert.match(JSON.stringify(json), /"params":\[\{"key":"lr","value":"0.1"\}\]/);
    assert.match(JSON.stringify(json), /"artifact_uri":"file:\/\/\/work\/folder\/mlartifacts/);
  });

  it('names the figures of a run that the program begins by that run', async () => {
    taken.length = 0;
    const { json } = await ask('POST', 'runs/create', { experiment_id: '0', run_name: 'child' });
    const id = /"run_id":"(\w{32})"/.exec(JSON.stringify(json))?.[1];
    await ask('POST', 'runs/log-metric', { run_id: id, key: 'loss', value: 1, timestamp: 9, step: 0 });
    assert.deepEqual(taken, [['child', 'loss', 0, 9, 1]]);
  });

  it('lets nobody in without the token of a job that runs', async () => {
    const right = server.accessOf(JOB)?.token ?? '';
    for (const token of [null, '', 'x', `${right}0`, server.accessOf(OTHER)?.token ?? '']) {
      const { status, json } = await ask(
        'GET',
        'experiments/get-by-name?experiment_name=a',
        undefined,
        token,
      );
      assert.equal(status, 401);
      assert.match(JSON.stringify(json), /UNAUTHENTICATED/);
    }
  });

  it('answers nonsense and what it does not have in MLflow’s own form', async () => {
    for (const [path, body, status] of [
      ['runs/log-metric', { run_id: 'none', key: 'a', value: 1 }, 404],
      ['runs/log-metric', { run_id: runId(), key: 'a', value: 'much' }, 400],
      ['runs/log-batch', { run_id: runId(), metrics: 'all' }, 400],
      ['runs/log-batch', '{"run_id"', 400],
      ['runs/log-batch', '[1', 400],
      ['registered-models/create', { name: 'model' }, 404],
    ] as const) {
      const answer = await ask('POST', path, body);
      assert.equal(answer.status, status, path);
      assert.match(JSON.stringify(answer.json), /^\{"error_code":"\w+","message":"[^"]+\."\}$/);
    }
    const large = await ask('POST', 'runs/log-batch', `"${'x'.repeat(5 * 1024 * 1024)}"`).catch(() => null);
    assert.ok(large === null || large.status === 413);
  });
});
