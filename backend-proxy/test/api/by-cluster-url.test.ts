/** Programs that know nothing of Hitch: what a cluster's token opens, in whatever way it is said, and what it does not. */
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import WebSocket from 'ws';
import { HitchError, type Cluster } from '@hitch/contract';
import { type Ask, asking, bearer, refusalOf } from './asking.ts';
import { serve, type Served } from './serve.ts';

describe('a cluster’s address for any program', () => {
  let served: Served;
  let agent: Server;
  let cluster: Cluster;
  let token: string;
  let base: string;
  /** What the agent was asked. */
  const asked: { url: string; type: string | undefined; body: string }[] = [];

  beforeEach(async () => {
    served = await serve();
    asked.length = 0;
    agent = createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (part: string) => (body += part));
      request.on('end', () => {
        asked.push({ url: request.url ?? '', type: request.headers['content-type'], body });
        response.setHeader('content-type', 'application/json').end('[]');
      });
    });
    // As an agent that runs an older Hitch does: see KernelHub.handleUpgrade.
    agent.on('upgrade', (_, socket) => {
      const said = new HitchError('BAD_INPUT', 'Kernel sockets speak v1.kernel.websocket.jupyter.org only.');
      socket.end(
        `HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n${JSON.stringify(said.toEnvelope())}`,
      );
    });
    await new Promise<void>(resolve => agent.listen(0, '127.0.0.1', resolve));
    const { port } = agent.address() as AddressInfo;
    cluster = served.clusters.add();
    served.clusters.links.set(cluster.id, {
      token: 'of-the-agent',
      address: { host: '127.0.0.1', port },
      closed: new AbortController().signal,
    });
    const given = await served.client.api.clusterUrls.give({ clusterId: cluster.id });
    token = given.token;
    assert.equal(given.url, `${served.baseUrl}/clusters/${cluster.id}/jupyter`);
    base = `/clusters/${cluster.id}/jupyter/api`;
  });

  afterEach(async () => {
    await served.close();
    await new Promise(resolve => agent.close(resolve));
  });

  const ask = (question: Ask) => asking(served, question);
  const refusal = (question: Ask) => refusalOf(served, question);

  it('takes the token as Jupyter does, and passes it on to nobody', async () => {
    for (const authorization of [`token ${token}`, `Token ${token}`, `Bearer ${token}`]) {
      assert.equal((await ask({ path: `${base}/kernels`, headers: { authorization } })).status, 200);
    }
    assert.equal((await ask({ path: `${base}/contents/a?content=0&token=${token}` })).status, 200);
    assert.equal((await ask({ path: `${base}?token=${token}` })).status, 200);
    assert.deepEqual(
      asked.map(({ url }) => url),
      [...Array<string>(3).fill('/jupyter/api/kernels'), '/jupyter/api/contents/a?content=0', '/jupyter/api'],
    );
  });

  it('takes ids in any case, and JSON whatever it is called', async () => {
    const path = `${base.toLowerCase()}/kernels/0A0B0C0D-AAAA-4AAA-8AAA-AAAAAAAAAAAA/interrupt?token=${token}`;
    for (const type of [
      'text/plain;charset=UTF-8',
      'application/x-www-form-urlencoded',
      'application/json',
    ]) {
      const { status } = await ask({
        path,
        method: 'POST',
        headers: { 'content-type': type },
        body: '{"a":1}',
      });
      assert.equal(status, 200, type);
    }
    const wanted = {
      url: '/jupyter/api/kernels/0a0b0c0d-aaaa-4aaa-8aaa-aaaaaaaaaaaa/interrupt',
      type: 'application/json',
      body: '{"a":1}',
    };
    assert.deepEqual(asked, [wanted, wanted, wanted]);
  });

  it('opens nothing else: no other cluster, no terminal, nothing of Hitch', async () => {
    const other = served.clusters.add({ name: 'other' });
    const paths = [
      '/api/daemon',
      '/api/clusters',
      `/api/clusters/${cluster.id}`,
      `/clusters/${other.id}/jupyter/api/kernels`,
      `/clusters/${cluster.id}/raw-files?path=a`,
      `/clusters/${cluster.id}/terminals/1/socket`,
      `/ssh/hitch-llm-dev`,
    ];
    for (const path of paths) {
      for (const question of [
        { path, headers: { authorization: `Bearer ${token}` } },
        { path: `${path}${path.includes('?') ? '&' : '?'}token=${token}` },
      ]) {
        assert.equal((await refusal(question)).code, 'UNAUTHORIZED', path);
      }
    }
    const pages = { path: `${base}/kernels?token=${token}`, headers: { origin: 'https://evil.example' } };
    assert.equal((await refusal(pages)).code, 'FORBIDDEN_ORIGIN');
    assert.equal((await refusal({ path: `${base}/terminals?token=${token}` })).code, 'NOT_FOUND');
    assert.deepEqual(asked, []);
  });

  it('is not given to pages, nor for a cluster that does not run', async () => {
    await assert.rejects(served.page.api.clusterUrls.give({ clusterId: cluster.id }), {
      code: 'APPROVAL_NEEDED',
    });
    const stopped = served.clusters.add({ name: 'old', phase: 'stopped', endedAtMs: 5 });
    await assert.rejects(served.client.api.clusterUrls.give({ clusterId: stopped.id }), { code: 'CONFLICT' });
  });

  it('is refused once the token is taken back, while Hitch’s own clients go on', async () => {
    const revoked = await served.client.api.clusterUrls.revoke({ clusterId: cluster.id });
    assert.deepEqual(revoked, { wasGiven: true });
    assert.equal((await refusal({ path: `${base}/kernels?token=${token}` })).code, 'UNAUTHORIZED');
    assert.equal((await ask({ path: `${base}/kernels`, headers: bearer })).status, 200);
  });

  it('says in the agent’s own sentence why a socket is refused', async () => {
    const socket = new WebSocket(
      `ws://127.0.0.1:${served.port.toString()}${base}/kernels/0a0b0c0d-aaaa/channels?token=${token}`,
    );
    const said = await new Promise<string>(resolve => {
      socket.on('error', () => undefined);
      socket.on('unexpected-response', (_, response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => (text += part));
        response.on('end', () => resolve(text));
      });
    });
    assert.match(said, /Kernel sockets speak v1\.kernel\.websocket\.jupyter\.org only\./);
  });
});
