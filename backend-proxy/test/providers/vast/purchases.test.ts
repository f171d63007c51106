import assert from 'node:assert/strict';
import { plainTerms } from '../../../src/ledger/terms.ts';
import type { CreateRequest } from '../../../src/providers/provider.ts';
import { type Answered, failureOf, offerRow, signal, vast } from './api.ts';

const KEY = 'ssh-ed25519 AAAAC3 it’s a key';

async function requestFor(market: 'on_demand' | 'spot', of: Partial<CreateRequest> = {}) {
  const { provider } = vast({ body: { offers: [offerRow()] } });
  const offer = (await provider.offers(signal)).find(each => each.market === market);
  assert.ok(offer !== undefined);
  return {
    ref: 'hitch-abc',
    offer,
    terms: plainTerms(offer),
    maxPricePerHourMicroUsd: 1_000_000n,
    members: 1,
    letIn: { publicKey: KEY, proof: 'c0ffee' },
    endAtMs: null,
    ...of,
  } satisfies CreateRequest;
}

const RENTED: Answered = { body: { success: true, new_contract: 5_500_123 } };

describe('a purchase at Vast.ai', () => {
  it('is one request that costs, with the mark as its label and the secret in its environment', async () => {
    const { provider, asked } = vast(RENTED);
    const instance = await provider.create(await requestFor('on_demand'), signal);
    assert.deepEqual([instance.id, instance.mark, instance.status], ['5500123', 'hitch-abc', 'booting']);
    assert.equal(asked.length, 1);
    const [order] = asked;
    assert.equal(`${order?.method ?? ''} ${order?.path ?? ''}`, 'PUT /api/v0/asks/71003/');
    assert.equal(order?.headers['authorization'], 'Bearer a-key-of-the-test');
    const { onstart, ...rest } = order.body as { readonly onstart: string };
    assert.deepEqual(rest, {
      client_id: 'me',
      image: 'vastai/base-image:@vastai-automatic-tag',
      disk: 50,
      label: 'hitch-abc',
      runtype: 'ssh_direc ssh_proxy',
      env: { HITCH_PROOF: 'c0ffee' },
      cancel_unavail: true,
    });
    assert.match(onstart, /^touch ~\/\.no_auto_tmux; /);
    assert.ok(onstart.includes(`'${KEY}'`), 'the key opens it before it is attached');
  });

  it('lets a key in once more, and says where it did not', async () => {
    for (const answer of [{ success: true }, { success: false, msg: 'The key is already attached.' }]) {
      const { provider, asked } = vast({ body: answer });
      await provider.letIn('5500123', KEY, signal);
      const [key] = asked;
      assert.equal(`${key?.method ?? ''} ${key?.path ?? ''}`, 'POST /api/v0/instances/5500123/ssh/');
      assert.deepEqual(key?.body, { ssh_key: KEY });
    }
    const { provider } = vast({ status: 404, body: { success: false, error: 'no_such_instance' } });
    assert.equal((await failureOf(provider.letIn('1', KEY, signal))).kind, 'permanent');
  });

  it('is of the disk and image that are asked for', async () => {
    const { provider, asked } = vast(RENTED);
    const request = await requestFor('on_demand');
    const terms = { ...request.terms, diskGiB: 120, image: 'example/own:1' };
    await provider.create({ ...request, terms, letIn: null }, signal);
    const { disk, image, env, onstart } = asked[0]?.body as Readonly<Record<string, unknown>>;
    assert.deepEqual([disk, image, env, onstart], [120, 'example/own:1', {}, 'touch ~/.no_auto_tmux']);
  });

  it('bids for the machine alone: the least, or what is left of a bid beside the disk', async () => {
    for (const [bid, diskGiB, price] of [
      [null, 50, 0.25],
      [null, 150, 0.25],
      [400_000n, 50, 0.385],
      [400_000n, 150, 0.355],
    ] as const) {
      const { provider, asked } = vast(RENTED);
      const request = await requestFor('spot');
      const terms = { ...request.terms, diskGiB, bidPerHourMicroUsd: bid };
      await provider.create({ ...request, terms }, signal);
      assert.equal((asked[0]?.body as { readonly price?: number }).price, price);
    }
  });

  it('is not made of what costs more than the limit, with its disk and its bid', async () => {
    const { provider, asked } = vast(RENTED);
    const request = await requestFor('on_demand', { maxPricePerHourMicroUsd: 614_999n });
    assert.equal((await failureOf(provider.create(request, signal))).kind, 'capacity');
    const limit = { ...request, maxPricePerHourMicroUsd: 615_000n };
    const larger = { ...limit, terms: { ...limit.terms, diskGiB: 51 } };
    assert.equal((await failureOf(provider.create(larger, signal))).kind, 'capacity');
    const spot = await requestFor('spot', { maxPricePerHourMicroUsd: 300_000n });
    const bid = { ...spot, terms: { ...spot.terms, bidPerHourMicroUsd: 300_001n } };
    assert.equal((await failureOf(provider.create(bid, signal))).kind, 'capacity');
    assert.equal(asked.length, 0);
  });

  it('is not made on terms that its offer does not have', async () => {
    const { provider, asked } = vast(RENTED);
    const request = await requestFor('on_demand');
    for (const [terms, members] of [
      [{ diskGiB: 7 }, 1],
      [{ diskGiB: 401 }, 1],
      [{ bidPerHourMicroUsd: 700_000n }, 1],
      [{ market: 'spot' as const }, 1],
      [{ termMs: 3_600_000 }, 1],
      [{}, 2],
    ] as const) {
      const other = { ...request, members, terms: { ...request.terms, ...terms } };
      assert.equal((await failureOf(provider.create(other, signal))).kind, 'permanent');
    }
    assert.equal(asked.length, 0);
  });

  it('names what exists although it failed', async () => {
    for (const status of [200, 400, 500]) {
      const { provider } = vast({
        status,
        body: { success: false, error: 'bid_too_low', msg: 'The bid is too low.', new_contract: 77 },
      });
      const { kind, instanceId, message } = await failureOf(
        provider.create(await requestFor('spot'), signal),
      );
      assert.deepEqual([kind, instanceId], ['unknownOutcome', '77']);
      assert.equal(message, 'Vast.ai says: The bid is too low.');
    }
  });

  const refusals: readonly (readonly [string, Answered, string])[] = [
    [
      'an offer that is gone',
      {
        status: 404,
        body: { error: 'invalid_args', msg: 'error 404/3603: no_such_ask Instance type by id 1' },
      },
      'capacity',
    ],
    ['an offer that just went', { status: 410, body: { error: 'no_such_ask', msg: 'gone' } }, 'capacity'],
    ['the same in an answer that looks well', { body: { success: false, error: 'no_such_ask' } }, 'capacity'],
    ['a price that makes no sense', { status: 400, body: { error: 'invalid_price' } }, 'permanent'],
    [
      'a host of its own',
      { status: 403, body: { error: 'invalid_args', msg: 'not your own.' } },
      'permanent',
    ],
    ['a wrong key', { status: 401, body: { success: false } }, 'auth'],
    ['a server that fails', { status: 502, body: 'Bad gateway' }, 'unknownOutcome'],
    ['an answer without an id', { body: { success: true } }, 'unknownOutcome'],
    ['an answer cut in the middle', { body: '{"success":tr' }, 'unknownOutcome'],
    [
      'a page to log in to a hotel’s network',
      { headers: { 'content-type': 'text/html' }, body: '<!doctype html><title>Welcome' },
      'unknownOutcome',
    ],
  ];
  for (const [title, answer, expected] of refusals) {
    it(`says ${expected} for ${title}`, async () => {
      const { provider } = vast(answer);
      const { kind, message } = await failureOf(provider.create(await requestFor('on_demand'), signal));
      assert.equal(kind, expected);
      assert.match(message, /\w.*\.$/);
    });
  }

  it('says that money is missing, not the login', async () => {
    for (const body of [
      { success: false, error: 'insufficient_credit', msg: 'Your account lacks credit.' },
      { success: false, msg: 'Your account lacks credit; see the billing page.' },
    ]) {
      const { provider } = vast({ status: 400, body });
      const { kind, lacks } = await failureOf(provider.create(await requestFor('on_demand'), signal));
      assert.deepEqual([kind, lacks], ['auth', 'funds']);
    }
  });

  it('is waited for longer than another call where it was asked for too often', async () => {
    const { provider } = vast({ status: 429, body: 'API requests too frequent endpoint threshold=4.5' });
    const { kind, retryAfterMs } = await failureOf(provider.create(await requestFor('on_demand'), signal));
    assert.deepEqual([kind, retryAfterMs], ['retryable', 12_000]);
  });
});
