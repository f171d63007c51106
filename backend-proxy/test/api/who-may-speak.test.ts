/** Who is answered by the API: the bearer, Host and Origin of each request, and the challenge. */
import assert from 'node:assert/strict';
import WebSocket from 'ws';
import { challengeProof } from '@hitch/client-node/src/challenge-proof.ts';
import { ids } from '../store/records.ts';
import { type Ask, asking, bearer, refusalOf } from './asking.ts';
import { CHALLENGE_KEY, serve, type Served, TOKEN } from './serve.ts';

describe('the API: who may speak', () => {
  let served: Served;

  beforeEach(async () => {
    served = await serve();
  });

  afterEach(() => served.close());

  const ask = (question: Ask) => asking(served, question);
  const refusal = (question: Ask) => refusalOf(served, question);

  it('refuses a missing and a wrong bearer on every route, before anything else is said', async () => {
    const clusterId = ids.next('clu');
    const routes = [
      '/api/daemon',
      '/api/nothing',
      '/api/openapi.json',
      `/clusters/${clusterId}/raw-files?path=a`,
      `/clusters/${clusterId}/jupyter/api/kernels`,
    ];
    for (const path of routes) {
      for (const authorization of ['', 'Bearer ', 'Bearer wrong', `Basic ${TOKEN}`, `Bearer ${TOKEN}x`]) {
        const answer = await refusal({ path, headers: authorization === '' ? {} : { authorization } });
        assert.deepEqual([answer.code, answer.status], ['UNAUTHORIZED', 401], `${path} ${authorization}`);
      }
    }
  });

  it('does not take the token from the URL', async () => {
    assert.equal((await refusal({ path: `/api/daemon?token=${TOKEN}` })).code, 'UNAUTHORIZED');
  });

  it('refuses a foreign Host, such as a name rebound to this address', async () => {
    for (const host of ['evil.example', `evil.example:${served.port}`, '127.0.0.1:1', 'localhost']) {
      const answer = await refusal({ path: '/api/daemon', headers: { ...bearer, host } });
      assert.deepEqual([answer.code, answer.status], ['FORBIDDEN_ORIGIN', 403], host);
    }
    const answer = await ask({
      path: '/api/daemon',
      headers: { ...bearer, host: `localhost:${served.port}` },
    });
    assert.equal(answer.status, 200);
  });

  it('refuses a foreign Origin, even with the bearer, and the challenge too', async () => {
    for (const origin of [
      'https://evil.example',
      'null',
      `http://127.0.0.1:1`,
      `https://localhost:${served.port}`,
    ]) {
      for (const question of [
        { path: '/api/daemon', headers: { ...bearer, origin } },
        { path: '/challenge', method: 'POST', headers: { origin }, body: '{}' },
      ]) {
        const answer = await refusal(question);
        assert.deepEqual([answer.code, answer.status], ['FORBIDDEN_ORIGIN', 403], origin);
      }
    }
    const own = { ...bearer, origin: `http://127.0.0.1:${served.port}` };
    assert.equal((await ask({ path: '/api/daemon', headers: own })).status, 200);
  });

  it('checks sockets the same way', async () => {
    const url = `ws://127.0.0.1:${served.port}/clusters/${ids.next('clu')}/jupyter/api/kernels/k/channels`;
    for (const [headers, status] of [
      [{}, 401],
      [{ authorization: 'Bearer wrong' }, 401],
      [{ ...bearer, origin: 'https://evil.example' }, 403],
      [{ ...bearer, host: 'evil.example' }, 403],
    ] as const) {
      const socket = new WebSocket(url, { headers });
      const got = await new Promise<number | undefined>(resolve => {
        socket.on('unexpected-response', (_, response) => resolve(response.statusCode));
        socket.on('error', () => resolve(undefined));
        socket.on('open', () => resolve(101));
      });
      assert.equal(got, status);
    }
  });

  it('proves that it wrote the discovery file without asking for the bearer', async () => {
    const nonce = 'ab'.repeat(32);
    const answer = await ask({
      path: '/challenge',
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ nonce }),
    });
    assert.equal(answer.status, 200);
    assert.deepEqual(JSON.parse(answer.body), {
      proof: challengeProof(CHALLENGE_KEY, nonce),
      protocol: 1,
      version: '0.1.0',
    });
  });

  it('refuses a bad nonce, and a flood of challenges for a moment', async () => {
    const challenge = (nonce: string): Ask => ({
      path: '/challenge',
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ nonce }),
    });
    assert.equal(
      (await refusal(challenge('short'))).message,
      '“nonce” must be 64 lower-case hexadecimal digits.',
    );
    const flood = await Promise.all(Array.from({ length: 80 }, () => ask(challenge('ab'.repeat(32)))));
    assert.ok(flood.some(({ status }) => status === 503));
    assert.ok(flood.some(({ status }) => status === 200));
  });

  it('refuses a client of another protocol, except where it looks or takes over', async () => {
    const headers = { ...bearer, 'x-hitch-protocol': '99' };
    const answer = await refusal({ path: '/api/clusters', headers });
    assert.deepEqual([answer.code, answer.status], ['VERSION_MISMATCH', 426]);
    assert.equal((await ask({ path: '/api/daemon', headers })).status, 200);
    assert.equal((await ask({ path: '/api/daemon/stop', method: 'POST', headers })).status, 200);
  });
});
