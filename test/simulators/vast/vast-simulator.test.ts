/** The simulator against the documentation: what it offers, lists and bills. */
import assert from 'node:assert/strict';
import * as z from 'zod';
import { boughtSchema, errorOf, rig } from './rig.ts';

describe('simulated Vast: the market', () => {
  it('is the same of one seed, and searched without a login', async () => {
    const [one, other] = [rig({ seed: 3 }), rig({ seed: 3 })];
    assert.deepEqual(await one.offers(), await other.offers());
    const { status } = await one.ask('POST', '/api/v0/bundles/', { body: {}, key: null });
    assert.equal(status, 200);
  });

  it('shows what nobody verified only when it is asked for, and filters by what is asked', async () => {
    const { offers } = rig();
    assert.deepEqual([...new Set((await offers()).map(({ verification }) => verification))], ['verified']);
    const all = await offers({ verified: {} });
    assert.ok(all.some(({ verification }) => verification === 'unverified'));
    const cards = await offers({ gpu_name: { in: ['RTX_4090'] }, num_gpus: { gte: 2 } });
    assert.ok(cards.length > 0);
    assert.ok(cards.every(({ gpu_name, num_gpus }) => gpu_name === 'RTX 4090' && num_gpus >= 2));
  });

  it('takes away the asks that share a GPU with what is rented, and gives them back', async () => {
    const { offers, bought, destroy } = rig();
    const all = await offers({ disable_bundling: true });
    const isWhole = ({ machine_id, num_gpus }: (typeof all)[number]) =>
      num_gpus === 4 && !all.some(other => other.machine_id === machine_id && other.num_gpus === 8);
    const whole = all.find(isWhole);
    assert.ok(whole !== undefined);
    const ofIt = async () =>
      (await offers({ disable_bundling: true, machine_id: { eq: whole.machine_id } })).map(
        ({ num_gpus }) => num_gpus,
      );
    const before = await ofIt();
    const part = all.find(({ machine_id, num_gpus }) => machine_id === whole.machine_id && num_gpus === 1);
    assert.ok(part !== undefined);
    const id = await bought(part.id);
    const now = await ofIt();
    assert.ok(!now.includes(4), now.join());
    assert.ok(now.includes(2), 'its other half is still for rent');
    await destroy(id);
    assert.deepEqual(await ofIt(), before);
  });

  it('answers 410 for what was just rented, and 404 for what it never had', async () => {
    const { first, bought, rent } = rig();
    const { id } = await first();
    await bought(id);
    assert.deepEqual(errorOf(await rent(id)), { status: 410, error: 'no_such_ask' });
    assert.deepEqual(errorOf(await rent(7)), { status: 404, error: 'invalid_args' });
  });

  it('adds the disk that was asked for to a price', async () => {
    const { first } = rig();
    const { dph_base, dph_total, storage_cost } = await first({ allocated_storage: 720 });
    assert.equal(Math.round((dph_total - dph_base) * 1e6), Math.round(storage_cost * 1e6));
  });
});

describe('simulated Vast: a contract', () => {
  it('is nothing, then loads, then runs with a port, and is null when it is gone', async () => {
    const { clock, first, bought, show, destroy } = rig({ bootMs: 20_000 });
    const id = await bought((await first()).id);
    assert.equal((await show(id))?.actual_status, null);
    clock.jump(5_000);
    assert.deepEqual([(await show(id))?.actual_status, (await show(id))?.ports], ['loading', null]);
    clock.jump(20_000);
    const running = await show(id);
    assert.equal(running?.actual_status, 'running');
    assert.equal(running.label, 'hitch-one');
    assert.equal(typeof running.ports?.['22/tcp']?.[0]?.HostPort, 'string');
    assert.equal((await destroy(id)).status, 200);
    assert.equal(await show(id), null);
    assert.deepEqual(errorOf(await destroy(id)), { status: 404, error: 'no_such_instance' });
  });

  it('is billed by part: GPUs while it runs, its disk from creation to its end, stopped too', async () => {
    const { clock, simulator, ask, first, bought, destroy } = rig({ bootMs: 60_000 });
    const offer = await first();
    const id = await bought(offer.id, { disk: 36 });
    clock.jump(60_000 + 3_600_000);
    await ask('PUT', `/api/v0/instances/${id.toString()}/`, { body: { state: 'stopped' } });
    clock.jump(3_600_000);
    await destroy(id);
    clock.jump(3_600_000);
    const disk = Math.round(((36 * offer.storage_cost) / 720) * 1e6);
    assert.deepEqual(
      simulator.bill().map(({ label, amountMicroUsd }) => [label, Number(amountMicroUsd)]),
      [
        ['GPU', Math.round(offer.dph_base * 1e6)],
        ['Disk', Math.ceil(disk * 2 + disk / 60)],
      ],
    );
    const query = { select_filters: JSON.stringify({ day: { gte: 0, lte: clock.now() / 1000 } }) };
    const { body } = await ask('GET', '/api/v0/charges/', { query });
    const [charge] = z
      .looseObject({
        results: z.array(
          z.looseObject({
            metadata: z.object({ label: z.string() }),
            items: z.array(z.looseObject({ type: z.string(), amount: z.number() })),
          }),
        ),
      })
      .parse(body).results;
    assert.deepEqual(charge?.metadata, { label: 'hitch-one' });
    assert.deepEqual(
      charge.items.map(({ type, amount }) => [type, Math.round(amount * 1e6)]),
      simulator.bill().map(({ label, amountMicroUsd }) => [label.toLowerCase(), Number(amountMicroUsd)]),
    );
  });

  it('has another port after it was stopped and started', async () => {
    const { clock, ask, first, bought, show } = rig({ bootMs: 0 });
    const id = await bought((await first()).id);
    const portOf = async () => (await show(id))?.ports?.['22/tcp']?.[0]?.HostPort;
    const before = await portOf();
    clock.jump(60_000);
    await ask('PUT', `/api/v0/instances/reboot/${id.toString()}/`, { body: {} });
    clock.jump(60_000);
    assert.ok(before !== undefined);
    assert.notEqual(await portOf(), before);
  });

  it('keeps only the keys that are attached to it, after some hours', async () => {
    const { clock, simulator, ask, first, bought } = rig();
    const [written, attached] = ['ssh-ed25519 AAAAwritten', 'ssh-ed25519 AAAAattached'];
    const id = await bought((await first()).id, { onstart: `echo '${written}' >> ~/.ssh/authorized_keys` });
    await ask('POST', `/api/v0/instances/${id.toString()}/ssh/`, { body: { ssh_key: attached } });
    const contract = simulator.market.contract(id);
    assert.ok(contract !== undefined);
    assert.deepEqual(simulator.ways.keysNow(contract), [attached, written]);
    clock.jump(4 * 3_600_000);
    assert.deepEqual(simulator.ways.keysNow(contract), [attached]);
  });

  it('stops when the account has nothing left, and its disk goes on', async () => {
    const { clock, simulator, first, bought, show, rent } = rig({ creditMicroUsd: 1_000n, bootMs: 0 });
    const offer = await first();
    const id = await bought(offer.id);
    clock.jump(3_600_000);
    assert.equal((await show(id))?.intended_status, 'stopped');
    const [before] = simulator.bill().filter(({ label }) => label === 'Disk');
    clock.jump(3_600_000);
    const [after] = simulator.bill().filter(({ label }) => label === 'Disk');
    assert.ok(before !== undefined && after !== undefined && after.amountMicroUsd > before.amountMicroUsd);
    assert.deepEqual(errorOf(await rent(offer.id)), { status: 400, error: 'insufficient_credit' });
  });
});

describe('simulated Vast: lists', () => {
  it('come by 25, whatever is asked for, and go on where the page before ended', async () => {
    const { offers, bought, list } = rig();
    for (const { id } of (await offers({ disable_bundling: true, num_gpus: { eq: 1 } })).slice(0, 30)) {
      await bought(id);
    }
    const page = await list({ limit: '100' });
    assert.deepEqual([page.instances.length, page.total_instances], [25, 30]);
    const rest = await list({ after_token: page.next_token ?? '' });
    assert.deepEqual([rest.instances.length, rest.next_token], [5, null]);
    const ids = [...page.instances, ...rest.instances].map(({ id }) => id);
    assert.equal(new Set(ids).size, 30);
  });

  it('lack a row that moved between two pages', async () => {
    const { offers, bought, list } = rig({ lies: [{ lie: { does: 'page-shift' }, times: 1 }] });
    for (const { id } of (await offers({ disable_bundling: true, num_gpus: { eq: 1 } })).slice(0, 30)) {
      await bought(id);
    }
    const page = await list();
    const rest = await list({ after_token: page.next_token ?? '' });
    assert.deepEqual([rest.instances.length, rest.total_instances], [4, 30]);
    assert.equal((await list({ after_token: page.next_token ?? '' })).instances.length, 5);
  });

  it('are narrowed by what stands in the contract, and refuse what is computed', async () => {
    const { ask, first, bought, list } = rig();
    await bought((await first()).id, { label: 'hitch-one' });
    await bought((await first()).id, { label: 'other' });
    const only = await list({ select_filters: JSON.stringify({ label: { eq: 'other' } }) });
    assert.deepEqual(
      only.instances.map(({ label }) => label),
      ['other'],
    );
    const query = { select_filters: JSON.stringify({ dph_total: { lte: 1 } }) };
    assert.deepEqual(errorOf(await ask('GET', '/api/v1/instances/', { query })), {
      status: 400,
      error: 'invalid_request',
    });
  });
});

describe('simulated Vast: bids', () => {
  it('stands stopped and bills its disk where a bid is too low, with an error and a contract', async () => {
    const { clock, simulator, first, rent, show } = rig();
    const offer = await first({ type: 'bid' });
    const { status, body } = await rent(offer.id, { price: offer.min_bid / 2 });
    assert.equal(status, 400);
    const id = boughtSchema.parse(body).new_contract;
    clock.jump(3_600_000);
    const shown = await show(id);
    assert.deepEqual(
      [shown?.cur_state, shown?.intended_status, shown?.next_state],
      ['stopped', 'stopped', 'stopped'],
    );
    const [gpu, disk] = simulator.bill();
    assert.equal(gpu?.amountMicroUsd, 0n);
    assert.ok((disk?.amountMicroUsd ?? 0n) > 0n);
  });

  it('gives way to whoever rents on demand, and to a higher bid', async () => {
    const { clock, first, bought, rent, show } = rig({ bootMs: 0 });
    const offer = await first({ type: 'bid' });
    const low = await bought(offer.id, { price: offer.min_bid });
    assert.equal((await show(low))?.actual_status, 'running');
    assert.equal((await rent(offer.id, { price: offer.min_bid, cancel_unavail: true })).status, 410);
    const high = await bought(offer.id, { price: offer.min_bid * 2 });
    clock.jump(1);
    assert.equal((await show(low))?.actual_status, 'exited');
    await bought(offer.id);
    assert.equal((await show(high))?.actual_status, 'exited');
  });
});
