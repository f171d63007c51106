import assert from 'node:assert/strict';
import { formatMicroUsd, offerQuerySchema, parseMicroUsd, quoteRequestSchema } from '@hitch/contract';
import { type Provider, ProviderError } from '../../src/providers/provider.ts';
import { endsClean, faulty, firstCreate, mute, states, wrap } from './faulty.ts';
import { Practice } from './practice.ts';

describe('when a purchase goes wrong', () => {
  it('takes the next offer when one has vanished', async () => {
    const practice = await firstCreate(() =>
      Promise.reject(new ProviderError('capacity', 'Sold a moment ago.')),
    );
    const { id } = await practice.rent();
    const ready = await practice.untilPhase(id, 'ready');
    assert.deepEqual(states(ready), ['refused', 'owned']);
    const offers = ready.nodes[0]?.attempts.map(({ offerId }) => offerId) ?? [];
    assert.equal(new Set(offers).size, offers.length, 'no offer is asked twice');
    for (const { offerTitle } of ready.nodes[0]?.attempts ?? []) {
      assert.match(offerTitle, /^\d.*, Practice market, [A-Z]{2}$/);
    }
    await endsClean(practice, ready);
  });

  it('goes ahead with the next offer while an unclear purchase is looked for, and gives back what comes to light', async () => {
    const practice = await firstCreate(async buy => {
      await buy();
      throw new Error('socket hang up');
    });
    const { id } = await practice.rent();
    await practice.until(() => states(practice.service.get(id)).includes('quarantined'));
    const ready = await practice.untilPhase(id, 'ready');
    await practice.until(() => practice.billing().length === 1);
    assert.deepEqual(states(practice.service.get(id)), ['gone', 'owned']);
    await endsClean(practice, ready);
  });

  it('gives back a machine that was rented although the answer was an error', async () => {
    const practice = await firstCreate(async buy => {
      const { id: instanceId } = await buy();
      throw new ProviderError('unknownOutcome', 'An error, and contract 7.', { instanceId });
    });
    const { id } = await practice.rent();
    const ready = await practice.untilPhase(id, 'ready');
    await practice.until(() => practice.billing().length === 1);
    assert.deepEqual(states(practice.service.get(id)), ['gone', 'owned']);
    await endsClean(practice, ready);
  });

  it('gives back a machine that costs more than was agreed to, and shows what that cost', async () => {
    const practice = await faulty({ fault: 'dearer', percent: 80 });
    const { id } = await practice.rent();
    const failed = await practice.untilPhase(id, 'failed');
    const events = await practice.pass(practice.service.events(id, 0, 1000));
    const dearer = events.find(({ kind, value }) => kind === 'price' && value === 'dearer');
    assert.match(dearer?.message ?? '', /more than the .* you accepted.*Non-refundable/);
    assert.match(failed.message, /None of the offers/);
    await endsClean(practice, failed);
  });

  it('says in its network’s words why a machine stands still before it ever ran, and in the end why it is given up', async () => {
    const message = 'Its container could not be made.';
    const wrapProvider = (provider: Provider) =>
      wrap(provider, {
        get: async (instanceId, signal) => {
          const instance = await provider.get(instanceId, signal);
          return instance.status === 'gone' ? instance : { ...instance, status: 'stopped', message };
        },
      });
    const practice = await new Practice({ wrapProvider }).open();
    const { id } = await practice.rent();
    await practice.until(() => practice.service.get(id).nodes[0]?.message === message);
    const failed = await practice.untilPhase(id, 'failed');
    assert.match(failed.message, /did not start in 15 minutes\. Last: Its container could not be made\./);
    await endsClean(practice, failed);
  });

  it('waits, and says so, until a machine that is given back is gone where both do not fit in the limit', async () => {
    let refusals = 3;
    let isFirst = true;
    const wrapProvider = (provider: Provider) =>
      wrap(provider, {
        create: async (order, signal) => {
          const instance = await provider.create(order, signal);
          const got = isFirst
            ? { ...instance, got: { ...order.offer, trust: 'community' as const } }
            : instance;
          isFirst = false;
          return got;
        },
        destroy: (instanceId, signal) =>
          refusals-- > 0
            ? Promise.reject(new ProviderError('retryable', 'Not now.'))
            : provider.destroy(instanceId, signal),
      });
    const practice = await new Practice({ wrapProvider }).open();
    const shown = practice.book.query(
      offerQuerySchema.parse({ filter: { markets: ['on_demand'] }, limit: 1000 }),
    );
    const offers = shown.offers
      .filter(
        ({ trust, nonRefundableMicroUsd, floorMicroUsd = '0' }) =>
          trust === 'data_center' && nonRefundableMicroUsd === '0' && floorMicroUsd === '0',
      )
      .slice(-2);
    const dearest = parseMicroUsd(offers.at(-1)?.pricePerHourMicroUsd ?? '');
    const { id } = await practice.rent({
      offerIds: offers.map(offer => offer.id),
      maxNodePricePerHourMicroUsd: formatMicroUsd(dearest),
      idleMs: 0,
      // Ten minutes of one, where seven are asked for.
      capMicroUsd: formatMicroUsd(dearest / 6n),
    });
    const said = new Set<string>();
    await practice.until(() => {
      const { phase, nodes } = practice.service.get(id);
      nodes.forEach(({ message }) => said.add(message));
      return phase === 'ready' || phase === 'failed';
    });
    const ready = practice.service.get(id);
    assert.equal(ready.phase, 'ready', [...said].join('\n'));
    assert.deepEqual(states(ready), ['gone', 'owned']);
    const [wait] = [...said].filter(message =>
      message.startsWith('Waiting until the machine that is given back'),
    );
    assert.match(wait ?? '', /does not fit in the spending limit of \$[\d.]+ before\.$/);
    await endsClean(practice, ready);
  });

  it('asks again, by another attempt, when a network only says too many requests', async () => {
    const practice = await faulty({
      fault: 'rate_limited',
      on: ['create'],
      chance: 0.7,
      retryAfterMs: 2_000,
    });
    const { id } = await practice.rent();
    const ready = await practice.untilPhase(id, 'ready');
    const refs = ready.nodes[0]?.attempts.map(({ ref }) => ref) ?? [];
    assert.equal(new Set(refs).size, refs.length, 'each attempt has its own ref');
    await endsClean(practice, ready);
  });

  it('fails with the reason, bills nothing and says so, when nothing can be had', async () => {
    const practice = await faulty({ fault: 'vanished_offer', chance: 1 });
    const { id } = await practice.rent();
    const failed = await practice.untilPhase(id, 'failed');
    assert.match(failed.message, /None of the offers could be rented/);
    assert.equal(failed.conditions.billing.status, 'no');
    assert.equal(failed.usage.accruedMicroUsd, '0');
    await endsClean(practice, failed);
  });

  it('gives the refusal itself as the reason where there was only one offer', async () => {
    const practice = await faulty({ fault: 'vanished_offer', chance: 1 });
    const [cheapest] = (await practice.pass(practice.service.quote(quoteRequestSchema.parse({})))).candidates;
    assert.ok(cheapest !== undefined);
    const { id } = await practice.rent({
      maxNodePricePerHourMicroUsd: cheapest.pricePerHourMicroUsd,
    });
    const failed = await practice.untilPhase(id, 'failed');
    assert.match(failed.message, /^Somebody else rented .* in the meantime\.$/);
    await endsClean(practice, failed);
  });
});

describe('when a machine goes wrong', () => {
  it('fails a machine that never starts, after its deadline, and stops paying for it', async () => {
    const practice = await faulty({ fault: 'never_ready' });
    const [only] = practice.book.query({
      filter: { markets: ['on_demand'] },
      sort: { key: 'pricePerHour', descending: false },
      offset: 0,
      limit: 1,
    }).offers;
    assert.ok(only !== undefined);
    practice.book.replace('sandbox', [only], practice.clock.now());
    const { id } = await practice.rent();
    const failed = await practice.untilPhase(id, 'failed');
    assert.match(failed.message, /did not start in 15 minutes/);
    assert.equal(failed.conditions.billing.status, 'yes', 'failed and still billing can both be said');
    await endsClean(practice, failed);
  });

  it('puts another machine in the place of one that was taken back before it was ready', async () => {
    const practice = await new Practice().open();
    const { id } = await practice.rent();
    await practice.until(() => practice.service.get(id).nodes[0]?.phase === 'booting');
    const first = practice.service.get(id).nodes[0]?.attempts[0]?.instanceId ?? '';
    await practice.pass(practice.market.end(first, new AbortController().signal));
    const ready = await practice.untilPhase(id, 'ready');
    assert.deepEqual(states(ready), ['gone', 'owned']);
    await endsClean(practice, ready);
  });

  it('fails when the head was taken back, for it held the kernel', async () => {
    const practice = await faulty({ fault: 'preempted', afterMs: 300_000 });
    const { id } = await practice.rent();
    await practice.untilPhase(id, 'ready');
    const failed = await practice.untilPhase(id, 'failed');
    assert.match(failed.message, /kernel/);
    await endsClean(practice, failed);
  });

  it('is degraded when a worker was taken back, and whole again with another yes', async () => {
    const practice = await new Practice().open();
    const { id } = await practice.rent({ nodes: 2 });
    const ready = await practice.untilPhase(id, 'ready');
    const worker = ready.nodes[1]?.attempts.find(({ state }) => state === 'owned');
    await practice.pass(practice.market.end(worker?.instanceId ?? '', new AbortController().signal));
    const degraded = await practice.untilPhase(id, 'degraded');
    assert.match(degraded.message, /1 of 2 nodes lost/);
    assert.equal(degraded.conditions.kernel.status, 'yes');
    await practice.stockUp();
    const right = await practice.pass(practice.service.quoteAgain(id, { skipTried: false }));
    await practice.pass(practice.service.startAgain(id, right.id));
    const whole = await practice.untilPhase(id, 'ready');
    assert.deepEqual(
      whole.nodes.map(({ phase }) => phase),
      ['ready', 'ready'],
    );
    assert.equal(whole.nodes[0]?.id, ready.nodes[0]?.id, 'the head is the same');
    await practice.pass(practice.service.stop(id, { skipSave: true }));
    await practice.untilPhase(id, 'stopped');
    const total = practice.market.rentals().reduce((sum, { ref }) => sum + practice.market.billed(ref), 0n);
    assert.equal(parseMicroUsd(practice.service.usage(id).accruedMicroUsd), total);
    practice.close();
  });

  it('keeps a machine that does not answer: unreachable is not dead', async () => {
    let silent = false;
    const practice = await new Practice({ wrapAgent: mute(() => silent) }).open();
    const { id } = await practice.rent({ idleMs: 0 });
    await practice.untilPhase(id, 'ready');
    silent = true;
    const lost = await practice.untilPhase(id, 'unreachable');
    assert.equal(lost.conditions.billing.status, 'yes');
    await practice.run(1_800_000);
    assert.equal(practice.service.get(id).phase, 'unreachable');
    assert.equal(practice.billing().length, 1);
    silent = false;
    await practice.untilPhase(id, 'ready');
    await endsClean(practice, practice.service.get(id));
  });

  it('says of a head that has yet to answer that it starts, not that it stopped answering', async () => {
    // By its seed, the head boots two minutes after the other machine.
    const practice = await faulty({ fault: 'slow_boot', chance: 0.35, delayMs: 120_000 });
    const { id } = await practice.rent({ nodes: 2 });
    await practice.until(() => practice.service.get(id).nodes[1]?.phase === 'starting');
    assert.equal(practice.service.get(id).nodes[0]?.phase, 'booting');
    const ready = await practice.untilPhase(id, 'ready');
    const events = await practice.pass(practice.service.events(id, 0, 1000));
    const conditions = events.filter(({ kind }) => kind === 'condition').map(({ value }) => value);
    assert.deepEqual(
      conditions.filter(value => /^(kernel|engine):unknown/.test(value)),
      [],
    );
    await endsClean(practice, ready);
  });

  it('keeps the last known state while a network cannot be listed', async () => {
    const practice = await faulty({ fault: 'list_fails' });
    const { id } = await practice.rent({ idleMs: 0 });
    await practice.untilPhase(id, 'ready');
    await practice.run(1_800_000);
    assert.equal(practice.service.get(id).phase, 'ready');
    practice.close();
  });

  it('says billing until the network confirms, however often a destroy fails', async () => {
    const practice = await faulty({ fault: 'destroy_fails', times: 6 });
    const { id } = await practice.rent();
    await practice.untilPhase(id, 'ready');
    await practice.pass(practice.service.stop(id, { skipSave: true }));
    await practice.run(5_000);
    const stopping = practice.service.get(id);
    assert.equal(stopping.phase, 'stopping');
    assert.equal(stopping.conditions.billing.message, 'Billing until Practice market confirms.');
    await assert.rejects(practice.pass(practice.service.remove(id)), /not confirmed gone/);
    await endsClean(practice, stopping);
  });
});
