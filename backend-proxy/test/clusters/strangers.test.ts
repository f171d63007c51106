/** What a network lists: ours, also when everything here forgot it, and everybody else's. */
import assert from 'node:assert/strict';
import { type ClusterId, isGone, parseMicroUsd } from '@hitch/contract';
import { faultPlanSchema } from '../../src/providers/sandbox/faults.ts';
import { type Instance, type Provider, ProviderError } from '../../src/providers/provider.ts';
import { endsClean, faulty, firstCreate, states, wrap } from './faulty.ts';
import { Practice } from './practice.ts';

describe('strangers', () => {
  it('are never touched, though their marks look like ours', async () => {
    const practice = await new Practice().open();
    const signal = new AbortController().signal;
    const [offer, another] = await practice.pass(practice.market.offers(signal));
    const entryId = (offer?.id ?? '').slice('sandbox:'.length);
    const order = { ref: 'hitch-someoneelses01', entryId, maxPricePerHourMicroUsd: 10n ** 9n, endAtMs: null };
    await practice.pass(practice.market.rent(order, signal));
    const other = (another?.id ?? '').slice('sandbox:'.length);
    await practice.pass(practice.market.rent({ ...order, ref: 'web-1', entryId: other }, signal));
    const { id } = await practice.rent();
    await practice.untilPhase(id, 'ready');
    await practice.pass(practice.service.stop(id, { skipSave: true }));
    await practice.untilPhase(id, 'stopped');
    await practice.run(600_000);
    assert.deepEqual(
      practice.billing().map(({ ref, destroyTries }) => [ref, destroyTries]),
      [
        [order.ref, 0],
        ['web-1', 0],
      ],
    );
    // They are shown, and what an hour of them costs; only the one that looks like Hitch's is worth a warning.
    assert.deepEqual(
      practice.notOurs.map(({ mark, status, pricePerHourMicroUsd }) => [mark, status, pricePerHourMicroUsd]),
      [
        [order.ref, 'running', offer?.pricePerHourMicroUsd],
        ['web-1', 'running', another?.pricePerHourMicroUsd],
      ],
    );
    const check = await practice.rentedCheck();
    assert.match(check?.message ?? '', /lists 1 machine that no record here knows: hitch-someoneelses01/);
    practice.close();
  });

  it('are not said to be nowhere while a part of the network did not answer', async () => {
    let leftOut: string | null = 'shelf-2 does not answer.';
    const wrapProvider = (provider: Provider) => wrap(provider, { listLeftOut: () => leftOut });
    const practice = await new Practice({ wrapProvider }).open();
    const partial = await practice.rentedCheck();
    assert.equal(partial?.status, 'warning');
    assert.match(partial.message, /could not be asked what runs there: shelf-2 does not answer\./);
    leftOut = null;
    assert.equal((await practice.rentedCheck())?.status, 'ok');
    practice.close();
  });

  it('of a part that did not answer are looked for again soon, and not for ever as often', async () => {
    let leftOut: string | null = null;
    let asked = 0;
    const wrapProvider = (provider: Provider) =>
      wrap(provider, {
        listLeftOut: () => leftOut,
        list: async (...of) => {
          asked += 1;
          return provider.list(...of);
        },
      });
    const practice = await new Practice({ wrapProvider }).open();
    const { id } = await practice.rent({ idleMs: 0 });
    await practice.untilPhase(id, 'ready');
    const listsIn = async (ms: number): Promise<number> => {
      const before = asked;
      await practice.run(ms);
      return asked - before;
    };
    await practice.run(120_000);
    const usual = await listsIn(300_000);
    leftOut = 'shelf-2 does not answer.';
    const soon = await listsIn(300_000);
    assert.ok(soon > usual, `${soon.toString()}, and usually ${usual.toString()}`);
    assert.equal(await listsIn(300_000), usual);
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
    const id = await rentBeside(practice);
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
    const id = await rentBeside(practice);
    const events = await practice.pass(practice.service.events(id, 0, 1000));
    const said = events.filter(({ value }) => value === 'not_ours').map(({ message }) => message);
    assert.equal(said.length, 1);
    assert.match(said[0] ?? '', new RegExp(`an error that names ${named}, .* it is left alone`));
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

/** Rents and stops a machine beside the stranger's, which is as it was. @returns the cluster's id. */
async function rentBeside(practice: Practice): Promise<ClusterId> {
  const { id } = await practice.rent();
  await practice.untilPhase(id, 'ready');
  await practice.until(() => practice.billing().length === 2, 600_000);
  await practice.pass(practice.service.stop(id, { skipSave: true }));
  await practice.untilPhase(id, 'stopped');
  assert.deepEqual(
    practice.billing().map(({ ref, destroyTries }) => [ref, destroyTries]),
    [[STRANGER, 0]],
  );
  return id;
}

describe('an answer to another purchase', () => {
  it('is not taken for this one, though it names no mark: each has its own machine, and neither is ended', async () => {
    let first: Instance | null = null;
    const practice = await new Practice({
      wrapProvider: provider =>
        wrap(provider, {
          create: async (order, signal) => {
            const bought = await provider.create(order, signal);
            const isFirst = first === null;
            first ??= { ...bought, mark: null };
            return isFirst ? bought : first;
          },
        }),
    }).open();
    const one = await practice.rent({ idleMs: 0 });
    await practice.untilPhase(one.id, 'ready');
    const two = await practice.rent({ idleMs: 0 });
    const second = await practice.untilPhase(two.id, 'ready');
    const both = [practice.service.get(one.id), second];
    const ids = both
      .flatMap(({ nodes }) => nodes.flatMap(({ attempts }) => attempts))
      .map(attempt => attempt.instanceId);
    assert.equal(new Set(ids).size, 2, ids.join());
    assert.equal(practice.billing().length, 2, 'nothing was bought twice');
    await practice.pass(practice.service.stop(two.id, { skipSave: true }));
    await practice.untilPhase(two.id, 'stopped');
    assert.equal(practice.service.get(one.id).phase, 'ready');
    assert.deepEqual(
      practice.billing().map(({ ref }) => ref),
      [both[0]?.nodes[0]?.attempts[0]?.ref],
    );
    await endsClean(practice, practice.service.get(one.id));
  });
});
