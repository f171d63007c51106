/** Setting up a far machine: killed at each stage it goes on, twice it installs nothing, and two daemons do not meet. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { endFar } from '../../backend-proxy/src/machines/far/far-end.ts';
import { FarHost } from '../../backend-proxy/src/machines/far/far-host.ts';
import { systemClock } from '@hitch/platform/src/clock.ts';
import { FarTools } from '../support/far-tools.ts';
import { type HomeMachine, homeMachine } from '../support/home-machine.ts';
import { nodeProcesses, refOfThisRun, runs, skip } from '../support/processes.ts';
import { SmallDisk } from '../support/small-disk.ts';
import { until } from '../support/waiting.ts';

const signal = new AbortController().signal;
const [ONE, TWO] = [refOfThisRun('one'), refOfThisRun('two')];
const STAGES = ['node', 'python', 'venv', 'packages'] as const;

describe('setting up a far machine', () => {
  let folder = '';
  let tools: FarTools;
  let machine: HomeMachine;
  const said: string[] = [];

  before(function () {
    if (process.platform !== 'linux') {
      console.log('    skipped: far machines run Linux');
      this.skip();
    }
  });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hft-'));
    chmodSync(folder, 0o755);
    tools = new FarTools(folder);
    machine = homeMachine(tools.path);
    said.length = 0;
  });
  afterEach(async () => {
    STAGES.forEach(stage => tools.release(stage));
    await until('nothing is set up any more', () =>
      runners().every(pid => !existsSync(`/proc/${pid.toString()}`)),
    );
    machine.dispose();
    rmSync(folder, { recursive: true, force: true });
  });

  const root = () => join(machine.home, '.hitch', 'far');
  const host = (ref = ONE) =>
    new FarHost({
      shell: machine.shell,
      ref,
      clock: systemClock,
      address: { at: 'gpu-box', hostKey: null, ssh: null, proof: null, privateAddress: null },
      lease: null,
      promised: null,
      environment: {},
      // This computer is not asked: that is test/far/supply.
      run: () => Promise.resolve({ code: 1, stdout: '', stderr: 'No module named pip' }),
    });
  const setUp = (ref?: string, until = signal) =>
    host(ref).ensurePython({ ray: true }, sentence => said.push(sentence), until);
  /** The processes that set up, as they wrote themselves down. */
  const runners = () => {
    const at = join(root(), 'bootstrap');
    return (existsSync(at) ? readdirSync(at) : [])
      .filter(name => name.endsWith('.pid'))
      .map(name => Number(readFileSync(join(at, name), 'utf8').split(' ')[1]));
  };
  const reached = (stage: (typeof STAGES)[number]) =>
    until(
      `the stage ${stage}`,
      () => tools.ran(stage) > 0,
      60_000,
      () => said.join(' '),
    );

  it('installs once; the second run installs nothing', async () => {
    const python = await setUp();
    assert.match(python, /\/\.hitch\/far\/cache\/python-[0-9a-f]{12}\/bin\/python$/);
    assert.ok(said.some(sentence => /^Installing \d+ packages \(Jupyter, Ray\)\.$/.test(sentence)));
    assert.match(await host().readLog('bootstrap', 10_000, signal), /::ok/);
    said.length = 0;
    assert.equal(await setUp(TWO), python);
    assert.deepEqual(said, []);
    assert.deepEqual([tools.ran('venv'), tools.ran('packages'), tools.ran('pip')], [1, 1, 1]);
  });

  it('takes the machine’s own Python where that has what is needed, and installs nothing', async () => {
    tools.python('fits 3.12.3');
    assert.equal(await setUp(), join(tools.path, 'python3'));
    assert.deepEqual([tools.ran('venv'), tools.ran('packages')], [0, 0]);
  });

  it('keeps a torch that is there in sight of the environment it makes', async () => {
    tools.python('torch 3.12.3');
    const python = await setUp();
    assert.ok(said.some(sentence => sentence.endsWith('python3, which has torch.')));
    const shown = readFileSync(join(python, '..', '..', 'site', 'hitch-base.pth'), 'utf8');
    assert.equal(shown, 'the packages of the machine\n');
  });

  it('measures the disk once, and says how fast it is', async () => {
    await host().facts(signal);
    await setUp();
    assert.ok(said.includes('Measuring how fast the disk writes (64 MB).'));
    assert.match((await host().facts(signal)).about?.says ?? '', /, disk writes [1-9]\d* MB\/s$/);
    said.length = 0;
    rmSync(join(root(), 'cache', 'node-24.19.0.path'));
    await setUp(TWO);
    assert.ok(!said.some(sentence => sentence.startsWith('Measuring')));
  });

  it('asks a torch that is there for the GPUs once, and says why it sees none', async () => {
    tools.python('fits 3.12.3');
    tools.gpus('2.9.0 12.8 no');
    await host().facts(signal);
    await setUp();
    await setUp(TWO);
    assert.equal(tools.ran('torch'), 1);
    const { about } = await host().facts(signal);
    assert.match(
      about?.says ?? '',
      /NVIDIA driver 550\.54\.15, CUDA up to 12\.4, torch 2\.9\.0 for CUDA 12\.8/,
    );
    assert.ok(about?.warnings.some(warning => /^The NVIDIA driver of gpu-box \(550/.test(warning)));
    // Another start of the machine may have another driver.
    const asked = join(root(), 'cache', 'torch');
    writeFileSync(asked, readFileSync(asked, 'utf8').replace(/^\S+/, 'gpu-box/before'));
    tools.gpus('2.9.0 12.8 yes');
    await setUp();
    assert.equal(tools.ran('torch'), 2);
    assert.ok(!(await host().facts(signal)).about?.warnings.some(warning => warning.includes('torch')));
  });

  for (const stage of STAGES) {
    it(`goes on after it was killed at the stage ${stage}`, async () => {
      tools.hold(stage);
      const first = setUp();
      const failed = assert.rejects(
        first,
        /Setting gpu-box up was ended half way.*goes on from there at the next try/,
      );
      await reached(stage);
      runners().forEach(pid => process.kill(pid, 'SIGKILL'));
      await failed;
      tools.release(stage);
      const python = await setUp();
      assert.match(python, /\/bin\/python$/);
      assert.equal(existsSync(join(root(), 'bootstrap', 'lock')), false);
      assert.equal(await setUp(), python);
      assert.equal(tools.ran('packages'), stage === 'packages' ? 2 : 1);
    });
  }

  it('goes on by itself when the daemon dies, and the next daemon follows it', async () => {
    tools.hold('packages');
    const dying = new AbortController();
    const first = assert.rejects(setUp(undefined, dying.signal));
    await reached('packages');
    const [runner] = runners();
    dying.abort();
    await first;
    said.length = 0;
    const second = setUp();
    await until('it is followed', () => said.some(sentence => sentence.startsWith('Installing ')));
    assert.deepEqual(runners(), [runner]);
    tools.release('packages');
    await second;
    assert.equal(tools.ran('packages'), 1);
  });

  it('ends with its machine, and leaves nothing but what the next one uses', async () => {
    await host().facts(signal);
    tools.hold('packages');
    const failed = assert.rejects(setUp(), /Setting gpu-box up was ended half way/);
    await reached('packages');
    const [runner = 0] = runners();
    await endFar(machine.shell, ONE, signal);
    assert.equal(runs(runner), false);
    assert.deepEqual(nodeProcesses(ONE), []);
    await failed;
    assert.deepEqual(readdirSync(join(root(), 'machines')), []);
    assert.deepEqual(readdirSync(join(root(), 'ports')), []);
    const left = readdirSync(join(root(), 'bootstrap'));
    assert.deepEqual(
      left.filter(name => !/^(bootstrap\.sh|fetch\.py|[0-9a-f]{12}\.txt)$/.test(name)),
      [],
    );
    tools.release('packages');
    assert.match(await setUp(TWO), /\/bin\/python$/);
  });

  it('is done by one of two daemons; the other sees how far it is and installs nothing', async () => {
    tools.hold('packages');
    const first = setUp(ONE);
    await reached('packages');
    const heard: string[] = [];
    const second = host(TWO).ensurePython({ ray: true }, sentence => heard.push(sentence), signal);
    await until('the second hears of the first', () => heard.some(sentence => /^Installing /.test(sentence)));
    tools.release('packages');
    assert.equal(await first, await second);
    assert.equal(tools.ran('packages'), 1);
  });

  it('takes over the lock of a machine that was started again since', async () => {
    const lock = join(root(), 'bootstrap', 'lock');
    await setUp();
    rmSync(join(root(), 'cache'), { recursive: true });
    mkdirSync(lock);
    writeFileSync(join(lock, 'owner'), `${hostname()}/an-earlier-start 1 2`);
    await setUp();
    assert.equal(existsSync(lock), false);
  });

  it('says that the only Python is too old, and that no other could be fetched', async () => {
    tools.python('old 3.8.18');
    tools.noDownloads();
    await assert.rejects(
      setUp(),
      /^HostError: gpu-box has Python 3\.8\.18, which is too old.*install Python 3\.10 to 3\.14/,
    );
    assert.equal(existsSync(join(root(), 'bootstrap', 'lock')), false);
  });

  it('says that there is nothing to fetch anything with', async () => {
    tools.without('node');
    tools.without('python3');
    await assert.rejects(setUp(), /^HostError: There is no Python on gpu-box.*install Python 3\.10 to 3\.14/);
  });

  it('says which package index it does not reach', async function () {
    const python = '/usr/bin/python3';
    if (spawnSync(python, ['-c', 'pass']).status !== 0) {
      skip(this, `there is no ${python}`);
    }
    tools.without('node');
    tools.without('python3');
    symlinkSync(python, join(tools.path, 'python3'));
    machine.environment['PIP_INDEX_URL'] = 'http://ada:secret@127.0.0.1:1/simple';
    await assert.rejects(
      setUp(),
      /^HostError: gpu-box does not reach the Python package index \(http:\/\/127\.0\.0\.1:1\/simple: .*set pip's index-url/,
    );
    assert.doesNotMatch(await host().readLog('bootstrap', 10_000, signal), /secret/);
  });

  it('says that the disk is full, when it fills up on the way', async function () {
    const disk = SmallDisk.mount(this, 4 * 1024 * 1024);
    chmodSync(disk.folder, 0o755);
    try {
      const home = join(disk.folder, 'home');
      mkdirSync(join(home, '.hitch', 'far'), { recursive: true });
      writeFileSync(join(home, '.hitch', 'far', '.root'), '');
      machine.moveTo(home);
      tools.hold('packages');
      const failed = assert.rejects(
        setUp(),
        /^HostError: The disk of gpu-box is full: .*Free some space there\.$/,
      );
      await reached('packages');
      disk.fill();
      tools.release('packages');
      await failed;
      disk.empty();
      await setUp();
    } finally {
      disk.unmount();
    }
  });

  it('says of a disk that forbids programs that Hitch cannot be there', async function () {
    const disk = SmallDisk.mount(this, 4 * 1024 * 1024);
    try {
      chmodSync(disk.folder, 0o755);
      const home = join(disk.folder, 'home');
      mkdirSync(join(home, '.hitch', 'far'), { recursive: true });
      writeFileSync(join(home, '.hitch', 'far', '.root'), '');
      machine.moveTo(home);
      execFileSync('mount', ['-o', 'remount,noexec', disk.folder], { stdio: 'ignore' });
      await assert.rejects(
        host().facts(signal),
        /home forbids starting programs \(noexec\).*Make room there, or/,
      );
    } finally {
      disk.unmount();
    }
  });

  it('says of a home that cannot be written to why Hitch cannot be there', async () => {
    chmodSync(machine.home, 0o500);
    try {
      await assert.rejects(
        host().facts(signal),
        /^HostError: gpu-box has no folder for Hitch's programs.*cannot be written to.*Make room there, or/,
      );
    } finally {
      chmodSync(machine.home, 0o700);
    }
    assert.deepEqual(readdirSync(machine.home), []);
  });
});
