import assert from 'node:assert/strict';
import type { ClusterEvent, HitchClient, Offer, OfferFilter, OfferPage } from '@hitch/contract';
import type { State } from '../src/daemon/state.ts';
import { Emitter } from '../src/emitter.ts';
import { pageHtml } from '../src/page/html.ts';
import { fromPageSchema, type Place, type ToPage, toPageSchema } from '../src/page/messages.ts';
import { joined, Talk } from '../src/page/talk.ts';
import { cluster, CLUSTER_ID, NOW, offer, provider, stateOf } from './sample.ts';

const OFFERS: Place = {
  view: 'offers',
  filter: null,
  sort: { key: 'pricePerHour', descending: false },
  columns: null,
};
const CLUSTER: Place = { view: 'cluster', clusterId: CLUSTER_ID };

const event = (seq: number): ClusterEvent => ({
  clusterId: CLUSTER_ID,
  seq,
  atMs: NOW + seq,
  kind: 'phase',
  nodeId: null,
  attemptId: null,
  value: 'ready',
  message: '',
});

const settled = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

function talkOf(
  place: Place,
  page: (signal: AbortSignal) => Promise<OfferPage> = () => Promise.reject(new Error('none')),
) {
  let state: State = { ...stateOf([cluster()]), providers: [provider()] };
  const changes = new Emitter<void>();
  const events = new Emitter<ClusterEvent>();
  const posted: ToPage[] = [];
  const rented: [readonly Offer[], number, OfferFilter][] = [];
  const acted: string[] = [];
  const problems: string[] = [];
  const signals: AbortSignal[] = [];
  const client = {
    api: {
      offers: {
        query: (_query: unknown, { signal }: { signal: AbortSignal }) => {
          signals.push(signal);
          return page(signal);
        },
        refresh: () => Promise.resolve({}),
      },
      clusters: { events: () => Promise.resolve([event(1), event(2)]) },
      nodes: {
        use: (asked: { nodeIndex: number }) =>
          asked.nodeIndex === 0
            ? Promise.resolve({ timesMs: [NOW], series: [], more: false })
            : Promise.reject(new Error('It does not answer.')),
      },
    },
  };
  const talk = new Talk(
    {
      state: () => state,
      // Only what a page's questions need is there.
      client: () => client as unknown as HitchClient,
      onChange: listener => changes.listen(listener),
      onEvent: listener => events.listen(listener),
      post: message => posted.push(toPageSchema.parse(message)),
      rent: (offers, nodes, filter) => rented.push([offers, nodes, filter]),
      connect: () => acted.push('connect'),
      act: (action, id) => acted.push(`${action} ${id}`),
      report: problem => problems.push(problem),
    },
    place,
  );
  const become = (change: Partial<State>): void => {
    state = { ...state, ...change };
    changes.fire();
  };
  const kinds = () => posted.map(({ kind }) => kind);
  return { talk, become, client, events, posted, kinds, rented, acted, problems, signals };
}

describe('the talk with a page of offers', () => {
  const found: OfferPage = {
    offers: [offer(), offer({ id: 'vast:2' })],
    matched: 2,
    total: 9,
    sources: [],
    hint: null,
  };

  it('begins when the page is there, with what the page kept', () => {
    const { talk, become, posted } = talkOf(OFFERS);
    become({});
    assert.equal(posted.length, 0);
    const kept: Place = { ...OFFERS, filter: { minVramMiB: 48_000 } };
    talk.take({ kind: 'ready', kept });
    const [first] = posted;
    assert.ok(first?.kind === 'show');
    assert.deepEqual([first.place, first.offline, first.providers?.length], [kept, null, 1]);
  });

  it('keeps the columns that were chosen, and takes what a page of before kept without any', () => {
    const { talk, posted } = talkOf(OFFERS);
    const kept: Place = { ...OFFERS, columns: ['ram', 'cuda'] };
    talk.take({ kind: 'ready', kept });
    const [first] = posted;
    assert.ok(first?.kind === 'show');
    assert.deepEqual(first.place, kept);
    const { columns: _columns, ...before } = OFFERS;
    assert.deepEqual(fromPageSchema.parse({ kind: 'ready', kept: before }), { kind: 'ready', kept: OFFERS });
  });

  it('leads to the networks where only practice is there', () => {
    const { talk, acted } = talkOf(OFFERS);
    talk.take({ kind: 'connect' });
    assert.deepEqual(acted, ['connect']);
  });

  it('says once that the daemon is away', () => {
    const { talk, become, posted } = talkOf(OFFERS);
    talk.take({ kind: 'ready', kept: null });
    become({ connection: 'lost', problem: null });
    become({ connection: 'lost' });
    assert.equal(posted.length, 2);
    const last = posted.at(-1);
    assert.ok(last?.kind === 'show');
    assert.match(last.offline ?? '', /does not answer/);
  });

  it('rents only what the page has been shown, with the filter that the table had before anybody filtered', async () => {
    const { talk, rented, posted } = talkOf(OFFERS, () => Promise.resolve(found));
    const filter: OfferFilter = { countries: ['DE'] };
    talk.take({ kind: 'ready', kept: null });
    talk.take({ kind: 'rent', offerIds: ['vast:1'], nodes: 1, filter });
    assert.equal(rented.length, 0);
    talk.take({ kind: 'query', question: 7, query: {} });
    await settled();
    const answer = posted.at(-1);
    assert.ok(answer?.kind === 'page' && answer.question === 7);
    talk.take({ kind: 'rent', offerIds: ['vast:2', 'vast:1', 'made-up'], nodes: 2, filter });
    assert.deepEqual(
      rented.map(([offers, nodes, with_]) => [offers.map(({ id }) => id), nodes, with_]),
      [[['vast:2', 'vast:1'], 2, filter]],
    );
  });

  it('answers with a sentence, and not at all what nobody waits for', async () => {
    const { talk, posted, signals } = talkOf(OFFERS, async signal => {
      await settled();
      signal.throwIfAborted();
      throw new Error('The book is closed.');
    });
    talk.take({ kind: 'query', question: 1, query: {} });
    talk.take({ kind: 'query', question: 2, query: {} });
    talk.take({ kind: 'abort', question: 2 });
    await settled();
    await settled();
    assert.deepEqual(posted, [{ kind: 'problem', question: 1, sentence: 'The book is closed.' }]);
    assert.deepEqual(
      signals.map(({ aborted }) => aborted),
      [false, true],
    );
  });

  it('does nothing with what it does not understand', () => {
    const { talk, problems, rented, acted } = talkOf(OFFERS);
    for (const said of [
      null,
      'rent',
      { kind: 'rent' },
      { kind: 'action', action: 'rm -rf' },
      { kind: 'action', action: 'stop' },
    ]) {
      talk.take(said);
    }
    assert.deepEqual([problems.length, rented, acted], [4, [], []]);
    for (const said of [
      { kind: 'rent', offerIds: [], nodes: 1, filter: {} },
      { kind: 'rent', offerIds: ['vast:1'], nodes: 1 },
    ]) {
      assert.equal(fromPageSchema.safeParse(said).success, false);
    }
  });
});

describe('the talk with the page of a cluster', () => {
  it('tells of the cluster, its events in order, and of each new one', async () => {
    const { talk, events, posted, kinds } = talkOf(CLUSTER);
    talk.take({ kind: 'ready', kept: OFFERS });
    await settled();
    events.fire(event(3));
    events.fire({ ...event(4), clusterId: cluster().id.replace('KAA', 'KBB') as typeof CLUSTER_ID });
    const last = posted.at(-1);
    assert.ok(last?.kind === 'cluster');
    assert.deepEqual([last.cluster?.name, last.events.map(({ seq }) => seq)], ['llm-dev', [1, 2, 3]]);
    assert.ok(kinds().includes('show'));
    assert.deepEqual(
      joined([event(2)], [event(2), event(1)]).map(({ seq }) => seq),
      [1, 2],
    );
  });

  it('answers how its machines did, and says which does not answer', async () => {
    const { talk, posted } = talkOf(CLUSTER);
    talk.take({ kind: 'ready', kept: null });
    const query = { scale: 'fine', afterMs: 0 };
    talk.take({ kind: 'use', question: 1, nodeIndex: 0, query });
    talk.take({ kind: 'use', question: 2, nodeIndex: 1, query });
    await settled();
    assert.deepEqual(
      posted.find(({ kind }) => kind === 'use'),
      { kind: 'use', question: 1, page: { timesMs: [NOW], series: [], more: false } },
    );
    const problem = posted.find(({ kind }) => kind === 'problem');
    assert.ok(problem?.kind === 'problem' && problem.question === 2);
    assert.match(problem.sentence, /It does not answer/);
  });

  it('asks again for its events when they could not be read', async () => {
    const { talk, become, posted, problems, client } = talkOf(CLUSTER);
    const { clusters } = client.api;
    const { events } = clusters;
    clusters.events = () => Promise.reject(new Error('The daemon is away.'));
    talk.take({ kind: 'ready', kept: null });
    await settled();
    assert.deepEqual(problems, ['The events could not be read']);
    clusters.events = events;
    become({ connection: 'live' });
    await settled();
    const last = posted.at(-1);
    assert.ok(last?.kind === 'cluster');
    assert.deepEqual(
      last.events.map(({ seq }) => seq),
      [1, 2],
    );
  });

  it('says that a cluster is not in the list, once the list is known', () => {
    const { talk, become, posted } = talkOf(CLUSTER);
    become({ clusters: null });
    talk.take({ kind: 'ready', kept: null });
    assert.ok(!posted.some(({ kind }) => kind === 'cluster'));
    become({ clusters: [] });
    const last = posted.at(-1);
    assert.ok(last?.kind === 'cluster' && last.cluster === null);
  });

  it('acts on this cluster only, and not after it is closed', () => {
    const { talk, become, acted, posted } = talkOf(CLUSTER);
    talk.take({ kind: 'action', action: 'extend' });
    assert.deepEqual(acted, [`extend ${CLUSTER_ID}`]);
    talk.take({ kind: 'ready', kept: null });
    const told = posted.length;
    talk.dispose();
    become({ clusters: [] });
    assert.equal(posted.length, told);
  });
});

describe('the page’s document', () => {
  it('runs its one program, and lets nothing else in', () => {
    const html = pageHtml({ nonce: 'n0nce', script: 'https://x/"page".js', title: '<b>' });
    assert.match(html, /content="default-src &#39;none&#39;; script-src &#39;nonce-n0nce&#39;/);
    assert.equal((html.match(/<script/g) ?? []).length, 1);
    assert.match(html, /<script nonce="n0nce" type="module" src="https:\/\/x\/&quot;page&quot;\.js">/);
    assert.doesNotMatch(html, /<b>|style|unsafe|onload/);
  });
});
