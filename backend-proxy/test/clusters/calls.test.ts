import assert from 'node:assert/strict';
import { Calls } from '../../src/clusters/calls.ts';
import { CALLS_AT_ONCE } from '../../src/clusters/limits.ts';
import { type Provider, ProviderError } from '../../src/providers/provider.ts';
import { Practice } from './practice.ts';
import { settle } from './turn.ts';

function setUp() {
  const { clock, provider } = new Practice();
  const end = new AbortController();
  return { clock, provider: provider as Provider, end, calls: new Calls(clock, end.signal) };
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
    assert.equal(order.length, CALLS_AT_ONCE);
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
