/** The server extension of JupyterLab: what passes, what does not, and what it says when the daemon is away. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { type ClusterId, errorEnvelopeSchema, HitchClient, isCopyOver, runCopy } from '@hitch/contract';
import WebSocket from 'ws';
import { DaemonHome } from '../support/daemon-home.ts';
import { JupyterLab } from '../support/jupyterlab.ts';
import { needsRealNodes } from '../support/processes.ts';
import { delay, until } from '../support/waiting.ts';

describe('the bridge in a Jupyter server', function suite() {
  this.timeout(4 * 60_000);
  const home = new DaemonHome({ HITCH_SANDBOX_SEED: '7' });
  let lab: JupyterLab;
  let login: { authorization: string };

  const ask = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(lab.url(path), {
      redirect: 'manual',
      ...init,
      headers: { ...Object.fromEntries(new Headers(init.headers)), ...login },
    });

  before(async function start() {
    needsRealNodes(this);
    lab = await new JupyterLab({ home }).start();
    login = { authorization: `token ${lab.token}` };
  });

  after(async () => {
    await lab?.dispose();
    await home.dispose();
  });

  it('answers 503 with a sentence while it starts the daemon, and then passes requests on', async () => {
    const first = await ask('hitch/api/clusters');
    assert.equal(first.status, 503);
    const envelope = errorEnvelopeSchema.parse(await first.json());
    assert.equal(envelope.code, 'UNREACHABLE');
    assert.ok(envelope.retryable);
    const answer = await until('the daemon that the bridge started answers', async () => {
      const again = await ask('hitch/api/clusters');
      return again.status === 503 ? null : again;
    });
    assert.equal(answer.status, 200);
    assert.deepEqual(await answer.json(), []);
    assert.match(answer.headers.get('content-type') ?? '', /^application\/json/);
    assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
    assert.match(answer.headers.get('content-security-policy') ?? '', /sandbox/);
  });

  it('starts a daemon that outlives the Jupyter server', () => {
    assert.equal(home.daemons().length, 1);
  });

  it('passes answers and errors of the daemon as they are', async () => {
    const missing = await ask('hitch/api/clusters/clu_01ARZ3NDEKTSV4RRFFQ69G5FAV');
    assert.equal(missing.status, 404);
    assert.equal(errorEnvelopeSchema.parse(await missing.json()).code, 'NOT_FOUND');
  });

  it('lets nobody in without a login, nor without the XSRF token of a cookie login', async () => {
    assert.equal((await fetch(lab.url('hitch/api/clusters'), { redirect: 'manual' })).status, 403);
    const page = await fetch(`${lab.url('lab')}?token=${lab.token}`, { redirect: 'manual' });
    const cookie = page.headers
      .getSetCookie()
      .map(line => line.split(';')[0])
      .join('; ');
    const byCookie = { redirect: 'manual', headers: { cookie } } as const;
    assert.equal((await fetch(lab.url('hitch/api/clusters'), byCookie)).status, 200);
    const post = await fetch(lab.url('hitch/api/offers/query'), {
      ...byCookie,
      method: 'POST',
      body: '{}',
    });
    assert.equal(post.status, 403);
    await assert.rejects(opened(new WebSocket(wsUrl(), { headers: { origin: lab.url('').slice(0, -1) } })));
  });

  it('leads nowhere but to the daemon’s API and clusters', async () => {
    for (const path of ['hitch/challenge', 'hitch/api/../challenge', 'hitch/daemon', 'hitch/lab/x']) {
      assert.equal((await ask(path)).status, 404, path);
    }
  });

  it('streams events as they come, through the typed client', async () => {
    const client = new HitchClient({
      baseUrl: lab.url('hitch'),
      token: () => '',
      clientId: 'test',
      fetch: async request => {
        const headers = new Headers(request.headers);
        headers.set('authorization', login.authorization);
        return fetch(new Request(request, { headers }));
      },
    });
    const ending = new AbortController();
    const live = Promise.withResolvers<undefined>();
    const first = (async () => {
      for await (const { event } of client.watch({
        signal: ending.signal,
        onState: state => state === 'live' && live.resolve(undefined),
      })) {
        return event.kind;
      }
      return null;
    })();
    await live.promise;
    const quote = await client.api.quotes.create({
      filter: { practice: 'only', maxGpuCount: 1, markets: ['on_demand'] },
    });
    // A page may ask for it, and a person says yes: here a program of the user's, as `hitch approve` does.
    const asked = await client.api.approvals.ask({ kind: 'rent', quoteId: quote.id });
    const { clusterId, problem } = await home.api.approvals.answer({ approvalId: asked.id, yes: true });
    assert.ok(clusterId !== null, problem?.message);
    const cluster = await client.api.clusters.get({ clusterId });
    assert.equal(await first, 'phase');
    ending.abort();
    await until(
      'a notebook can run',
      async () => {
        const now = await client.api.clusters.get({ clusterId: cluster.id });
        assert.notEqual(now.phase, 'failed', now.message);
        return now.conditions.kernel.status === 'yes';
      },
      150_000,
    );

    const bytes = new Uint8Array(3_000_000).map((_, index) => index % 251);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const raw = `hitch/clusters/${cluster.id}/raw-files?path=big.html&offset=0&total=${String(bytes.length)}&sha256=${sha256}`;
    const put = await ask(raw, { method: 'PUT', body: bytes });
    assert.equal(put.status, 200, await put.text());
    const back = await ask(`hitch/clusters/${cluster.id}/raw-files?path=big.html`);
    assert.equal(back.headers.get('content-type'), 'application/octet-stream');
    assert.match(back.headers.get('content-disposition') ?? '', /^attachment/);
    assert.deepEqual(new Uint8Array(await back.arrayBuffer()), bytes);

    await staysInItsFolder(client, cluster.id);

    const made = await ask(`hitch/clusters/${cluster.id}/jupyter/api/kernels`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"name":"python3"}',
    });
    assert.equal(made.status, 201);
    const kernel = (await made.json()) as { id: string };
    const socket = new WebSocket(
      wsUrl(`hitch/clusters/${cluster.id}/jupyter/api/kernels/${kernel.id}/channels?session_id=s1`),
      ['v1.kernel.websocket.jupyter.org'],
      { headers: login },
    );
    await opened(socket);
    assert.equal(socket.protocol, 'v1.kernel.websocket.jupyter.org');
    const [pid] = home.daemons();
    const closed = new Promise<number>(resolve => socket.once('close', resolve));
    process.kill(pid ?? 0, 'SIGTERM');
    assert.equal(await closed, 1012, 'who is told 1012 comes back');
    await until('another daemon has taken the cluster up', async () => {
      const answer = await ask(`hitch/api/clusters/${cluster.id}`);
      return answer.status === 200;
    });
    const stopped = await ask(`hitch/api/clusters/${cluster.id}/stop`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"skipSave":true}',
    });
    assert.equal(stopped.status, 200);
    await until('it is gone', async () => (await home.cluster(cluster.id)).phase === 'stopped', 120_000);
  });

  it('answers 503 for a daemon that hangs, and goes on when it wakes', async () => {
    const [pid] = home.daemons();
    process.kill(pid ?? 0, 'SIGSTOP');
    try {
      await until('the proof is asked for again', async () => {
        // One that was sent before the daemon hung has no answer; pages give up in the same way.
        const answer = await ask('hitch/api/clusters', { signal: AbortSignal.timeout(5_000) }).catch(
          () => null,
        );
        return answer?.status === 503;
      });
    } finally {
      process.kill(pid ?? 0, 'SIGCONT');
    }
    await until('it answers again', async () => (await ask('hitch/api/clusters')).status === 200);
  });

  /** Copies name files below the folder that the server shows, whatever a page says. */
  async function staysInItsFolder(client: HitchClient, clusterId: ClusterId): Promise<void> {
    const { api } = client;
    writeFileSync(join(lab.work, 'mine.txt'), 'mine');
    const request = { clusterId, direction: 'send', target: 'sent', intoFolder: true } as const;
    const copy = await runCopy({
      api,
      start: () => api.copies.start({ ...request, sources: ['mine.txt'] }),
      ask: async () => null,
      sleep: ms => delay(ms),
    });
    assert.deepEqual([copy.state, copy.account.copiedFiles], ['done', 1], copy.problem?.message);
    const secret = join(home.root, 'daemon.json');
    for (const source of [secret, relative(lab.work, secret)]) {
      await ask(`hitch/api/clusters/${clusterId}/copies`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-hitch-local-root': '/' },
        body: JSON.stringify({ ...request, sources: [source] }),
      });
    }
    await until('no copy goes on', async () => (await api.copies.list({})).every(isCopyOver));
    const sent = await api.files.list({ clusterId, path: 'sent' });
    assert.deepEqual(
      sent.map(({ name }) => name),
      ['mine.txt'],
    );
  }

  function wsUrl(path = 'hitch/clusters/clu_01ARZ3NDEKTSV4RRFFQ69G5FAV/terminals/1/socket'): string {
    return lab.url(path).replace('http', 'ws');
  }
});

function opened(socket: WebSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
}
