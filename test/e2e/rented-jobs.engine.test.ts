/**
 * Jobs that rent, as people use them: one command line, a real daemon that is killed meanwhile, real machines of the practice
 * market, one of which is taken back.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Job, parseMicroUsd } from '@hitch/contract';
import { DaemonHome, HITCH_PROGRAM, type Ran } from '../support/daemon-home.ts';
import { needsRealNodes } from '../support/processes.ts';
import { until } from '../support/waiting.ts';

/** Goes on from its newest checkpoint; begun anew it waits at step 20, until its machine is taken. */
const TRAIN = `
import os, sys, time
os.makedirs('out', exist_ok=True)
steps = [int(name.split('-')[1]) for name in os.listdir('out') if name.startswith('step-')]
begun = max(steps, default=0)
print('begun at', begun, flush=True)
for step in range(begun + 1, 31):
    with open('out/part', 'w') as part:
        part.write('weights of step %d' % step)
    os.replace('out/part', 'out/step-%d' % step)
    print('step', step, flush=True)
    while step == 20 and begun == 0:
        time.sleep(0.05)
print('done', flush=True)
`;

/** A minute at a busy computer is nothing. */
const PATIENT_MS = 600_000;

describe('A job that rents', function () {
  this.timeout(1_500_000);
  const home = new DaemonHome();
  let place: string;
  let folder: string;

  before(async function () {
    needsRealNodes(this);
    place = mkdtempSync(join(tmpdir(), 'hr-'));
    folder = join(place, 'code');
    mkdirSync(folder);
    writeFileSync(join(folder, 'train.py'), TRAIN);
    writeFileSync(join(folder, '.gitignore'), 'secret.txt\n');
    writeFileSync(join(folder, 'secret.txt'), 'not to be sent');
    await home.start();
  });

  after(async () => {
    await home.dispose();
    if (place !== undefined) {
      rmSync(place, { recursive: true, force: true });
    }
  });

  const RENT = ['job', 'run', '--rent', '--practice', '--yes', '--max', '5'];

  function start(args: readonly string[]): { readonly child: ChildProcess; readonly ran: Promise<Ran> } {
    const child = spawn(process.execPath, [HITCH_PROGRAM, ...args], {
      env: home.environment(),
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [stdout, stderr] = ['', ''];
    child.stdout?.on('data', (bytes: Buffer) => (stdout += bytes.toString()));
    child.stderr?.on('data', (bytes: Buffer) => (stderr += bytes.toString()));
    const ran = new Promise<Ran>(resolve => child.once('close', code => resolve({ code, stdout, stderr })));
    return { child, ran };
  }
  const hitch = (...args: readonly string[]): Promise<Ran> => start(args).ran;

  async function named(name: string): Promise<Job> {
    const found = (await home.api.jobs.list({})).find(each => each.name === name);
    assert.ok(found !== undefined, `there is a job ${name}`);
    return found;
  }

  async function leavesNothing(job: Job): Promise<void> {
    assert.equal(job.rental?.stage, 'over');
    assert.equal(job.rental.machinesLeft, 0);
    const cluster = await home.api.clusters.get({ clusterId: job.clusterId });
    assert.equal(cluster.conditions.cleanup.status, 'yes');
    assert.equal(home.leftovers([cluster]).length, 0, 'no process of its machines is left');
    assert.ok(parseMicroUsd(cluster.usage.accruedMicroUsd) <= parseMicroUsd(job.rental.limits.capMicroUsd));
    assert.equal(
      existsSync(join(home.root, 'jobs', job.id, 'files')),
      false,
      'its files are not kept for ever',
    );
  }

  it('shows its output, saves what it made, deletes its machine and ends with the job’s own code', async () => {
    const program =
      "import os, sys; os.makedirs('out'); open('out/model', 'w').write('w'); print(sorted(os.listdir())); sys.exit(3)";
    const ran = await hitch(
      ...[...RENT, '--name', 'short', '--output', 'out', '--to', join(place, 'results')],
      ...['--', 'python', '-c', program],
    );
    assert.equal(ran.code, 3, ran.stderr + ran.stdout);
    assert.match(ran.stdout, /'train\.py'/);
    assert.doesNotMatch(ran.stdout, /secret\.txt/);
    assert.match(ran.stdout, /^Rent .*\?$/m);
    assert.match(ran.stderr, /short: Failed after 0:\d\d: exit code 3/);
    assert.match(ran.stderr, /The machine is deleted\. It cost <?\$/);
    assert.equal(readFileSync(join(place, 'results', 'code', 'out', 'model'), 'utf8'), 'w');
    await leavesNothing(await named('short'));
    const logs = await hitch('job', 'logs', 'short');
    assert.match(logs.stdout, /train\.py/);
    const shown = await hitch('job', 'show', 'short');
    assert.match(shown.stdout, /machine deleted/);
    assert.match(shown.stdout, /Saved: .*results/);
  });

  it('goes on from its checkpoint on another machine, with a daemon that is killed twice', async () => {
    const { child, ran } = start([
      ...[...RENT, '--name', 'long', '--output', 'out', '--checkpoints', 'out', '--replace', '3'],
      ...['--to', join(place, 'long'), '--', 'python', 'train.py'],
    ]);
    const first = await until(
      'a checkpoint is here',
      async () => {
        const job = (await home.api.jobs.list({})).find(({ name }) => name === 'long');
        return job?.rental?.checkpoint?.name === 'step-20' ? job : null;
      },
      PATIENT_MS,
    );
    child.kill('SIGINT');
    const left = await ran;
    assert.equal(left.code, 130, left.stderr);
    assert.match(left.stderr, /It goes on by itself.*hitch job stop long/);
    await home.kill();
    home.takeMachines();
    await home.start();
    await until(
      'the loss is noticed',
      async () => ((await named('long')).rental?.replaced === 1 ? true : null),
      PATIENT_MS,
    );
    await home.kill();
    await home.start();
    const over = await until(
      'it is over',
      async () => {
        const job = await named('long');
        return job.rental?.stage === 'over' ? job : null;
      },
      PATIENT_MS,
    );
    assert.equal(over.id, first.id);
    assert.equal(over.state, 'succeeded', over.rental?.message);
    assert.deepEqual(
      over.runs.map(({ number, cause }) => [number, cause]),
      [
        [1, 'lost'],
        [2, 'finished'],
      ],
    );
    const second = await hitch('job', 'logs', 'long');
    assert.match(second.stdout, /^begun at 20\nstep 21\n(?:step \d+\n)*step 30\ndone\n/);
    const before = await hitch('job', 'logs', 'long', '--run', '1');
    assert.match(before.stdout, /^begun at 0\n(?:step \d+\n)*step 20\n$/);
    assert.ok(readdirSync(join(place, 'long', 'code', 'out')).includes('step-30'));
    await leavesNothing(over);
  });

  it('is stopped by name, and its machine is deleted', async () => {
    const begun = await hitch(
      ...RENT,
      '-d',
      '--name',
      'stopped',
      '--no-send',
      '--sh',
      'echo begun; sleep 1000',
    );
    assert.equal(begun.code, 0, begun.stderr);
    await until(
      'it runs',
      async () => ((await named('stopped')).state === 'running' ? true : null),
      PATIENT_MS,
    );
    const stopped = await hitch('job', 'stop', 'stopped');
    assert.equal(stopped.code, 0, stopped.stderr);
    assert.match(stopped.stdout, /^stopped: Stopped .*machine deleted/);
    await leavesNothing(await named('stopped'));
  });

  it('tries a template on a practice machine, from its lock to its outputs', async () => {
    const ran = await hitch('template', 'test', 'numpy-classifier', '--practice', '--json');
    assert.equal(ran.code, 0, ran.stderr + ran.stdout);
    const trial = JSON.parse(ran.stdout.slice(ran.stdout.lastIndexOf('\n{\n') + 1)) as Record<
      string,
      unknown
    >;
    assert.equal(trial['ok'], true);
    assert.equal(trial['lossFell'], true);
    assert.equal(trial['state'], 'succeeded');
    assert.equal(trial['machinesLeft'], 0);
    await leavesNothing(await named('numpy-classifier'));
  });

  it('runs a template that is rented for', async () => {
    const ran = await hitch(
      ...['rent', '--template', 'numpy-classifier', '--preset', 'smoke', '--set', 'steps=40', '--practice'],
      ...['--yes', '--max', '1', '--to', join(place, 'template')],
    );
    assert.equal(ran.code, 0, ran.stderr + ran.stdout);
    assert.match(ran.stdout, /^Rent .*\?$/m);
    assert.match(ran.stdout, /"step": 40/);
    assert.doesNotMatch(ran.stdout, /"step": 50/);
    assert.ok(existsSync(join(place, 'template', 'numpy-classifier', 'out', 'weights.npz')));
    const wrong = await hitch('rent', '--template', 'numpy-classifier', '--set', 'lr=1', '--practice');
    assert.equal(wrong.code, 2, wrong.stderr);
    assert.match(wrong.stderr, /There is no parameter “lr”/);
  });

  it('rents nothing without a yes', async () => {
    const ran = await hitch('job', 'run', '--rent', '--practice', '--', 'true');
    assert.equal(ran.code, 6, ran.stderr);
    assert.match(ran.stderr, /Renting needs your approval/);
    const wrong = await hitch('job', 'run', 'somewhere', '--replace', '2', '--', 'true');
    assert.equal(wrong.code, 2, wrong.stderr);
    assert.match(wrong.stderr, /--replace is for a job that rents its own machine/);
  });
});
