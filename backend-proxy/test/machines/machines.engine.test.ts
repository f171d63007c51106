/** Machines that are processes, with real processes that do not want to end. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { HostError } from '../../src/access/host.ts';
import type { Machines } from '../../src/machines/machines.ts';
import { countProcesses } from '../../src/machines/process-table.ts';
import type { Home } from '@hitch/platform/src/paths.ts';
import { contentOf, eventually, machinesIn, nextRef, program, runs, specFor, temporaryHome } from './rig.ts';

const signal = new AbortController().signal;
const python = ['python3', 'python'].find(name => spawnSync(name, ['-c', 'pass']).status === 0);

describe('machines that are processes on this computer', () => {
  let home: Home;
  let dispose: () => Promise<void>;
  const bystanders: ChildProcess[] = [];

  before(function () {
    if (python === undefined || process.platform === 'win32') {
      console.log('    skipped: this needs Python and a Unix');
      this.skip();
    }
  });
  beforeEach(() => {
    ({ home, dispose } = temporaryHome());
  });
  afterEach(async () => {
    bystanders.splice(0).forEach(child => child.kill('SIGKILL'));
    await dispose();
  });

  const folderOf = (ref: string) => join(home.machines, ref);
  const agent = (ref: string, programs: readonly (readonly string[])[] = [], note = '') => ({
    bundlePath: program('fake-agent.mjs'),
    config: JSON.stringify({ folder: join(folderOf(ref), 'state'), programs, note }),
  });
  const runaway = (ref: string, name: string, mode = 'plain') => [
    python ?? '',
    program('runaway.py'),
    join(folderOf(ref), 'state', name),
    mode,
  ];
  const pidIn = async (ref: string, name: string) =>
    Number(await eventually(() => contentOf(join(folderOf(ref), 'state', name))));
  const startedAgents = (ref: string) =>
    (contentOf(join(folderOf(ref), 'state', 'started')) ?? '').split('\n').filter(Boolean).map(Number);

  async function start(
    machines: Machines,
    programs: (ref: string) => readonly (readonly string[])[] = () => [],
  ) {
    const ref = nextRef();
    machines.create(specFor(ref));
    await machines.host(ref).startAgent(agent(ref, programs(ref)), signal);
    return ref;
  }

  for (const cgroups of [true, false]) {
    it(`end with all their processes and nothing else, ${cgroups ? 'with a control group where there is one' : 'by the tag alone'}`, async () => {
      const machines = machinesIn(home, { cgroups });
      const ending = await start(machines, ref => [runaway(ref, 'a'), runaway(ref, 'b')]);
      const staying = await start(machines, ref => [runaway(ref, 'c')]);
      const other = spawn('sleep', ['600'], { env: { ...process.env, HITCH_NODE: 'hitch-somebody-else' } });
      const untagged = spawn('sleep', ['600']);
      bystanders.push(other, untagged);
      const [first, second, kept] = await Promise.all([
        pidIn(ending, 'a'),
        pidIn(ending, 'b'),
        pidIn(staying, 'c'),
      ]);
      assert.ok((await countProcesses(ending)) >= 3);
      await machines.destroy(ending);
      assert.equal(await countProcesses(ending), 0);
      assert.deepEqual(await Promise.all([first, second].map(runs)), [false, false]);
      assert.equal(existsSync(folderOf(ending)), false);
      assert.ok((await runs(kept)) && (await countProcesses(staying)) >= 2);
      assert.deepEqual(await Promise.all([other.pid, untagged.pid, process.pid].map(runs)), [
        true,
        true,
        true,
      ]);
    });
  }

  it('end a process that emptied its environment and left, where a control group holds it', async function () {
    const machines = machinesIn(home);
    const ref = await start(machines, name => [runaway(name, 'bare', 'bare')]);
    const { cgroup = null } = machines.get(ref) ?? {};
    const pid = await pidIn(ref, 'bare');
    if (cgroup === null) {
      process.kill(pid, 'SIGKILL');
      console.log('      skipped: control groups are not permitted here');
      this.skip();
    }
    assert.equal(readFileSync(`/proc/${pid.toString()}/environ`, 'utf8'), '');
    await machines.destroy(ref);
    assert.equal(await runs(pid), false);
    assert.equal(existsSync(cgroup), false);
  });

  it('keep one agent, however often it is asked for', async () => {
    const machines = machinesIn(home);
    const ref = await start(machines);
    await eventually(() => startedAgents(ref)[0] ?? null);
    const same = agent(ref);
    await Promise.all([1, 2, 3].map(() => machinesIn(home).host(ref).startAgent(same, signal)));
    assert.equal(startedAgents(ref).length, 1);
    assert.equal(await machines.host(ref).readLog('agent', 1000, signal), 'the agent speaks\n');
    assert.equal(await machines.host(ref).readLog('agent', 7, signal), ' speaks\n'.slice(-7));
  });

  it('replace only the agent when it is given another one', async () => {
    const machines = machinesIn(home);
    const ref = await start(machines, name => [runaway(name, 'child')]);
    const child = await pidIn(ref, 'child');
    const [first] = startedAgents(ref);
    await machines.host(ref).startAgent(agent(ref, [], 'another'), signal);
    const second = await eventually(() => startedAgents(ref)[1] ?? null);
    assert.deepEqual(await Promise.all([first, second, child].map(runs)), [false, true, true]);
  });

  it('start an agent again that died', async () => {
    const machines = machinesIn(home);
    const ref = await start(machines);
    const first = await eventually(() => startedAgents(ref)[0] ?? null);
    process.kill(first, 'SIGKILL');
    await eventually(async () => ((await runs(first)) ? null : true));
    await machines.host(ref).startAgent(agent(ref), signal);
    assert.ok(await runs(await eventually(() => startedAgents(ref)[1] ?? null)));
  });

  it('take over from an agent that a daemon started and did not live to write down', async () => {
    const machines = machinesIn(home);
    const ref = await start(machines, name => [runaway(name, 'child')]);
    const child = await pidIn(ref, 'child');
    const path = join(folderOf(ref), 'machine.json');
    writeFileSync(path, readFileSync(path, 'utf8').replace(/"agent":\{[^}]*\}/, '"agent":null'));
    await machines.host(ref).startAgent(agent(ref), signal);
    const [lost, found] = await eventually(() =>
      startedAgents(ref).length === 2 ? startedAgents(ref) : null,
    );
    assert.deepEqual(await Promise.all([lost, found, child].map(runs)), [false, true, true]);
  });

  it('leave nothing behind when they are ended while their agent is being started', async () => {
    const machines = machinesIn(home);
    const ref = nextRef();
    machines.create(specFor(ref));
    const starting = machines.host(ref).startAgent(agent(ref), signal);
    const ending = machines.destroy(ref);
    const tooLate = machines.host(ref).startAgent(agent(ref), signal);
    await Promise.all([starting, ending]);
    await assert.rejects(tooLate, HostError);
    assert.equal(await countProcesses(ref), 0);
    assert.equal(existsSync(folderOf(ref)), false);
  });

  it('outlive a daemon that is killed, and are found and ended by the next', async () => {
    const ref = nextRef();
    const { bundlePath, config } = agent(ref, [runaway(ref, 'child')]);
    const daemon = spawnSync(process.execPath, [
      program('start-and-die.ts'),
      home.root,
      ref,
      bundlePath,
      config,
    ]);
    assert.equal(daemon.signal, 'SIGKILL', daemon.stderr.toString());
    const child = await pidIn(ref, 'child');
    const machines = machinesIn(home);
    assert.deepEqual(
      machines.list('local').map(machine => machine.ref),
      [ref],
    );
    await machines.host(ref).startAgent({ bundlePath, config }, signal);
    assert.equal(startedAgents(ref).length, 1);
    await machines.destroy(ref);
    assert.equal(await runs(child), false);
    assert.deepEqual(machines.list('local'), []);
  });

  it('pass nothing of the daemon’s secrets on, and lie in folders for the owner alone', async () => {
    process.env['HITCH_TEST_SECRET'] = 'do not pass on';
    try {
      const machines = machinesIn(home);
      const ref = await start(machines);
      const pid = await eventually(() => startedAgents(ref)[0] ?? null);
      if (process.platform === 'linux') {
        const environment = readFileSync(`/proc/${pid.toString()}/environ`, 'utf8');
        assert.ok(!environment.includes('do not pass on'));
        assert.ok(environment.split('\0').includes(`HITCH_NODE=${ref}`));
      }
      for (const path of ['', 'state', 'work']) {
        assert.equal(statSync(join(folderOf(ref), path)).mode & 0o077, 0);
      }
      assert.equal(statSync(join(folderOf(ref), 'agent-config.json')).mode & 0o777, 0o600);
    } finally {
      delete process.env['HITCH_TEST_SECRET'];
    }
  });

  it('get ports of their own that nobody listens on, and keep them', async () => {
    const machines = machinesIn(home);
    const refs = [nextRef(), nextRef(), nextRef()];
    refs.forEach(ref => machines.create(specFor(ref)));
    const [first, second] = await Promise.all(refs.slice(0, 2).map(ref => machines.host(ref).facts(signal)));
    assert.ok(first !== undefined && second !== undefined);
    assert.equal(
      first.portBase,
      (
        await machinesIn(home)
          .host(refs[0] ?? '')
          .facts(signal)
      ).portBase,
    );
    assert.ok(Math.abs((first.portBase ?? 0) - (second.portBase ?? 0)) >= 150);
    assert.notEqual(first.nodeAddress, '127.0.0.1');
    assert.ok(Buffer.byteLength(first.listen) <= 100);
    // Give the first block back and sit on one of its ports: it must be passed over.
    await machines.destroy(refs[0] ?? '');
    const squatter = createServer();
    await new Promise<void>(resolve => squatter.listen((first.portBase ?? 0) + 77, resolve));
    const third = await machines.host(refs[2] ?? '').facts(signal);
    squatter.close();
    assert.notEqual(third.portBase, first.portBase);
    assert.notEqual(third.portBase, second.portBase);
  });

  it('say that they are gone once they are', async () => {
    const machines = machinesIn(home);
    const ref = nextRef();
    const host = machines.host(ref);
    for (const call of [host.facts(signal), host.startAgent(agent(ref), signal), host.connect(signal)]) {
      await assert.rejects(call, (error: unknown) => error instanceof HostError && error.fatal);
    }
    await machines.destroy(ref);
  });

  it('take up no shell that a crash left without a record', async () => {
    const machines = machinesIn(home);
    const ref = nextRef();
    mkdirSync(join(folderOf(ref), 'state'), { recursive: true });
    assert.deepEqual(machines.list('local'), []);
    await machines.destroy(ref);
    assert.equal(existsSync(folderOf(ref)), false);
  });

  it('refuse a ref that would be a path or is in use', () => {
    const machines = machinesIn(home);
    for (const ref of ['../evil', 'hitch-../../x', 'hitch-', 'other-1', 'hitch-a/b', 'hitch-A']) {
      assert.throws(() => machines.create(specFor(ref)), RangeError);
    }
    const ref = nextRef();
    machines.create(specFor(ref));
    assert.throws(() => machines.create(specFor(ref)), /already/);
  });
});
