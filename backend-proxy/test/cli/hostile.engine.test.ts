import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Cluster, errorEnvelopeSchema, PROTOCOL } from '@hitch/contract';
import { NASTY } from '../../../shared/contract/test/support/nasty-strings.ts';
import { challengeProof } from '@hitch/client-node/src/challenge-proof.ts';
import { writeDiscovery } from '@hitch/client-node/src/discovery.ts';
import { homeAt } from '@hitch/platform/src/paths.ts';
import { pythonOrSkip } from '../agent/running-agent.ts';
import { CHALLENGE_KEY, serve, type Served, TOKEN } from '../api/serve.ts';
import { ids, START_MS } from '../store/records.ts';
import { BAD_FRAMES, frameOf, LyingKernel, printing } from './lying-kernel.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const NAMES = NASTY.map(({ text }) => text.slice(0, 500));
const yes = { status: 'yes', reason: '', message: '', sinceMs: START_MS } as const;
const no = { ...yes, status: 'no' } as const;

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Colours of ours, and the line that is rewritten in place; what else begins with ESC is a stranger's. */
const withoutOurs = (text: string): string =>
  text.replaceAll('\r\n', '\n').replace(/\u001b\[[0-9;]*m|\r\u001b\[2K/g, '');
const STRANGE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069]/;
/** Of the output of a program, letters of every kind stay, but none that acts. */
const ACTS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/;

describe('the hitch program, and hostile machines', function () {
  this.timeout(240_000);
  let home: string;
  let served: Served;
  let liar: LyingKernel;
  let cluster: Cluster;

  before(async () => {
    home = mkdtempSync(join(tmpdir(), 'hitch-hostile-'));
    mkdirSync(home, { recursive: true });
    served = await serve();
    const { port } = served;
    writeDiscovery(homeAt(home), {
      protocol: PROTOCOL,
      version: '0.1.0',
      pid: process.pid,
      port,
      token: TOKEN,
      challengeKey: CHALLENGE_KEY,
      startedAtMs: START_MS,
    });
    liar = new LyingKernel();
    const id = ids.next('clu');
    cluster = served.clusters.add({
      id,
      practice: false,
      message: NAMES.join(' '),
      conditions: {
        kernel: yes,
        engine: { ...yes, message: NAMES.join('; ') },
        billing: { ...yes, message: NAMES[0] ?? '' },
        cleanup: no,
      },
      saved: NAMES,
      nodes: NAMES.map((name, index) => ({
        id: ids.next('nod'),
        clusterId: id,
        index,
        phase: 'ready',
        message: name,
        phaseSinceMs: START_MS,
        title: name,
        provider: 'sandbox',
        signals: null,
        attempts: [],
      })),
    });
    served.clusters.links.set(id, liar.link);
    served.clusters.logs = async () => NAMES.join('\n');
  });
  after(async () => {
    await liar.close();
    await served.close();
    rmSync(home, { recursive: true, force: true });
  });

  function ended(command: string, args: readonly string[], inHome = home): Promise<Ended> {
    const child = spawn(command, args, {
      timeout: 120_000,
      env: { ...process.env, HITCH_HOME: inHome, TERM: 'xterm-256color' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    return new Promise(resolve => child.on('close', code => resolve({ code, stdout, stderr })));
  }
  const node = (argv: readonly string[]): string[] => [
    '--disable-warning=ExperimentalWarning',
    MAIN,
    ...argv,
  ];
  const hitch = (...argv: readonly string[]): Promise<Ended> => ended(process.execPath, node(argv));
  /** Both of its streams, on a terminal. */
  async function onTerminal(python: string, ...argv: readonly string[]): Promise<Ended> {
    const pty = 'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))';
    return ended(python, ['-c', pty, process.execPath, ...node(argv)]);
  }

  it('shows nothing on a terminal that a stranger’s text does there', async function () {
    const python = pythonOrSkip(this);
    for (const argv of [['ls'], ['show', cluster.name], ['cost'], ['show', cluster.name, '--json']]) {
      const { stdout } = await onTerminal(python, ...argv);
      assert.match(stdout, /llm-dev/, argv.join(' '));
      assert.equal(STRANGE.exec(withoutOurs(stdout))?.[0], undefined, argv.join(' '));
    }
    assert.match((await onTerminal(python, 'show', cluster.name)).stdout, /\\u001b\]52;c;/);
  });

  it('lets a log and a cell colour a terminal, and no more', async function () {
    const python = pythonOrSkip(this);
    liar.answer = request => printing(request, `${NAMES.join('\n')}\nthe end\n`);
    for (const argv of [
      ['logs', cluster.name],
      ['run', cluster.name, '-c', '1'],
    ]) {
      const { stdout, code } = await onTerminal(python, ...argv);
      assert.equal(code, 0, stdout);
      assert.equal(ACTS.exec(withoutOurs(stdout).replaceAll('\r', ''))?.[0], undefined, argv.join(' '));
      assert.match(stdout, /\[Keep\]\(command:/);
      assert.match(stdout, /%1 %s %d/, 'what follows all that is dropped');
    }
    assert.match((await onTerminal(python, 'run', cluster.name, '-c', '1')).stdout, /the end/);
  });

  for (const [what, frame] of Object.entries(BAD_FRAMES)) {
    it(`says in a sentence that a kernel’s frame is none, and goes on: ${what}`, async () => {
      liar.answer = request => [frame, ...printing(request, 'still here\n')];
      const { code, stderr, stdout } = await hitch('run', cluster.name, '-c', '1');
      assert.equal(code, 13, stderr);
      assert.equal(stdout, 'still here\n');
      assert.match(stderr, /A message of the kernel cannot be read and is missing here: A kernel frame/);
      assert.doesNotMatch(stderr, /node:|\.ts:\d|^\s+at /m);
      assert.ok(stderr.split('\n').length < 6, stderr);
    });
  }

  it('says in a sentence that the machine speaks another protocol, and does not come back to it', async () => {
    liar.answer = () => [];
    liar.says = new Uint8Array(3);
    try {
      const plain = await hitch('run', cluster.name, '-c', '1');
      assert.equal(plain.code, 7, plain.stderr);
      assert.match(
        plain.stderr,
        /^hitch: The kernel sent something that is no message, so nothing more of it is read\./m,
      );
      assert.doesNotMatch(plain.stderr, /node:|\.ts:\d|^\s+at /m);
      const { code, stderr } = await hitch('run', cluster.name, '-c', '1', '--json');
      assert.equal(code, 7);
      assert.equal(errorEnvelopeSchema.parse(JSON.parse(stderr)).code, 'UNREACHABLE');
    } finally {
      liar.says = null;
    }
  });

  it('takes a content of any shape without a stack', async () => {
    const contents: readonly Record<string, unknown>[] = [
      {},
      { text: null },
      { name: [], text: { a: 1 } },
      { data: 'x', metadata: 1 },
      { data: { 'text/plain': [null, 1, {}] } },
      { traceback: [null, { a: 1 }], ename: 1, evalue: [] },
      { transient: { display_id: {} }, data: null },
      { wait: 'yes' },
    ];
    liar.answer = request => [
      ...[
        'stream',
        'display_data',
        'execute_result',
        'error',
        'clear_output',
        'update_display_data',
        'input_request',
        'status',
      ].flatMap(type => contents.map(content => frameOf(request, 'iopub', type, content))),
      ...printing(request, 'still here\n'),
    ];
    const { code, stderr, stdout } = await hitch('run', cluster.name, '-c', '1');
    assert.doesNotMatch(stderr, /node:|\.ts:\d|^\s+at |went wrong/m);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /still here/);
  });

  it('says what it cannot read of a Jupyter Server’s answers', async () => {
    const honest = liar.kernelspecs;
    try {
      for (const lie of ['', 'null', '[]', '{"default":1}', '<html>', '{"default":"a","kernelspecs":7}']) {
        liar.kernelspecs = lie;
        const { code, stderr } = await hitch('run', cluster.name, '-c', '1');
        assert.equal(code, 7, stderr);
        assert.match(stderr, /^hitch: The machine’s answer to \/api\/kernelspecs is not what/m, lie);
        assert.doesNotMatch(stderr, /node:|\.ts:\d|^\s+at |"path"/m);
      }
    } finally {
      liar.kernelspecs = honest;
    }
  });

  it('says in a sentence what it cannot make of a daemon’s answers', async () => {
    const liars = mkdtempSync(join(tmpdir(), 'hitch-hostile-'));
    let lie = '';
    const daemon = createServer((request, response) => {
      let body = '';
      request.on('data', (bytes: Buffer) => (body += bytes.toString()));
      request.on('end', () => {
        const nonce = /[0-9a-f]{64}/.exec(body)?.[0] ?? '';
        const proof = { proof: challengeProof(CHALLENGE_KEY, nonce), protocol: PROTOCOL, version: '0.1.0' };
        response.setHeader('content-type', 'application/json');
        response.end(request.url === '/challenge' ? JSON.stringify(proof) : lie);
      });
    });
    await new Promise<void>(resolve => daemon.listen(0, '127.0.0.1', resolve));
    const address = daemon.address();
    writeDiscovery(homeAt(liars), {
      protocol: PROTOCOL,
      version: '0.1.0',
      pid: process.pid,
      port: typeof address === 'object' && address !== null ? address.port : 0,
      token: TOKEN,
      challengeKey: CHALLENGE_KEY,
      startedAtMs: START_MS,
    });
    try {
      for (const each of [
        'null',
        '{"a":',
        '[{"name":"\\u001b]0;x\\u0007"}]',
        '"x"',
        '<html>\u001b]0;x\u0007',
      ]) {
        lie = each;
        const { code, stderr, stdout } = await ended(process.execPath, node(['ls']), liars);
        assert.notEqual(code, 0, `${each}: ${stdout}`);
        assert.match(stderr, /^hitch: .+/m, each);
        assert.doesNotMatch(stderr, /node:|\.ts:\d|^\s+at /m, each);
        assert.equal(STRANGE.exec(withoutOurs(stderr + stdout))?.[0], undefined, each);
      }
    } finally {
      daemon.closeAllConnections();
      await new Promise(resolve => daemon.close(resolve));
      rmSync(liars, { recursive: true, force: true });
    }
  });
});
