import assert from 'node:assert/strict';
import type { OfferPage, OfferQuery } from '@hitch/contract';
import { PAGE_SIZE, PageCache } from '../src/offers/page-cache.ts';
import { answer, testOffers } from './support/offers.ts';

interface Call {
  readonly query: OfferQuery;
  readonly signal: AbortSignal;
  readonly give: (page: OfferPage) => Promise<void>;
  readonly fail: (error: Error) => Promise<void>;
}

const settled = () => new Promise<void>(resolve => setImmediate(resolve));

/** A daemon that answers when the test says so. */
function slowDaemon() {
  const calls: Call[] = [];
  const query = (asked: OfferQuery, signal: AbortSignal) =>
    new Promise<OfferPage>((resolve, reject) => {
      calls.push({
        query: asked,
        signal,
        give: page => {
          resolve(page);
          return settled();
        },
        fail: error => {
          reject(error);
          return settled();
        },
      });
    });
  const call = async (index: number): Promise<Call> => {
    await settled();
    const found = calls[index];
    assert.ok(found, `request ${index} was not made`);
    return found;
  };
  return { calls, query, call };
}

const offers = testOffers(1000);
const sort = { key: 'pricePerHour', descending: false } as const;
const question = { filter: {}, sort };
const page = ({ query }: Call) => answer(offers, query);

describe('the page cache', () => {
  it('asks for the first page, and then only for pages that stand in the view', async () => {
    const { calls, query, call } = slowDaemon();
    const cache = new PageCache(() => undefined);
    cache.ask(query, question);
    const first = await call(0);
    assert.deepEqual([first.query.offset, first.query.limit], [0, PAGE_SIZE]);
    await first.give(page(first));
    assert.equal(cache.facts?.matched, 1000);
    cache.want(450, 520);
    await settled();
    assert.deepEqual(
      calls.slice(1).map(({ query: asked }) => asked.offset),
      [400, 500],
    );
    assert.equal(cache.row(3)?.id, answer(offers, { ...question, offset: 3, limit: 1 }).offers[0]?.id);
    assert.equal(cache.row(450), null);
  });

  it('takes requests back that left the view, and never shows their answers', async () => {
    const { query, call } = slowDaemon();
    const cache = new PageCache(() => undefined);
    cache.ask(query, question);
    const first = await call(0);
    await first.give(page(first));
    cache.want(300, 340);
    const second = await call(1);
    cache.want(800, 840);
    assert.equal(second.signal.aborted, true);
    await second.give(page(second));
    assert.equal(cache.row(300), null);
  });

  it('keeps the old rows until a new question has its answer, whichever answer comes first', async () => {
    const { query, call } = slowDaemon();
    const cache = new PageCache(() => undefined);
    cache.ask(query, question);
    const first = await call(0);
    await first.give(page(first));
    const before = cache.row(0)?.id;
    cache.ask(query, { filter: { text: 'h100' }, sort });
    const slow = await call(1);
    cache.ask(query, { filter: { text: '4090' }, sort });
    const fast = await call(2);
    assert.equal(slow.signal.aborted, true);
    assert.equal(cache.row(0)?.id, before);
    assert.equal(cache.outdated, true);
    await fast.give(page(fast));
    await slow.give(page(slow));
    assert.equal(cache.row(0)?.gpuModel, 'RTX 4090');
    assert.equal(cache.outdated, false);
  });

  it('shows what it has while it is refreshed, and after a refresh that fails', async () => {
    const { query, call } = slowDaemon();
    let changes = 0;
    const cache = new PageCache(() => changes++);
    cache.ask(query, question);
    const first = await call(0);
    await first.give(page(first));
    const before = cache.row(0)?.id;
    cache.refresh();
    const second = await call(1);
    assert.equal(cache.row(0)?.id, before);
    await second.fail(new Error('The daemon does not answer.'));
    assert.match(String(cache.problem), /does not answer/);
    assert.equal(cache.row(0)?.id, before);
    cache.want(0, 50);
    await settled();
    cache.refresh();
    const third = await call(2);
    await third.give(page(third));
    assert.equal(cache.problem, null);
    assert.equal(changes, 3);
  });

  it('asks again where nothing matched, and asks once', async () => {
    const { calls, query, call } = slowDaemon();
    const cache = new PageCache(() => undefined);
    cache.ask(query, question);
    const none = { offers: [], matched: 0, total: 5, sources: [], hint: null };
    await (await call(0)).give(none);
    cache.want(0, 50);
    await settled();
    assert.equal(calls.length, 1);
    cache.refresh();
    await (await call(1)).give(none);
    assert.equal(cache.facts?.matched, 0);
  });

  it('finds where an offer stands', async () => {
    const { query, call } = slowDaemon();
    const cache = new PageCache(() => undefined);
    cache.ask(query, question);
    const first = await call(0);
    await first.give(page(first));
    const id = cache.row(42)?.id ?? '';
    assert.equal(cache.indexOf(id), 42);
    assert.equal(cache.indexOf('vast:nowhere'), null);
  });
});
