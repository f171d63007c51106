/** The part of the provider suite about several machines in one purchase, and about whose host key answers. */
import assert from 'node:assert/strict';
import { parseMicroUsd } from '@hitch/contract';
import {
  type CreateRequest,
  type Instance,
  priceOf,
  type Provider,
} from '../../backend-proxy/src/providers/provider.ts';
import {
  aRequest,
  type Build,
  checkFacts,
  instancesOf,
  isFailure,
  listedLater,
  markFor,
  needsWayIn,
  type NetworkFault,
  offersToRent,
  type ProviderSubject,
  rents,
  signal,
  skipFor,
  untilGone,
  wayIn,
} from './provider-rig.ts';

type WithFault = (fault: NetworkFault, title: string, test: () => Promise<void>) => void;

const BOOTED_MS = 600_000;

export function describeMachines(build: Build, withFault: WithFault): void {
  describeMembers(build, withFault);
  describeProofs(build);
}

function describeMembers(build: Build, withFault: WithFault): void {
  it('refuses several machines in one purchase where its offer is not sold so, and rents nothing', async function () {
    const { provider } = await build();
    const offer = (await offersToRent(provider)).find(each => each.together === undefined);
    if (offer === undefined) {
      return skipFor(this, provider, 'sells every offer together with others');
    }
    const request = ofAll(await aRequest(provider, offer), 2);
    await assert.rejects(provider.create(request, signal), isFailure('permanent'));
    assert.deepEqual(await instancesOf(provider, markFor(provider, request)), []);
  });

  withFault(
    'sold_together',
    'rents several as one: one id, one mark, one price, and each machine by its rank',
    async () => {
      const { subject, request } = await together();
      const { provider } = subject;
      const bought = await provider.create(request, signal);
      assert.ok((priceOf(bought) ?? 0n) <= request.maxPricePerHourMicroUsd);
      await subject.pass(BOOTED_MS);
      for (const adapter of [provider, subject.restarted()]) {
        const listed = await listedLater(subject, markFor(adapter, request), adapter);
        assert.deepEqual(
          listed.map(({ id }) => id),
          [bought.id],
        );
        const now = await adapter.get(bought.id, signal);
        assert.deepEqual(ranksIn(now), [
          [0, 'running'],
          [1, 'running'],
        ]);
        assert.equal(new Set(now.members.map(({ id }) => id)).size, 2, 'each has an id of its own');
      }
    },
  );

  withFault(
    'sold_together',
    'opens a way in to each of them, which are two machines, and ends them as one',
    async () => {
      const { subject, request } = await together();
      const { provider } = subject;
      const { id } = await provider.create(request, signal);
      await subject.pass(BOOTED_MS);
      const now = await provider.get(id, signal);
      const hosts = [await wayIn(subject, now, 0), await wayIn(subject, now, 1)];
      for (const host of hosts) {
        await checkFacts(host);
      }
      const [first, second] = await Promise.all(hosts.map(host => host.facts(signal)));
      assert.notEqual(first?.stateFolder, second?.stateFolder);
      await provider.destroy(id, signal);
      await untilGone(subject, id);
      assert.deepEqual(await instancesOf(provider, markFor(provider, request)), []);
      for (const rank of [0, 1]) {
        await assert.rejects(async () => (await wayIn(subject, now, rank)).facts(signal));
      }
    },
  );

  withFault('sold_together', 'refuses more of them than it sells as one, and rents nothing', async () => {
    const { provider } = await build('sold_together');
    const sold = (await provider.offers(signal)).filter(({ together: one }) => one !== undefined);
    // Best of all one of which there would be enough.
    const offer = sold.find(({ together: one, stock }) => stock > (one?.max ?? stock)) ?? sold[0];
    assert.ok(offer?.together !== undefined, 'something is sold together');
    const request = ofAll(await aRequest(provider, offer), offer.together.max + 1);
    await assert.rejects(provider.create(request, signal), isFailure('permanent'));
    assert.deepEqual(await instancesOf(provider, markFor(provider, request)), []);
  });

  withFault(
    'member_lost',
    'says of one that is lost that it is gone, and goes on with the others',
    async () => {
      const { subject, request } = await together('member_lost');
      const { provider } = subject;
      const { id } = await provider.create(request, signal);
      await subject.pass(2 * BOOTED_MS);
      const now = await provider.get(id, signal);
      assert.equal(now.status, 'running');
      assert.deepEqual(ranksIn(now), [
        [0, 'running'],
        [1, 'gone'],
      ]);
      await checkFacts(await wayIn(subject, now, 0));
      assert.equal(now.members[1]?.ssh, null, 'ssh leads to it no more');
      if (provider.host !== undefined) {
        await assert.rejects(provider.host(now, 1, signal), isFailure('permanent'));
      }
      await provider.destroy(id, signal);
      await untilGone(subject, id);
    },
  );

  /** A network that sells so, and an order of two machines there. */
  async function together(
    ...faults: NetworkFault[]
  ): Promise<{ readonly subject: ProviderSubject; readonly request: CreateRequest }> {
    const subject = await build('sold_together', ...faults);
    const { provider } = subject;
    const offer = (await provider.offers(signal)).find(each => each.stock > 2 && each.together !== undefined);
    assert.ok(offer !== undefined, 'something is sold together');
    return { subject, request: ofAll(await aRequest(provider, offer), 2) };
  }
}

const ranksIn = ({ members }: Instance) => members.map(({ rank, status }) => [rank, status]);

/** The same order for several machines; its limit is of all of them. */
const ofAll = (request: CreateRequest, members: number): CreateRequest => ({
  ...request,
  members,
  maxPricePerHourMicroUsd: BigInt(members) * parseMicroUsd(request.offer.pricePerHourMicroUsd) * 2n,
});

function describeProofs(build: Build): void {
  it('names its machine’s host key, or lets the machine prove it, or is taken at its first word: and says which', async function () {
    const { subject, instance } = await running(this);
    const { provider } = subject;
    const { address } = await wayIn(subject, instance);
    const named = keysOf(instance);
    assert.equal(
      address.proof,
      named !== null ? 'named' : provesByASecret(provider, instance) ? 'proved' : 'first_contact',
    );
    assert.match(address.hostKey ?? '', /^(?:ssh|ecdsa)-\S+ \S/);
  });

  it('is refused, and told nothing, where its machine does not know the secret that it was bought with', async function () {
    const { subject, instance } = await running(this);
    const { provider } = subject;
    if (keysOf(instance) !== null || !provesByASecret(provider, instance)) {
      return skipFor(this, provider, 'proves no host key by a secret');
    }
    await assert.rejects(
      wayIn(subject, instance, 0, 'f0'.repeat(32)),
      // Behind a gateway such a machine does not even open its door.
      /The host key of .* is refused: .*\. Nothing of yours was sent\.$|refuses the machine’s token \(403\)/,
    );
  });

  /** A rented machine that runs and that ssh leads to. */
  async function running(
    test: Mocha.Context,
  ): Promise<{ readonly subject: ProviderSubject; readonly instance: Instance }> {
    const subject = await build();
    const { provider } = subject;
    needsWayIn(test, subject);
    const { id } = await rents(provider, await aRequest(provider));
    await subject.pass(BOOTED_MS);
    const instance = await provider.get(id, signal);
    return [undefined, 'own'].includes(sshOf(instance)?.kind)
      ? skipFor(test, provider, whyNot(provider, instance))
      : { subject, instance };
  }
}

const provesByASecret = ({ capabilities }: Provider, instance: Instance): boolean =>
  capabilities.bootSecret || sshOf(instance)?.kind === 'websocket';

const sshOf = ({ members }: Instance) => members[0]?.ssh ?? null;

const whyNot = (provider: Provider, instance: Instance): string =>
  sshOf(instance)?.kind === 'own'
    ? 'leads to machines of one’s own, whose keys the user’s ssh knows'
    : provider.host === undefined
      ? 'names no place that ssh leads to'
      : 'has machines that are processes here, without a host key';

/** What the network itself says of the machine's keys. */
function keysOf(instance: Instance): readonly string[] | null {
  const ssh = sshOf(instance);
  return ssh === null || ssh.kind === 'own' ? null : ssh.hostKeys;
}
