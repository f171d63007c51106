/**
 * One suite for every adapter: each sentence of provider.ts that can be seen from outside, as a test. An adapter
 * brings a subject: how to build it over a fresh network, and which faults its network (or simulator) can be given.
 */
import assert from 'node:assert/strict';
import { costOver, offerSchema, parseMicroUsd, routeLimitSchema } from '@hitch/contract';
import type { HostFacts } from '../../backend-proxy/src/access/host.ts';
import { CALL_LIMIT_MS } from '../../backend-proxy/src/clusters/limits.ts';
import { providerList } from '../../backend-proxy/src/daemon/provider-list.ts';
import { OfferBook } from '../../backend-proxy/src/offers/offer-book.ts';
import {
  priceOf,
  type Provider,
  type ProviderErrorKind,
} from '../../backend-proxy/src/providers/provider.ts';
import { describeAccount } from './provider-account.ts';
import { describeFaults } from './provider-faults.ts';
import { describeKeys } from './provider-keys.ts';
import { describeMachines } from './provider-members.ts';
import { describePurchases } from './provider-terms.ts';
import {
  type Build,
  type NetworkFault,
  type ProviderKind,
  type ProviderSubject,
  aRequest,
  checkFacts,
  dialAgain,
  instancesOf,
  isFailure,
  listedLater,
  markFor,
  needsWayIn,
  nextRef,
  rented,
  rents,
  signal,
  skipFor,
  unknownId,
  untilGone,
  wayIn,
} from './provider-rig.ts';

export function describeProvider(kind: ProviderKind): void {
  describe(`provider contract: ${kind.name}`, () => {
    const subjects: ProviderSubject[] = [];
    const build = async (...faults: NetworkFault[]): Promise<ProviderSubject> => {
      const subject = await kind.build(faults);
      subjects.push(subject);
      return subject;
    };
    before(function () {
      const { cannotRun = null } = kind;
      if (cannotRun !== null) {
        console.log(`      skipped: ${cannotRun}`);
        this.skip();
      }
    });
    afterEach(async () => {
      for (const subject of subjects.splice(0)) {
        await subject.dispose();
      }
    });
    const missed = new Set<NetworkFault>();
    after(() => {
      if (missed.size > 0) {
        console.log(`      not tried: ${kind.name} cannot be given ${[...missed].join(', ')}`);
      }
    });
    const withFault = (fault: NetworkFault, title: string, test: () => Promise<void>) => {
      if (kind.faults.includes(fault)) {
        it(title, test);
      } else {
        missed.add(fault);
      }
    };
    describeOffers(build);
    describeLife(build);
    describeFaults(build, withFault);
    describePurchases(build, withFault);
    describeMachines(build, withFault);
    describeAccount(build);
    describeKeys(build);
  });
}

export function describeOffers(build: Build): void {
  it('has an id and a title, and says what it takes to log in without asking anyone', async () => {
    const { provider } = await build();
    assert.match(provider.id, /^[a-z][a-z0-9-]{1,30}$/);
    assert.notEqual(provider.title, '');
    assert.ok(provider.login === null || provider.login.fields.length > 0);
  });

  it('offers only what the contract can carry, under stable ids of its own', async () => {
    const { provider } = await build();
    const offers = await provider.offers(signal);
    assert.ok(offers.length > 0);
    for (const offer of offers) {
      offerSchema.parse(offer);
      assert.equal(offer.provider, provider.id);
      assert.ok(offer.id.startsWith(`${provider.id}:`), offer.id);
      assert.equal(offer.practice, provider.kind === 'practice');
    }
    assert.equal(new Set(offers.map(({ id }) => id)).size, offers.length);
    const again = new Set((await provider.offers(signal)).map(({ id }) => id));
    assert.ok(offers.every(({ id }) => again.has(id)));
  });

  it('leaves sold-out offers out', async () => {
    const { provider } = await build();
    assert.ok((await provider.offers(signal)).every(({ stock }) => stock > 0));
  });

  it('says an all-in price whose parts add up exactly', async () => {
    const { provider } = await build();
    for (const offer of await provider.offers(signal)) {
      const sum = offer.priceParts.reduce((total, part) => total + parseMicroUsd(part.perHourMicroUsd), 0n);
      assert.equal(sum, parseMicroUsd(offer.pricePerHourMicroUsd), offer.id);
    }
  });

  it('says of time that is sold ahead what the first term costs, and that it ends with it', async () => {
    const { provider } = await build();
    for (const offer of await provider.offers(signal)) {
      const { id, floorMicroUsd, termMs, pricePerHourMicroUsd, endsBillingAlone } = offer;
      if (termMs !== undefined) {
        assert.equal(floorMicroUsd, costOver(parseMicroUsd(pricePerHourMicroUsd), termMs).toString(), id);
        assert.ok(endsBillingAlone, id);
        assert.ok(provider.buyTime !== undefined, 'more of it can be bought');
      }
    }
  });

  it('keeps what it says about ending billing alone true of each offer', async () => {
    const { provider } = await build();
    const alone = (await provider.offers(signal)).map(({ endsBillingAlone }) => endsBillingAlone);
    switch (provider.capabilities.endsBillingAlone) {
      case 'always':
        assert.ok(alone.every(Boolean));
        break;
      case 'never':
        assert.ok(!alone.some(Boolean));
        break;
      case 'offer':
        break;
    }
  });

  it('says how often it may be called of calls that there are', async function () {
    const { provider } = await build();
    const { limits, routes = {} } = provider.capabilities;
    if (limits === undefined) {
      return skipFor(this, provider, 'does not say how often it may be called');
    }
    const names = Object.keys(CALL_LIMIT_MS);
    assert.deepEqual(
      Object.keys(routes).filter(name => !names.includes(name)),
      [],
    );
    const known = [...names, ...Object.values(routes)];
    for (const [route, limit] of Object.entries(limits)) {
      assert.ok(known.includes(route), `nobody calls ${route}`);
      routeLimitSchema.parse(limit);
    }
  });

  it('is shown to clients with the powers that it has', async () => {
    const { provider } = await build();
    const [shown] = providerList([provider], new OfferBook(), { has: () => true });
    assert.equal(shown?.capabilities.account, provider.account !== undefined);
    assert.equal(shown.capabilities.extend, provider.extend !== undefined);
  });
}

function describeLife(build: Build): void {
  it('lists what others rented with the account too, with the price where it says so', async function () {
    const subject = await build();
    const { provider } = subject;
    if (subject.boughtElsewhere === undefined) {
      return skipFor(this, provider, 'is rented from by Hitch alone');
    }
    const id = await subject.boughtElsewhere();
    await subject.pass(provider.capabilities.visibilityDelayMs);
    const listed = (await provider.list(signal)).find(instance => instance.id === id);
    assert.ok(listed !== undefined && listed.status !== 'gone');
    assert.ok(!(listed.mark ?? '').startsWith('hitch-'));
  });

  it('rents one machine for one create, with an id, the ref and a price it was asked for', async () => {
    const subject = await build();
    const { provider } = subject;
    const request = await aRequest(provider);
    const instance = await rents(provider, request);
    assert.notEqual(instance.id, '');
    assert.ok(instance.status === 'booting' || instance.status === 'running', instance.status);
    if (provider.capabilities.refVia !== 'none') {
      assert.equal(instance.mark, markFor(provider, request));
    }
    const now = await provider.get(instance.id, signal);
    assert.ok((priceOf(now) ?? 0n) <= request.maxPricePerHourMicroUsd);
    assert.equal((await listedLater(subject, markFor(provider, request))).length, listable(provider));
  });

  it('says of what it rented that it is what it offered', async function () {
    const { provider } = await build();
    const request = await aRequest(provider);
    const { got } = await rented(provider, request);
    if (got === undefined) {
      return skipFor(this, provider, 'does not say what it rented');
    }
    const { gpuModel, gpuCount, market, trust } = request.offer;
    assert.deepEqual(got, {
      gpuModel,
      gpuCount,
      // Null: its network does not say.
      market: got.market === null ? null : market,
      trust: got.trust === null ? null : trust,
    });
  });

  it('finds it by its ref, also after a restart', async () => {
    const subject = await build();
    const { provider } = subject;
    const request = await aRequest(provider);
    const { id } = await provider.create(request, signal);
    for (const adapter of [provider, subject.restarted()]) {
      const found = await listedLater(subject, markFor(adapter, request), adapter);
      assert.deepEqual(
        found.map(instance => instance.id),
        adapter.capabilities.refVia === 'none' ? [] : [id],
      );
    }
  });

  it('shows it running in time and opens a way in', async function () {
    const subject = await build();
    const { provider } = subject;
    const instance = await rents(provider, await aRequest(provider));
    await subject.pass(600_000);
    const now = await provider.get(instance.id, signal);
    assert.equal(now.status, 'running');
    needsWayIn(this, subject);
    const host = await wayIn(subject, now);
    await checkFacts(host);
    const dialled = await dialAgain(subject, now, host.address);
    const same = lasting(await host.facts(signal));
    assert.deepEqual(lasting(await dialled.facts(signal)), same, 'it is the same machine');
    assert.deepEqual(dialled.address, host.address);
  });

  it('answers gone for an id it never had, not an error', async () => {
    const subject = await build();
    assert.equal((await subject.provider.get(unknownId(subject), signal)).status, 'gone');
  });

  it('ends it: gone, not listed, nothing left', async () => {
    const subject = await build();
    const { provider } = subject;
    const request = await aRequest(provider);
    const instance = await rents(provider, request);
    await subject.pass(600_000);
    await provider.destroy(instance.id, signal);
    await untilGone(subject, instance.id);
    assert.deepEqual(await instancesOf(provider, markFor(provider, request)), []);
    const { members } = await provider.get(instance.id, signal);
    assert.ok(
      members.every(({ status }) => status === 'gone'),
      'none of its machines is left',
    );
  });

  it('says no to a way in to what was ended', async function () {
    const subject = await build();
    const { provider } = subject;
    needsWayIn(this, subject);
    const instance = await rents(provider, await aRequest(provider));
    await subject.pass(600_000);
    const { address } = await wayIn(subject, await provider.get(instance.id, signal));
    await provider.destroy(instance.id, signal);
    await untilGone(subject, instance.id);
    await assert.rejects(async () => (await wayIn(subject, instance)).facts(signal));
    await assert.rejects(async () => (await dialAgain(subject, instance, address)).facts(signal));
  });

  it('resolves when it is asked to end what is already gone', async () => {
    const subject = await build();
    const { provider } = subject;
    const instance = await provider.create(await aRequest(provider), signal);
    await provider.destroy(instance.id, signal);
    await untilGone(subject, instance.id);
    await provider.destroy(instance.id, signal);
    await provider.destroy(unknownId(subject), signal);
  });

  it('ends only the machine it is asked to end', async () => {
    const subject = await build();
    const { provider } = subject;
    const [first, second] = [await aRequest(provider), await aRequest(provider)];
    const ending = await provider.create(first, signal);
    const staying = await provider.create(second, signal);
    await provider.destroy(ending.id, signal);
    await untilGone(subject, ending.id);
    assert.notEqual((await provider.get(staying.id, signal)).status, 'gone');
    assert.equal((await listedLater(subject, markFor(provider, second))).length, listable(provider));
  });

  it('refuses with capacity what costs more than the limit, and rents nothing', async function () {
    const { provider } = await build();
    const request = await aRequest(provider);
    if (parseMicroUsd(request.offer.pricePerHourMicroUsd) === 0n) {
      skipFor(this, provider, 'offers nothing that costs anything');
    }
    const refused = provider.create({ ...request, maxPricePerHourMicroUsd: 1n }, signal);
    await assert.rejects(refused, isFailure('capacity'));
    assert.deepEqual(await instancesOf(provider, markFor(provider, request)), []);
  });

  it('does nothing once its signal is aborted', async () => {
    const { provider } = await build();
    const request = await aRequest(provider);
    const aborted = AbortSignal.abort(new Error('given up'));
    const instance = await provider.create(request, signal);
    const other = { ...request, ref: nextRef() };
    const kinds: ProviderErrorKind[] = ['retryable', 'unknownOutcome'];
    await assert.rejects(provider.offers(aborted), isFailure(...kinds));
    await assert.rejects(provider.create(other, aborted), isFailure(...kinds));
    await assert.rejects(provider.get(instance.id, aborted), isFailure(...kinds));
    await assert.rejects(provider.list(aborted), isFailure(...kinds));
    await assert.rejects(provider.destroy(instance.id, aborted), isFailure(...kinds));
    assert.deepEqual(await instancesOf(provider, markFor(provider, other)), []);
    assert.notEqual((await provider.get(instance.id, signal)).status, 'gone');
  });

  it('moves the end time of a machine that has one', async function () {
    const subject = await build();
    const { provider } = subject;
    if (provider.extend === undefined) {
      return skipFor(this, provider, 'cannot move an end time');
    }
    const offer = (await provider.offers(signal)).find(
      ({ endsBillingAlone, stock }) => endsBillingAlone && stock > 2,
    );
    const base = await aRequest(provider, offer);
    const soon = { ...base, endAtMs: base.offer.fetchedAtMs + 3_600_000 };
    const [kept, left] = [
      await provider.create(soon, signal),
      await provider.create({ ...soon, ref: nextRef() }, signal),
    ];
    await provider.extend(kept.id, base.offer.fetchedAtMs + 7_200_000, signal);
    await subject.pass(3_700_000);
    assert.equal((await provider.get(kept.id, signal)).status, 'running');
    await untilGone(subject, left.id);
  });
}

/** Without what is measured, such as its clock and what is free on its disk: another look finds another value. */
const lasting = ({ has, ...facts }: HostFacts): object => ({ ...facts, gpus: has?.gpuCount });

/** How many machines of one ref its list can show. */
const listable = ({ capabilities }: Provider): number => (capabilities.refVia === 'none' ? 0 : 1);
