import assert from 'node:assert/strict';
import { type Cluster, isGone, parseMicroUsd } from '@hitch/contract';
import type * as z from 'zod';
import { faultPlanSchema, type faultRuleSchema } from '../../src/providers/sandbox/faults.ts';
import { type Instance, type Provider, ProviderError } from '../../src/providers/provider.ts';
import { Practice } from './practice.ts';

/** A market where this goes wrong; which purchases it strikes is drawn from the seed. */
function faulty(rule: z.input<typeof faultRuleSchema>, seed = 1): Promise<Practice> {
  return new Practice({ seed, faults: faultPlanSchema.parse({ seed, rules: [rule] }) }).open();
}

function states({ nodes }: Cluster): string[] {
  return nodes.flatMap(({ attempts }) => attempts.map(({ state }) => state));
}

/** Waits for the end and checks what must hold after every story: nothing bills, and the meter is the market's. */
async function endsClean(practice: Practice, cluster: Cluster): Promise<Cluster> {
  await practice.pass(practice.service.stop(cluster.id, { skipSave: true }));
  await practice.until(
    () => practice.service.get(cluster.id).conditions.cleanup.status === 'yes',
    4 * 3_600_000,
  );
  const over = practice.service.get(cluster.id);
  assert.equal(practice.billing().length, 0);
  assert.equal(parseMicroUsd(over.usage.accruedMicroUsd), practice.billed(cluster.id));
  practice.close();
  return over;
}

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
    assert.match(dearer?.message ?? '', /more than the .* agreed to.*Non-refundable/);
    assert.match(failed.message, /None of the offers/);
    await endsClean(practice, failed);
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
});

describe('when a machine goes wrong', () => {
  it('fails a machine that never starts, after its deadline, and stops paying for it', async () => {
    const practice = await faulty({ fault: 'never_ready' });
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
    const wrong = await practice.pass(practice.service.quote(request(2)));
    await assert.rejects(practice.pass(practice.service.startAgain(id, wrong.id)), /quote is for 2/);
    const right = await practice.pass(practice.service.quote(request(1)));
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
    const practice = await new Practice({ wrapProvider: provider => mute(provider, () => silent) }).open();
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

describe('strangers', () => {
  it('are never touched, though their marks look like ours', async () => {
    const practice = await new Practice().open();
    const signal = new AbortController().signal;
    const [offer] = await practice.pass(practice.market.offers(signal));
    const entryId = (offer?.id ?? '').slice('sandbox:'.length);
    const order = { ref: 'hitch-someoneelses01', entryId, maxPricePerHourMicroUsd: 10n ** 9n, endAtMs: null };
    await practice.pass(practice.market.rent(order, signal));
    const { id } = await practice.rent();
    await practice.untilPhase(id, 'ready');
    await practice.pass(practice.service.stop(id, { skipSave: true }));
    await practice.untilPhase(id, 'stopped');
    await practice.run(600_000);
    assert.deepEqual(
      practice.billing().map(({ ref, destroyTries }) => [ref, destroyTries]),
      [[order.ref, 0]],
    );
    practice.close();
  });

  it('are not those whose intent row stands here: what comes to light late is ended on the second sighting', async () => {
    const practice = await firstCreate(async buy => {
      await buy();
      throw new ProviderError('capacity', 'Sold out.');
    });
    const { id } = await practice.rent();
    await practice.untilPhase(id, 'ready');
    const hidden = states(practice.service.get(id));
    assert.ok(hidden.includes('gone') || hidden.includes('refused'), hidden.join());
    await practice.until(() => practice.billing().length === 1);
    const events = await practice.pass(practice.service.events(id, 0, 1000));
    assert.ok(events.some(({ value }) => value === 'leftover'));
    await endsClean(practice, practice.service.get(id));
  });

  it('are not those of a cluster that was removed: it is on the list again until they are gone', async () => {
    const practice = await faulty({ fault: 'mislaid', afterMs: 60_000, durationMs: 1_800_000 });
    const { id, name } = await practice.rent({ filter: { endsBillingAlone: false } });
    await practice.untilPhase(id, 'ready');
    await practice.run(120_000);
    await practice.pass(practice.service.stop(id, { skipSave: true }));
    await practice.until(() => isGone(practice.service.get(id)));
    assert.equal(practice.billing().length, 1, 'the market bills it and does not know');
    await practice.pass(practice.service.remove(id));
    assert.deepEqual(practice.service.list(), []);
    const other = await practice.rent({}, name);
    await practice.pass(practice.service.stop(other.id, { skipSave: true }));
    practice.close();
    await practice.open();
    await practice.until(() => practice.service.list().some(cluster => cluster.id === id));
    assert.equal(practice.service.get(id).name, `${name}-2`, 'its name is another cluster’s by now');
    await practice.until(() => practice.billing().length === 0);
    await practice.until(() => isGone(practice.service.get(id)));
    assert.equal(
      parseMicroUsd(practice.service.get(id).usage.accruedMicroUsd),
      practice.billed(id),
      'what it cost meanwhile counts',
    );
    practice.close();
  });

  it('are not those taken back, also where the store is lost before they are gone', async () => {
    let refuses = true;
    const wrapProvider = (provider: Provider) =>
      wrap(provider, {
        destroy: (machine, signal) =>
          refuses
            ? Promise.reject(new ProviderError('retryable', 'Not now.'))
            : provider.destroy(machine, signal),
      });
    const rule = { fault: 'refused_but_rented' as const, chance: 1 };
    const practice = await new Practice({
      faults: faultPlanSchema.parse({ rules: [rule] }),
      wrapProvider,
    }).open();
    const { id } = await practice.rent({ filter: { endsBillingAlone: false } });
    await practice.until(() => states(practice.service.get(id)).includes('releasing'));
    await practice.pass(practice.service.stop(id, { skipSave: true }));
    await practice.until(
      () => !states(practice.service.get(id)).some(state => state === 'refused' || state === 'quarantined'),
    );
    practice.loseStore();
    await practice.open();
    assert.deepEqual(
      practice.service.list().map(cluster => cluster.id),
      [id],
    );
    refuses = false;
    await practice.until(() => practice.billing().length === 0);
    await practice.until(() => isGone(practice.service.get(id)));
    assert.equal(parseMicroUsd(practice.service.get(id).usage.accruedMicroUsd), practice.billed(id));
    practice.close();
  });

  it('are not taken for ours by an answer that names their machine', async () => {
    let strangers: readonly Instance[] = [];
    const practice = await firstCreate(async buy => {
      await buy();
      const [stranger] = strangers;
      assert.ok(stranger !== undefined);
      return stranger;
    });
    const { signal } = new AbortController();
    await settleStranger(practice);
    strangers = await practice.pass(practice.provider.list(signal));
    const { id } = await practice.rent();
    await practice.untilPhase(id, 'ready');
    await practice.until(() => practice.billing().length === 2, 600_000);
    await practice.pass(practice.service.stop(id, { skipSave: true }));
    await practice.untilPhase(id, 'stopped');
    assert.deepEqual(
      practice.billing().map(({ ref, destroyTries }) => [ref, destroyTries]),
      [[STRANGER, 0]],
    );
    assert.equal(parseMicroUsd(practice.service.usage(id).accruedMicroUsd), practice.billed(id));
    practice.close();
  });

  it('are not given back for an error that names their machine', async () => {
    let named = '';
    const practice = await firstCreate(async buy => {
      await buy();
      throw new ProviderError('unknownOutcome', 'An error, and a contract.', { instanceId: named });
    });
    named = (await settleStranger(practice)).id;
    const { id } = await practice.rent();
    await practice.untilPhase(id, 'ready');
    await practice.until(() => practice.billing().length === 2, 600_000);
    await practice.pass(practice.service.stop(id, { skipSave: true }));
    await practice.untilPhase(id, 'stopped');
    assert.deepEqual(
      practice.billing().map(({ ref, destroyTries }) => [ref, destroyTries]),
      [[STRANGER, 0]],
    );
    practice.close();
  });
});

describe('an unclear purchase', () => {
  it('is not looked for until a day that a wrong clock named, once the clock is right', async () => {
    const practice = await faulty({ fault: 'reply_lost_before_create' });
    const aheadMs = 2 * 24 * 3_600_000;
    practice.clock.jump(aheadMs);
    await practice.stockUp();
    const { id } = await practice.rent();
    await practice.until(() => states(practice.service.get(id)).includes('quarantined'));
    await practice.pass(practice.service.stop(id, { skipSave: true }));
    practice.close();
    practice.clock.jump(-aheadMs);
    await practice.open();
    await practice.until(() => isGone(practice.service.get(id)), 600_000);
    practice.close();
  });
});

describe('what a machine costs', () => {
  it('is noted anew where a network has no place for refs, and its loss is noticed there', async () => {
    const wrapProvider = (provider: Provider): Provider => ({
      ...wrap(provider, { list: () => Promise.resolve([]) }),
      capabilities: { ...provider.capabilities, refVia: 'none' },
    });
    const rules = [{ fault: 'repriced', percent: 50, afterMs: 300_000 }];
    const practice = await new Practice({ faults: faultPlanSchema.parse({ rules }), wrapProvider }).open();
    const { id } = await practice.rent({ idleMs: 0 });
    await practice.untilPhase(id, 'ready');
    await practice.run(600_000);
    const events = await practice.pass(practice.service.events(id, 0, 1000));
    assert.ok(events.some(({ kind, value }) => kind === 'price' && value === 'dearer'));
    const machine = practice.service.get(id).nodes[0]?.attempts[0]?.instanceId ?? '';
    await practice.pass(practice.market.end(machine, new AbortController().signal));
    const failed = await practice.untilPhase(id, 'failed');
    assert.match(failed.message, /took the machine back/);
    practice.close();
  });
});

const STRANGER = 'hitch-someoneelses01';

/** Somebody else's machine in the same account. */
async function settleStranger(practice: Practice): Promise<{ readonly id: string }> {
  const { signal } = new AbortController();
  const [offer] = await practice.pass(practice.market.offers(signal));
  const entryId = (offer?.id ?? '').slice('sandbox:'.length);
  const order = { ref: STRANGER, entryId, maxPricePerHourMicroUsd: 10n ** 9n, endAtMs: null };
  return practice.pass(practice.market.rent(order, signal));
}

function request(nodes: number): Parameters<Practice['service']['quote']>[0] {
  return {
    template: null,
    engine: null,
    nodes,
    offerIds: [],
    filter: {},
    maxNodePricePerHourMicroUsd: null,
    capMicroUsd: null,
    stopAtMs: null,
    idleMs: null,
    save: { paths: [], toFolder: null },
    secrets: [],
  };
}

/** The provider, with some calls in other hands. */
function wrap(provider: Provider, other: Partial<Provider>): Provider {
  const { id, title, kind, verifiedLive, capabilities } = provider;
  return {
    id,
    title,
    kind,
    verifiedLive,
    capabilities,
    credentials: () => provider.credentials(),
    offers: signal => provider.offers(signal),
    create: (order, signal) => provider.create(order, signal),
    get: (instanceId, signal) => provider.get(instanceId, signal),
    list: signal => provider.list(signal),
    destroy: (instanceId, signal) => provider.destroy(instanceId, signal),
    host: (instance, signal) => provider.host(instance, signal),
    ...other,
  };
}

/** Machines whose agents cannot be reached while `silent` answers true; the network answers as ever. */
function mute(provider: Provider, silent: () => boolean): Provider {
  return wrap(provider, {
    host: async (instance, signal) => {
      const host = await provider.host(instance, signal);
      const agent = host.inProcessAgent;
      assert.ok(agent !== undefined);
      const hear = <T>(say: () => Promise<T>): Promise<T> =>
        silent() ? Promise.reject(new Error('connection refused')) : say();
      return {
        facts: at => host.facts(at),
        ensurePython: (needs, report, at) => host.ensurePython(needs, report, at),
        startAgent: (start, at) => hear(() => host.startAgent(start, at)),
        connect: at => host.connect(at),
        readLog: (name, bytes, at) => host.readLog(name, bytes, at),
        inProcessAgent: {
          status: () => hear(() => agent.status()),
          startEngine: config => hear(() => agent.startEngine(config)),
          setWatchdog: config => hear(() => agent.setWatchdog(config)),
          shutDown: reason => hear(() => agent.shutDown(reason)),
        },
      };
    },
  });
}

/** A market whose first purchase goes as told; `buy` really buys. */
function firstCreate(answer: (buy: () => Promise<Instance>) => Promise<Instance>): Promise<Practice> {
  let asked = false;
  const wrapProvider = (provider: Provider) =>
    wrap(provider, {
      create: (order, signal) => {
        const first = !asked;
        asked = true;
        return first ? answer(() => provider.create(order, signal)) : provider.create(order, signal);
      },
    });
  return new Practice({ wrapProvider }).open();
}
