import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { blobSource, type Cluster, HitchClient, HitchError, type Progress } from '@hitch/contract';
import type { AgentLink } from '../../src/access/agent-link.ts';
import type { UsePage } from '@hitch/contract/src/use/wire.ts';
import { useAfter } from '../../src/access/asked-for.ts';
import { FakeAgent } from './fake-agent.ts';
import { serve, type Served, TOKEN } from './serve.ts';

const code = (wanted: string, text?: RegExp) => (error: unknown) => {
  assert.ok(error instanceof HitchError, String(error));
  assert.equal(error.code, wanted);
  if (text !== undefined) {
    assert.match(error.message, text);
  }
  return true;
};

describe('what runs on a cluster, through the API', () => {
  let served: Served;
  let agent: FakeAgent;
  let cluster: Cluster;

  beforeEach(async () => {
    served = await serve();
    agent = new FakeAgent();
    cluster = served.clusters.add();
    served.clusters.links.set(cluster.id, agent.link);
  });

  afterEach(async () => {
    await served.close();
    await agent.close();
  });

  const goneLink = (): AgentLink => ({ ...agent.link, address: { socketPath: '/nonexistent/agent.sock' } });

  it('lists kernels, and the last known ones as unknown while the cluster does not answer', async () => {
    const { api } = served.client;
    const clusterId = cluster.id;
    const kernel = {
      id: 'k1',
      name: 'python3',
      state: 'busy',
      lastActivityMs: 5,
      path: 'a.ipynb',
      clients: 1,
    } as const;
    agent.kernels.push(kernel);
    assert.deepEqual(await api.kernels.list({ clusterId }), [kernel]);

    served.clusters.links.set(clusterId, goneLink());
    assert.deepEqual(await api.kernels.list({ clusterId }), [{ ...kernel, state: 'unknown' }]);
    served.clusters.links.delete(clusterId);
    assert.deepEqual(await api.kernels.list({ clusterId }), [{ ...kernel, state: 'unknown' }]);
  });

  it('says how a node did over time, and believes no answer about another time', async () => {
    const { api } = served.client;
    const asked = { clusterId: cluster.id, nodeIndex: 0 } as const;
    const page = await api.nodes.use({ ...asked, afterMs: 5 });
    assert.deepEqual([page.timesMs, page.series[0]?.values], [[6], [500]]);
    const series: UsePage['series'] = [
      { of: 'machine', id: '', name: '', kind: 'cpu', most: 100, values: [1] },
    ];
    for (const lie of [
      { timesMs: [5], series, more: false },
      { timesMs: [7, 6], series: [], more: false },
      { timesMs: [], series: [], more: true },
      { timesMs: [6, 7], series, more: false },
      { timesMs: [6], series: [...series, ...series], more: false },
    ]) {
      const query = { scale: 'fine', afterMs: 5, most: 10 } as const;
      assert.throws(() => useAfter(query, lie), JSON.stringify(lie));
    }
    await assert.rejects(api.nodes.use({ ...asked, nodeIndex: 9 }), code('NOT_FOUND', /has no node 9/));
  });

  it('says that a cluster does not answer, or does not run, where nothing is known of it', async () => {
    const { api } = served.client;
    served.clusters.links.set(cluster.id, goneLink());
    await assert.rejects(
      api.terminals.list({ clusterId: cluster.id }),
      code('UNREACHABLE', /llm-dev does not answer; its work may continue/),
    );
    const stopped = served.clusters.add({ name: 'old', phase: 'stopped' });
    await assert.rejects(
      api.kernels.list({ clusterId: stopped.id }),
      code('CONFLICT', /old does not run \(stopped\)/),
    );
    const booting = served.clusters.add({ name: 'soon', phase: 'bootstrapping' });
    await assert.rejects(
      api.files.list({ clusterId: booting.id, path: '' }),
      code('UNREACHABLE', /soon is not up yet/),
    );
  });

  it('passes the agent’s own sentence on, but not its refusal of our token', async () => {
    const { api } = served.client;
    await assert.rejects(
      api.files.stat({ clusterId: cluster.id, path: 'no.txt' }),
      code('NOT_FOUND', /There is no no.txt in the work folder/),
    );
    served.clusters.links.set(cluster.id, { ...agent.link, token: 'wrong' });
    await assert.rejects(
      api.files.stat({ clusterId: cluster.id, path: 'no.txt' }),
      code('UNREACHABLE', /does not accept this daemon/),
    );
  });

  it('creates and removes terminals, and asks for executions', async () => {
    const { api } = served.client;
    const clusterId = cluster.id;
    assert.equal((await api.terminals.create({ clusterId, name: 'main' })).name, 'main');
    assert.deepEqual(await api.terminals.remove({ clusterId, name: 'a/b' }), {});
    assert.deepEqual(await api.kernels.executions({ clusterId, kernelId: 'k', cellId: 'c' }), []);
    assert.equal((await api.kernels.cursor({ clusterId, kernelId: 'k' })).lastSeq, 9);
  });

  describe('files', () => {
    const bytes = randomBytes(20 * 1024 * 1024);
    const sha256 = createHash('sha256').update(bytes).digest('hex');

    it('sends a file in pieces, through broken connections, and says how far it is', async () => {
      const client = new HitchClient({
        ...served,
        token: () => TOKEN,
        clientId: 't',
        sleep: async () => undefined,
      });
      agent.breakNext = 2;
      const seen: Progress[] = [];
      const state = await client.upload(cluster.id, 'data/a b.bin', blobSource(new Blob([bytes])), {
        onProgress: progress => seen.push(progress),
      });
      assert.deepEqual([state.complete, state.sha256], [true, sha256]);
      assert.ok(agent.files.get('data/a b.bin')?.equals(bytes));
      assert.deepEqual(seen.at(-1), { stage: 'sending', doneBytes: bytes.length, totalBytes: bytes.length });
    });

    it('goes on where an earlier sending stopped, and sends nothing of a file that is there', async () => {
      const source = blobSource(new Blob([bytes]));
      const stop = new AbortController();
      await assert.rejects(
        served.client.upload(cluster.id, 'a.bin', source, {
          signal: stop.signal,
          onProgress: ({ stage }) => stage === 'sending' && stop.abort(),
        }),
        { name: 'AbortError' },
      );
      const progress: Progress[] = [];
      await served.client.upload(cluster.id, 'a.bin', source, { onProgress: one => progress.push(one) });
      const first = progress.find(({ stage }) => stage === 'sending');
      assert.equal(first?.doneBytes, 16 * 1024 * 1024);

      progress.length = 0;
      await served.client.upload(cluster.id, 'a.bin', source, { onProgress: one => progress.push(one) });
      assert.ok(progress.every(({ stage }) => stage === 'checking'));
    });

    it('replaces a file by another of the same name, and sends an empty one', async () => {
      agent.files.set('a.txt', Buffer.from('before'));
      await served.client.upload(cluster.id, 'a.txt', blobSource(new Blob(['after'])));
      assert.equal(agent.files.get('a.txt')?.toString(), 'after');
      await served.client.upload(cluster.id, 'empty', blobSource(new Blob([])));
      assert.equal(agent.files.get('empty')?.length, 0);
    });

    it('gives a file’s bytes, never as something to render', async () => {
      agent.files.set('a.bin', bytes);
      const raw = await served.client.raw(`/clusters/${cluster.id}/raw-files?path=a.bin`);
      assert.equal(raw.headers.get('content-type'), 'application/octet-stream');
      assert.equal(raw.headers.get('content-disposition'), "attachment; filename*=UTF-8''a.bin");
      assert.equal(raw.headers.get('x-content-type-options'), 'nosniff');
      await raw.body?.cancel();
      agent.files.set('daten/für "uns".csv', Buffer.from('abc'));
      const path = encodeURIComponent('daten/für "uns".csv');
      const named = await served.client.raw(`/clusters/${cluster.id}/raw-files?path=${path}`);
      assert.equal(
        named.headers.get('content-disposition'),
        "attachment; filename*=UTF-8''f%C3%BCr%20%22uns%22.csv",
      );
      await named.body?.cancel();
    });

    describe('failures that have no body', () => {
      const ask = (path: string, method: string, range?: string): Promise<Response> =>
        fetch(`${served.baseUrl}/clusters/${cluster.id}/raw-files?path=${path}`, {
          method,
          headers: { authorization: `Bearer ${TOKEN}`, ...(range === undefined ? {} : { range }) },
          ...(method === 'PUT' ? { body: 'abc' } : {}),
        });

      it('passes on that a file ends before the range that was asked', async () => {
        agent.files.set('a.txt', Buffer.from('abc'));
        for (const method of ['GET', 'HEAD']) {
          const answer = await ask('a.txt', method, 'bytes=3-');
          assert.deepEqual(
            [answer.status, answer.headers.get('content-range'), await answer.text()],
            [416, 'bytes */3', ''],
          );
        }
      });

      it('passes on what an agent answers to HEAD, and still says in words what it answers to GET', async () => {
        agent.files.set('a.txt', Buffer.from('abc'));
        const there = await ask('a.txt', 'HEAD');
        assert.deepEqual([there.status, there.headers.get('content-length')], [200, '3']);
        assert.equal((await ask('no.txt', 'HEAD')).status, 404);
        const said = await ask('no.txt', 'GET');
        assert.match(await said.text(), /There is no no.txt in the work folder/);
      });

      it('does not take the agent’s refusal of the daemon for one of whoever asks', async () => {
        served.clusters.links.set(cluster.id, { ...agent.link, token: 'wrong' });
        for (const method of ['GET', 'HEAD', 'PUT']) {
          const answer = await ask('a.txt', method);
          assert.equal(answer.status, new HitchError('UNREACHABLE', '').status, method);
        }
      });
    });

    it('refuses a path that leaves the work folder, and other queries that make no sense', async () => {
      for (const [query, message] of [
        ['path=../../etc/passwd', /“path” must be a relative path/],
        ['path=/etc/passwd', /“path” must be a relative path/],
        ['', /“path” is missing/],
        ['path=', /“path” must name a file/],
        ['path=a&offset=-1', /“offset” must be a number of bytes/],
        ['path=a&sha256=zz', /“sha256” must be 64/],
      ] as const) {
        await assert.rejects(
          served.client.raw(`/clusters/${cluster.id}/raw-files?${query}`),
          code('BAD_INPUT', message),
        );
      }
    });
  });
});
