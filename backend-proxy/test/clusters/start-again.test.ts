import assert from 'node:assert/strict';
import type { Offer, Quote } from '@hitch/contract';
import type { Store } from '../../src/ledger/store.ts';
import type { Provider } from '../../src/providers/provider.ts';
import { again, refusal, stopped } from './again.ts';
import { mute, wrap } from './faulty.ts';
import { Practice } from './practice.ts';

const offersOf = (practice: Practice): readonly Offer[] =>
  practice.book.query({
    filter: {},
    sort: { key: 'pricePerHour', descending: false },
    offset: 0,
    limit: 1000,
  }).offers;

/** What the market has from now on. */
const stock = (practice: Practice, keep: (offer: Offer) => Offer | null): void =>
  practice.book.replace(
    'sandbox',
    offersOf(practice).flatMap(offer => keep(offer) ?? []),
    practice.clock.now(),
  );

/** An offer with a GPU that is not the cheapest of all. */
function dear(practice: Practice): Offer {
  const [first, ...others] = offersOf(practice).filter(
    ({ gpuModel, market, vramMiB }) => gpuModel !== null && market === 'on_demand' && vramMiB > 40_000,
  );
  assert.ok(first !== undefined && others.length > 0, 'the practice market has large GPUs');
  return first;
}

describe('starting a cluster again', () => {
  it('asks for the machine, the limits, the paths and the template that were ordered', async () => {
    const practice = await new Practice().open();
    const wanted = dear(practice);
    const nowMs = practice.clock.now();
    const cluster = await stopped(practice, {
      offerIds: [wanted.id],
      capMicroUsd: '20000000',
      stopAtMs: nowMs + 7_200_000,
      idleMs: 0,
      save: { paths: ['out'], toFolder: '/somewhere' },
      send: ['train.py'],
      sendFrom: '~/project',
    });
    const quote = await again(practice, cluster, { sendsFrom: '~/project' });
    assert.equal(quote.candidates[0]?.offerId, wanted.id);
    assert.deepEqual(quote.again, { isAlike: true, changes: [] });
    assert.deepEqual(quote.caps, {
      totalMicroUsd: '20000000',
      stopAtMs: practice.clock.now() + 7_200_000,
      idleMs: null,
    });
    assert.deepEqual(quote.save, { paths: ['out'], toFolder: '/somewhere' });
    assert.deepEqual(quote.send, ['train.py']);
    assert.ok(quote.lines.includes('Files copied to it again: train.py'), quote.lines.join('\n'));
    assert.equal(quote.template, 'notebook');
    practice.close();
  });

  it('names the packages that its machine said were added to it, before they are installed on another', async () => {
    const environment = {
      generation: 0,
      folder: '/x',
      added: [{ name: 'rich', version: '14.1.0', atMs: 0 }],
      oldKernels: [],
      problem: '',
    };
    const wrapAgent = mute(
      () => false,
      status => ({ ...status, environment }),
    );
    const practice = await new Practice({ wrapAgent }).open();
    const cluster = await stopped(practice, {});
    const { again: said, lines } = await again(practice, cluster);
    assert.deepEqual(said?.changes, [
      'Packages that its machines had beside its own are installed again: rich 14.1.0.',
    ]);
    assert.equal(lines.filter(line => line.includes('rich 14.1.0')).length, 1);
    practice.close();
  });

  it('sends nothing again from another folder than the one of the order, and says so each time', async () => {
    const practice = await new Practice().open();
    const send = ['data', 'tr\u202eain.py'];
    const cluster = await stopped(practice, {
      offerIds: [dear(practice).id],
      send,
      sendFrom: '~/project',
    });
    for (const sendsFrom of ['~/other', '', undefined]) {
      const quote = await again(practice, cluster, sendsFrom === undefined ? {} : { sendsFrom });
      assert.deepEqual(quote.send, []);
      assert.deepEqual(quote.again?.changes, [
        'These files are not copied again: data, tr\\u202eain.py. Only JupyterLab can copy them, where it serves ~/project.',
      ]);
      assert.equal(quote.lines.filter(line => line.includes('not copied again')).length, 1);
    }
    const quote = await again(practice, cluster, { sendsFrom: '~/project' });
    await practice.pass(practice.service.startAgain(cluster.id, quote.id));
    await practice.untilPhase(cluster.id, 'ready');
    await practice.pass(practice.service.stop(cluster.id, { skipSave: true }));
    await practice.untilPhase(cluster.id, 'stopped');
    assert.deepEqual((await again(practice, cluster, { sendsFrom: '~/project' })).send, send);
    practice.close();
  });

  it('has the cap that was ordered, however often it is started, and counts this run alone against it', async () => {
    const practice = await new Practice().open();
    const cluster = await stopped(practice, { offerIds: [dear(practice).id], capMicroUsd: '20000000' });
    for (let run = 0; run < 2; run++) {
      const before = practice.service.get(cluster.id).usage.accruedMicroUsd;
      assert.notEqual(before, '0');
      // The market moves: what it has now is asked for.
      await practice.stockUp();
      const quote = await again(practice, cluster);
      await practice.pass(practice.service.startAgain(cluster.id, quote.id));
      const { caps, usage } = await practice.untilPhase(cluster.id, 'ready');
      assert.equal(caps.totalMicroUsd, '20000000');
      assert.equal(usage.spentBeforeMicroUsd, before);
      assert.ok(BigInt(usage.accruedMicroUsd) > BigInt(before));
      await practice.run(600_000);
      await practice.pass(practice.service.stop(cluster.id, { skipSave: true }));
      await practice.untilPhase(cluster.id, 'stopped');
    }
    practice.close();
  });

  it('starts one that its cap has ended, up to the same cap once more', async () => {
    const practice = await new Practice().open();
    const { id } = await practice.rent({ offerIds: [dear(practice).id], capMicroUsd: '250000', idleMs: 0 });
    const expired = await practice.untilPhase(id, 'expired');
    await practice.until(() => practice.service.get(id).conditions.cleanup.status === 'yes');
    await practice.stockUp();
    const quote = await again(practice, expired);
    assert.equal(quote.caps.totalMicroUsd, '250000');
    await practice.pass(practice.service.startAgain(id, quote.id));
    await practice.untilPhase(id, 'ready');
    await practice.untilPhase(id, 'expired');
    await practice.until(() => practice.service.get(id).conditions.cleanup.status === 'yes');
    const { usage } = practice.service.get(id);
    const run = BigInt(usage.accruedMicroUsd) - BigInt(usage.spentBeforeMicroUsd);
    assert.ok(run > 0n && run <= 250_000n, `the second run cost ${run.toString()}`);
    practice.close();
  });

  it('is kept with the record: the next daemon asks for the same', async () => {
    const practice = await new Practice().open();
    const wanted = dear(practice);
    const cluster = await stopped(practice, { offerIds: [wanted.id], capMicroUsd: '7000000' });
    practice.close();
    await practice.open();
    const quote = await again(practice, cluster);
    assert.equal(quote.candidates[0]?.offerId, wanted.id);
    assert.equal(quote.caps.totalMicroUsd, '7000000');
    practice.close();
  });

  it('lasts as long as its first quote said, where an older store holds no order, or says that nobody knows', async () => {
    let keepsQuotes = true;
    const wrapStore = (store: Store): Store => {
      const load = store.load.bind(store);
      store.load = async () => {
        const { clusters, quotes, ...rest } = await load();
        const older = clusters.map(one => ({ ...one, order: null }));
        return { ...rest, clusters: older, quotes: keepsQuotes ? quotes : [] };
      };
      return store;
    };
    const saidOfTime = (quote: Quote) =>
      quote.again?.changes.filter(change => change.startsWith('Its earlier running time'));
    const practice = await new Practice({ wrapStore }).open();
    const stopAtMs = practice.clock.now() + 7_200_000;
    const cluster = await stopped(practice, { offerIds: [dear(practice).id], stopAtMs });
    practice.close();
    await practice.open();
    const known = await again(practice, cluster);
    assert.equal(known.caps.stopAtMs, practice.clock.now() + 7_200_000);
    assert.deepEqual(saidOfTime(known), []);
    practice.close();
    keepsQuotes = false;
    await practice.open();
    const unknown = await again(practice, cluster);
    assert.equal(unknown.caps.stopAtMs, null);
    const sentence = 'Its earlier running time is not known: it has no stop time now.';
    assert.deepEqual(saidOfTime(unknown), [sentence]);
    assert.deepEqual(saidOfTime(await again(practice, cluster, { stopAtMs: null })), []);
    practice.close();
  });

  it('takes another offer of the same GPU, and says what differs and the price now', async () => {
    const practice = await new Practice().open();
    const wanted = dear(practice);
    const cluster = await stopped(practice, { offerIds: [wanted.id] });
    const price = (BigInt(wanted.pricePerHourMicroUsd) + 100_000n).toString();
    stock(practice, offer =>
      offer.id === wanted.id
        ? { ...offer, id: 'sandbox:another', country: 'JP', pricePerHourMicroUsd: price }
        : offer.gpuModel === wanted.gpuModel
          ? null
          : offer,
    );
    const quote = await again(practice, cluster);
    assert.equal(quote.candidates[0]?.offerId, 'sandbox:another');
    assert.equal(quote.again?.isAlike, true);
    assert.match(quote.again.changes[0] ?? '', /^Another machine: JP instead of /);
    assert.match(quote.again.changes[1] ?? '', /^It costs \$.*\/h now; it was \$/);
    for (const change of quote.again.changes) {
      assert.ok(
        quote.lines.some(line => line.includes(change)),
        change,
      );
    }
    practice.close();
  });

  it('offers the nearest where nothing like it is there, never silently the cheapest', async () => {
    const practice = await new Practice().open();
    const wanted = dear(practice);
    const cluster = await stopped(practice, { offerIds: [wanted.id] });
    stock(practice, offer =>
      offer.gpuModel === wanted.gpuModel ? null : { ...offer, market: 'on_demand', trust: 'data_center' },
    );
    const quote = await again(practice, cluster);
    const [first] = quote.candidates;
    const offer = practice.book.get(first?.offerId ?? '');
    assert.ok(offer !== null && offer.gpuModel !== null);
    assert.equal(quote.again?.isAlike, false);
    assert.match(
      quote.again.changes[0] ?? '',
      /is available now within its filters.*is the closest match\.$/,
    );
    const nearer = offersOf(practice).filter(
      ({ gpuCount, vramMiB }) =>
        gpuCount === wanted.gpuCount && vramMiB >= wanted.vramMiB && vramMiB < offer.vramMiB,
    );
    assert.deepEqual(nearer, []);
    practice.close();
  });

  it('says of a network that has the machine and no room why, in its own words', async () => {
    const sentence = 'Two of two machines are in use here.';
    let free = 8;
    const wrapProvider = (provider: Provider): Provider =>
      wrap(provider, { vacancy: () => ({ free, sentence }) });
    const practice = await new Practice({ wrapProvider }).open();
    const cluster = await stopped(practice, { offerIds: [dear(practice).id] });
    free = 0;
    const { code, message, next } = await refusal(again(practice, cluster));
    assert.equal(code, 'NO_OFFERS');
    assert.match(message, /^Nothing like .* can be rented now within its filters \(.*\)\. Two of two/);
    assert.match(next ?? '', /^Stop a cluster that is not needed/);
    practice.close();
  });

  it('keeps the filters: what was on demand does not become spot', async () => {
    const practice = await new Practice().open();
    const wanted = dear(practice);
    const cluster = await stopped(practice, { offerIds: [wanted.id] });
    stock(practice, offer => ({ ...offer, market: 'spot' }));
    const error = await refusal(again(practice, cluster));
    assert.equal(error.code, 'NO_OFFERS');
    assert.match(error.message, /^Nothing like .* is available now within its filters \(on demand\)\.$/);
    practice.close();
  });

  it('passes over what was tried, where that is asked for', async () => {
    const practice = await new Practice().open();
    const wanted = dear(practice);
    const cluster = await stopped(practice, { offerIds: [wanted.id] });
    const quote = await again(practice, cluster, { skipTried: true });
    assert.ok(quote.candidates.every(({ offerId }) => offerId !== wanted.id));
    practice.close();
  });

  it('takes limits that are given in the place of the ordered ones', async () => {
    const practice = await new Practice().open();
    const cluster = await stopped(practice, { capMicroUsd: '3000000' });
    const quote = await again(practice, cluster, { capMicroUsd: '4000000', idleMs: null });
    assert.equal(quote.caps.totalMicroUsd, '4000000');
    assert.equal(quote.caps.idleMs, null);
    practice.close();
  });

  it('says which secrets are not stored any more, and asks for them again once they are', async () => {
    const stored = new Map([
      ['HF_TOKEN', 'a'],
      ['WANDB', 'b'],
    ]);
    const practice = await new Practice({ secrets: stored }).open();
    const cluster = await stopped(practice, { secrets: ['HF_TOKEN', 'WANDB'] });
    stored.delete('WANDB');
    const quote = await again(practice, cluster);
    assert.deepEqual(quote.secrets, ['HF_TOKEN']);
    assert.ok(quote.again?.changes.some(change => /^The secret WANDB is no longer stored/.test(change)));
    await practice.pass(practice.service.startAgain(cluster.id, quote.id));
    await practice.untilPhase(cluster.id, 'ready');
    await practice.pass(practice.service.stop(cluster.id, { skipSave: true }));
    await practice.untilPhase(cluster.id, 'stopped');
    stored.set('WANDB', 'c');
    assert.deepEqual((await again(practice, cluster)).secrets, ['HF_TOKEN', 'WANDB']);
    practice.close();
  });
});
