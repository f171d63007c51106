import assert from 'node:assert/strict';
import type { RouteLimit } from '@hitch/contract';
import { RateLimiter } from '../../src/clusters/rate-limiter.ts';
import { CALLS_AT_ONCE, TURN_WAIT_MS } from '../../src/clusters/limits.ts';
import { NetworkWaits } from '../../src/clusters/pause.ts';
import { silentLog } from '@hitch/platform/src/log.ts';
import { type Provider, ProviderError } from '../../src/providers/provider.ts';
import { wrap } from './faulty.ts';
import { Practice } from './practice.ts';
import { settle } from './turn.ts';

function setUp() {
  const { clock, provider } = new Practice();
  const end = new AbortController();
  return { clock, provider: provider as Provider, end, calls: new RateLimiter(clock, end.signal, silentLog) };
}

describe('calls to a network', () => {
  it('end as unknown when no answer comes in time, even where the adapter ignores its signal', async () => {
    const { calls, clock, provider } = setUp();
    let signal: AbortSignal | null = null;
    const call = calls.provider(provider, 'create', at => {
      signal = at;
      return new Promise<never>(() => undefined);
    });
    const failed = assert.rejects(call, (error: unknown) => {
      assert.ok(error instanceof ProviderError);
      assert.equal(error.kind, 'unknownOutcome');
      assert.match(error.message, /no answer in 60 s/);
      return true;
    });
    await settle();
    clock.step();
    await failed;
    assert.equal((signal as AbortSignal | null)?.aborted, true);
  });

  it('count anything an adapter throws that it may not throw as unknown', async () => {
    const { calls, provider } = setUp();
    await assert.rejects(
      calls.provider(provider, 'get', () => Promise.reject(new TypeError('oops'))),
      (error: unknown) => error instanceof ProviderError && error.kind === 'unknownOutcome',
    );
  });

  it('wait as long as the network asked for, all of them', async () => {
    const { calls, clock, provider } = setUp();
    const startMs = clock.now();
    await assert.rejects(
      calls.provider(provider, 'get', () =>
        Promise.reject(new ProviderError('retryable', 'slow down', { retryAfterMs: 7_000 })),
      ),
      /slow down/,
    );
    let startedMs = 0;
    void calls.provider(provider, 'list', () => {
      startedMs = clock.now();
      return Promise.resolve([]);
    });
    await settle();
    assert.equal(startedMs, 0);
    clock.step();
    await settle();
    assert.equal(startedMs - startMs, 7_000);
  });

  it('are refused at once where the network asks to wait for long, and what ends money goes first afterwards', async () => {
    const { calls, clock, provider } = setUp();
    const startMs = clock.monotonic();
    const order: string[] = [];
    const run = (name: string) => () => {
      order.push(`${name} ${(clock.monotonic() - startMs).toString()}`);
      return Promise.resolve();
    };
    await assert.rejects(
      calls.provider(provider, 'get', () =>
        Promise.reject(new ProviderError('retryable', 'slow down', { retryAfterMs: 250_000 })),
      ),
    );
    for (const name of ['list', 'create', 'get', 'host', 'time'] as const) {
      await assert.rejects(
        calls.provider(provider, name, run(name), () => assert.fail('it is not begun')),
        (error: unknown) => {
          assert.ok(error instanceof NetworkWaits);
          assert.equal(error.kind, 'retryable');
          assert.match(error.message, /^Practice market asks to wait until \d\d:\d\d\.$/);
          return error.waitMs === 250_000;
        },
      );
    }
    const destroyed = calls.provider(provider, 'destroy', run('destroy'));
    clock.jump(250_000);
    // It comes by before the queue itself notices that the wait is over.
    await calls.provider(provider, 'get', run('get'));
    await destroyed;
    assert.deepEqual(order, ['destroy 250000', 'get 250000']);
  });

  it('are let go that wait for their turn when the network asks to wait, and when it takes too long', async () => {
    const { calls, clock, provider } = setUp();
    const under = Promise.withResolvers<never>();
    // The only kind that may take longer than a turn is waited for.
    const calling = Array.from({ length: CALLS_AT_ONCE }, () =>
      calls.provider(provider, 'python', () => under.promise),
    );
    const get = () => calls.provider(provider, 'get', () => Promise.resolve());
    const late = assert.rejects(get(), /Practice market has too many calls to answer/);
    await settle();
    clock.jump(TURN_WAIT_MS - 1);
    const waiting = assert.rejects(get(), /asks to wait until/);
    await settle();
    clock.step();
    await late;
    under.reject(new ProviderError('retryable', 'slow down', { retryAfterMs: 1e15 }));
    await waiting;
    await Promise.allSettled(calling);
    assert.equal(calls.waitMs(provider, 'get'), 300_000, 'nobody is kept for ever');
  });

  it('take a wait that is no number for none, and hear the next one', async () => {
    const { calls, provider } = setUp();
    for (const [retryAfterMs, waitMs] of [
      [Number.NaN, 0],
      [-5, 0],
      [20_000, 20_000],
    ] as const) {
      const refuse = () => Promise.reject(new ProviderError('retryable', 'Later.', { retryAfterMs }));
      await assert.rejects(calls.provider(provider, 'get', refuse), /Later/);
      assert.equal(calls.waitMs(provider, 'get'), waitMs);
    }
  });

  it('to another network know nothing of it', async () => {
    const { calls, provider } = setUp();
    const other = wrap(provider, { id: 'other' });
    const refuse = () => Promise.reject(new ProviderError('retryable', 'Later.', { retryAfterMs: 300_000 }));
    await assert.rejects(calls.provider(provider, 'list', refuse), /Later/);
    assert.equal(await calls.provider(other, 'list', () => Promise.resolve('answered')), 'answered');
  });

  it('that wait are given up when the daemon ends', async () => {
    const { calls, provider, end } = setUp();
    const refuse = () => Promise.reject(new ProviderError('retryable', 'Later.', { retryAfterMs: 300_000 }));
    await assert.rejects(calls.provider(provider, 'list', refuse), /Later/);
    const call = assert.rejects(
      calls.provider(provider, 'destroy', () => Promise.resolve()),
      /the daemon ends/,
    );
    end.abort(new Error('the daemon ends'));
    await call;
    await assert.rejects(
      calls.provider(provider, 'destroy', () => Promise.resolve()),
      /the daemon ends/,
    );
  });

  it('are so many at once at most, and those that end something go first', async () => {
    const { calls, provider } = setUp();
    const order: string[] = [];
    const finish: (() => void)[] = [];
    const run = (name: string) => () => {
      order.push(name);
      return new Promise<void>(resolve => finish.push(resolve));
    };
    for (let count = 0; count < CALLS_AT_ONCE; count++) {
      void calls.provider(provider, 'get', run('get'));
    }
    void calls.provider(provider, 'get', run('late get'));
    void calls.provider(provider, 'create', run('create'));
    void calls.provider(provider, 'destroy', run('destroy'));
    await settle();
    assert.deepEqual(order.slice(CALLS_AT_ONCE), ['destroy'], 'it has places of its own');
    finish.splice(0, 3).forEach(done => done());
    await settle();
    assert.deepEqual(order.slice(CALLS_AT_ONCE), ['destroy', 'create', 'late get']);
  });

  it('are all given up when the daemon ends', async () => {
    const { calls, provider, end } = setUp();
    const call = calls.provider(provider, 'get', () => new Promise<never>(() => undefined));
    await settle();
    end.abort(new Error('the daemon ends'));
    await assert.rejects(call, /the daemon ends/);
  });
});

describe('calls to a network that says how often each kind may be made', () => {
  const limits = { create: { everyMs: 4_000 }, list: { perMinute: 2 }, offers: { perDay: 2 } };

  /** Lets the time pass from timer to timer. */
  async function untilThere(
    clock: Practice['clock'],
    order: readonly string[],
    count: number,
  ): Promise<void> {
    for (let step = 0; order.length < count && step < 20; step++) {
      clock.step();
      await settle();
    }
  }

  function setUpRoutes(of: Readonly<Record<string, RouteLimit>> = limits) {
    const { clock, provider, calls } = setUp();
    const limited = wrap(provider, {
      capabilities: { ...provider.capabilities, limits: of, routes: { time: 'get' } },
    });
    const startMs = clock.monotonic();
    const order: string[] = [];
    const run = (name: string) => () => {
      order.push(`${name} ${(clock.monotonic() - startMs).toString()}`);
      return Promise.resolve();
    };
    return { clock, provider: limited, calls, order, run };
  }

  it('are made as often as that, each kind by itself', async () => {
    const { clock, provider, calls, order, run } = setUpRoutes();
    const all = [
      ...['a', 'b', 'c'].map(name => calls.provider(provider, 'create', run(name))),
      ...['x', 'y'].map(name => calls.provider(provider, 'list', run(name))),
      calls.provider(provider, 'destroy', run('destroy')),
    ];
    await settle();
    assert.deepEqual(order, ['a 0', 'x 0', 'y 0', 'destroy 0']);
    await untilThere(clock, order, 6);
    all.push(calls.provider(provider, 'list', run('z')));
    await untilThere(clock, order, 7);
    await Promise.all(all);
    assert.deepEqual(order.slice(4), ['b 4000', 'c 8000', 'z 60000']);
  });

  it('count from when they leave, not from when they might have', async () => {
    const { clock, provider, calls, order, run } = setUpRoutes();
    // What is stored before a purchase may take its time.
    const first = calls.provider(provider, 'create', run('first'), () => clock.sleep(3_000));
    await settle();
    clock.step();
    await first;
    const second = calls.provider(provider, 'create', run('second'));
    await untilThere(clock, order, 2);
    await second;
    assert.deepEqual(order, ['first 3000', 'second 7000']);
  });

  it('pause with their kind alone when the network asks to wait', async () => {
    const { provider, calls, run } = setUpRoutes();
    const slow = () => Promise.reject(new ProviderError('retryable', 'slow down', { retryAfterMs: 200_000 }));
    await assert.rejects(calls.provider(provider, 'get', slow), /slow down/);
    for (const name of ['get', 'time'] as const) {
      await assert.rejects(calls.provider(provider, name, run(name)), NetworkWaits);
    }
    await calls.provider(provider, 'destroy', run('destroy'));
    await calls.provider(provider, 'list', run('list'));
    assert.equal(calls.waits(provider, 'destroy'), null);
    const use = calls.uses(provider).find(({ route }) => route === 'get');
    assert.equal(use?.why, 'The network asked to wait.');
    assert.notEqual(use.pausedUntilMs, null);
  });

  it('are not made beyond what a day allows, which is said with the time', async () => {
    const { provider, calls, run } = setUpRoutes();
    await calls.provider(provider, 'offers', run('one'));
    await calls.provider(provider, 'offers', run('two'));
    await assert.rejects(calls.provider(provider, 'offers', run('three')), (error: unknown) => {
      assert.ok(error instanceof NetworkWaits);
      assert.match(error.message, /as often as it allows in a day; it is asked again at \d\d:\d\d\.$/);
      return error.waitMs > 0;
    });
    const use = calls.uses(provider).find(({ route }) => route === 'offers');
    assert.deepEqual([use?.usedToday, use?.why], [2, 'All calls of this day are made.']);
  });

  it('count each page, which has the whole time from when it is asked for', async () => {
    const { clock, provider, calls, order, run } = setUpRoutes({ list: { everyMs: 4_000 } });
    const listed = calls.provider(provider, 'list', async (signal, nextPage) => {
      for (const page of ['first', 'second', 'third']) {
        if (page !== 'first') {
          await nextPage();
        }
        await run(page)();
        assert.equal(signal.aborted, false);
      }
      return order.length;
    });
    await settle();
    assert.deepEqual(order, ['first 0']);
    await untilThere(clock, order, 3);
    assert.equal(await listed, 3);
    assert.deepEqual(order.slice(1), ['second 4000', 'third 8000']);
  });

  it('end things though every place is taken', async () => {
    const { provider, calls, order, run } = setUpRoutes();
    const under = Promise.withResolvers<undefined>();
    const all = Array.from({ length: CALLS_AT_ONCE }, () =>
      calls.provider(provider, 'get', () => under.promise),
    );
    await calls.provider(provider, 'destroy', run('destroy'));
    assert.deepEqual(order, ['destroy 0']);
    under.resolve(undefined);
    await Promise.all(all);
  });
});
