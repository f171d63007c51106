/** What is Akash's alone among networks, and what its adapter makes of it. */
import assert from 'node:assert/strict';
import { costOver, type Offer } from '@hitch/contract';
import { chargedFromMs, priceOf } from '../../backend-proxy/src/providers/provider.ts';
import type { AkashOptions } from '../simulators/akash/akash-simulator.ts';
import { AKASH_MODELS } from '../simulators/akash/models.ts';
import type { FaultRule } from '../simulators/frame/faults.ts';
import { akash, type AkashSubject, answering, asked, byHand, CREATE, LEASE, LIST } from './akash-rig.ts';
import { aRequest, failureOf, isFailure, listedLater, nextRef, rents, signal } from './provider-rig.ts';

const HOUR_MS = 3_600_000;

describe('Akash', () => {
  const subjects: AkashSubject[] = [];
  const open = (options: Partial<AkashOptions> = {}, rules: readonly FaultRule[] = []) => {
    const subject = akash(options, rules);
    subjects.push(subject);
    return subject;
  };
  afterEach(async () => {
    for (const subject of subjects.splice(0)) {
      await subject.dispose();
    }
  });

  describe('its offers', () => {
    const words = (offers: readonly Offer[]) =>
      offers.map(
        ({ gpuModel, vramMiB, priceParts: [gpu], stock, cpuCores, ramMiB }) =>
          `${gpuModel ?? ''} ${(vramMiB / 1024).toString()} GB ${gpu?.perHourMicroUsd ?? ''} (${stock.toString()}) with ${cpuCores.toString()} cores, ${(ramMiB / 1024).toString()} GB`,
      );

    it('have a row for each model that is free, with what is asked for beside it, and say which have no price', async () => {
      const { provider, simulator } = open();
      const offers = await provider.offers(signal);
      assert.deepEqual(words(offers), [
        'RTX 4090 24 GB 452371 (11) with 6 cores, 24 GB',
        'H100 SXM 80 GB 1631200 (3) with 16 cores, 64 GB',
        'A100 SXM 80 GB 790000 (8) with 16 cores, 64 GB',
        'A100 40 GB 710000 (2) with 10 cores, 40 GB',
        'GTX 1070 Ti 8 GB 60000 (1) with 4 cores, 16 GB',
      ]);
      assert.ok(offers.every(({ basis, refundable }) => basis === 'estimate' && refundable === 'deposit'));
      assert.equal(
        provider.offersLeftOut(),
        'Of Akash’s models are left out: 1 of which it says no price, 1 of a maker that an order cannot name.',
      );
      simulator.models = [
        ...AKASH_MODELS.slice(0, 1),
        { model: 7 },
        { ...Object(AKASH_MODELS[0]), model: 'odd/name' },
      ];
      assert.equal((await provider.offers(signal)).length, 1);
      assert.equal(provider.offersLeftOut(), 'Of Akash’s models are left out: 2 that could not be read.');
    });

    it('are read without a login', async () => {
      const { provider, simulator } = open();
      await provider.offers(signal);
      assert.deepEqual(
        simulator.asked.map(({ headers }) => headers['x-api-key']),
        [undefined],
      );
    });
  });

  describe('an order', () => {
    it('says the most that a block may cost, which an hour of them keeps inside the limit', async () => {
      const { provider, simulator } = open();
      const request = await aRequest(provider);
      await provider.create({ ...request, maxPricePerHourMicroUsd: 1_234_567n }, signal);
      const sdl = JSON.stringify(simulator.asked.at(-1)?.body);
      // 2057 × 600 is below it, and 2058 × 600 above.
      assert.match(sdl, /\\"pricing\\":\{\\"node\\":\{\\"denom\\":\\"uact\\",\\"amount\\":\\"2057\\"/);
    });

    it('has nothing of a login or of this computer in what its provider runs', async () => {
      const { provider, simulator } = open();
      const request = await aRequest(provider);
      await rents(provider, request);
      const { manifest } = Object(simulator.asked.at(-1)?.body) as { readonly manifest: string };
      const [{ services }] = JSON.parse(manifest) as [{ services: [{ env: readonly string[] }] }];
      assert.deepEqual(
        services[0].env.map(line => line.split('=')[0]),
        ['HITCH_REF', 'SSH_PUBKEY', 'HITCH_PROOF'],
      );
    });

    it('without money on the account is refused for want of funds, and one of a key that is not known for that', async () => {
      const poor = open({ balance: 1 });
      const error = await failureOf(poor.provider.create(await aRequest(poor.provider), signal));
      assert.deepEqual([error.kind, error.lacks], ['auth', 'funds']);
      const lost = open({ keys: ['another'] });
      const refused = await failureOf(lost.provider.create(await aRequest(lost.provider), signal));
      assert.deepEqual([refused.kind, refused.lacks], ['auth', 'login']);
    });

    it('of which another manifest was made than Hitch makes is ours by its id, and is never leased', async () => {
      const { provider, simulator } = open({ lies: { otherManifest: true } });
      const request = await aRequest(provider);
      const order = await provider.create(request, signal);
      assert.deepEqual([order.id, order.mark, order.status], [simulator.rentals()[0]?.id, null, 'ordered']);
      const error = await failureOf(provider.advance(order, request, signal));
      assert.deepEqual(
        [error.kind, error.message],
        ['permanent', `Akash made another manifest of the order ${order.id} than Hitch does.`],
      );
      await provider.destroy(order.id, signal);
      assert.equal((await provider.get(order.id, signal)).status, 'gone');
      assert.deepEqual(simulator.bill(), []);
    });

    it('that a busy console does not take may be tried again: nothing was ordered', async () => {
      const busy = answering(429, { error: 'TooManyRequestsError', message: 'Too many requests' });
      const { provider, simulator } = open({}, [{ route: CREATE, fault: busy }]);
      const error = await failureOf(provider.create(await aRequest(provider), signal));
      assert.deepEqual([error.kind, (error.retryAfterMs ?? 0) > 0], ['retryable', true]);
      assert.deepEqual(simulator.rentals(), []);
    });

    it('whose deposit the platform sets says what it is once it is looked at', async () => {
      const { provider } = open({ lies: { managedDeposit: 0.5, bidsAfterMs: HOUR_MS } });
      const { id } = await provider.create(await aRequest(provider), signal);
      assert.equal((await provider.get(id, signal)).paidMicroUsd, 500_000n);
    });

    it('gives its deposit back when it is closed without a lease, and costs nothing', async () => {
      const { provider, simulator } = open({ lies: { noBids: true } });
      const request = await aRequest(provider);
      const order = await provider.create(request, signal);
      const before = await provider.account(signal);
      const waiting = await provider.advance(order, request, signal);
      assert.deepEqual([waiting.status, waiting.message], ['ordered', 'Akash has no bid for the order yet.']);
      await provider.destroy(order.id, signal);
      assert.equal((await provider.get(order.id, signal)).status, 'gone');
      const after = await provider.account(signal);
      assert.equal((after.balanceMicroUsd ?? 0n) - (before.balanceMicroUsd ?? 0n), 5_000_000n);
      assert.deepEqual(simulator.bill(), []);
    });
  });

  describe('its bids', () => {
    it('come block by block, and are waited for', async () => {
      const subject = open({ lies: { bidsAfterMs: 12_000 } });
      const { provider } = subject;
      const request = await aRequest(provider);
      const order = await provider.create(request, signal);
      assert.equal((await provider.advance(order, request, signal)).status, 'ordered');
      await subject.pass(12_000);
      assert.equal((await provider.advance(order, request, signal)).status, 'booting');
    });

    it('are taken by their price', async () => {
      const { provider, simulator } = open();
      await rents(provider, await aRequest(provider));
      assert.deepEqual(takenFrom(simulator.asked), ['akash1audited']);
    });

    it('of one price are taken by who is audited, and then by who was there most of the time', async () => {
      const { provider, simulator } = open({ lies: { evenBids: true } });
      await rents(provider, await aRequest(provider));
      assert.deepEqual(takenFrom(simulator.asked), ['akash1steady']);
    });

    it('of one price are taken all the same where nothing is said of their providers', async () => {
      const rule = { route: /^GET \/v1\/providers\//, fault: answering(500, {}) };
      const { provider } = open({ lies: { evenBids: true } }, [rule]);
      assert.equal((await rents(provider, await aRequest(provider))).status, 'booting');
    });

    it('in another currency than dollars are not taken, and counted', async () => {
      const { provider } = open({ lies: { denom: 'uakt' } });
      const now = await rents(provider, await aRequest(provider));
      assert.equal(now.status, 'ordered');
      assert.equal(
        now.message,
        'Akash has 2 bids for the order, and none can be taken: 2 are in another currency than dollars.',
      );
    });

    it('above the limit are not taken, and counted', async () => {
      const { provider } = open();
      const request = await aRequest(provider);
      const order = await provider.create(request, signal);
      const dear = { ...request, maxPricePerHourMicroUsd: 100_000n };
      assert.match(
        (await provider.advance(order, dear, signal)).message,
        /^Akash has 2 bids for the order, and none can be taken: 2 ask for more than \$0\.10\/h\.$/,
      );
    });
  });

  describe('a lease', () => {
    it('costs by the block, and its end is reckoned so that what was counted is what was billed', async () => {
      // A block is meant to take six seconds, and takes a little more.
      const subject = open({ blockMs: 6_100 });
      const { provider, simulator } = subject;
      const { id } = await rents(provider, await aRequest(provider));
      await subject.pass(10 * HOUR_MS);
      await provider.destroy(id, signal);
      const over = await provider.get(id, signal);
      const fromMs = chargedFromMs(over);
      assert.ok(fromMs !== undefined && over.billedUntilMs !== undefined);
      const counted = costOver(priceOf(over) ?? 0n, over.billedUntilMs - fromMs);
      const [billed] = simulator.bill();
      const off = counted - (billed?.amountMicroUsd ?? 0n);
      // A price of an hour is rounded up once: less than a micro-dollar an hour.
      assert.ok(off >= 0n && off <= 10n, off.toString());
      const [line] = await provider.bill(0, subject.clock.now(), signal);
      assert.deepEqual(
        [line?.instanceId, line?.amountMicroUsd],
        [id, billed?.amountMicroUsd],
        'and the bill is the chain’s own',
      );
    });

    it('is not running before its provider says where ssh leads to', async () => {
      for (const [lies, status, why] of [
        [{ noStatus: true }, 'ordered', /its provider does not say yet what runs\.$/],
        [{ noHost: true }, 'booting', /its provider does not say yet where ssh leads to it\.$/],
      ] as const) {
        const subject = open({ lies });
        const { provider } = subject;
        const { id } = await rents(provider, await aRequest(provider));
        await subject.pass(HOUR_MS);
        const now = await provider.get(id, signal);
        assert.deepEqual([now.status, now.members[0]?.ssh ?? null], [status, null]);
        assert.match(now.message, why);
      }
    });

    it('that its provider ends costs nothing more, and its deployment is there to be closed', async () => {
      const subject = open();
      const { provider, simulator } = subject;
      const { id } = await rents(provider, await aRequest(provider));
      await subject.pass(HOUR_MS);
      await simulator.endLease(id);
      const now = await provider.get(id, signal);
      assert.deepEqual([now.status, priceOf(now)], ['stopped', 0n]);
      assert.match(now.message, /lease_closed_reason_unstable/);
      assert.ok((now.paidMicroUsd ?? 0n) > 0n, 'it holds its deposit');
      await provider.destroy(id, signal);
      assert.equal((await provider.get(id, signal)).status, 'gone');
    });

    it('whose deposit is used up is gone', async () => {
      const subject = open({ lies: { noTopUp: true } });
      const { provider } = subject;
      const { id } = await rents(provider, await aRequest(provider));
      await subject.pass(24 * HOUR_MS);
      const now = await provider.get(id, signal);
      assert.deepEqual([now.status, now.billedUntilMs !== undefined], ['gone', true]);
    });

    it('is not taken twice, and its manifest is sent again, where the answer was lost', async () => {
      const { provider, simulator } = open({}, [{ route: LEASE, times: 1, fault: { does: 'lose-reply' } }]);
      const request = await aRequest(provider);
      const order = await provider.create(request, signal);
      await assert.rejects(provider.advance(order, request, signal), isFailure('unknownOutcome'));
      assert.equal((await provider.advance(order, request, signal)).status, 'booting');
      assert.equal(simulator.bill().length, 1);
    });

    it('whose manifest its provider did not take costs, says so, and is told again until it is taken', async () => {
      const subject = open({ lies: { undelivered: 2 } });
      const { provider, simulator } = subject;
      const request = await aRequest(provider);
      const order = await provider.create(request, signal);
      const first = await provider.advance(order, request, signal);
      assert.equal(first.status, 'ordered');
      assert.match(first.message, /exists, but provider akash1audited did not receive its manifest\./);
      assert.ok(chargedFromMs(first) !== undefined, 'it costs by now');
      const looked = await subject.restarted().get(order.id, signal);
      assert.deepEqual([looked.status, looked.rates], ['ordered', first.rates]);
      assert.equal((await provider.advance(order, request, signal)).status, 'ordered');
      assert.equal((await provider.advance(order, request, signal)).status, 'booting');
      assert.deepEqual(takenFrom(simulator.asked), ['akash1audited', 'akash1audited', 'akash1audited']);
      assert.equal(simulator.bill().length, 1);
    });

    it('is taken of the next where the provider of the best bid cannot be reached', async () => {
      const { provider, simulator } = open({ lies: { unreachable: ['akash1audited'] } });
      const now = await rents(provider, await aRequest(provider));
      assert.equal(now.status, 'booting');
      assert.deepEqual(takenFrom(simulator.asked), ['akash1audited', 'akash1plain']);
      assert.equal(simulator.bill().length, 1);
    });

    it('is none where no provider can be reached', async () => {
      const { provider, simulator } = open({
        lies: { unreachable: ['akash1audited', 'akash1plain', 'akash1steady'] },
      });
      const now = await rents(provider, await aRequest(provider));
      assert.deepEqual(
        [now.status, now.message],
        ['ordered', 'Akash cannot reach who made the best bids for the order.'],
      );
      assert.deepEqual(simulator.bill(), []);
    });

    it('of one request is never taken for another’s', async () => {
      const { provider } = open();
      const request = await aRequest(provider);
      const order = await provider.create(request, signal);
      const other = { ...request, ref: nextRef() };
      await assert.rejects(provider.advance(order, other, signal), isFailure('permanent'));
    });
  });

  describe('its list', () => {
    for (const listedLeases of ['mixed', 'none'] as const) {
      it(`has no status, and the leases of a row are its own, whatever row they come in: ${listedLeases}`, async () => {
        const subject = open({ lies: { listedLeases } });
        const { provider } = subject;
        const { id } = await rents(provider, await aRequest(provider));
        const order = await provider.create(await aRequest(provider), signal);
        await subject.pass(HOUR_MS);
        const [leased, ordered] = await provider.list(signal);
        assert.deepEqual([leased?.id, ordered?.id, ordered?.status], [id, order.id, 'ordered']);
        assert.equal(leased?.status, listedLeases === 'none' ? 'running' : 'booting');
        assert.equal(priceOf(leased ?? order), priceOf(await provider.get(id, signal)));
      });
    }

    it('comes in pages, each of them a call, and has what others rented too', async () => {
      const { provider, simulator, clock } = open({ balance: 10_000 });
      for (let made = 0; made < 101; made++) {
        await byHand(simulator);
        clock.jump(1);
      }
      let pages = 0;
      const listed = await provider.list(signal, async () => {
        pages++;
      });
      assert.deepEqual([listed.length, pages], [101, 1]);
    });

    it('is none where its pages go on for ever and bring nothing new', async () => {
      const { provider, simulator, faults } = open();
      await byHand(simulator);
      const { body } = await simulator.handle(asked('GET', '/v1/deployments'));
      const text = JSON.stringify(body)
        .replace('"hasMore":false', '"hasMore":true')
        .replace('"total":1', '"total":2');
      faults.add({ route: LIST, fault: answering(200, JSON.parse(text)) });
      await assert.rejects(provider.list(signal), isFailure('retryable'));
    });
  });

  it('bills what stands up to now, though the chain reckons seldom', async () => {
    const subject = open();
    const { provider, simulator, clock } = subject;
    const { id } = await rents(provider, await aRequest(provider));
    await provider.get(id, signal);
    await subject.pass(5 * HOUR_MS);
    const [line] = await provider.bill(0, clock.now(), signal);
    const off = (line?.amountMicroUsd ?? 0n) - (simulator.bill()[0]?.amountMicroUsd ?? 0n);
    assert.ok(off >= 0n && off <= 10n, off.toString());
  });

  it('bills what is over, with what stands, by its hash', async () => {
    const subject = open();
    const { provider, clock } = subject;
    const [first, second] = [await aRequest(provider), await aRequest(provider)];
    const { id } = await rents(provider, first);
    await subject.pass(HOUR_MS);
    await provider.destroy(id, signal);
    await rents(provider, second);
    await subject.pass(HOUR_MS);
    const lines = await provider.bill(0, clock.now(), signal);
    assert.deepEqual(
      new Set(lines.map(({ mark }) => mark)),
      new Set([provider.markOf(first), provider.markOf(second)]),
    );
    assert.deepEqual(await provider.bill(0, clock.now() - 3 * HOUR_MS, signal), []);
    assert.equal((await listedLater(subject, provider.markOf(second))).length, 1);
  });

  it('is asked nothing that it does not know', async () => {
    const { simulator } = open();
    const odd = { data: { sdl: 'version: "2.0"', deposit: 5, colour: 'red' } };
    const answer = await simulator.handle(asked('POST', '/v1/deployments', odd, 'hitch'));
    assert.equal(answer.status, 400);
    assert.match(simulator.complaints.splice(0).join(), /colour/);
  });
});

/** Whose bids were taken, in turn. */
const takenFrom = (requests: AkashSubject['simulator']['asked']): readonly string[] =>
  requests
    .filter(({ method, path }) => LEASE.test(`${method} ${path}`))
    .flatMap(({ body }) => (Object(body) as { leases: readonly { provider: string }[] }).leases)
    .map(({ provider }) => provider);
