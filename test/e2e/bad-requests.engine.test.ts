/** What a person or a program may ask wrongly, of a real daemon: each with its sentence, nothing half-done. */
import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { refusal, refusedSocket } from '../support/asking.ts';
import { DaemonHome } from '../support/daemon-home.ts';
import { needsRealNodes } from '../support/processes.ts';
import { until } from '../support/waiting.ts';

describe('what a daemon is asked wrongly', function () {
  this.timeout(180_000);
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
      { code: 'NO_OFFERS', field: 'offerIds', message: /sandbox:rtx-4090-999 is no longer available/ },
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
