/** The poller under a clock that moves only when told. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Offer } from '@hitch/contract';
import { RateLimiter } from '../../src/clusters/rate-limiter.ts';
import { KeptOffers } from '../../src/offers/kept-offers.ts';
import { OfferBook } from '../../src/offers/offer-book.ts';
import { OfferRefresh } from '../../src/offers/refresh.ts';
import { VirtualClock } from '@hitch/platform/src/clock.ts';
import { silentLog } from '@hitch/platform/src/log.ts';
import { type Provider, ProviderError } from '../../src/providers/provider.ts';
import { makeUpOffers } from './made-up-offers.ts';

/** A network whose every answer the test gives. */
function fakeNetwork(answer: (call: number, signal: AbortSignal) => Promise<readonly Offer[]>) {
  const asked: AbortSignal[] = [];
  const never = () => Promise.reject(new Error('not part of this test'));
  const provider: Provider = {
    id: 'alpha',
    title: 'Alpha',
    kind: 'network',
    verifiedLive: false,
    capabilities: {
      refVia: 'label',
      sshKeys: 'none',
      bootSecret: false,
      privateNetwork: false,
      endsBillingAlone: 'never',
      visibilityDelayMs: 0,
    },
    login: null,
    offers: signal => {
      asked.push(signal);
      return answer(asked.length, signal);
    },
    create: never,
    get: never,
    list: never,
    destroy: never,
    host: never,
    dial: never,
  };
  return { provider, asked };
}

const callsBy = (clock: VirtualClock): RateLimiter =>
  new RateLimiter(clock, new AbortController().signal, silentLog);

/** Lets everything that waits for a settled promise run. */
const settle = () => new Promise(resolve => setImmediate(resolve));

async function advance(clock: VirtualClock, ms: number): Promise<void> {
  const end = clock.now() + ms;
  await settle();
  for (let next = clock.nextTimerAt(); next !== null && next <= end; next = clock.nextTimerAt()) {
    clock.step();
    await settle();
  }
  clock.jump(end - clock.now());
}

describe('OfferRefresh', () => {
  const offers = makeUpOffers(3, { provider: 'alpha' });
  /** @param watched for whom somebody looks on and on. */
  const build = (answer: Parameters<typeof fakeNetwork>[0], watched = true) => {
    const clock = new VirtualClock();
    const book = new OfferBook();
    const network = fakeNetwork(answer);
    const calls = callsBy(clock);
    const refresh = new OfferRefresh({
      clock,
      log: silentLog,
      book,
      calls,
      providers: [network.provider],
      everyMs: 60_000,
      ...(watched ? { watchedMs: Number.POSITIVE_INFINITY } : {}),
    });
    return { clock, book, calls, refresh, ...network };
  };

  it('asks at once and then once a cadence while somebody looks', async () => {
    const { clock, book, refresh, asked } = build(() => Promise.resolve(offers));
    refresh.start();
    await settle();
    assert.equal(book.sources()[0]?.count, 3);
    await advance(clock, 180_000);
    assert.equal(asked.length, 4);
    assert.equal(book.sources()[0]?.fetchedAtMs, clock.now());
    refresh.stop();
  });

  it('keeps the last list while a network fails, and asks again after growing pauses', async () => {
    const down = new ProviderError('retryable', 'It is down.');
    const { clock, book, refresh, asked } = build(call =>
      call === 1 ? Promise.resolve(offers) : Promise.reject(down),
    );
    refresh.start();
    await advance(clock, 60_000);
    assert.deepEqual(
      book.sources().map(({ count, problem }) => ({ count, problem })),
      [{ count: 3, problem: 'It is down.' }],
    );
    const pauses: number[] = [];
    for (let calls = asked.length; calls < 6; calls = asked.length) {
      const before = clock.now();
      await advance(clock, (clock.nextTimerAt() ?? 0) - clock.now());
      pauses.push(clock.now() - before);
    }
    assert.deepEqual(pauses, [5_000, 10_000, 20_000, 40_000]);
    refresh.stop();
  });

  it('keeps what the network says that its answer does not take the place of', async () => {
    const [first, ...others] = offers;
    const { clock, book, refresh, provider } = build(call =>
      Promise.resolve(call === 2 ? others : offers.slice(0, call)),
    );
    let stays = false;
    provider.offerStays = ({ id }) => stays && id === first?.id;
    const shown = () => (book.all('alpha')?.offers ?? []).map(({ id }) => id).toSorted();
    refresh.start();
    await settle();
    assert.deepEqual(shown(), [first?.id]);
    stays = true;
    await advance(clock, 60_000);
    assert.deepEqual(shown(), offers.map(({ id }) => id).toSorted());
    refresh.stop();
  });

  it('asks no more once nobody looks, and again at the next look, which waits a moment for it', async () => {
    const { clock, book, refresh, asked } = build(() => Promise.resolve(offers), false);
    refresh.start();
    await advance(clock, 3_600_000);
    // For three minutes somebody is taken to look on.
    assert.equal(asked.length, 4);
    const seenMs = book.sources()[0]?.fetchedAtMs;
    assert.equal(seenMs, 180_000 + (clock.now() - 3_600_000));
    await refresh.look();
    assert.equal(asked.length, 5);
    assert.equal(book.sources()[0]?.fetchedAtMs, clock.now());
    await refresh.look();
    assert.equal(asked.length, 5);
    await advance(clock, 60_000);
    assert.equal(asked.length, 6);
    refresh.stop();
  });

  it('shows what is known where the network takes longer than a moment, and waits longer for a price', async () => {
    const slow = Promise.withResolvers<readonly Offer[]>();
    const { clock, refresh, asked } = build(
      call => (call < 5 ? Promise.resolve(offers) : slow.promise),
      false,
    );
    refresh.start();
    await advance(clock, 3_600_000);
    const over: string[] = [];
    void refresh.look().then(() => over.push('look'));
    void refresh.fresh().then(() => over.push('fresh'));
    await advance(clock, 1_000);
    assert.deepEqual([over, asked.length], [['look'], 5]);
    await advance(clock, 4_000);
    assert.deepEqual(over, ['look', 'fresh']);
    refresh.stop();
  });

  it('leaves all other calls to a network alone that asks not to be searched, and says until when', async () => {
    const busy = new ProviderError('retryable', 'Too many requests.', { retryAfterMs: 300_000 });
    const { clock, book, calls, provider, refresh, asked } = build(() => Promise.reject(busy));
    refresh.start();
    await settle();
    assert.match(book.sources()[0]?.problem ?? '', /^Alpha asks to wait until \d\d:\d\d\.$/);
    assert.equal(await calls.provider(provider, 'get', async () => 'there'), 'there');
    assert.equal(calls.waits(provider, 'get'), null);
    await refresh.now();
    assert.equal(asked.length, 1);
    await advance(clock, 301_000);
    assert.equal(asked.length, 2);
    refresh.stop();
  });

  it('does not ask for offers while the network asks to wait with everything', async () => {
    const { clock, book, calls, provider, refresh, asked } = build(() => Promise.resolve(offers));
    const busy = new ProviderError('retryable', 'Too many requests.', { retryAfterMs: 120_000 });
    await assert.rejects(calls.provider(provider, 'get', () => Promise.reject(busy)));
    refresh.start();
    await settle();
    assert.equal(asked.length, 0);
    assert.match(book.sources()[0]?.problem ?? '', /asks to wait until/);
    await advance(clock, 121_000);
    assert.equal(asked.length, 1);
    refresh.stop();
  });

  it('waits as long as the network asks it to', async () => {
    const busy = new ProviderError('retryable', 'Too many requests.', { retryAfterMs: 90_000 });
    const { clock, refresh, asked } = build(() => Promise.reject(busy));
    refresh.start();
    await advance(clock, 89_000);
    assert.equal(asked.length, 1);
    await advance(clock, 2_000);
    assert.equal(asked.length, 2);
    refresh.stop();
  });

  it('asks no network out of turn that asked to wait, and waits for none for ever', async () => {
    const waits = (retryAfterMs: number) =>
      new ProviderError('retryable', 'Too many requests.', { retryAfterMs });
    const { clock, refresh, asked } = build(call => Promise.reject(waits(call === 1 ? 90_000 : 1e15)));
    refresh.start();
    await settle();
    await refresh.now();
    assert.equal(asked.length, 1);
    await advance(clock, 91_000);
    assert.equal(asked.length, 2);
    await advance(clock, 601_000);
    assert.equal(asked.length, 3);
    refresh.stop();
  });

  it('keeps the offers of one network from nobody while another takes long, and says which one', async () => {
    const clock = new VirtualClock();
    const book = new OfferBook();
    const slow = fakeNetwork(() => new Promise(() => undefined));
    const quick = fakeNetwork(() => Promise.resolve(offers));
    const providers = [slow.provider, { ...quick.provider, id: 'beta', title: 'Beta' }];
    const refresh = new OfferRefresh({ clock, log: silentLog, book, calls: callsBy(clock), providers });
    const asked = refresh.now();
    await advance(clock, 10_000);
    await asked;
    assert.deepEqual(
      book.sources().map(({ provider, problem }) => [provider, problem]),
      [
        ['beta', null],
        ['alpha', 'Alpha has not answered for 10 s; it is still waited for.'],
      ],
    );
    refresh.stop();
  });

  it('gives up on a call that hangs, aborts it and says how long it waited', async () => {
    const { clock, book, refresh, asked } = build(() => new Promise(() => undefined));
    refresh.start();
    await advance(clock, 30_000);
    assert.equal(asked[0]?.aborted, true);
    assert.equal(book.sources()[0]?.problem, 'Alpha did not answer (offers): no answer in 30 s');
    refresh.stop();
  });

  it('shows what a network said before a restart, with its age, while it hangs', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'hitch-offers-'));
    try {
      const kept = new KeptOffers({ folder, log: silentLog });
      const start = (answer: Parameters<typeof fakeNetwork>[0]) => {
        const clock = new VirtualClock();
        const book = new OfferBook();
        const { provider } = fakeNetwork(answer);
        const refresh = new OfferRefresh({
          clock,
          log: silentLog,
          book,
          calls: callsBy(clock),
          providers: [provider],
          kept,
        });
        refresh.start();
        return { clock, book, refresh };
      };
      const first = start(() => Promise.resolve(offers));
      await first.refresh.look();
      const fetchedAtMs = first.clock.now();
      await first.refresh.close();

      const second = start(() => new Promise(() => undefined));
      second.clock.jump(7_200_000);
      const look = second.refresh.look();
      while (second.book.sources().length === 0) {
        await settle();
      }
      await advance(second.clock, 1_000);
      await look;
      assert.deepEqual(second.book.sources(), [
        { provider: 'alpha', count: offers.length, fetchedAtMs, problem: null },
      ]);
      assert.deepEqual(second.book.get(offers[1]?.id ?? ''), offers[1]);
      // Nobody waits a second time for a network that hangs.
      await second.refresh.look();
      await second.refresh.close();

      writeFileSync(join(folder, 'alpha.json'), '{"fetchedAtMs":1,"off');
      const third = start(() => new Promise(() => undefined));
      await third.refresh.close();
      assert.deepEqual(third.book.sources(), [], 'what cannot be read is nothing');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('puts nothing older in the place of what a network says', () => {
    const book = new OfferBook();
    book.replace('alpha', offers, 9);
    book.restore('alpha', [], 5);
    assert.equal(book.sources()[0]?.count, offers.length);
    book.fail('beta', 'It is down.');
    book.restore('beta', makeUpOffers(2, { provider: 'beta' }), 5);
    assert.deepEqual(book.sources()[1], {
      provider: 'beta',
      count: 2,
      fetchedAtMs: 5,
      problem: 'It is down.',
    });
  });

  it('lets two askers share one call', async () => {
    const { refresh, asked } = build(() => Promise.resolve(offers));
    await Promise.all([refresh.now(), refresh.now('alpha')]);
    assert.equal(asked.length, 1);
    refresh.stop();
  });

  it('aborts what is under way when it stops, and asks no more', async () => {
    const { clock, book, refresh, asked } = build(() => new Promise(() => undefined));
    refresh.start();
    await settle();
    refresh.stop();
    await settle();
    assert.equal(asked[0]?.aborted, true);
    assert.deepEqual(book.sources(), []);
    await advance(clock, 3_600_000);
    assert.equal(asked.length, 1);
  });

  it('asks a network for nothing that shows its offers to nobody without a login, and says so', async () => {
    const needed = { offers: true, rent: true } as const;
    const { clock, book, provider, asked } = build(() => Promise.resolve(offers));
    const refresh = new OfferRefresh({
      clock,
      log: silentLog,
      book,
      calls: callsBy(clock),
      providers: [{ ...provider, login: { fields: [], variables: {}, needed, scopes: [] } }],
      logins: { has: () => false },
    });
    await refresh.now();
    assert.equal(asked.length, 0);
    assert.equal(book.sources()[0]?.problem, 'Alpha shows its offers to those who are logged in.');
    refresh.stop();
  });

  it('spreads the searches of a day where a network counts them so, and says when few are left', async () => {
    const clock = new VirtualClock();
    clock.jump(86_400_000 - (clock.now() % 86_400_000));
    const book = new OfferBook();
    const { provider, asked } = fakeNetwork(() => Promise.resolve(offers));
    const limited: Provider = {
      ...provider,
      capabilities: { ...provider.capabilities, limits: { offers: { perDay: 100 } } },
    };
    const refresh = new OfferRefresh({
      clock,
      log: silentLog,
      book,
      calls: callsBy(clock),
      providers: [limited],
      everyMs: 60_000,
      watchedMs: Number.POSITIVE_INFINITY,
    });
    refresh.start();
    await advance(clock, 49 * 60_000);
    assert.equal(asked.length, 50);
    assert.equal(book.sources()[0]?.note, undefined);
    await advance(clock, 12 * 3_600_000);
    const noon = asked.length;
    assert.ok(noon > 65 && noon < 80, `${noon.toString()} searches`);
    await advance(clock, 11 * 3_600_000);
    assert.ok(asked.length > noon && asked.length <= 95, `${asked.length.toString()} searches`);
    assert.match(
      book.sources()[0]?.note ?? '',
      /^Alpha allows 100 searches a day, of which \d+ are left: it is searched again in \d+ min, so that they last until/,
    );
    assert.equal(book.sources()[0]?.problem, null);
    const before = asked.length;
    await advance(clock, 80 * 60_000);
    assert.ok(asked.length > before + 5, 'the next day is a new one');
    assert.equal(book.sources()[0]?.note, undefined);
    refresh.stop();
  });
});
