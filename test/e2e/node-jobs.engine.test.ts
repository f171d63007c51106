/** A job of several nodes: its program on each machine of a cluster, one group, one log, and one end. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Cluster, isJobOver, type Job } from '@hitch/contract';
import { chromiumOrSkip, launchChromium } from '../support/chromium.ts';
import { DaemonHome, HITCH_PROGRAM, type Ran } from '../support/daemon-home.ts';
import { loadedDashboard, openedIn } from '../support/port-pages.ts';
import { allProcesses, needsRealNodes, nodeProcesses, sendSignal } from '../support/processes.ts';
import { until } from '../support/waiting.ts';

/** All meet at the head's, say who they are, and hear of each other; as torch's store does, without torch. */
const MEET = `
import json, os, socket, sys, time
rank, world = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
place = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
import beside
me = {"rank": rank, "node": os.environ["HITCH_NODE"], "env": os.environ["VIRTUAL_ENV"], "given": os.environ["GIVEN"], "beside": beside.WORD}
if rank == 0:
    with socket.create_server(place) as server:
        others = [server.accept()[0] for _ in range(world - 1)]
        met = [me] + [json.loads(other.makefile().readline()) for other in others]
        for other in others:
            other.sendall((json.dumps(met) + "\\n").encode())
else:
    for _ in range(600):
        try:
            head = socket.create_connection(place)
            break
        except OSError:
            time.sleep(0.1)
    head.sendall((json.dumps(me) + "\\n").encode())
    met = json.loads(head.makefile().readline())
print("met", len({one["node"] for one in met}), sorted(one["rank"] for one in met), met[-1]["given"], met[-1]["beside"], flush=True)
print("at", rank, me["node"], me["env"], flush=True)
how = sys.argv[1] if len(sys.argv) > 1 else "ends"
if how == "fails" and rank == 1:
    sys.exit(7)
if how != "ends":
    open("waits", "w").close()
    time.sleep(900)
`;

describe('A job of several nodes', function () {
  this.timeout(900_000);
  const home = new DaemonHome({ HITCH_PROVIDERS: 'local,sandbox' });
  let cluster: Cluster;
  let folder: string;

  before(async function () {
    needsRealNodes(this);
    folder = join(mkdtempSync(join(tmpdir(), 'hn-')), 'code');
    mkdirSync(folder);
    writeFileSync(join(folder, 'meet.py'), MEET);
    writeFileSync(join(folder, 'beside.py'), 'WORD = "copied"\n');
    await home.start();
    cluster = await home.rent(
      { filter: { practice: 'only', multiNode: true }, nodes: 2, engine: 'ray', idleMs: 0 },
      'pair',
    );
    cluster = await home.untilCluster(
      cluster.id,
      'Ray on both machines',
      ({ conditions }) => conditions.engine.status === 'yes',
      420_000,
    );
  });

  after(async () => {
    await home.dispose();
    if (folder !== undefined) {
      rmSync(join(folder, '..'), { recursive: true, force: true });
    }
  });

  /** In the folder where a person stands. */
  async function job(...args: readonly string[]): Promise<Ran> {
    const child = spawn(process.execPath, [HITCH_PROGRAM, 'job', ...args], {
      env: home.environment(),
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (bytes: Buffer) => (stdout += bytes.toString()));
    child.stderr.on('data', (bytes: Buffer) => (stderr += bytes.toString()));
    const code = await new Promise<number | null>(resolve => child.once('close', resolve));
    return { code, stdout, stderr };
  }

  const named = async (name: string): Promise<Job> => {
    const found = (await home.api.jobs.list({})).find(each => each.name === name);
    assert.ok(found !== undefined, `there is a job ${name}`);
    return found;
  };

  const refs = (): readonly string[] => cluster.nodes.map(({ attempts }) => attempts.at(-1)?.ref ?? '');

  /** Programs of a job on any machine, its launcher not among them. */
  const ofJob = ({ id }: Job): readonly number[] =>
    allProcesses()
      .filter(({ environment }) => environment.some(each => each.startsWith(`HITCH_JOB_NODE=${id}-`)))
      .map(({ pid }) => pid);

  const isOver = (name: string): Promise<Job> =>
    until(
      `${name} is over`,
      async () => {
        const found = await named(name);
        return isJobOver(found.state) ? found : null;
      },
      180_000,
    );

  it('runs on each in its own environment, meets at the head, and has one log', async () => {
    const ran = await job('run', 'pair', '--name', 'meet', '--nodes', '2', '--env', 'GIVEN=yes', 'meet.py');
    assert.equal(ran.code, 0, ran.stdout + ran.stderr);
    for (const node of [1, 2]) {
      assert.match(
        ran.stdout,
        new RegExp(`^\\[node ${node.toString()}\\] met 2 \\[0, 1\\] yes copied$`, 'm'),
      );
    }
    const [head = '', other = ''] = refs();
    assert.match(ran.stdout, new RegExp(`^\\[node 1\\] at 0 ${head} \\S*${head}\\S*$`, 'm'));
    assert.match(ran.stdout, new RegExp(`^\\[node 2\\] at 1 ${other} \\S*${other}\\S*$`, 'm'));
    const said = await named('meet');
    assert.deepEqual([said.state, said.runs[0]?.cause, ofJob(said)], ['succeeded', 'finished', []]);
    assert.match((await job('show', 'meet')).stdout, /Runs: python meet\.py \(on 2 nodes\)/);
  });

  it('runs beside Ray’s dashboard, which opens in a browser with all of its pages', async function () {
    const browser = await launchChromium(chromiumOrSkip(this));
    try {
      const { ports } = await home.api.ports.list({ clusterId: cluster.id });
      const dashboard = ports.find(({ known }) => known === 'ray') ?? assert.fail('Ray is not listed');
      const link = await home.api.ports.link({ clusterId: cluster.id, port: dashboard.port });
      assert.deepEqual(await loadedDashboard(await openedIn(browser, link), link.address, 2), []);
    } finally {
      await browser.close();
    }
  });

  it('ends on all where one fails, with its code and its name', async () => {
    const args = ['--name', 'fails', '--nodes', '2', '--env', 'GIVEN=yes', '--no-send', '--folder', 'code'];
    const ran = await job('run', 'pair', ...args, '--', 'python', 'meet.py', 'fails');
    assert.equal(ran.code, 7, ran.stdout + ran.stderr);
    const said = await named('fails');
    assert.equal(said.state, 'failed');
    assert.match(
      said.runs[0]?.message ?? '',
      /^Node 2 \(\S+\) ended with exit code 7\. The other is ended\.$/,
    );
    assert.match((await job('show', 'fails')).stdout, /exit code 7: Node 2 \(\S+\) ended with exit code 7/);
    await until('nothing of it runs', () => ofJob(said).length === 0);
  });

  it('ends on all when it is stopped', async () => {
    const args = ['--name', 'stopped', '--nodes', '2', '--env', 'GIVEN=yes', '--no-send', '--folder', 'code'];
    await job('run', 'pair', ...args, '--detach', '--', 'python', 'meet.py', 'waits');
    await until('it runs on both', async () => ofJob(await named('stopped')).length === 2, 120_000);
    const stopped = await job('stop', 'stopped');
    assert.equal(stopped.code, 0, stopped.stderr);
    const said = await isOver('stopped');
    assert.deepEqual([said.state, said.runs[0]?.cause], ['stopped', 'stopped']);
    await until('nothing of it runs', () => ofJob(said).length === 0);
  });

  it('is refused where there are not so many, and where nothing could be run', async () => {
    const many = await job('run', 'pair', '--nodes', '3', '--no-send', '--', 'true');
    assert.equal(many.code, 2);
    assert.match(many.stderr, /pair has 2 nodes; the job wants 3\./);
    const held = await job('run', 'pair', '--nodes', '2', '--memory', '1', '--no-send', '--', 'true');
    assert.match(held.stderr, /a job of several nodes has none/);
    const torch = await job('run', 'pair', '--torchrun', '--no-send', '--folder', 'code', '--', 'meet.py');
    assert.equal(torch.code, 1);
    assert.match(
      torch.stdout,
      /^Node 1 \(\S+\): torch is not in the environment of this cluster: add it with hitch env/m,
    );
  });

  it('ends on the others when a machine is gone, and says which', async () => {
    const args = ['--name', 'lost', '--nodes', '2', '--env', 'GIVEN=yes', '--no-send', '--folder', 'code'];
    await job('run', 'pair', ...args, '--detach', '--', 'python', 'meet.py', 'waits');
    await until('it runs on both', async () => ofJob(await named('lost')).length === 2, 120_000);
    const [, other = ''] = refs();
    // The machine without its agent, which would start Ray again.
    nodeProcesses(other).forEach(({ pid }) => sendSignal(pid, 'SIGKILL'));
    const said = await isOver('lost');
    assert.equal(said.state, 'failed');
    assert.match(
      said.runs[0]?.message ?? '',
      /^Node 2 \(\S+\) (?:is gone: .+|was ended by SIGKILL)\.? The other is ended\.$/,
    );
    await until('nothing of it runs', () => ofJob(said).length === 0);
  });
});
