/** What a person, a program or a computer may get wrong, against a real daemon: each with its sentence, nothing half-done. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type Cluster, type ErrorCode, errorEnvelopeSchema, type QuoteRequest } from '@hitch/contract';
import WebSocket from 'ws';
import { DaemonHome } from '../support/daemon-home.ts';
import { needsRealNodes, skip } from '../support/processes.ts';
import { until } from '../support/waiting.ts';

interface Refused {
  readonly status: number;
  readonly code: ErrorCode;
  readonly message: string;
  readonly field?: string | undefined;
  readonly next?: string | undefined;
}

/** Node's own client: it sends any Host, Origin, path and body as it is. */
function ask(
  home: DaemonHome,
  method: string,
  path: string,
  options: { body?: string; headers?: Record<string, string> } = {},
): Promise<{ status: number; text: string }> {
  const { baseUrl, token } = home.place();
  const headers = {
    authorization: `Bearer ${token}`,
    ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
    ...options.headers,
  };
  return new Promise((resolve, reject) => {
    const { port } = new URL(baseUrl);
    const sent = request({ host: '127.0.0.1', port, method, path, headers, agent: false }, answer => {
      let text = '';
      answer.on('data', (bytes: Buffer) => (text += bytes.toString()));
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
    });
    sent.on('error', reject);
    sent.end(options.body);
  });
}

async function refusal(...asked: Parameters<typeof ask>): Promise<Refused> {
  const { status, text } = await ask(...asked);
  return { status, ...errorEnvelopeSchema.parse(JSON.parse(text)) };
}

/** The answer to an upgrade that is refused. */
function refusedSocket(url: string, headers: Record<string, string>): Promise<Refused> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, { headers });
    socket.on('error', () => undefined);
    socket.on('open', () => reject(new Error('the socket opened')));
    socket.on('unexpected-response', (_request, answer) => {
      let text = '';
      answer.on('data', (bytes: Buffer) => (text += bytes.toString()));
      answer.on('end', () => {
        resolve({ status: answer.statusCode ?? 0, ...errorEnvelopeSchema.parse(JSON.parse(text)) });
      });
    });
  });
}

describe('what a daemon is asked wrongly', function () {
  this.timeout(60_000);
  const home = new DaemonHome({
    HITCH_SANDBOX_RUNTIME: 'null',
    HITCH_SANDBOX_STOCK: '50',
    HITCH_SANDBOX_BOOT_MS: '0',
  });
  const practice = { filter: { practice: 'only' } } as const;

  before(async function () {
    needsRealNodes(this);
    await home.start();
    await until('there are offers', async () => (await home.api.offers.query(practice)).total > 100);
  });

  after(() => home.dispose());

  const quoteWith = (body: unknown) => refusal(home, 'POST', '/api/quotes', { body: JSON.stringify(body) });
  const create = (body: unknown) => refusal(home, 'POST', '/api/clusters', { body: JSON.stringify(body) });
  const clusterCount = async () => (await home.api.clusters.list()).length;

  for (const [what, body, sentence] of [
    ['JSON that breaks off', '{"nodes": ', /body is not JSON/],
    ['JSON with a slip', '{"nodes": 1,}', /body is not JSON: it cannot be read from position 12 on/],
    ['a list instead of an object', '[]', /must be an object/],
    ['bytes that are no text', '\u0000', /body is not JSON/],
  ] as const) {
    it(`says what is wrong with ${what}`, async () => {
      const { status, code, message } = await refusal(home, 'POST', '/api/quotes', { body });
      assert.deepEqual([status, code], [400, 'BAD_INPUT']);
      assert.match(message, sentence);
    });
  }

  for (const amount of ['1.5', '-1', '+1', '1e6', '', ' 1', '0x10', '99999999999999999999', 2, null, {}]) {
    it(`takes ${JSON.stringify(amount)} for no amount of money`, async () => {
      const { status, code, message, field } = await quoteWith({
        filter: { maxPricePerHourMicroUsd: amount },
      });
      assert.deepEqual([status, code, field], [400, 'BAD_INPUT', 'filter.maxPricePerHourMicroUsd']);
      assert.match(
        message,
        typeof amount === 'string' ? /is not an amount: write whole micro-dollars/ : /must be a text/,
      );
    });
  }

  for (const [what, body, expected] of [
    ['0 nodes', { nodes: 0 }, { code: 'BAD_INPUT', field: 'nodes', message: /at least 1/ }],
    ['10,000 nodes', { nodes: 10_000 }, { code: 'BAD_INPUT', field: 'nodes', message: /at most 100/ }],
    [
      'an unknown network',
      { filter: { providers: ['nowhere'] } },
      { code: 'BAD_INPUT', field: 'filter.providers', message: /no network "nowhere".*local, sandbox/ },
    ],
    [
      'an unknown template',
      { template: 'kubeflow' },
      { code: 'BAD_INPUT', field: 'template', message: /no template .kubeflow.*notebook, ray/ },
    ],
    [
      'an unknown engine',
      { engine: 'dask' },
      { code: 'BAD_INPUT', field: 'engine', message: /no engine "dask".*single, ray/ },
    ],
    [
      'an offer that vanished',
      { offerIds: ['sandbox:rtx-4090-999'] },
      { code: 'NO_OFFERS', field: 'offerIds', message: /sandbox:rtx-4090-999 is not there any more/ },
    ],
    [
      'a cap that buys nothing',
      { ...practice, capMicroUsd: '1' },
      { code: 'CAP_TOO_LOW', field: 'capMicroUsd', message: /does not cover/ },
    ],
    [
      'a stop time that has passed',
      { stopAtMs: 1 },
      { code: 'BAD_INPUT', field: 'stopAtMs', message: /has already passed/ },
    ],
    [
      'a path to save that leaves the work folder',
      { save: { paths: ['../../etc/passwd'], toFolder: null } },
      { code: 'BAD_INPUT', field: 'save.paths.0', message: /stays inside the work folder/ },
    ],
    [
      'a secret that is not stored',
      { secrets: ['NOT_STORED'] },
      { code: 'NOT_FOUND', field: 'secrets', message: /no stored secret named NOT_STORED/ },
    ],
  ] as const) {
    it(`quotes nothing for ${what}`, async () => {
      const { code, field, message, next } = await quoteWith(body);
      assert.deepEqual([code, field], [expected.code, expected.field]);
      assert.match(`${message} ${next ?? ''}`, expected.message);
    });
  }

  for (const name of ['../../etc', 'a/b', 'A', '.', 'name\u0000', 'ümlaut', '-dash', 'x'.repeat(41), '']) {
    it(`makes no cluster named ${JSON.stringify(name)}`, async () => {
      const before = await clusterCount();
      const { id } = await home.quote(practice);
      const { code, field, message } = await create({ quoteId: id, name });
      assert.deepEqual([code, field], ['BAD_INPUT', 'name']);
      assert.match(message, /lower-case letters, digits or hyphens/);
      assert.equal(await clusterCount(), before);
    });
  }

  it('makes no second cluster of one name, nor of one quote, and the same one for the same call', async () => {
    const first = await home.quote(practice);
    const cluster = await home.api.clusters.create({ quoteId: first.id, name: 'twice' });
    const again = await home.api.clusters.create({ quoteId: first.id, name: 'twice' });
    assert.equal(again.id, cluster.id);
    const used = await create({ quoteId: first.id, name: 'other' });
    assert.deepEqual([used.status, used.code], [409, 'QUOTE_USED']);
    const second = await home.quote(practice);
    const taken = await create({ quoteId: second.id, name: 'twice' });
    assert.deepEqual([taken.status, taken.code, taken.field], [409, 'NAME_TAKEN', 'name']);
    assert.match(taken.message, /a cluster named twice already/);
    // The quote is not spent by the refusal.
    await home.api.clusters.create({ quoteId: second.id, name: 'thrice' });
  });

  it('takes no quote that it never made, and none that is too old', async () => {
    const unknown = await create({ quoteId: 'quo_01ARZ3NDEKTSV4RRFFQ69G5FAV' });
    assert.deepEqual([unknown.status, unknown.code], [404, 'NOT_FOUND']);
    assert.equal((await create({ quoteId: 'quo_1' })).code, 'BAD_INPUT');
    const { id } = await home.quote(practice);
    await home.stop();
    // Nobody waits ten minutes for a test: its record becomes that old.
    const database = new DatabaseSync(home.home.store);
    database
      .prepare("update quotes set record = json_set(record, '$.quote.expiresAtMs', ?) where id = ?")
      .run(Date.now() - 1, id);
    database.close();
    await home.start();
    const old = await create({ quoteId: id });
    assert.deepEqual([old.status, old.code], [410, 'QUOTE_EXPIRED']);
    assert.match(`${old.message} ${old.next ?? ''}`, /more than ten minutes old.*Ask for another/);
  });

  for (const path of [
    '/api/clusters/..%2f..%2fetc',
    '/clusters/..%2f..%2fetc/jupyter/api/kernels',
    '/clusters/clu_01ARZ3NDEKTSV4RRFFQ69G5FAV/jupyter/api/kernels',
    '/clusters/clu_01ARZ3NDEKTSV4RRFFQ69G5FAV/../../../etc/passwd',
    '//evil.example/api/clusters',
    '/api/nothing',
    '/',
  ]) {
    it(`finds nothing at ${path}`, async () => {
      const { status, code } = await refusal(home, 'GET', path);
      assert.ok([404, 400].includes(status), status.toString());
      assert.ok(['NOT_FOUND', 'BAD_INPUT'].includes(code), code);
    });
  }

  describe('by a stranger', () => {
    const strange = async (headers: Record<string, string>, path = '/api/clusters') =>
      refusal(home, 'GET', path, { headers });
    const socketUrl = () =>
      `${home.place().baseUrl.replace('http', 'ws')}/clusters/clu_01ARZ3NDEKTSV4RRFFQ69G5FAV/jupyter/api/kernels/k/channels?session_id=s`;
    const bearer = () => ({ authorization: `Bearer ${home.place().token}` });

    for (const [what, authorization] of [
      ['no bearer', ''],
      ['a wrong bearer', `Bearer ${'0'.repeat(64)}`],
      ['the bearer as basic authorization', 'Basic aGl0Y2g6aGl0Y2g='],
    ] as const) {
      it(`answers 401 to ${what}, on requests and on sockets`, async () => {
        for (const path of ['/api/clusters', '/api/openapi.json', '/clusters/x/jupyter/api/kernels']) {
          const { status, code, next } = await strange({ authorization }, path);
          assert.deepEqual([status, code], [401, 'UNAUTHORIZED'], path);
          assert.match(next ?? '', /daemon\.json/);
        }
        const socket = await refusedSocket(socketUrl(), { authorization });
        assert.deepEqual([socket.status, socket.code], [401, 'UNAUTHORIZED']);
      });
    }

    it('takes no bearer from a query, where logs and histories would keep it', async () => {
      const { status } = await strange({ authorization: '' }, `/api/clusters?token=${home.place().token}`);
      assert.equal(status, 401);
    });

    for (const headers of [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: 'http://127.0.0.1:1' },
      { host: 'evil.example' },
      { host: '127.0.0.1:1' },
      { host: 'localhost.evil.example' },
    ]) {
      it(`answers 403 to ${JSON.stringify(headers)}, on requests, on sockets and on the challenge`, async () => {
        const known = { ...bearer(), ...headers };
        const { status, code } = await strange(known);
        assert.deepEqual([status, code], [403, 'FORBIDDEN_ORIGIN']);
        const socket = await refusedSocket(socketUrl(), known);
        assert.deepEqual([socket.status, socket.code], [403, 'FORBIDDEN_ORIGIN']);
        const body = JSON.stringify({ nonce: '0'.repeat(64) });
        const challenge = await refusal(home, 'POST', '/challenge', { body, headers });
        assert.equal(challenge.status, 403);
      });
    }
  });
});

describe('what is wrong with the market or the machine', function () {
  this.timeout(120_000);
  const homes: DaemonHome[] = [];
  const folder = mkdtempSync(join(tmpdir(), 'he-fake-'));
  const newHome = (environment: Record<string, string>): DaemonHome => {
    const home = new DaemonHome(environment);
    homes.push(home);
    return home;
  };

  before(function () {
    needsRealNodes(this);
  });

  afterEach(async () => {
    for (const home of homes.splice(0)) {
      await home.dispose();
    }
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  /** A program that answers like a Python with these packages. */
  const fakePython = (name: string, packages: string): string => {
    const path = join(folder, name);
    writeFileSync(path, `#!/bin/sh\nprintf '${packages}'\n`, { mode: 0o755 });
    return path;
  };
  const untilFailed = async (home: DaemonHome, request: Partial<QuoteRequest>): Promise<Cluster> => {
    const { id } = await home.rent(request);
    return until('it has failed and nothing is left', async () => {
      const cluster = await home.cluster(id);
      return cluster.phase === 'failed' && cluster.endedAtMs !== null ? cluster : null;
    });
  };

  it('says when every offer was sold a moment before, and owes nothing', async () => {
    const faults = JSON.stringify({ seed: 1, rules: [{ fault: 'vanished_offer' }] });
    const home = newHome({ HITCH_SANDBOX_RUNTIME: 'null', HITCH_SANDBOX_FAULTS: faults });
    await home.start();
    const failed = await untilFailed(home, { filter: { practice: 'only' } });
    assert.match(failed.message, /None of the offers could be rented\..*was sold a moment ago/);
    assert.equal(failed.conditions.billing.status, 'no');
    assert.equal(failed.usage.accruedMicroUsd, '0');
  });

  for (const [what, python, engine, sentence] of [
    [
      'no Python at all',
      () => join(folder, 'missing'),
      'single',
      /no Python at .*missing: correct HITCH_PYTHON/,
    ],
    [
      'a Python without Jupyter',
      () => fakePython('bare', 'python 3.11.2\\nray 2.58.0\\n'),
      'single',
      /bare lacks jupyter_server and ipykernel: install them there/,
    ],
    [
      'a Ray that lets anybody in',
      () => fakePython('oldray', 'python 3.11.2\\njupyter_server 2.21.1\\nipykernel 7.4.0\\nray 2.40.0\\n'),
      'ray',
      /oldray has Ray 2\.40\.0, which lets anybody who reaches it run code: install ray\[default\] 2\.52 or newer/,
    ],
    [
      'a Python that is too old',
      () => fakePython('old', 'python 3.8.10\\njupyter_server 1\\nipykernel 6\\n'),
      'single',
      /old is Python 3\.8\.10, which is too old: install Python 3\.10 to 3\.14/,
    ],
  ] as const) {
    it(`fails with its sentence where there is ${what}, and leaves nothing`, async () => {
      const home = newHome({ HITCH_PROVIDERS: 'local', HITCH_PYTHON: python() });
      await home.start();
      const failed = await untilFailed(home, { engine });
      assert.match(failed.message, sentence);
      assert.deepEqual(home.leftovers([failed]), []);
      assert.deepEqual(home.machines(), []);
    });
  }

  it('lets no path of a face out of a machine’s work folder', async () => {
    const home = newHome({ HITCH_PROVIDERS: 'local' });
    await home.start();
    const { id, nodes } = await home.untilKernel((await home.rent({})).id);
    const ref = nodes[0]?.attempts[0]?.ref ?? '';
    const work = join(home.machineFolder(ref), 'work');
    symlinkSync('/etc', join(work, 'out'));
    symlinkSync('/etc/passwd', join(work, 'passwd'));
    mkdirSync(join(work, 'inside'));
    const before = readdirSync('/etc');
    const encoded = (path: string) => encodeURIComponent(path);
    for (const path of [
      '../machine.json',
      '/etc/passwd',
      'inside/../../machine.json',
      'a\\..\\b',
      'a\u0000b',
    ]) {
      for (const [method, route] of [
        ['GET', `/api/clusters/${id}/files?path=${encoded(path)}`],
        ['GET', `/api/clusters/${id}/file?path=${encoded(path)}`],
        ['DELETE', `/api/clusters/${id}/file?path=${encoded(path)}`],
        ['GET', `/clusters/${id}/raw-files?path=${encoded(path)}`],
      ] as const) {
        const { status, code } = await refusal(home, method, route);
        assert.deepEqual([status, code], [400, 'BAD_INPUT'], `${method} ${route}`);
      }
    }
    for (const path of ['out', 'out/hostname', 'passwd']) {
      for (const [method, route] of [
        ['GET', `/api/clusters/${id}/file-checksum?path=${encoded(path)}`],
        ['GET', `/api/clusters/${id}/files?path=${encoded(path)}`],
        ['GET', `/clusters/${id}/raw-files?path=${encoded(path)}`],
      ] as const) {
        const { status, message } = await refusal(home, method, route);
        assert.ok(status === 400 || status === 404, `${method} ${route}: ${status.toString()} ${message}`);
      }
    }
    const body = JSON.stringify({ path: 'out/hitch-was-here' });
    assert.ok((await refusal(home, 'POST', `/api/clusters/${id}/folders`, { body })).status < 500);
    assert.deepEqual(readdirSync('/etc'), before);
    await home.stopCluster(id);
  });
});

describe('a home that cannot be written', function () {
  this.timeout(120_000);
  let mount = '';
  let home: DaemonHome | undefined;

  const mountHome = (context: Mocha.Context, size: string): DaemonHome => {
    mount = mkdtempSync(join(tmpdir(), 'he-'));
    if (process.platform !== 'linux' || process.getuid?.() !== 0) {
      skip(context, 'only root on Linux can mount a small disk');
    }
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', mount], { stdio: 'pipe' });
    } catch {
      skip(context, 'mounting a small disk is not permitted here');
    }
    home = new DaemonHome({ HITCH_SANDBOX_RUNTIME: 'null' }, mount);
    return home;
  };
  const fill = (name: string): void => {
    try {
      writeFileSync(join(mount, name), Buffer.alloc(64 * 1024 * 1024));
    } catch {
      // That is the point.
    }
  };

  afterEach(async () => {
    const used = home;
    home = undefined;
    await used?.stop();
    if (mount !== '') {
      try {
        execFileSync('umount', ['-l', mount], { stdio: 'pipe' });
      } catch {
        // It was never mounted.
      }
    }
    await used?.dispose();
    rmSync(mount, { recursive: true, force: true });
    mount = '';
  });

  it('says that the disk is full, loses nothing, and goes on once there is room', async function () {
    const small = mountHome(this, '16m');
    await small.start();
    const quote = await small.quote({ filter: { practice: 'only' } });
    const cluster = await small.api.clusters.create({ quoteId: quote.id, name: 'before' });
    fill('filler');
    const refused = await until('the disk is full', async () => {
      const body = JSON.stringify({ filter: { practice: 'only' } });
      const { status, text } = await ask(small, 'POST', '/api/quotes', { body });
      return status === 200 ? null : { status, ...errorEnvelopeSchema.parse(JSON.parse(text)) };
    });
    assert.deepEqual([refused.status, refused.code], [507, 'STORAGE_FULL']);
    assert.match(`${refused.message} ${refused.next ?? ''}`, /the disk is full.*Free some space/);
    assert.equal((await small.cluster(cluster.id)).name, 'before');
    rmSync(join(mount, 'filler'));
    const later = await small.rent({ filter: { practice: 'only' } }, 'after');
    await small.kill();
    await small.start();
    const names = (await small.api.clusters.list()).map(({ name }) => name);
    assert.deepEqual(names.sort(), ['after', 'before']);
    for (const { id } of [cluster, later]) {
      await small.stopCluster(id);
    }
  });

  it('says that the disk is full when a daemon starts on it', async function () {
    const small = mountHome(this, '1m');
    fill('filler');
    for (const args of [['daemon', '--foreground'], ['ls']]) {
      const { code, stderr } = await small.cli(args);
      assert.equal(code, 9, `${args.join(' ')}: ${stderr}`);
      assert.match(stderr, /Cannot write .*: the disk is full/);
      assert.match(stderr, /Free some space/);
    }
  });

  it('says that it is read-only', async function () {
    const small = mountHome(this, '8m');
    execFileSync('mount', ['-o', 'remount,ro', mount], { stdio: 'pipe' });
    for (const args of [['daemon', '--foreground'], ['ls']]) {
      const { code, stderr } = await small.cli(args);
      assert.equal(code, 9, stderr);
      assert.match(stderr, new RegExp(`Cannot write ${mount}.*: the file system is read-only`));
      assert.match(stderr, /point HITCH_HOME at a folder you can write/);
    }
  });

  it('says that a file is in its place', async () => {
    mount = mkdtempSync(join(tmpdir(), 'he-'));
    const file = join(mount, 'home');
    writeFileSync(file, 'mine');
    home = new DaemonHome({}, file);
    const { code, stderr } = await home.cli(['daemon', '--foreground']);
    assert.equal(code, 9, stderr);
    assert.match(stderr, /cannot be Hitch’s folder: a file is in its place/);
  });

  it('chooses a port where the kept one is no port', async () => {
    home = new DaemonHome({ HITCH_SANDBOX_RUNTIME: 'null' });
    writeFileSync(join(home.root, 'port'), 'nonsense\n');
    await home.start();
    assert.match(home.place().baseUrl, /:\d+$/);
  });
});
