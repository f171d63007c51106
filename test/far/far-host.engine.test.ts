/** A machine behind a real sshd, another user's with an empty home: its agent is started, found, replaced, kept and ended. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HostFacts } from '../../backend-proxy/src/access/host.ts';
import { cleanFar, endFar } from '../../backend-proxy/src/machines/far/far-end.ts';
import { NVIDIA_SMI } from '../../backend-proxy/test/machines/far/looks.ts';
import { AgentMachine } from '../support/agent-machine.ts';
import type { FarMachine } from '../support/far-machine.ts';
import { needsOpenssh } from '../support/openssh.ts';
import { nodeProcesses, refOfThisRun } from '../support/processes.ts';
import { until } from '../support/waiting.ts';

const signal = new AbortController().signal;
const REF = refOfThisRun('far');
describe('a far machine', function () {
  this.timeout(180_000);
  let far: AgentMachine;
  let machine: FarMachine;
  let facts: HostFacts;

  before(async function () {
    needsOpenssh(this);
    far = await AgentMachine.start(REF);
    ({ machine, facts } = far);
  });
  afterEach(() => far.end());
  after(() => far?.dispose());

  const host = (more?: { lease?: string; gpuCount?: number }) => far.host(more);
  const root = () => far.root;
  const start = (more?: Record<string, unknown>, at?: { lease?: string }) => far.startAgent(more, at);
  const status = () => far.status();
  const agents = () => far.agents();
  const run = (program: string) => far.shell.run(program, { signal });

  it('says what it is, and gives every machine ports of its own where nobody outside reaches them', () => {
    assert.ok(facts.stateFolder.startsWith(join(root(), 'machines', REF)));
    assert.ok(Buffer.byteLength(facts.listen) < 104);
    assert.equal(facts.nodeAddress, '127.0.0.1');
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
    await far.agentAfter(before);
  });

  it('keeps its agent when the connection is cut, and finds it again', async () => {
    await start();
    const [before] = agents();
    await far.reconnect();
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
    const stay = (tag: string) => run(`HITCH_NODE=${tag} setsid sh ${stray} </dev/null >/dev/null 2>&1 &\n`);
    await stay(REF);
    await stay(other);
    await until('both run', () => nodeProcesses(REF).length > 2 && nodeProcesses(other).length > 0);
    try {
      await endFar(far.shell, REF, signal);
      assert.deepEqual(nodeProcesses(REF), []);
      assert.ok(nodeProcesses(other).length > 0);
      assert.equal(existsSync(join(root(), 'machines', REF)), false);
      assert.equal(existsSync(facts.listen), false);
      assert.deepEqual(readdirSync(join(root(), 'ports')), []);
      // Ended is ended: again is no mistake.
      await endFar(far.shell, REF, signal);
    } finally {
      await endFar(far.shell, other, signal);
    }
    assert.deepEqual(nodeProcesses(other), []);
  });

  it('is as it was before once its packages are cleaned away, which waits for its clusters', async () => {
    await start();
    await assert.rejects(
      cleanFar(far.shell, signal),
      new RegExp(`^HostError: gpu-box is in use by ${REF}: stop that cluster first`),
    );
    await endFar(far.shell, REF, signal);
    await cleanFar(far.shell, signal);
    assert.deepEqual(
      readdirSync(machine.home).filter(name => name !== '.bashrc'),
      [],
    );
    assert.deepEqual(await cleanFar(far.shell, signal), { freedMiB: 0 });
  });

  it('has so many GPUs as it was taken with, and its programs see none where that is none', async () => {
    const smi = join(machine.folder, 'bin', 'nvidia-smi');
    writeFileSync(smi, `#!/bin/sh\ncat <<'END'\n${NVIDIA_SMI}END\n`, { mode: 0o755 });
    const lease = '.hitch/leases/hitch-lease';
    const taken = async (gpuCount: string, names = '') => {
      const line = `0 1 ${gpuCount} ada@laptop gpu-box ${names}`;
      await run(`mkdir -p ${lease} && echo '${line}' >${lease}/lease
`);
      const found = await host({ lease }).facts(signal);
      await start({}, { lease });
      const agent = await until('the agent runs', () => agents()[0]);
      const hidden = agent.environment.filter(variable => variable.startsWith('CUDA_VISIBLE'));
      await endFar(far.shell, REF, signal);
      return [found.gpuCount, found.gpuModel === null, hidden];
    };
    try {
      assert.deepEqual(await taken('0'), [0, true, ['CUDA_VISIBLE_DEVICES=']]);
      assert.deepEqual(await taken('2'), [2, false, []]);
      assert.deepEqual(await taken('1', 'GPU-bb'), [1, false, ['CUDA_VISIBLE_DEVICES=GPU-bb']]);
      await assert.rejects(taken('1', 'GPU-cc'), /does not show the GPU GPU-cc that this cluster has there/);
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
