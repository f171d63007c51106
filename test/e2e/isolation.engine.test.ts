/** A node and everything that was ever started on it end together, nothing else does; secrets stay where they belong. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { type Dirent, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import type { Cluster } from '@hitch/contract';
import * as z from 'zod';
import { DaemonHome } from '../support/daemon-home.ts';
import { NotebookPage, startKernel } from '../support/notebook-page.ts';
import { allProcesses, needsRealNodes, nodeProcesses, runs, skip } from '../support/processes.ts';
import { until } from '../support/waiting.ts';

/** Two Rays that start at once on two busy cores have taken four minutes. */
const RAY_WITHIN_MS = 420_000;

const run = promisify(execFile);

const MARKED = 'marked-value-7f3a9c51d2';
const UNMARKED = 'unmarked-value-0b8e64af17';

/** Starts processes in every way that a cell may, and prints their ids. */
const STARTS_PROCESSES = `
import json, os, subprocess, sys, time
sleep = [sys.executable, '-c', 'import time; time.sleep(1000)']
pids = {}
pids['session'] = subprocess.Popen(sleep, start_new_session=True).pid
pids['stubborn'] = subprocess.Popen(
    [sys.executable, '-c', 'import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(1000)'],
    start_new_session=True).pid
reader, writer = os.pipe()
if os.fork() == 0:
    os.setsid()
    orphan = subprocess.Popen(sleep, start_new_session=True)
    os.write(writer, str(orphan.pid).encode())
    os._exit(0)
pids['orphan'] = int(os.read(reader, 20))
print(json.dumps(pids))
`;

const STARTS_RAY_WORK = `
import json, os, ray
from ray.job_submission import JobSubmissionClient
ray.init(logging_level='ERROR', log_to_driver=False)
@ray.remote
class Worker:
    def pids(self):
        import subprocess, sys
        child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(1000)'], start_new_session=True)
        return [os.getpid(), child.pid]
worker = Worker.options(lifetime='detached', name='worker', num_cpus=0.1).remote()
actor, child = ray.get(worker.pids.remote())
job = JobSubmissionClient().submit_job(entrypoint='echo $$ > job-pid; sleep 1000', entrypoint_num_cpus=0)
print(json.dumps({'actor': actor, 'child of the actor': child}))
`;

const pidsSchema = z.record(z.string(), z.number().int());

describe('a node among others on one computer', function () {
  this.timeout(900_000);
  const home = new DaemonHome({ HITCH_PROVIDERS: 'local' });
  let bystander: ChildProcess | undefined;
  let ray: Cluster | undefined;
  let neighbour: Cluster | undefined;
  let rayPage: NotebookPage | undefined;
  let neighbourPage: NotebookPage | undefined;

  const given = <T>(thing: T | undefined): T => {
    assert.ok(thing !== undefined, 'the clusters were rented');
    return thing;
  };
  const refOf = (cluster: Cluster | undefined) => given(given(cluster).nodes[0]?.attempts.at(-1)).ref;
  const workFolder = (cluster: Cluster | undefined) => join(home.machineFolder(refOf(cluster)), 'work');

  before(async function () {
    needsRealNodes(this);
    await home.start();
    await home.api.secrets.set({ name: 'MARKED_TOKEN', value: MARKED });
    await home.api.secrets.set({ name: 'UNMARKED_TOKEN', value: UNMARKED });
    bystander = spawn('sleep', ['1000'], { stdio: 'ignore', detached: true });
    const request = { filter: { providers: ['local'] } };
    const rented = await home.rent({ ...request, engine: 'ray', secrets: ['MARKED_TOKEN'] }, 'ray');
    neighbour = await home.untilKernel((await home.rent(request, 'neighbour')).id);
    ray = await home.untilKernel(rented.id);
    rayPage = await NotebookPage.open(home, ray, await startKernel(home, ray));
    neighbourPage = await NotebookPage.open(home, neighbour, await startKernel(home, neighbour));
    await neighbourPage.result('kept = 42');
  });

  after(async () => {
    rayPage?.leave();
    neighbourPage?.leave();
    bystander?.kill('SIGKILL');
    for (const name of ['MARKED_TOKEN', 'UNMARKED_TOKEN']) {
      await home.api.secrets.remove({ name }).catch(() => undefined);
    }
    await home.dispose();
  });

  it('gives a kernel the secrets marked for its cluster, and no other', async () => {
    // Never the values themselves: what a cell prints is kept in the kernel's journal.
    const seen = [
      'import hashlib, os',
      "for name in ('MARKED_TOKEN', 'UNMARKED_TOKEN'):",
      '    value = os.environ.get(name)',
      '    print(name, value and hashlib.sha256(value.encode()).hexdigest())',
    ].join('\n');
    const hash = createHash('sha256').update(MARKED).digest('hex');
    assert.equal(await given(rayPage).result(seen), `MARKED_TOKEN ${hash}\nUNMARKED_TOKEN None\n`);
    assert.equal(await given(neighbourPage).result(seen), 'MARKED_TOKEN None\nUNMARKED_TOKEN None\n');
  });

  it('has no secret in an argument list, nor in the environment of what is no kernel or job', async () => {
    const kernels = (await home.api.kernels.list({ clusterId: given(ray).id })).map(({ id }) => id);
    assert.equal(kernels.length, 1);
    for (const { pid, command, environment } of allProcesses()) {
      const who = `process ${pid.toString()} (${command.slice(0, 80)})`;
      assert.ok(!command.includes(MARKED) && !command.includes(UNMARKED), `argv of ${who}`);
      assert.ok(!environment.some(entry => entry.includes(UNMARKED)), `environment of ${who}`);
      if (environment.some(entry => entry.includes(MARKED))) {
        assert.ok(environment.includes(`HITCH_NODE=${refOf(ray)}`), `environment of ${who}`);
        // Ray's own processes hand it to jobs and tasks; the agent and Jupyter Server have no use for it.
        assert.match(command, /ipykernel|ray/, `environment of ${who}`);
        assert.doesNotMatch(command, /agent\.mjs|jupyter_server/, `environment of ${who}`);
      }
    }
  });

  it('shows other users of this computer no secret', async function () {
    if (process.getuid?.() !== 0) {
      skip(this, 'only root can look as another user');
    }
    const look = 'cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr "\\0" "\\n" || :';
    const asNobody = ['--reuid=65534', '--regid=65534', '--clear-groups', 'sh', '-c', look];
    const { stdout } = await run('setpriv', asNobody, { maxBuffer: 64 * 1024 * 1024 });
    assert.match(stdout, /jupyter_server/, 'it sees what runs here');
    assert.ok(!stdout.includes(MARKED) && !stdout.includes(UNMARKED));
  });

  it('keeps secrets in files of their owner alone, and out of store and logs', () => {
    const holding = filesBelow(home.root).filter(path => {
      const content = bytesOf(path);
      return content.includes(MARKED) || content.includes(UNMARKED);
    });
    for (const path of holding) {
      assert.equal(statSync(path).mode & 0o077, 0, path);
      assert.match(path, /(secrets\.json|agent-config\.json|kernel-environment\.json)$/);
      if (bytesOf(path).includes(UNMARKED)) {
        assert.equal(path, home.home.secrets);
      }
    }
    assert.ok(holding.some(path => path.startsWith(home.machineFolder(refOf(ray)))));
  });

  it('takes everything with it when it ends, and nothing else', async () => {
    const clusterId = given(ray).id;
    await home.untilCluster(
      clusterId,
      'Ray is complete',
      ({ conditions }) => conditions.engine.status === 'yes',
      RAY_WITHIN_MS,
    );
    const started = {
      ...pidsIn(await given(rayPage).result(STARTS_PROCESSES)),
      ...pidsIn(await given(rayPage).result(STARTS_RAY_WORK, 120_000)),
    };
    const job = await until(
      'the job runs',
      () => Number(read(join(workFolder(ray), 'job-pid'))) || null,
      90_000,
    );
    const all: Readonly<Record<string, number>> = { ...started, job };
    for (const [name, pid] of Object.entries(all)) {
      assert.ok(runs(pid), `${name} runs`);
    }
    assert.ok(nodeProcesses(refOf(ray)).length > Object.keys(all).length);

    await home.api.clusters.stop({ clusterId });
    const over = await home.untilOver(clusterId);
    assert.equal(over.phase, 'stopped');
    const left = Object.entries(all).filter(([, pid]) => runs(pid));
    assert.deepEqual(left, []);
    assert.deepEqual(home.leftovers([over]), []);

    assert.ok(runs(given(bystander?.pid)), 'a process of nobody’s node runs on');
    assert.equal(await given(neighbourPage).result('print(kept)'), '42\n');
  });
});

/** Ray may say something first; the ids are the last line. */
function pidsIn(printed: string): Readonly<Record<string, number>> {
  return pidsSchema.parse(JSON.parse(printed.trimEnd().split('\n').at(-1) ?? ''));
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
}

/** None, where it is gone by now: Ray and the agent write and remove files all the time. */
function bytesOf(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch {
    return Buffer.alloc(0);
  }
}

function filesBelow(folder: string): readonly string[] {
  return entriesOf(folder).flatMap(entry => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesBelow(path) : entry.isFile() ? [path] : [];
  });
}

function entriesOf(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}
