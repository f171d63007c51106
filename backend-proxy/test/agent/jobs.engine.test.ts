/** Jobs on a real node: real processes, real signals, an agent that is killed meanwhile. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  isJobOver,
  jobFindsSchema,
  jobIdSchema,
  jobLogPageSchema,
  type JobSpec,
  jobSpecSchema,
  type NodeJob,
  nodeJobSchema,
} from '@hitch/contract';
import type * as z from 'zod';
import { pythonOrSkip, RunningAgent, shownOf } from './running-agent.ts';

type Asked = Partial<z.input<typeof jobSpecSchema>> & Pick<z.input<typeof jobSpecSchema>, 'work'>;

const sh = (script: string): Asked['work'] => ({ kind: 'script', script });
const sha256 = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex');

describe('Jobs of a node', function () {
  this.timeout(300_000);
  let agent: RunningAgent;
  let count = 0;

  before(async function () {
    if (process.platform !== 'linux') {
      console.log('      skipped: these tests look at processes as Linux shows them');
      this.skip();
    }
    const python = pythonOrSkip(this);
    agent = await new RunningAgent({ python, secrets: { HF_TOKEN: 'a-secret-of-a-test' } }).start();
  });

  after(async () => {
    await agent?.dispose();
  });

  async function start(asked: Asked, name = 'test'): Promise<string> {
    count += 1;
    const jobId = jobIdSchema.parse(`job_${count.toString().padStart(26, '0')}`);
    const spec: JobSpec = jobSpecSchema.parse(asked);
    const answer = await agent.call('POST', '/jobs', { jobId, name, engine: 'single', spec });
    assert.equal(answer.status, 200, answer.text);
    return jobId;
  }

  const job = async (id: string): Promise<NodeJob> =>
    nodeJobSchema.parse((await agent.call('GET', `/jobs/${id}`)).json);

  async function until(id: string, holds: (job: NodeJob) => boolean): Promise<NodeJob> {
    for (;;) {
      const now = await job(id);
      if (holds(now)) {
        return now;
      }
      assert.ok(!isJobOver(now.state), `it is over: ${JSON.stringify(now)}`);
      await delay(30);
    }
  }

  const ended = (id: string): Promise<NodeJob> => until(id, ({ state }) => isJobOver(state));

  async function log(id: string, query = ''): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (let from = 0; ;) {
      const answer = await agent.call('GET', `/jobs/${id}/log?from=${from.toString()}${query}`);
      const page = jobLogPageSchema.parse(answer.json);
      parts.push(Buffer.from(page.data, 'base64'));
      from = page.next;
      if (page.next >= page.endByte && page.isOver) {
        return Buffer.concat(parts);
      }
    }
  }

  async function untilFile(name: string): Promise<string> {
    while (!existsSync(join(agent.work, name))) {
      await delay(20);
    }
    return readFileSync(join(agent.work, name), 'utf8');
  }

  it('runs a command with no shell between, in its folder, with its variables and the secrets', async () => {
    mkdirSync(join(agent.work, 'a folder'), { recursive: true });
    const code =
      'import os,sys; print(os.getcwd(), sys.argv[1], os.environ["LR"], len(os.environ["HF_TOKEN"]), sys.prefix)';
    const id = await start({
      work: { kind: 'command', command: ['python', '-c', code, '$HOME; x'] },
      folder: 'a folder',
      variables: { LR: '3e-4' },
    });
    const { state, runs } = await ended(id);
    assert.equal(state, 'succeeded');
    assert.equal(runs.length, 1);
    assert.equal(runs[0]?.exitCode, 0);
    assert.equal(runs[0]?.cause, 'finished');
    const words = (await log(id)).toString();
    assert.match(words, new RegExp(`^${join(agent.work, 'a folder')} \\$HOME; x 3e-4 18 `));
    assert.ok(words.includes(join(agent.state, 'python')), 'in the environment of the node');
  });

  it('keeps no variables of a job that is over, and shows its secrets in no listing while it runs', async () => {
    const id = await start({ work: sh('touch lists; while [ ! -e end-lists ]; do sleep 0.1; done') });
    await untilFile('lists');
    for (const pid of agent.processes()) {
      const words = readFileSync(`/proc/${pid.toString()}/cmdline`, { encoding: 'latin1', flag: 'r' });
      assert.ok(!words.includes('a-secret-of-a-test'));
    }
    writeFileSync(join(agent.work, 'end-lists'), '');
    await ended(id);
    assert.ok(!readdirSync(join(agent.state, 'jobs', id)).includes('environment.json'));
  });

  it('says how each run ended: a code, a signal, a program that is not there', async () => {
    const code = (await ended(await start({ work: sh('exit 3') }))).runs[0];
    assert.deepEqual([code?.cause, code?.exitCode, code?.signal], ['exit', 3, null]);
    const signal = (await ended(await start({ work: sh('kill -SEGV $$') }))).runs[0];
    assert.deepEqual([signal?.cause, signal?.exitCode, signal?.signal], ['signal', null, 'SIGSEGV']);
    const none = await ended(await start({ work: { kind: 'command', command: ['no-such-program'] } }));
    assert.equal(none.state, 'failed');
    assert.equal(none.runs[0]?.cause, 'environment');
    assert.match(none.runs[0]?.message ?? '', /^no-such-program cannot be started: No such file/);
  });

  it('says that the memory was used up, and how much of it there was', async function () {
    const limit = 96 * 1024 * 1024;
    const program = 'print("begins"); x = bytearray(400 << 20); print(len(x))';
    const { runs } = await ended(
      await start({ work: { kind: 'command', command: ['python', '-c', program] }, memoryBytes: limit }),
    );
    const [run] = runs;
    if (run?.cause === 'environment') {
      console.log(`      skipped: ${run.message}`);
      this.skip();
    }
    assert.deepEqual([run?.cause, run?.signal], ['memory', 'SIGKILL']);
    assert.ok((run?.peakBytes ?? 0) > limit / 2 && (run?.peakBytes ?? 0) <= limit, String(run?.peakBytes));
  });

  it('asks it to end with SIGTERM, and what it does then is done', async () => {
    const id = await start({
      work: sh('trap "echo saved; exit 0" TERM; touch asks; while :; do sleep 0.1; done'),
      graceMs: 60_000,
    });
    await untilFile('asks');
    await agent.call('POST', `/jobs/${id}/stop`);
    const { state, runs } = await ended(id);
    assert.deepEqual([state, runs[0]?.cause, runs[0]?.exitCode], ['stopped', 'stopped', 0]);
    assert.match((await log(id)).toString(), /^saved\n/m);
  });

  it('ends what does not end by itself, and all that it started, those in sessions of their own too', async () => {
    const id = await start({
      work: sh(
        'trap "" TERM; setsid sleep 1000 & sleep 1000 & echo $$ > stubborn; while :; do sleep 0.1; done',
      ),
      graceMs: 200,
    });
    await untilFile('stubborn');
    await agent.call('POST', `/jobs/${id}/stop`);
    const { runs } = await ended(id);
    assert.deepEqual([runs[0]?.cause, runs[0]?.signal], ['stopped', 'SIGKILL']);
    const tagged = agent.processes().filter(pid => shownOf(pid).includes(`HITCH_JOB=${id}`));
    assert.deepEqual(tagged, []);
  });

  it('ends what a job left running, and says how much that was', async () => {
    const { state, runs } = await ended(await start({ work: sh('setsid sleep 1000 & sleep 1000 & exit 0') }));
    assert.equal(state, 'succeeded');
    assert.equal(runs[0]?.leftBehind, 2);
  });

  it('holds a run to its time', async () => {
    const { state, runs } = await ended(
      await start({ work: sh('sleep 1000'), timeLimitMs: 1_000, graceMs: 1_000 }),
    );
    assert.deepEqual([state, runs[0]?.cause, runs[0]?.signal], ['failed', 'limit', 'SIGTERM']);
  });

  it('starts what failed again, as often as was asked for, and keeps each log', async () => {
    const id = await start({ work: sh('echo run; echo x >> tries; [ $(wc -l < tries) -ge 3 ]'), retries: 5 });
    const { state, runs } = await ended(id);
    assert.equal(state, 'succeeded');
    assert.deepEqual(
      runs.map(({ number, cause }) => [number, cause]),
      [
        [1, 'exit'],
        [2, 'exit'],
        [3, 'finished'],
      ],
    );
    assert.equal((await log(id, '&run=2')).toString(), 'run\n');
  });

  it('has every byte in order after the agent was killed in the middle, and knows the exit code', async () => {
    const program = [
      'import sys, os, random',
      'out = open("written", "wb", buffering=0)',
      'r = random.Random(7)',
      'for i in range(3000):',
      '    data = f"{i} ".encode() + r.randbytes(1000 + i % 700) + b"\\n"',
      '    out.write(data)',
      '    os.write(1 + i % 2, data)',
      '    if i == 1000: open("half", "w").close()',
      '    while i == 2000 and not os.path.exists("go-on"): pass',
      'sys.exit(7)',
    ].join('\n');
    const id = await start({ work: { kind: 'command', command: ['python', '-c', program] } });
    await untilFile('half');
    await agent.kill();
    writeFileSync(join(agent.work, 'go-on'), '');
    await agent.start();
    const { state, runs } = await ended(id);
    assert.deepEqual([state, runs[0]?.cause, runs[0]?.exitCode], ['failed', 'exit', 7]);
    const bytes = await log(id);
    assert.equal(sha256(bytes), sha256(readFileSync(join(agent.work, 'written'))));
    assert.equal(runs[0]?.log.droppedBytes, 0);
  });

  it('ends while no agent is there, and the next one says how', async () => {
    const id = await start({
      work: sh('touch alone; while [ ! -e end-alone ]; do sleep 0.05; done; exit 9'),
    });
    await untilFile('alone');
    await agent.kill();
    writeFileSync(join(agent.work, 'end-alone'), '');
    const state = join(agent.state, 'jobs', id, 'state.json');
    while (!readFileSync(state, 'utf8').includes('"ended"')) {
      await delay(30);
    }
    await agent.start();
    assert.deepEqual([(await ended(id)).runs[0]?.cause, (await job(id)).runs[0]?.exitCode], ['exit', 9]);
  });

  it('is never started twice by an answer that was lost', async () => {
    const id = await start({ work: sh('echo once >> times; sleep 0.2') });
    const spec = jobSpecSchema.parse({ work: sh('echo twice >> times') });
    await agent.call('POST', '/jobs', { jobId: id, name: 'test', engine: 'single', spec });
    await ended(id);
    assert.equal(readFileSync(join(agent.work, 'times'), 'utf8'), 'once\n');
  });

  it('says that nobody knows how it ended when what looks after it was killed', async () => {
    const id = await start({ work: sh('echo $PPID > watcher; sleep 1000'), graceMs: 0 });
    let pid = '';
    while (!/\d\n/.test(pid)) {
      pid = await untilFile('watcher');
    }
    process.kill(Number(pid), 'SIGKILL');
    const { state, runs } = await ended(id);
    assert.deepEqual([state, runs[0]?.cause], ['failed', 'unwatched']);
    assert.ok((runs[0]?.endedAtMs ?? 0) >= (runs[0]?.startedAtMs ?? 0));
  });

  it('gives the next line as soon as it is there, and finds a text', async () => {
    const id = await start({
      work: sh(
        'echo first; while [ ! -e more ]; do sleep 0.05; done; seq 1 5000; echo Loss: NaN; seq 1 3000',
      ),
    });
    await until(id, ({ runs }) => (runs[0]?.log.endByte ?? 0) > 0);
    const waiting = agent.call('GET', `/jobs/${id}/log?from=6&waitMs=20000`);
    writeFileSync(join(agent.work, 'more'), '');
    assert.notEqual(jobLogPageSchema.parse((await waiting).json).data, '');
    await ended(id);
    const finds = jobFindsSchema.parse((await agent.call('GET', `/jobs/${id}/log-search?text=loss`)).json);
    assert.deepEqual(
      finds.lines.map(({ text }) => text),
      ['Loss: NaN'],
    );
    const at = finds.lines[0]?.at ?? 0;
    const page = jobLogPageSchema.parse(
      (await agent.call('GET', `/jobs/${id}/log?from=${at.toString()}`)).json,
    );
    assert.match(Buffer.from(page.data, 'base64').toString(), /^Loss: NaN\n1\n/);
  });

  it('counts as work, by its name', async () => {
    const id = await start({ work: sh('while [ ! -e end-work ]; do sleep 0.1; done') }, 'fine-tune');
    await agent.untilStatus('work', ({ watchdog }) => watchdog.activity.includes('job fine-tune is running'));
    writeFileSync(join(agent.work, 'end-work'), '');
    await ended(id);
    await agent.untilStatus('no work', ({ watchdog }) => !watchdog.activity.join('').includes('fine-tune'));
  });
});

describe('The log of a job', function () {
  this.timeout(300_000);
  let agent: RunningAgent | null = null;

  after(() => agent?.dispose());

  it('stays in its bound, keeps its beginning and its end, and says how much went', async function () {
    const python = pythonOrSkip(this);
    agent = await new RunningAgent({ python, journal: { maxBytesPerKernel: 1024 * 1024 } }).start();
    const jobId = `job_${'1'.repeat(26)}`;
    const spec = jobSpecSchema.parse({ work: { kind: 'command', command: ['seq', '1', '600000'] } });
    await agent.call('POST', '/jobs', { jobId, name: 'long', engine: 'single', spec });
    let run: NodeJob['runs'][number] | undefined;
    while (run?.endedAtMs === null || run === undefined) {
      await delay(50);
      run = nodeJobSchema.parse((await agent.call('GET', `/jobs/${jobId}`)).json).runs[0];
    }
    const all = Buffer.from(Array.from({ length: 600_000 }, (_, at) => `${(at + 1).toString()}\n`).join(''));
    assert.equal(run.log.endByte, all.length);
    const kept = all.length - run.log.droppedBytes;
    assert.ok(kept > 512 * 1024 && kept <= 1024 * 1024, kept.toString());
    let [from, gaps] = [0, 0];
    while (from < all.length) {
      const answer = await agent.call('GET', `/jobs/${jobId}/log?from=${from.toString()}`);
      const page = jobLogPageSchema.parse(answer.json);
      gaps += page.from - from;
      const data = Buffer.from(page.data, 'base64');
      assert.ok(data.equals(all.subarray(page.from, page.next)), `the bytes from ${page.from.toString()} on`);
      from = page.next;
    }
    assert.equal(gaps, run.log.droppedBytes);
  });
});
