/**
 * One suite for every adapter: each sentence of provider.ts that can be seen from outside, as a test. An adapter
 * brings a subject: how to build it over a fresh network, and which faults its network (or simulator) can be given.
 */
import assert from 'node:assert/strict';
import { type Offer, offerSchema, parseMicroUsd } from '@hitch/contract';
import { type Host, HostError } from '../../backend-proxy/src/access/host.ts';
import {
  type CreateRequest,
  type Instance,
  type Provider,
  ProviderError,
  type ProviderErrorKind,
} from '../../backend-proxy/src/providers/provider.ts';

/** Faults that a network can be made to have; an adapter's subject says which of them its network knows. */
export type NetworkFault =
  | 'sold_out'
  | 'reply_lost_after_create'
  | 'reply_lost_before_create'
  | 'error_with_id'
  | 'dearer'
  | 'rate_limited'
  | 'outage'
  | 'list_fails'
  | 'list_partial'
  | 'destroy_fails'
  | 'destroy_reply_lost'
  | 'destroy_slow'
  | 'unknown_status'
  | 'slow_boot'
  | 'slow_reply';

/** One adapter over one fresh network. */
export interface ProviderSubject {
  readonly provider: Provider;
  /** The same network seen by another adapter object, as after a restart of the daemon. */
  restarted(): Provider;
  /** Lets `ms` pass for the network. */
  pass(ms: number): Promise<void>;
  dispose(): Promise<void>;
}

export interface ProviderKind {
  readonly name: string;
  readonly faults: readonly NetworkFault[];
  /** Why it cannot run here; null where it can. */
  readonly cannotRun?: string | null;
  build(faults: readonly NetworkFault[]): Promise<ProviderSubject>;
}

const signal = new AbortController().signal;
let lastRef = 0;
const nextRef = () => `hitch-suite${process.pid.toString()}x${(++lastRef).toString()}`;

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
    const withFault = (fault: NetworkFault, title: string, test: () => Promise<void>) => {
      if (kind.faults.includes(fault)) {
        it(title, test);
      }
    };
    describeOffers(build);
    describeLife(build);
    describeFaults(build, withFault);
  });
}

type Build = (...faults: NetworkFault[]) => Promise<ProviderSubject>;

function describeOffers(build: Build): void {
  it('has an id that its offers carry, and says whether it can log in without asking anyone', async () => {
    const { provider } = await build();
    assert.match(provider.id, /^[a-z][a-z0-9-]{1,30}$/);
    assert.notEqual(provider.title, '');
    assert.ok(['not_needed', 'present', 'absent'].includes(provider.credentials()));
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

  it('has the powers that its capabilities name, and no others', async () => {
    const { provider } = await build();
    assert.equal(provider.balance !== undefined, provider.capabilities.balance);
    assert.equal(provider.extend !== undefined, provider.capabilities.extend);
  });
}

function describeLife(build: Build): void {
  it('rents one machine for one create, with an id, the ref and a price it was asked for', async () => {
    const { provider } = await build();
    const request = await aRequest(provider);
    const instance = await provider.create(request, signal);
    assert.notEqual(instance.id, '');
    assert.ok(instance.status === 'booting' || instance.status === 'running', instance.status);
    if (provider.capabilities.refVia !== 'none') {
      assert.equal(instance.ref, request.ref);
    }
    assert.ok((instance.pricePerHourMicroUsd ?? 0n) <= request.maxPricePerHourMicroUsd);
    assert.equal((await instancesOf(provider, request.ref)).length, 1);
  });

  it('finds it by its ref, also after a restart', async () => {
    const subject = await build();
    const { provider } = subject;
    const request = await aRequest(provider);
    const { id } = await provider.create(request, signal);
    for (const adapter of [provider, subject.restarted()]) {
      const found = await instancesOf(adapter, request.ref);
      assert.deepEqual(
        found.map(instance => instance.id),
        adapter.capabilities.refVia === 'none' ? [] : [id],
      );
    }
  });

  it('shows it running in time and opens a way in', async () => {
    const subject = await build();
    const { provider } = subject;
    const instance = await provider.create(await aRequest(provider), signal);
    await subject.pass(600_000);
    const now = await provider.get(instance.id, signal);
    assert.equal(now.status, 'running');
    const host = await provider.host(now, signal);
    await checkFacts(host);
  });

  it('answers gone for an id it never had, not an error', async () => {
    const { provider } = await build();
    assert.equal((await provider.get(unknownId(), signal)).status, 'gone');
  });

  it('ends it: gone, not listed, nothing left, and says no to a way in', async () => {
    const subject = await build();
    const { provider } = subject;
    const request = await aRequest(provider);
    const instance = await provider.create(request, signal);
    await subject.pass(600_000);
    await provider.destroy(instance.id, signal);
    assert.equal((await provider.get(instance.id, signal)).status, 'gone');
    assert.deepEqual(await instancesOf(provider, request.ref), []);
    await assert.rejects(provider.host(instance, signal), isFailure('permanent', 'retryable'));
  });

  it('resolves when it is asked to end what is already gone', async () => {
    const { provider } = await build();
    const instance = await provider.create(await aRequest(provider), signal);
    await provider.destroy(instance.id, signal);
    await provider.destroy(instance.id, signal);
    await provider.destroy(unknownId(), signal);
  });

  it('ends only the machine it is asked to end', async () => {
    const { provider } = await build();
    const [first, second] = [await aRequest(provider), await aRequest(provider)];
    const ending = await provider.create(first, signal);
    const staying = await provider.create(second, signal);
    await provider.destroy(ending.id, signal);
    assert.notEqual((await provider.get(staying.id, signal)).status, 'gone');
    assert.equal((await instancesOf(provider, second.ref)).length, 1);
  });

  it('refuses with capacity what costs more than the limit, and rents nothing', async () => {
    const { provider } = await build();
    const request = await aRequest(provider);
    if (parseMicroUsd(request.offer.pricePerHourMicroUsd) === 0n) {
      return;
    }
    const refused = provider.create({ ...request, maxPricePerHourMicroUsd: 1n }, signal);
    await assert.rejects(refused, isFailure('capacity'));
    assert.deepEqual(await instancesOf(provider, request.ref), []);
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
    assert.deepEqual(await instancesOf(provider, other.ref), []);
    assert.notEqual((await provider.get(instance.id, signal)).status, 'gone');
  });

  it('moves the end time of a machine that has one', async () => {
    const subject = await build();
    const { provider } = subject;
    if (provider.extend === undefined) {
      return;
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
    assert.equal((await provider.get(left.id, signal)).status, 'gone');
  });
}

function describeFaults(
  build: Build,
  withFault: (fault: NetworkFault, title: string, test: () => Promise<void>) => void,
): void {
  withFault('sold_out', 'says capacity for an offer that is gone, and rents nothing', async () => {
    const { provider } = await build('sold_out');
    await refuses(provider, 'capacity');
  });

  withFault(
    'reply_lost_before_create',
    'says unknown outcome when no answer comes; nothing turns up',
    async () => {
      const subject = await build('reply_lost_before_create');
      const { provider } = subject;
      const request = await aRequest(provider);
      await assert.rejects(provider.create(request, signal), isFailure('unknownOutcome'));
      await subject.pass(provider.capabilities.visibilityDelayMs);
      assert.deepEqual(await instancesOf(provider, request.ref), []);
    },
  );

  withFault(
    'reply_lost_after_create',
    'says unknown outcome when the answer is lost, and lists it in time',
    async () => {
      const subject = await build('reply_lost_after_create');
      const { provider } = subject;
      const request = await aRequest(provider);
      await assert.rejects(provider.create(request, signal), isFailure('unknownOutcome'));
      await subject.pass(provider.capabilities.visibilityDelayMs);
      const [found, ...more] = await instancesOf(provider, request.ref);
      assert.deepEqual(more, []);
      await provider.destroy(found?.id ?? '', signal);
      assert.equal((await provider.get(found?.id ?? '', signal)).status, 'gone');
    },
  );

  withFault('error_with_id', 'hands on the id of what exists although the call failed', async () => {
    const { provider } = await build('error_with_id');
    const request = await aRequest(provider);
    const error = await failureOf(provider.create(request, signal));
    assert.equal(error.kind, 'unknownOutcome');
    assert.deepEqual(
      (await instancesOf(provider, request.ref)).map(({ id }) => id),
      [error.instanceId],
    );
  });

  withFault('dearer', 'says the price the network really takes', async () => {
    const { provider } = await build('dearer');
    const request = await aRequest(provider);
    const { id } = await provider.create(request, signal);
    const price = (await provider.get(id, signal)).pricePerHourMicroUsd ?? 0n;
    assert.ok(price > request.maxPricePerHourMicroUsd);
  });

  withFault('rate_limited', 'says retryable when it is too busy, with the wait it is told', async () => {
    const { provider } = await build('rate_limited');
    const error = await failureOf(provider.offers(signal));
    assert.equal(error.kind, 'retryable');
    assert.ok((error.retryAfterMs ?? 0) > 0);
  });

  withFault(
    'outage',
    'fails every call while the network is down, and claims no machine is gone',
    async () => {
      const { provider } = await build('outage');
      await assert.rejects(provider.offers(signal), isFailure('retryable', 'unknownOutcome'));
      await assert.rejects(provider.list(signal), isFailure('retryable', 'unknownOutcome'));
      await assert.rejects(provider.get(unknownId(), signal), isFailure('retryable', 'unknownOutcome'));
      await assert.rejects(provider.destroy(unknownId(), signal), isFailure('retryable', 'unknownOutcome'));
    },
  );

  for (const fault of ['list_fails', 'list_partial'] as const) {
    withFault(
      fault,
      `answers an error, never a part, when the network's list ${fault.slice(5)}`,
      async () => {
        const { provider } = await build(fault);
        await provider.create(await aRequest(provider), signal);
        await provider.create(await aRequest(provider), signal);
        await assert.rejects(provider.list(signal), isFailure('retryable', 'unknownOutcome'));
      },
    );
  }

  withFault('destroy_fails', 'says so when it could not end a machine, which still stands', async () => {
    const { provider } = await build('destroy_fails');
    const { id } = await provider.create(await aRequest(provider), signal);
    await assert.rejects(provider.destroy(id, signal), isFailure('retryable', 'unknownOutcome'));
    assert.notEqual((await provider.get(id, signal)).status, 'gone');
  });

  withFault('destroy_reply_lost', 'says unknown outcome when the answer to an end is lost', async () => {
    const { provider } = await build('destroy_reply_lost');
    const { id } = await provider.create(await aRequest(provider), signal);
    await assert.rejects(provider.destroy(id, signal), isFailure('unknownOutcome'));
    assert.equal((await provider.get(id, signal)).status, 'gone');
  });

  withFault('destroy_slow', 'does not call gone what still bills', async () => {
    const subject = await build('destroy_slow');
    const { provider } = subject;
    const request = await aRequest(provider);
    const { id } = await provider.create(request, signal);
    await provider.destroy(id, signal);
    assert.notEqual((await provider.get(id, signal)).status, 'gone');
    assert.equal((await instancesOf(provider, request.ref)).length, 1);
    await subject.pass(3_600_000);
    assert.equal((await provider.get(id, signal)).status, 'gone');
  });

  withFault('unknown_status', 'calls a status it does not know unknown', async () => {
    const subject = await build('unknown_status');
    const { provider } = subject;
    const { id } = await provider.create(await aRequest(provider), signal);
    await subject.pass(600_000);
    assert.equal((await provider.get(id, signal)).status, 'unknown');
  });

  withFault('slow_boot', 'says retryable while there is no way in yet', async () => {
    const { provider } = await build('slow_boot');
    const instance = await provider.create(await aRequest(provider), signal);
    assert.equal(instance.status, 'booting');
    await assert.rejects(provider.host(instance, signal), isFailure('retryable'));
  });

  withFault('slow_reply', 'lets go of a call that is aborted while the answer is awaited', async () => {
    const { provider } = await build('slow_reply');
    const giveUp = new AbortController();
    const asked = provider.offers(giveUp.signal);
    giveUp.abort(new Error('given up'));
    await assert.rejects(asked, isFailure('unknownOutcome', 'retryable'));
  });
}

/** A request for the cheapest offer that is for sale; limit a tenth above its price. */
async function aRequest(provider: Provider, wanted?: Offer): Promise<CreateRequest> {
  const offers = await provider.offers(signal);
  const price = ({ pricePerHourMicroUsd }: Offer) => Number(pricePerHourMicroUsd);
  // With two to spare: some tests rent more than one.
  const offer = wanted ?? offers.filter(({ stock }) => stock > 2).toSorted((a, b) => price(a) - price(b))[0];
  assert.ok(offer !== undefined);
  return {
    ref: nextRef(),
    offer,
    maxPricePerHourMicroUsd: (parseMicroUsd(offer.pricePerHourMicroUsd) * 11n) / 10n,
    sshPublicKey: null,
    endAtMs: null,
  };
}

async function instancesOf(provider: Provider, ref: string): Promise<readonly Instance[]> {
  return (await provider.list(signal)).filter(instance => instance.ref === ref && instance.status !== 'gone');
}

async function refuses(provider: Provider, kind: ProviderErrorKind): Promise<void> {
  const request = await aRequest(provider);
  await assert.rejects(provider.create(request, signal), isFailure(kind));
  assert.deepEqual(await instancesOf(provider, request.ref), []);
}

async function failureOf(call: Promise<unknown>): Promise<ProviderError> {
  try {
    await call;
  } catch (error) {
    assert.ok(error instanceof ProviderError, `not a ProviderError: ${String(error)}`);
    return error;
  }
  return assert.fail('the call did not fail');
}

function isFailure(...kinds: readonly ProviderErrorKind[]): (error: unknown) => boolean {
  return error => {
    assert.ok(error instanceof ProviderError, `not a ProviderError: ${String(error)}`);
    assert.ok(kinds.includes(error.kind), `${error.kind}: ${error.message}`);
    assert.match(error.message, /\w.*\.$/, 'a failure is a sentence');
    return true;
  };
}

function unknownId(): string {
  return `hitch-never${process.pid.toString()}`;
}

async function checkFacts(host: Host): Promise<void> {
  const facts = await host.facts(signal);
  assert.notEqual(facts.stateFolder, facts.workFolder);
  assert.ok(facts.portBase === null || (facts.portBase >= 1024 && facts.portBase + 150 <= 65_536));
  assert.ok(facts.cpuCores > 0);
  assert.deepEqual(await host.facts(signal), facts, 'facts do not change');
  assert.equal(await host.readLog('agent', 1000, signal), '');
  if (host.inProcessAgent !== undefined) {
    await assert.rejects(host.inProcessAgent.status(), HostError);
  }
}
