import assert from 'node:assert/strict';
import { failureOf, instanceRow, NOON, signal, vast } from './api.ts';

const charge = (of: object = {}): object => ({
  start: 1_762_000_000,
  end: 1_762_007_200,
  type: 'instance',
  source: 'instance-5500123',
  amount: 1.2301,
  metadata: { label: 'hitch-abc' },
  items: [
    { start: 1_762_003_600, end: 1_762_007_200, type: 'gpu', amount: 1.2 },
    { start: 1_762_000_000, end: 1_762_007_200, type: 'disk', amount: 0.03 },
    { type: 'bwd', amount: 0.0001 },
  ],
  ...of,
});

describe('an account at Vast.ai', () => {
  it('is named, with what is left of what was paid in', async () => {
    const { provider } = vast({ body: { id: 31, email: 'a@example.org', balance: 0, credit: 12.5 } });
    assert.deepEqual(await provider.account(signal), {
      id: '31',
      name: 'a@example.org',
      scopes: null,
      balanceMicroUsd: 12_500_000n,
      spendLimitPerHourMicroUsd: null,
    });
  });

  it('may owe something, or say nothing', async () => {
    const owing = vast({ body: { id: 31, balance: -0.75 } });
    assert.equal((await owing.provider.account(signal)).balanceMicroUsd, -750_000n);
    assert.equal((await vast({ body: { id: 31 } }).provider.account(signal)).balanceMicroUsd, null);
  });

  it('is asked for with a login that is tried', async () => {
    const { provider, asked } = vast({ body: { id: 31 } });
    await provider.account(signal, { apiKey: 'another-key' });
    assert.equal(asked[0]?.headers['authorization'], 'Bearer another-key');
    const refused = vast({ status: 401, body: { success: false, error: 'auth_error', msg: 'Invalid key.' } });
    const { kind, lacks } = await failureOf(refused.provider.account(signal));
    assert.deepEqual([kind, lacks], ['auth', 'login']);
  });

  it('tells what time it is there', async () => {
    assert.equal(await vast({ body: { id: 31 } }).provider.time(signal), NOON);
    const silent = vast({ body: { id: 31 }, headers: { date: '' } });
    assert.equal((await failureOf(silent.provider.time(signal))).kind, 'retryable');
  });

  it('is billed by mark and part, by whole days and page by page', async () => {
    const { provider, asked } = vast(
      { body: { success: true, results: [charge()], total: 2, next_token: 'abc' } },
      {
        body: {
          success: true,
          results: [charge({ metadata: {}, items: [], amount: -0.5 })],
          total: 2,
          next_token: null,
        },
      },
    );
    const lines = await provider.bill(NOON - 3_600_000, NOON, signal);
    assert.deepEqual(lines, [
      { mark: 'hitch-abc', label: 'GPU', amountMicroUsd: 1_200_000n },
      { mark: 'hitch-abc', label: 'Disk', amountMicroUsd: 30_000n },
      { mark: 'hitch-abc', label: 'Downloads', amountMicroUsd: 100n },
      { mark: null, instanceId: '5500123', label: 'Charges', amountMicroUsd: -500_000n },
    ]);
    const filters = JSON.parse(asked[0]?.query.get('select_filters') ?? '') as unknown;
    assert.deepEqual(filters, {
      day: { gte: NOON / 1000 - 12 * 3600, lte: NOON / 1000 },
      type: { in: ['instance'] },
    });
    assert.equal(asked[1]?.query.get('after_token'), 'abc');
  });

  it('is no bill where a part is missing', async () => {
    const { provider } = vast({ body: { results: [charge()], total: 5, next_token: null } });
    assert.equal((await failureOf(provider.bill(0, NOON, signal))).kind, 'retryable');
  });

  const charged = { body: { results: [charge(), charge({ metadata: { label: 'web' } })], next_token: null } };

  it('remembers a machine that came and went, by what was charged for it', async () => {
    const { provider } = vast(charged, { body: { instances: null } });
    const [past, ...more] = await provider.history('hitch-abc', signal);
    assert.deepEqual(more, []);
    assert.equal(past?.status, 'gone');
    assert.equal(past.id, '5500123');
    assert.equal(past.billedUntilMs, 1_762_007_200_000);
    assert.deepEqual(past.rates, [
      { label: 'GPU', perHourMicroUsd: 1_200_000n, fromMs: 1_762_003_600_000 },
      { label: 'Disk', perHourMicroUsd: 15_000n, fromMs: 1_762_000_000_000 },
    ]);
    assert.deepEqual(await vast(charged).provider.history('hitch-other', signal), []);
  });

  it('does not call gone what is charged and still there', async () => {
    const { provider } = vast(charged, { body: { instances: instanceRow() } });
    const [still] = await provider.history('hitch-abc', signal);
    assert.equal(still?.status, 'running');
  });
});
