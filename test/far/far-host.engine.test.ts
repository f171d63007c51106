/** A machine behind a real sshd, another user's with an empty home: its agent is started, found, replaced, kept and ended. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { type AgentStatus, agentStatusSchema } from '@hitch/contract';
import type { AgentAddress, HostFacts } from '../../backend-proxy/src/access/host.ts';
import { OpenSshShell } from '../../backend-proxy/src/access/tunnel/open-ssh-shell.ts';
import { cleanFar, endFar } from '../../backend-proxy/src/machines/far/far-end.ts';
import { FarHost } from '../../backend-proxy/src/machines/far/far-host.ts';
import { systemClock } from '@hitch/platform/src/clock.ts';
import { systemRandom } from '@hitch/platform/src/random.ts';
import { NVIDIA_SMI } from '../../backend-proxy/test/machines/far/looks.ts';
import { FarMachine } from '../support/far-machine.ts';
import { needsOpenssh } from '../support/openssh.ts';
import { nodeProcesses, refOfThisRun } from '../support/processes.ts';
import { delay, until } from '../support/waiting.ts';

const signal = new AbortController().signal;
const bundlePath = new URL('../../backend-proxy/dist/agent.mjs', import.meta.url).pathname;
const REF = refOfThisRun('far');
const TOKEN = 'a-token-that-is-nowhere-in-a-list';
/** Answers as a Python that has what a node needs; nothing is run with it here. */
const PYTHON = `#!/bin/sh
case $1:$2 in -c:*'has("ray")'*) echo 'fits 3.12.3' ;; esac
`;

/** A crontab that is a file in the home folder. */
const CRONTAB = `#!/bin/sh
case $1 in
  -l) cat "$HOME/crontab.txt" ;;
  -) all=$(cat) && printf '%s\\n' "$all" >"$HOME/crontab.txt" ;;
esac
`;

describe('a far machine', function () {
  this.timeout(180_000);
  let machine: FarMachine;
  let shell: OpenSshShell;
  let facts: HostFacts;

  before(async function () {
    needsOpenssh(this);
    machine = await FarMachine.start({ bashrc: 'export PATH="$HOME/../bin:$PATH"\n' });
    const bin = join(machine.folder, 'bin');
    mkdirSync(bin);
    copyFileSync(process.execPath, join(bin, 'node'));
    writeFileSync(join(bin, 'python3'), PYTHON);
    for (const path of [bin, join(bin, 'node'), join(bin, 'python3')]) {
      chmodSync(path, 0o755);
    }
    shell = await openShell();
    facts = await host().facts(signal);
  });
  afterEach(async () => {
    await endFar(shell, REF, signal);
  });
  after(async () => {
    await shell?.close();
    await machine?.dispose();
  });

  const openShell = () =>
    OpenSshShell.open(
      { name: 'gpu-box', destination: 'gpu-box', settings: [], configFile: machine.config },
      { clock: systemClock, random: systemRandom, sockets: join(machine.folder, 's'), shared: true },
      signal,
    );
  const host = (more: { lease?: string; gpuCount?: number } = {}) =>
    new FarHost({
      shell,
      ref: REF,
      address: { at: 'gpu-box', hostKey: null, ssh: null, proof: null, privateAddress: null },
      lease: more.lease ?? null,
      promised: more.gpuCount === undefined ? null : { gpuCount: more.gpuCount },
      environment: {},
    });
  const root = () => join(machine.home, '.hitch', 'far');
  const config = (more: Record<string, unknown> = {}) =>
    JSON.stringify({
      protocol: 1,
      clusterId: 'clu_far',
      clusterName: 'far',
      nodeId: 'nod_far',
      ref: REF,
      token: TOKEN,
      listen: facts.listen,
      stateFolder: facts.stateFolder,
      workFolder: facts.workFolder,
      python: '/nowhere/python3',
      jupyter: false,
      journal: {},
      watchdog: { stopAtMs: null, idleMs: null },
      ...more,
    });
  const start = async (more: Record<string, unknown> = {}) => {
    await host().facts(signal);
    await host().ensurePython({ ray: false }, () => undefined, signal);
    await host().startAgent({ bundlePath, config: config(more) }, signal);
  };
  const ask = async () => statusAt((await host().connect(signal)).address);
  /** On a busy machine an agent that was started may take its time to listen. */
  const status = () => until('the agent answers', () => ask().catch(() => null));
  const somethingCalledCron = async () => {
    await shell.run(
      'cp "$(command -v sleep)" "$HOME/cron" && HITCH_NODE=cron setsid "$HOME/cron" 900 >/dev/null 2>&1 &\n',
      { signal },
    );
    await until('something called cron runs', () =>
      nodeProcesses('cron').some(({ command }) => command.endsWith('cron 900')),
    );
    return {
      end: () => {
        nodeProcesses('cron').forEach(({ pid }) => process.kill(pid, 'SIGKILL'));
        rmSync(join(machine.home, 'cron'), { force: true });
      },
    };
  };
  const agents = () => nodeProcesses(REF).filter(({ command }) => command.includes('--config'));

  it('says what it is, and gives every machine ports and an address of its own', () => {
    assert.ok(facts.stateFolder.startsWith(join(root(), 'machines', REF)));
    assert.ok(Buffer.byteLength(facts.listen) < 104);
    assert.match(facts.nodeAddress, /^127\.77\.0\.\d+$/);
    assert.notEqual(facts.portBase, null);
  });

  it('runs the agent, which answers through the connection', async () => {
    await start();
    assert.equal((await status()).ref, REF);
    const [agent] = agents();
    assert.equal(agents().length, 1);
    // The same again changes nothing.
    await start();
    assert.deepEqual(
      agents().map(({ pid }) => pid),
      [agent?.pid],
    );
    // Limits move all the time: the agent is told of them over its socket.
    await start({ watchdog: { stopAtMs: 4_000_000_000_000, idleMs: null } });
    assert.equal(agents()[0]?.pid, agent?.pid);
  });

  it('shows no secret: neither the token nor the secrets are in a list of processes or readable by others', async () => {
    await start({ secrets: { API_KEY: 'secret-of-a-person' } });
    const seen = nodeProcesses(REF).map(
      ({ command, environment }) => `${command}\n${environment.join('\n')}`,
    );
    assert.ok(seen.length > 0);
    seen.forEach(text => assert.doesNotMatch(text, /a-token-that|secret-of-a-person/));
    // Read by root, who may read everything.
    const { stdout } = spawnSync('grep', ['-rlE', 'a-token-that|secret-of-a-person', machine.home], {
      encoding: 'utf8',
    });
    const config = join(root(), 'machines', REF, 'agent-config.json');
    assert.equal(stdout.trim(), config);
    assert.equal(statSync(config).mode & 0o777, 0o600);
  });

  it('leaves nothing of the connection in what people’s programs inherit', async () => {
    await start();
    const [agent] = agents();
    const names = agent?.environment.map(variable => variable.split('=')[0]) ?? [];
    assert.ok(names.includes('HITCH_NODE'));
    assert.deepEqual(
      names.filter(name => /^(SSH_|LC_ALL)/.test(name ?? '')),
      [],
    );
  });

  it('is given another agent in the place of the one that was', async () => {
    await start();
    const [before] = agents();
    await start({ clusterName: 'renamed' });
    assert.notEqual(agents()[0]?.pid, before?.pid);
    assert.equal(agents().length, 1);
    assert.equal((await status()).ref, REF);
  });

  it('starts an agent again that was killed, without anybody asking', async () => {
    await start();
    const before = (await status()).startedAtMs;
    agents().forEach(({ pid }) => process.kill(pid, 'SIGKILL'));
    await until('another agent answers', async () => {
      const now = await ask().catch(() => null);
      return now !== null && now.startedAtMs > before;
    });
  });

  it('keeps its agent when the connection is cut, and finds it again', async () => {
    await start();
    const [before] = agents();
    await shell.close();
    shell = await openShell();
    await start();
    assert.equal(agents()[0]?.pid, before?.pid);
    assert.equal((await status()).ref, REF);
  });

  it('says the last words of an agent that ends as soon as it is started', async () => {
    await assert.rejects(
      start({ protocol: 99 }),
      /^HostError: The agent on gpu-box ended as soon as it was started \(code 1\): .*speaks protocol 99/,
    );
    await until('nothing tries again', () => nodeProcesses(REF).length === 0);
    assert.match(await host().readLog('agent', 4_000, signal), /speaks protocol 99/);
  });

  it('is started again after a reboot where cron runs, and takes its line out of the crontab at the end', async () => {
    const crontab = join(machine.home, 'crontab.txt');
    writeFileSync(join(machine.folder, 'bin', 'crontab'), CRONTAB, { mode: 0o755 });
    writeFileSync(crontab, '0 5 * * * mine\n');
    chmodSync(crontab, 0o666);
    const cron = await somethingCalledCron();
    try {
      await start();
      const before = (await status()).startedAtMs;
      const [, command = ''] = /^@reboot (.*)$/m.exec(readFileSync(crontab, 'utf8')) ?? [];
      assert.match(command, new RegExp(`^HITCH_NODE=${REF} sh .*# hitch ${REF}$`));
      for (let left = nodeProcesses(REF); left.length > 0; left = nodeProcesses(REF)) {
        left.forEach(({ pid }) => process.kill(pid, 'SIGKILL'));
        await delay(20);
      }
      await shell.run(`PATH=/usr/bin:/bin; export PATH; ${command}`.replace(' # ', ' >/dev/null 2>&1 & # '), {
        signal,
      });
      await until('another agent answers', async () => {
        const now = await ask().catch(() => null);
        return now !== null && now.startedAtMs > before;
      });
      await endFar(shell, REF, signal);
      assert.equal(readFileSync(crontab, 'utf8'), '0 5 * * * mine\n');
    } finally {
      cron.end();
      [crontab, join(machine.folder, 'bin', 'crontab')].forEach(path => rmSync(path, { force: true }));
    }
  });

  it('leaves a crontab alone that cannot be read', async () => {
    const crontab = join(machine.home, 'crontab.txt');
    const program = join(machine.folder, 'bin', 'crontab');
    writeFileSync(program, CRONTAB.replace(/-l\).*/, '-l) echo "crontab: no memory" >&2; exit 1 ;;'), {
      mode: 0o755,
    });
    writeFileSync(crontab, '0 5 * * * mine\n');
    chmodSync(crontab, 0o666);
    const cron = await somethingCalledCron();
    try {
      await start();
      assert.match(await host().readLog('agent', 10_000, signal), /cannot be read \(crontab: no memory\)/);
      await endFar(shell, REF, signal);
      assert.equal(readFileSync(crontab, 'utf8'), '0 5 * * * mine\n');
      // A user who has none yet gets one.
      rmSync(crontab);
      writeFileSync(program, CRONTAB.replace(/-l\).*/, '-l) echo "no crontab for far" >&2; exit 1 ;;'));
      await start();
      assert.match(readFileSync(crontab, 'utf8'), new RegExp(`^@reboot HITCH_NODE=${REF} `));
    } finally {
      cron.end();
      [crontab, program].forEach(path => rmSync(path, { force: true }));
    }
  });

  it('gives the end of a log, and nothing for one that is not there', async () => {
    await start();
    assert.match(await host().readLog('agent', 10_000, signal), /The agent serves/);
    assert.ok(Buffer.byteLength(await host().readLog('agent', 10, signal)) <= 10);
    assert.equal(await host().readLog('ray', 100, signal), '');
  });

  it('ends with every process of its own, those in sessions of their own too, and nothing else', async () => {
    await start();
    const other = refOfThisRun('farother');
    const stray = join(machine.folder, 'stray.sh');
    writeFileSync(stray, 'trap "" TERM\nwhile :; do sleep 1; done\n');
    const run = (tag: string) =>
      shell.run(`HITCH_NODE=${tag} setsid sh ${stray} </dev/null >/dev/null 2>&1 &\n`, { signal });
    await run(REF);
    await run(other);
    await until('both run', () => nodeProcesses(REF).length > 2 && nodeProcesses(other).length > 0);
    try {
      await endFar(shell, REF, signal);
      assert.deepEqual(nodeProcesses(REF), []);
      assert.ok(nodeProcesses(other).length > 0);
      assert.equal(existsSync(join(root(), 'machines', REF)), false);
      assert.equal(existsSync(facts.listen), false);
      assert.deepEqual(readdirSync(join(root(), 'ports')), []);
      // Ended is ended: again is no mistake.
      await endFar(shell, REF, signal);
    } finally {
      await endFar(shell, other, signal);
    }
    assert.deepEqual(nodeProcesses(other), []);
  });

  it('is as it was before once its packages are cleaned away, which waits for its clusters', async () => {
    await start();
    await assert.rejects(
      cleanFar(shell, signal),
      new RegExp(`^HostError: gpu-box is in use by ${REF}: stop that cluster first`),
    );
    await endFar(shell, REF, signal);
    await cleanFar(shell, signal);
    assert.deepEqual(
      readdirSync(machine.home).filter(name => name !== '.bashrc'),
      [],
    );
    assert.deepEqual(await cleanFar(shell, signal), { freedMiB: 0 });
  });

  it('has so many GPUs as it was taken with, and its programs see none where that is none', async () => {
    const smi = join(machine.folder, 'bin', 'nvidia-smi');
    writeFileSync(smi, `#!/bin/sh\ncat <<'END'\n${NVIDIA_SMI}END\n`, { mode: 0o755 });
    const lease = '.hitch/leases/hitch-lease';
    const taken = async (gpuCount: string) => {
      const line = `0 1 ${gpuCount} ada@laptop`;
      await shell.run(`mkdir -p ${lease} && echo '${line}' >${lease}/lease\n`, { signal });
      const found = await host({ lease }).facts(signal);
      await host().ensurePython({ ray: false }, () => undefined, signal);
      await host({ lease }).startAgent({ bundlePath, config: config() }, signal);
      const agent = await until('the agent runs', () => agents()[0]);
      const hidden = agent.environment.filter(variable => variable.startsWith('CUDA_VISIBLE'));
      await endFar(shell, REF, signal);
      return [found.gpuCount, found.gpuModel === null, hidden];
    };
    try {
      assert.deepEqual(await taken('0'), [0, true, ['CUDA_VISIBLE_DEVICES=']]);
      assert.deepEqual(await taken('2'), [2, false, []]);
    } finally {
      rmSync(smi);
      rmSync(join(machine.home, '.hitch', 'leases'), { recursive: true, force: true });
    }
  });

  it('is gone when its lease is, and refused when it lacks the GPUs it was taken for', async () => {
    await assert.rejects(host({ lease: '.hitch/leases/x' }).facts(signal), /its lease is gone/);
    await assert.rejects(host({ gpuCount: 64 }).facts(signal), /should have 64 GPUs and shows/);
  });
});

function statusAt(address: AgentAddress): Promise<AgentStatus> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${TOKEN}` };
    request({ ...address, path: '/status', headers }, response => {
      let text = '';
      response.on('data', (bytes: Buffer) => (text += bytes.toString('utf8')));
      response.on('error', reject);
      response.on('end', () => resolve(agentStatusSchema.parse(JSON.parse(text))));
    })
      .once('error', reject)
      .end();
  });
}
