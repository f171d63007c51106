/**
 * Packages on a cluster: however somebody comes to it, `pip` and `python` are the cluster's own, and what is installed
 * is there for all other ways, and for nobody beside the cluster.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { promisify, stripVTControlCharacters } from 'node:util';
import { type Cluster, runInstall } from '@hitch/contract';
import { DaemonHome, HITCH_PROGRAM } from '../support/daemon-home.ts';
import { openssh, type Said, withoutOpenssh } from '../support/openssh.ts';
import { needsRealNodes, skip } from '../support/processes.ts';
import { delay, until } from '../support/waiting.ts';
import { makeWheel } from '../support/wheel.ts';

const run = promisify(execFile);
const IN_TERMINAL = 'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))';

describe('packages that are installed on a cluster', function () {
  this.timeout(600_000);
  const home = new DaemonHome({ HITCH_PROVIDERS: 'local,sandbox' });
  const python = process.env['HITCH_PYTHON'] ?? '';
  const children: ChildProcess[] = [];
  let cluster: Cluster;

  before(async function () {
    needsRealNodes(this);
    await home.start();
    cluster = await home.rent(
      { filter: { practice: 'only', multiNode: true }, nodes: 2, engine: 'ray' },
      'mine',
    );
    const other = await home.rent({ filter: { practice: 'only' } }, 'other');
    await home.untilKernel(cluster.id);
    await home.untilKernel(other.id);
  });

  after(async () => {
    children.forEach(child => child.kill('SIGKILL'));
    await home.dispose();
  });

  const wheel = (name: string): Promise<string> => makeWheel(python, home.root, name);
  const install = (file: string): string => `install --no-index --no-input ${file}`;

  async function cell(name: string, code: string): Promise<string> {
    const ran = await home.cli(['run', name, '-c', code]);
    assert.equal(ran.code, 0, ran.stdout + ran.stderr);
    return ran.stdout;
  }

  /** Only where it was installed: not in another cluster, nor for the Python that all are made from. */
  async function isNowhereElse(name: string): Promise<void> {
    const look = `import importlib.util; print("found:", importlib.util.find_spec("${name}") is not None)`;
    assert.match(await cell('other', look), /^found: False/m);
    assert.match((await run(python, ['-c', look])).stdout, /^found: False/);
  }

  async function ssh(alias: string, command: string): Promise<Said> {
    const { configFile } = await until('ssh is available', async () => {
      const nodeIndex = alias.endsWith('.1') ? 1 : 0;
      const seen = await home.api.ssh.access({ clusterId: cluster.id, nodeIndex });
      return seen.state === 'available' ? seen : null;
    });
    return openssh('ssh', ['-F', configFile, alias, command]);
  }

  it('go to the kernel with !pip and with %pip, and their programs are found by name', async () => {
    for (const [name, pip] of [
      ['by_bang', '!pip'],
      ['by_magic', '%pip'],
    ] as const) {
      const said = await cell(
        'mine',
        `${pip} ${install(await wheel(name))}\nimport ${name}; ${name}.say()\n!${name}`,
      );
      assert.equal(said.match(new RegExp(`${name}-works`, 'g'))?.length, 2, said);
      await isNowhereElse(name);
    }
  });

  it('leave what the cluster came with as it was for others, when another version is installed', async () => {
    const said = await cell(
      'mine',
      '!pip uninstall -y ipykernel\nimport ipykernel; print(ipykernel.__name__)',
    );
    assert.match(said, /^ipykernel$/m);
    assert.equal((await run(python, ['-c', 'import ipykernel; print(1)'])).stdout, '1\n');
  });

  it('go to the same Python in a terminal', async () => {
    const file = await wheel('by_terminal');
    const child = spawn(python, ['-c', IN_TERMINAL, process.execPath, HITCH_PROGRAM, 'ssh', 'mine'], {
      env: home.environment(),
      cwd: '/',
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    children.push(child);
    let shown = '';
    child.stdout.on('data', (bytes: Buffer) => (shown += bytes.toString()));
    await until('a shell', () => /[$#] /.test(shown));
    child.stdin.write(`pip ${install(file)} && by_terminal && echo "at $VIRTUAL_ENV for $RAY_ADDRESS:"\r`);
    await until(
      'it is installed',
      () => /^by_terminal-works[^]*^at \S+ for \S+:/m.test(shown),
      120_000,
      () => shown,
    );
    child.stdin.write('exit\r');
    assert.match(await cell('mine', 'import by_terminal; by_terminal.say()'), /by_terminal-works/);
    await isNowhereElse('by_terminal');
  });

  it('go there by ssh, with a command and in a login shell, on the second machine too', async function () {
    const reason = withoutOpenssh();
    if (reason !== null) {
      skip(this, reason);
    }
    const file = await wheel('by_ssh');
    const use = 'python -c "import by_ssh; by_ssh.say()" && by_ssh';
    const said = await ssh('hitch-mine', `pip ${install(file)} && ${use} && bash -lc 'by_ssh; which python'`);
    assert.equal(said.stdout.match(/by_ssh-works/g)?.length, 3, said.stdout + said.stderr);
    assert.match(said.stdout, /\/python\/bin\/python\n$/);
    const login = spawn('/usr/bin/ssh', ['-F', await configFile(), '-tt', 'hitch-mine'], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    children.push(login);
    let shown = '';
    let isClosed = false;
    login.once('close', () => (isClosed = true));
    login.stdout.on('data', (bytes: Buffer) => (shown += bytes.toString()));
    // A shell that begins may throw away what was typed before its prompt.
    await until(
      'a prompt',
      () => /[$#%>] ?$/.test(stripVTControlCharacters(shown)),
      120_000,
      () => shown,
    );
    login.stdin.write(
      'by_ssh; python -c "import by_ssh, os; print(os.environ[\'RAY_ADDRESS\'], 6 * 7)"; exit\n',
    );
    await until(
      'the end of the session',
      () => isClosed,
      120_000,
      () => shown,
    );
    assert.match(shown, /^by_ssh-works/m);
    assert.match(shown, /^\S+:\d+ 42/m);
    const second = await ssh('hitch-mine.1', `pip ${install(file)} && by_ssh && command -v ray`);
    assert.match(second.stdout, /^by_ssh-works\n\S+\/python\/bin\/ray\n/m, second.stdout + second.stderr);
    await isNowhereElse('by_ssh');
  });

  it('are there for jobs and for Ray’s workers, and Ray takes some to every machine', async () => {
    await home.untilCluster(
      cluster.id,
      'Ray on both machines',
      ({ conditions }) => conditions.engine.status === 'yes',
      420_000,
    );
    const file = await wheel('by_job');
    const job = await cell(
      'mine',
      `open("job.py", "w").write("import by_job, ray; by_job.say(); print(ray.__version__)")\n` +
        `!pip ${install(file)}\n!ray job submit -- python job.py`,
    );
    assert.match(job, /^by_job-works/m);
    const listed = await home.cli(['job', 'ls']);
    assert.match(listed.stdout, /^raysubmit_\w+ \(Ray’s\) +Finished, \d+:\d\d +– +mine .*python job\.py$/m);
    const everywhere = await wheel('by_ray');
    const tasks = await cell(
      'mine',
      `import ray
ray.init(runtime_env={"pip": ["${everywhere}"]}, log_to_driver=False, ignore_reinit_error=True)
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy as On
@ray.remote(num_cpus=0)
def task():
    import by_ray, os, shutil
    return by_ray.__name__ + "-works on " + os.environ["HITCH_NODE"] + " " + os.environ["VIRTUAL_ENV"]
for node in ray.nodes():
    print(ray.get(task.options(scheduling_strategy=On(node["NodeID"], soft=False)).remote()))`,
    );
    assert.equal(tasks.match(/^by_ray-works/gm)?.length, 2, tasks);
    await isNowhereElse('by_ray');
  });

  it('go to all machines by one job, as the editors install what a cell missed', async () => {
    const now = async (): Promise<Cluster> => {
      const all = await home.api.clusters.list();
      return all.find(({ id }) => id === cluster.id) ?? assert.fail('it is gone');
    };
    const { signal } = new AbortController();
    const sleep = async (ms: number): Promise<void> => {
      await delay(ms);
    };
    const requirement = await wheel('by_editor');
    const job = await runInstall({ api: home.api, cluster: await now(), requirement, signal, sleep });
    const { data } = await home.api.jobs.log({ jobId: job.id });
    assert.equal(job.state, 'succeeded', Buffer.from(data, 'base64').toString());
    assert.match(await cell('mine', 'import by_editor; by_editor.say()'), /by_editor-works/);
    await until('both machines say so', async () => {
      const added = (await now()).environment?.added ?? [];
      return added.filter(({ name }) => name === 'by-editor').length === 2;
    });
    await isNowhereElse('by_editor');
  });

  async function configFile(): Promise<string> {
    return (await home.api.ssh.access({ clusterId: cluster.id, nodeIndex: 0 })).configFile;
  }
});
