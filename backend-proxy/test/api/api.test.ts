import assert from 'node:assert/strict';
import { HitchError } from '@hitch/contract';
import { ids } from '../store/records.ts';
import { type Ask, asking, bearer, json, refusalOf } from './asking.ts';
import { serve, type Served } from './serve.ts';

describe('the API', () => {
  let served: Served;

  beforeEach(async () => {
    served = await serve();
  });

  afterEach(() => served.close());

  const ask = (question: Ask) => asking(served, question);
  const refusal = (question: Ask) => refusalOf(served, question);

  it('answers a call of the contract', async () => {
    const { client, clusters } = served;
    const cluster = clusters.add();
    assert.deepEqual(await client.api.clusters.list(), [cluster]);
    assert.deepEqual(await client.api.clusters.get({ clusterId: cluster.id }), cluster);
    assert.equal((await client.api.daemon.info()).home, '/home');
    assert.equal((await client.api.offers.query({})).total, 1);
    const templates = (await client.api.templates.list()).map(({ id }) => id);
    assert.ok(templates.includes('notebook') && templates.includes('ray'), templates.join());
    const { problems } = await client.api.templates.check({ folder: '/nowhere' }).catch((error: unknown) => {
      assert.match(String(error), /The folder \/nowhere cannot be read/);
      return { problems: null };
    });
    assert.equal(problems, null);
  });

  it('fills in the defaults of a quote that asks for nothing', async () => {
    await served.client.api.quotes.create({});
    const [request] = served.clusters.asked;
    assert.deepEqual([request?.nodes, request?.template, request?.offerIds], [1, null, []]);
  });

  it('passes a part’s own error on with its code, status and next step', async () => {
    const quoteId = ids.next('quo');
    assert.deepEqual(await refusal({ path: `/api/quotes/${quoteId}`, headers: bearer }), {
      code: 'QUOTE_EXPIRED',
      message: 'The quote expired 3 minutes ago.',
      next: 'Ask for another.',
      retryable: false,
      status: 410,
    });
    await assert.rejects(
      served.client.api.quotes.get({ quoteId }),
      (error: unknown) => error instanceof HitchError && error.code === 'QUOTE_EXPIRED',
    );
  });

  it('says nothing of a defect’s inner text', async () => {
    served.clusters.list = () => {
      throw new Error('password=hunter2');
    };
    const answer = await refusal({ path: '/api/clusters', headers: bearer });
    assert.equal(answer.code, 'INTERNAL');
    assert.equal(answer.status, 500);
    assert.ok(!JSON.stringify(answer).includes('hunter2'));
  });

  describe('bad input', () => {
    const quoteWith = (body: unknown): Ask => ({
      path: '/api/quotes',
      method: 'POST',
      headers: json,
      body: JSON.stringify(body),
    });

    for (const { name, question, message, field } of [
      {
        name: 'JSON that breaks off',
        question: { ...quoteWith(0), body: '{"nodes": ' },
        message: 'The request’s body is not JSON: it ends too early or is not UTF-8.',
        field: undefined,
      },
      {
        name: 'JSON with a slip in it',
        question: { ...quoteWith(0), body: '{"nodes": 1,}' },
        message: 'The request’s body is not JSON: it cannot be read from position 12 on.',
        field: undefined,
      },
      {
        name: 'a body that is not said to be JSON',
        question: { ...quoteWith({}), headers: { ...bearer, 'content-type': 'text/plain' } },
        message: 'The request’s body must be JSON, with content-type application/json.',
        field: undefined,
      },
      {
        name: 'no nodes',
        question: quoteWith({ nodes: 0 }),
        message: '“nodes” must be at least 1.',
        field: 'nodes',
      },
      {
        name: '10,000 nodes',
        question: quoteWith({ nodes: 10_000 }),
        message: '“nodes” must be at most 100.',
        field: 'nodes',
      },
      {
        name: 'half a node',
        question: quoteWith({ nodes: 1.5 }),
        message: '“nodes” must be a whole number.',
        field: 'nodes',
      },
      {
        name: 'money as a number',
        question: quoteWith({ capMicroUsd: 2_000_000 }),
        message: '“capMicroUsd” must be a text.',
        field: 'capMicroUsd',
      },
      {
        name: 'money with a point',
        question: quoteWith({ capMicroUsd: '2.00' }),
        message:
          '“capMicroUsd”: "2.00" is not an amount: write whole micro-dollars without sign, point or exponent, such as "420000" for $0.42.',
        field: 'capMicroUsd',
      },
      {
        name: 'a network that cannot be one',
        question: quoteWith({ filter: { providers: ['Vast!'] } }),
        message: '“filter.providers.0” is not a provider id.',
        field: 'filter.providers.0',
      },
      {
        name: 'a market nobody knows',
        question: quoteWith({ filter: { markets: ['barter'] } }),
        message: '“filter.markets.0” must be one of on_demand, spot.',
        field: 'filter.markets.0',
      },
      {
        name: 'a path to save that leaves the work folder',
        question: quoteWith({ save: { paths: ['../../etc/passwd'], toFolder: null } }),
        message:
          '“save.paths.0” must be a relative path with forward slashes that stays inside the work folder.',
        field: 'save.paths.0',
      },
      {
        name: 'a name with path tricks',
        question: {
          ...quoteWith({ quoteId: ids.next('quo'), name: '../evil' }),
          path: '/api/clusters',
        },
        message:
          '“name” must be 2 to 40 lower-case letters, digits or hyphens, start with a letter and not end with a hyphen.',
        field: 'name',
      },
      {
        name: 'a missing field',
        question: { ...quoteWith({}), path: '/api/clusters' },
        message: '“quoteId” is missing.',
        field: 'quoteId',
      },
      {
        name: 'an id that is none',
        question: { path: '/api/clusters/..%2f..%2fetc', headers: bearer },
        message: '“clusterId” is not an id of the form clu_….',
        field: 'clusterId',
      },
      {
        name: 'a count that is no number',
        question: { path: `/api/clusters/${ids.next('clu')}/events?limit=many`, headers: bearer },
        message: '“limit” must be a number.',
        field: 'limit',
      },
      {
        name: 'a span that ends before it starts',
        question: { path: '/api/usage?fromMs=5&toMs=4', headers: bearer },
        message: '“toMs” must not be before “fromMs”.',
        field: 'toMs',
      },
      {
        name: 'a secret’s name in small letters',
        question: {
          path: '/api/secrets/hf-token',
          method: 'PUT',
          headers: json,
          body: '{"value":"x"}',
        },
        message: '“name” must be an environment variable name: capital letters, digits, underscores.',
        field: 'name',
      },
    ] satisfies { name: string; question: Ask; message: string; field: string | undefined }[]) {
      it(`refuses ${name} with a sentence`, async () => {
        const answer = await refusal(question);
        assert.deepEqual(
          { status: answer.status, code: answer.code, message: answer.message, field: answer.field },
          { status: 400, code: 'BAD_INPUT', message, field },
        );
        assert.deepEqual(served.clusters.asked, []);
      });
    }

    it('refuses a body over the limit, announced or not', async () => {
      const body = JSON.stringify({ template: 'x'.repeat(2 * 1024 * 1024) });
      for (const headers of [{ 'content-length': String(body.length) }, { 'transfer-encoding': 'chunked' }]) {
        const answer = await refusal({ ...quoteWith(0), body, headers: { ...json, ...headers } });
        assert.equal(answer.code, 'TOO_LARGE');
        assert.equal(answer.status, 413);
        assert.match(answer.message, /over 1048576 bytes/);
      }
    });

    it('answers the envelope for an address and a method that lead nowhere', async () => {
      for (const question of [
        { path: '/api/nothing', headers: bearer },
        { path: '/', headers: bearer },
        { path: '//evil.example/api/clusters', headers: bearer, method: 'TRACE' },
        { path: '/api/clusters', method: 'PATCH', headers: json, body: '{}' },
        { path: `/clusters/${ids.next('clu')}/lab`, headers: bearer },
      ]) {
        const answer = await refusal(question);
        assert.equal(answer.code, 'NOT_FOUND', question.path);
        assert.equal(answer.status, 404);
      }
    });
  });

  it('answers everything as bytes that a browser will not run', async () => {
    for (const question of [
      { path: '/api/clusters', headers: bearer },
      { path: '/nothing', headers: bearer },
      { path: '/api/daemon' },
    ]) {
      const { headers } = await ask(question);
      assert.equal(headers['x-content-type-options'], 'nosniff');
      assert.match(String(headers['content-security-policy']), /default-src 'none'.*sandbox/);
      assert.match(String(headers['content-type']), /^application\/json/);
      assert.equal(headers['access-control-allow-origin'], undefined);
    }
  });

  it('ends when asked to, after the answer is out', async () => {
    await served.client.api.daemon.stop();
    assert.equal(served.stopped.asked, 1);
  });

  it('never returns a secret’s value', async () => {
    await served.client.api.secrets.set({ name: 'HF_TOKEN', value: 'hf_secret' });
    assert.equal(served.secrets.get('HF_TOKEN'), 'hf_secret');
    const { body } = await ask({ path: '/api/secrets', headers: bearer });
    assert.ok(body.includes('HF_TOKEN') && !body.includes('hf_secret'));
  });
});
