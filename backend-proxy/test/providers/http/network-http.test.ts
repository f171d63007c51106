import assert from 'node:assert/strict';
import * as z from 'zod';
import { NetworkHttp, type NetworkHttpOptions, type Call } from '../../../src/providers/http/network-http.ts';
import { type HttpAnswer, type HttpRequest, TransportError } from '../../../src/providers/http/transport.ts';
import { ProviderError } from '../../../src/providers/provider.ts';

const { signal } = new AbortController();
const json = { 'content-type': 'application/json' };

/** An API that answers this, and the requests that it got. */
function api(answer: Partial<HttpAnswer> | Error, options: Partial<NetworkHttpOptions> = {}) {
  const requests: HttpRequest[] = [];
  const http = new NetworkHttp({
    title: 'Test net',
    base: 'https://api.example',
    transport: request => {
      requests.push(request);
      return answer instanceof Error
        ? Promise.reject(answer)
        : Promise.resolve({ status: 200, headers: json, text: '{}', ...answer });
    },
    login: () => Promise.resolve({ key: 'secret' }),
    authorize: ({ key }) => ({ authorization: `Bearer ${key ?? ''}` }),
    ...options,
  });
  return { http, requests };
}

const call = (of: Partial<Call<z.ZodType>> = {}): Call<z.ZodType> => ({
  method: 'GET',
  path: '/things',
  login: 'needed',
  changes: false,
  answer: z.looseObject({}),
  ...of,
});

async function failure(answer: Partial<HttpAnswer> | Error, of: Partial<Call<z.ZodType>> = {}, options = {}) {
  const { http } = api(answer, options);
  try {
    await http.ask(call(of), signal);
  } catch (error) {
    assert.ok(error instanceof ProviderError);
    return error;
  }
  throw new Error('it was answered');
}

describe('a call to a network', () => {
  it('carries its query, its body and the login', async () => {
    const { http, requests } = api({});
    await http.ask(
      call({ method: 'POST', query: { a: 'x y', ids: ['1', '2'], none: undefined }, body: { n: 1 } }),
      signal,
    );
    const [request] = requests;
    assert.equal(request?.url, 'https://api.example/things?a=x+y&ids=1&ids=2');
    assert.equal(request.body, '{"n":1}');
    assert.equal(request.headers['authorization'], 'Bearer secret');
  });

  it('is not made without a login that it needs, and carries none where it needs none', async () => {
    const nobody = { login: () => Promise.resolve(null) };
    const { http, requests } = api({}, nobody);
    await assert.rejects(http.ask(call(), signal), { kind: 'auth', lacks: 'login' });
    assert.equal(requests.length, 0);
    await http.ask(call({ login: 'given' }), signal);
    assert.equal(requests[0]?.headers['authorization'], undefined);
    const logged = api({});
    await logged.http.ask(call({ login: 'none' }), signal);
    assert.equal(logged.requests[0]?.headers['authorization'], undefined);
  });

  it('is not made with a login that holds what no key has, and does not repeat it', async () => {
    for (const key of ['sec\nret', 'secret”', 'sécret']) {
      const { http, requests } = api({}, { login: () => Promise.resolve({ key }) });
      await assert.rejects(http.ask(call({ changes: true }), signal), error => {
        assert.ok(error instanceof ProviderError && error.kind === 'auth' && !error.message.includes(key));
        return /^Your login at Test net holds a character that no key has/.test(error.message);
      });
      assert.equal(requests.length, 0);
    }
  });

  it('tries another login in the place of the one that was given', async () => {
    const { http, requests } = api({});
    await http.ask(call({ tried: { key: 'other' } }), signal);
    assert.equal(requests[0]?.headers['authorization'], 'Bearer other');
  });

  it('reads what it uses and lets the rest be anything, with the time that the network said', async () => {
    const { http } = api({
      text: '{"price":0.1,"new":{"field":[]}}',
      headers: { ...json, date: 'Mon, 30 Nov 2026 06:00:00 GMT' },
    });
    const { value, atMs } = await http.ask(call({ answer: z.looseObject({ price: z.number() }) }), signal);
    assert.deepEqual([value, atMs], [{ price: 0.1, new: { field: [] } }, Date.UTC(2026, 10, 30, 6)]);
  });

  it('is null for what the network does not know, where that is asked for', async () => {
    const { http } = api({ status: 404, text: '{"error":"no such thing"}' });
    assert.equal(await http.askFor(call(), signal), null);
    assert.equal(await api({ status: 404, headers: {}, text: '' }).http.askFor(call(), signal), null);
  });

  it('is not taken for “there is no such thing” where somebody on the way says 404', async () => {
    for (const [changes, kind] of [
      [false, 'retryable'],
      [true, 'unknownOutcome'],
    ] as const) {
      const { http } = api({
        status: 404,
        headers: { 'content-type': 'text/plain' },
        text: '404 page not found',
      });
      await assert.rejects(http.askFor(call({ changes }), signal), { kind });
    }
  });

  it('has certainly bought nothing where the login that is kept cannot be read', async () => {
    const locked = { login: () => Promise.reject(new Error('The keychain is locked.')) };
    const { http, requests } = api({}, locked);
    await assert.rejects(http.ask(call({ changes: true }), signal), {
      kind: 'retryable',
      message: 'Test net was not asked, since your login cannot be read: The keychain is locked.',
    });
    assert.equal(requests.length, 0);
  });

  const statuses: readonly (readonly [number, boolean, string])[] = [
    [400, true, 'permanent'],
    [401, true, 'auth'],
    [402, true, 'auth'],
    [403, true, 'auth'],
    [404, true, 'permanent'],
    [408, true, 'unknownOutcome'],
    [408, false, 'retryable'],
    [422, true, 'permanent'],
    [429, true, 'retryable'],
    [500, true, 'unknownOutcome'],
    [502, false, 'retryable'],
    [503, true, 'unknownOutcome'],
    [302, true, 'unknownOutcome'],
    [302, false, 'retryable'],
  ];
  statuses.forEach(([status, changes, kind]) => {
    it(`is ${kind} for ${status.toString()} where it ${changes ? 'buys' : 'looks'}`, async () => {
      const error = await failure({ status, text: '{"detail":"because"}' }, { changes });
      assert.equal(error.kind, kind);
      assert.equal(error.lacks, status === 402 ? 'funds' : 'login');
    });
  });

  it('waits as long as the network says, in seconds or until a moment, or a little where it does not say', async () => {
    const wait = async (headers: Record<string, string>) =>
      (await failure({ status: 429, headers: { ...json, ...headers }, text: 'too often' })).retryAfterMs;
    assert.equal(await wait({ 'retry-after': '7' }), 7_000);
    assert.equal(
      await wait({
        date: 'Mon, 30 Nov 2026 06:00:00 GMT',
        'retry-after': 'Mon, 30 Nov 2026 06:01:30 GMT',
      }),
      90_000,
    );
    assert.equal(await wait({}), 5_000);
  });

  it('says what the network says, in one line and not without end', async () => {
    const error = await failure({ status: 400, headers: {}, text: `no\n\n  such ask ${'x'.repeat(5000)}` });
    assert.match(error.message, /^Test net says: no such ask x+… \(\d+ more characters\)/);
    const words = { words: (body: unknown) => z.object({ msg: z.string() }).parse(body).msg };
    assert.equal(
      (await failure({ status: 400, text: '{"msg":"Gone"}' }, {}, words)).message,
      'Test net says: Gone.',
    );
  });

  it('lets the network explain itself', async () => {
    const explain: NonNullable<NetworkHttpOptions['explain']> = ({ status }) =>
      status === 404 ? { kind: 'capacity', words: 'sold out', instanceId: '7' } : null;
    const error = await failure({ status: 404, text: '{}' }, { changes: true }, { explain });
    assert.deepEqual(
      [error.kind, error.instanceId, error.message],
      ['capacity', '7', 'Test net says: sold out.'],
    );
    assert.equal((await failure({ status: 401, text: '{}' }, {}, { explain })).kind, 'auth');
  });

  const odd: readonly (readonly [string, Partial<HttpAnswer>, RegExp])[] = [
    ['a web page', { headers: { 'content-type': 'text/html' }, text: '<html>' }, /a web page, not with data/],
    [
      'a web page that says 401',
      { status: 401, headers: { 'content-type': 'text/html' }, text: 'log in' },
      /a web page, not with data/,
    ],
    ['a page without its type', { headers: {}, text: ' <!DOCTYPE html>' }, /a web page, not with data/],
    ['half of an answer', { text: '{"price": 0.' }, /only a part of it \(12 characters\)/],
    ['nothing', { text: '' }, /another shape than is known/],
    ['another shape', { text: '{"price":"a lot"}' }, /another shape than is known: price: /],
  ];
  odd.forEach(([name, answer, words]) => {
    it(`may have bought something when it is answered with ${name}, and has not where it only looks`, async () => {
      const shape = { answer: z.looseObject({ price: z.number() }) };
      const bought = await failure(answer, { changes: true, ...shape });
      assert.equal(bought.kind, 'unknownOutcome');
      assert.match(bought.message, words);
      assert.equal((await failure(answer, shape)).kind, 'retryable');
    });
  });

  odd.slice(0, 4).forEach(([name, answer, words]) => {
    it(`does not take ${name} for done where nothing of the answer is used`, async () => {
      const error = await failure(answer, { changes: true, answer: z.unknown() });
      assert.equal(error.kind, 'unknownOutcome');
      assert.match(error.message, words);
    });
  });

  it('has certainly bought nothing where nothing of it arrived', async () => {
    const refused = new TransportError('api.example refused the connection', { mayHaveArrived: false });
    assert.equal((await failure(refused, { changes: true })).kind, 'retryable');
    const broken = new TransportError('it broke', { mayHaveArrived: true });
    const error = await failure(broken, { changes: true });
    assert.deepEqual([error.kind, error.message], ['unknownOutcome', 'Test net gave no answer: it broke.']);
  });

  it('sends a login by https alone, or to this computer', () => {
    for (const base of ['http://api.example', 'ftp://api.example', 'api.example', '']) {
      assert.throws(() => api({}, { base }), /no address for a network/);
    }
    for (const base of ['http://127.0.0.1:9', 'http://localhost:9/x', 'https://api.example']) {
      api({}, { base });
    }
  });
});
