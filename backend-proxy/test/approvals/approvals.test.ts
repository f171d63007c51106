/** What a page may do with the bearer of pages, and what makes a person's yes one: over HTTP, as browsers and scripts ask. */
import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { type Approval, type Cluster, HitchError, nodeIdSchema } from '@hitch/contract';
import WebSocket from 'ws';
import { PAGE_TOKEN, serve, type Served, TOKEN } from '../api/serve.ts';
import { refused } from '../refused.ts';
import { ids } from '../store/records.ts';
import { longQuote } from './long-quote.ts';

describe('a hostile page', () => {
  let served: Served;

  beforeEach(async () => {
    served = await serve();
    served.clusters.quoteById = longQuote;
  });
  afterEach(() => served.close());

  const asked = (name?: string): Promise<Approval> =>
    served.page.api.approvals.ask({
      kind: 'rent',
      quoteId: ids.next('quo'),
      ...(name === undefined ? {} : { name }),
    });
  const rented = (): string[] => served.clusters.list().map(({ name }) => name);

  interface Said {
    readonly status: number;
    readonly body: string;
    readonly headers: NodeJS.Dict<string | string[]>;
  }
  /** Node's own client, which sends any header. */
  function send(path: string, headers: Record<string, string> = {}, body?: string): Promise<Said> {
    return new Promise((resolve, reject) => {
      const sent = httpRequest(
        { host: '127.0.0.1', port: served.port, path, method: body === undefined ? 'GET' : 'POST', headers },
        answer => {
          const chunks: Buffer[] = [];
          answer.on('data', (chunk: Buffer) => chunks.push(chunk));
          answer.on('end', () =>
            resolve({
              status: answer.statusCode ?? 0,
              body: Buffer.concat(chunks).toString(),
              headers: answer.headers,
            }),
          );
        },
      );
      sent.on('error', reject);
      sent.end(body);
    });
  }
  const own = () => ({
    origin: served.baseUrl,
    'content-type': 'application/json',
    'sec-fetch-mode': 'cors',
    'sec-fetch-site': 'same-origin',
  });
  const secretIn = (html: string): string => /data-secret="([0-9a-f]{64})"/.exec(html)?.[1] ?? '';
  const windowOf = ({ id }: Approval): Promise<Said> =>
    send(`/approvals/${id}`, { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' });
  const answer = (
    { id }: Approval,
    secret: string,
    headers: Record<string, string> = own(),
    yes = true,
  ): Promise<Said> => send(`/approvals/${id}/answer`, headers, JSON.stringify({ secret, yes }));

  it('rents, starts again and extends nothing with its bearer, whatever header it adds or leaves out', async () => {
    const { page, clusters } = served;
    const cluster = clusters.add();
    const allowed: unknown[] = [];
    clusters.extend = async (_id, _change, options) => {
      allowed.push(options);
      return cluster;
    };
    const quoteId = ids.next('quo');
    await refused(page.api.clusters.create({ quoteId }), 'APPROVAL_NEEDED');
    await refused(page.api.clusters.startAgain({ clusterId: cluster.id, quoteId }), 'APPROVAL_NEEDED');
    await page.api.clusters.extend({ clusterId: cluster.id, capMicroUsd: '9000000' });
    assert.deepEqual(allowed, [{ onlyLess: true }]);
    for (const headers of [
      { authorization: `Bearer ${PAGE_TOKEN}` },
      { authorization: `Bearer ${PAGE_TOKEN}`, 'x-hitch-client': 'cli' },
      // An earlier bridge has the bearer of programs, and says which folder it shows.
      { authorization: `Bearer ${TOKEN}`, 'x-hitch-local-root': '' },
      { authorization: `Bearer ${TOKEN}`, 'x-hitch-local-root': '%2F' },
    ]) {
      const said = await send(
        '/api/clusters',
        { ...headers, 'content-type': 'application/json' },
        JSON.stringify({ quoteId }),
      );
      assert.equal(said.status, 403, JSON.stringify(headers));
    }
    assert.deepEqual(rented(), ['llm-dev']);
    await served.client.api.clusters.create({ quoteId, name: 'by-a-program' });
    assert.deepEqual(rented(), ['llm-dev', 'by-a-program']);
  });

  it('has no person asked whether a quote for a new cluster may replace what another lost', async () => {
    const { id: clusterId } = served.clusters.add({ phase: 'degraded' });
    const ask = () =>
      served.page.api.approvals.ask({ kind: 'start-again', clusterId, quoteId: ids.next('quo') });
    await refused(ask(), 'CONFLICT');
    served.clusters.quoteById = () => ({ ...longQuote(), again: { isAlike: true, changes: [] } });
    assert.equal((await ask()).state, 'waiting');
  });

  it('does not answer for a person, end the daemon, change ssh, nor replace or remove secrets', async () => {
    const { page, secrets } = served;
    secrets.set('HF_TOKEN', 'mine');
    const approval = await asked();
    await refused(page.api.approvals.answer({ approvalId: approval.id, yes: true }), 'APPROVAL_NEEDED');
    await refused(page.api.daemon.stop(), 'APPROVAL_NEEDED');
    await refused(page.api.ssh.include({ yes: true }), 'APPROVAL_NEEDED');
    await refused(page.api.ssh.exclude({ yes: true }), 'APPROVAL_NEEDED');
    await refused(page.api.secrets.set({ name: 'HF_TOKEN', value: 'another' }), 'APPROVAL_NEEDED');
    const source = 'git+https://git.example/team/lora';
    await refused(page.api.templates.look({ source }), 'APPROVAL_NEEDED');
    await refused(page.api.templates.take({ id: 'a-look' }), 'APPROVAL_NEEDED');
    await refused(page.api.templates.remove({ name: 'lora' }), 'APPROVAL_NEEDED');
    await refused(page.api.secrets.remove({ name: 'HF_TOKEN' }), 'APPROVAL_NEEDED');
    await page.api.secrets.set({ name: 'WANDB_KEY', value: 'stored from the form' });
    assert.deepEqual(
      [...secrets],
      [
        ['HF_TOKEN', 'mine'],
        ['WANDB_KEY', 'stored from the form'],
      ],
    );
    assert.deepEqual([served.stopped.asked, rented()], [0, []]);
  });

  it('reaches neither ssh nor the window with its bearer, by a request or a socket', async () => {
    const approval = await asked();
    const bearer = { authorization: `Bearer ${PAGE_TOKEN}` };
    assert.equal((await send('/ssh/hitch-llm-dev', bearer)).status, 404);
    assert.equal((await send('/clusters/../ssh/hitch-llm-dev', bearer)).status, 404);
    for (const path of [`/approvals/${approval.id}`, `/api/../approvals/${approval.id}`]) {
      const said = await send(path, bearer);
      assert.equal(said.status, 403, path);
      assert.equal(secretIn(said.body), '');
    }
    const socket = new WebSocket(`ws://127.0.0.1:${served.port.toString()}/ssh/hitch-llm-dev`, {
      headers: bearer,
    });
    const status = await new Promise(resolve => {
      socket.on('unexpected-response', (_, response) => resolve(response.statusCode));
      socket.on('error', () => resolve('error'));
      socket.on('open', () => resolve('open'));
    });
    assert.equal(status, 404);
  });

  it('gets the window shown to a person, with a policy that lets nothing else in, and with every word escaped', async () => {
    const { status, body, headers } = await windowOf(await asked('train'));
    assert.equal(status, 200);
    assert.match(body, /A &lt;b&gt;line&lt;\/b&gt;/);
    assert.match(body, /It is called train/);
    const policy = String(headers['content-security-policy']);
    assert.match(policy, /default-src 'none'/);
    assert.match(policy, /frame-ancestors 'none'/);
    assert.doesNotMatch(policy, /unsafe/);
    assert.equal(headers['x-frame-options'], 'DENY');
    assert.equal(headers['cross-origin-opener-policy'], 'same-origin');
    assert.equal(headers['access-control-allow-origin'], undefined);
  });

  it('does not get the window into a frame or a fetch, nor under another name of this computer', async () => {
    const approval = await asked();
    for (const headers of [
      { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' },
      { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'script' },
      { 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' },
      { host: `localhost:8888` },
      { host: 'evil.example' },
      { origin: 'http://127.0.0.1:8888' },
    ]) {
      const said = await send(`/approvals/${approval.id}`, headers);
      assert.equal(said.status, 403, JSON.stringify(headers));
      assert.equal(secretIn(said.body), '');
    }
  });

  it('cannot answer from elsewhere, nor without what stands in the window, nor with that of another', async () => {
    const [one, two] = [await asked('one'), await asked('two')];
    const [secret, other] = [secretIn((await windowOf(one)).body), secretIn((await windowOf(two)).body)];
    assert.match(secret, /^[0-9a-f]{64}$/);
    for (const [headers, status] of [
      [{ ...own(), origin: 'http://127.0.0.1:8888' }, 403],
      [{ ...own(), origin: 'null' }, 403],
      [{ ...own(), 'sec-fetch-mode': 'no-cors' }, 403],
      [{ ...own(), 'sec-fetch-site': 'same-site' }, 403],
      [{ ...own(), authorization: `Bearer ${PAGE_TOKEN}` }, 403],
      [{ ...own(), 'content-type': 'text/plain' }, 400],
    ] as const) {
      assert.equal((await answer(one, secret, headers)).status, status, JSON.stringify(headers));
    }
    const { origin: _, ...without } = own();
    assert.equal(
      (await send(`/approvals/${one.id}/answer`, without, JSON.stringify({ secret, yes: true }))).status,
      403,
    );
    for (const wrong of ['', other, secret.slice(1), one.id]) {
      assert.equal((await answer(one, wrong)).status, 401, wrong);
    }
    assert.deepEqual(rented(), []);
    assert.deepEqual(JSON.parse((await answer(one, secret)).body), { state: 'done', problem: null });
    assert.deepEqual(rented(), ['one']);
  });

  it('has one yes do one thing once, however often and from wherever it is said', async () => {
    const approval = await asked('once');
    const secret = secretIn((await windowOf(approval)).body);
    const all = await Promise.all([
      answer(approval, secret),
      answer(approval, secret),
      answer(approval, secret),
    ]);
    assert.deepEqual(all.map(({ status }) => status).sort(), [200, 409, 409]);
    assert.equal((await answer(approval, secret)).status, 409);
    await refused(served.client.api.approvals.answer({ approvalId: approval.id, yes: true }), 'CONFLICT');
    assert.deepEqual(rented(), ['once']);
    const { state, clusterId } = await served.page.api.approvals.get({ approvalId: approval.id });
    assert.deepEqual([state, clusterId], ['done', served.clusters.list()[0]?.id]);
  });

  it('spends nothing after a no, or once it has taken its request back', async () => {
    const [no, back] = [await asked('no'), await asked('back')];
    const secrets = [secretIn((await windowOf(no)).body), secretIn((await windowOf(back)).body)];
    assert.equal((await answer(no, secrets[0] ?? '', own(), false)).status, 200);
    await served.page.api.approvals.withdraw({ approvalId: back.id });
    assert.equal((await answer(no, secrets[0] ?? '')).status, 409);
    assert.equal((await answer(back, secrets[1] ?? '')).status, 409);
    assert.deepEqual(rented(), []);
  });

  it('extends to what the person was shown, and not after the limits have moved', async () => {
    const { clusters, page, client } = served;
    const plain = clusters.add();
    const nodeId = nodeIdSchema.parse('nod_01KAABCDEFGHJKMNPQRSTVWXYZ');
    const endsAtMs = plain.createdAtMs + 3_600_000;
    const hour = { nodeId, termMs: 3_600_000, endsAtMs, costMicroUsd: '420000', comesBack: false };
    const cluster: Cluster = {
      ...plain,
      caps: { ...plain.caps, stopAtMs: endsAtMs },
      usage: { ...plain.usage, terms: [hour] },
    };
    clusters.clusters.set(cluster.id, cluster);
    const extended: unknown[] = [];
    clusters.extend = async (id, change, options) => {
      extended.push([change, options]);
      return clusters.get(id);
    };
    const ask = () =>
      page.api.approvals.ask({ kind: 'extend', clusterId: cluster.id, capMicroUsd: '5000000', idleMs: null });
    const [first, second] = [await ask(), await ask()];
    assert.match(first.lines.join('\n'), /at most \$5\.00 instead of \$2\.00/);
    assert.ok(
      first.lines.some(line => /^Paid ahead until .*, 1 h at a time: no more is bought for this$/.test(line)),
    );
    assert.equal(first.yes, 'Extend to $5.00');
    await client.api.approvals.answer({ approvalId: first.id, yes: true });
    assert.deepEqual(extended, [[{ capMicroUsd: '5000000', idleMs: null }, undefined]]);
    clusters.clusters.set(cluster.id, { ...cluster, caps: { ...cluster.caps, totalMicroUsd: '5000000' } });
    const late = await client.api.approvals.answer({ approvalId: second.id, yes: true });
    assert.deepEqual([late.state, late.problem?.code], ['failed', 'CONFLICT']);
    assert.equal(extended.length, 1);
  });

  it('is told why what was approved could not be done', async () => {
    served.clusters.create = async () => {
      throw new HitchError('QUOTE_USED', 'The quote was used already.', { next: 'Ask for another quote.' });
    };
    const approval = await asked();
    const secret = secretIn((await windowOf(approval)).body);
    const said = JSON.parse((await answer(approval, secret)).body) as unknown;
    assert.deepEqual(said, {
      state: 'failed',
      problem: 'The quote was used already. Ask for another quote.',
    });
    assert.equal(
      (await served.page.api.approvals.get({ approvalId: approval.id })).problem?.code,
      'QUOTE_USED',
    );
  });

  it('shows a name that is taken before a person is asked', async () => {
    served.clusters.add({ name: 'taken' });
    await refused(asked('taken'), 'NAME_TAKEN');
  });
});
