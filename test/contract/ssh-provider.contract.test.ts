/** The contract suite on the user's own machines: a real ssh, a real sshd, a home of its own. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { needsOpenssh, withoutOpenssh } from '../support/openssh.ts';
import { aRequest, isFailure, signal } from './provider-rig.ts';
import { describeProvider } from './provider-suite.ts';
import { anSshNetwork, type SshSubject } from './ssh-rig.ts';

describeProvider({ name: 'ssh', faults: [], cannotRun: withoutOpenssh(), build: () => anSshNetwork() });

describe('the user’s own machines', function suite() {
  this.timeout(120_000);
  let subject: SshSubject;

  before(function check() {
    needsOpenssh(this);
  });

  beforeEach(async () => {
    subject = await anSshNetwork();
  });

  afterEach(() => subject.dispose());

  it('shows another computer what is in use, and refuses it what there is no room for', async () => {
    const { provider } = subject;
    const other = subject.another();
    const requests = await Promise.all([1, 2, 3, 4, 5].map(() => aRequest(provider)));
    for (const request of requests.slice(0, 3)) {
      await provider.create(request, signal);
    }
    assert.deepEqual(
      (await other.offers(signal)).map(({ stock }) => stock),
      [1],
    );
    const [fourth, fifth] = requests.slice(3);
    assert.ok(fourth !== undefined && fifth !== undefined);
    const { id } = await other.create(fourth, signal);
    assert.deepEqual(await provider.offers(signal), []);
    await assert.rejects(provider.create(fifth, signal), isFailure('capacity'));
    assert.equal((await provider.list(signal)).length, 4);
    await provider.destroy(id, signal);
    assert.equal((await provider.create(fifth, signal)).status, 'running');
  });

  it('takes a use of a machine once, whoever asks twice', async () => {
    const { provider } = subject;
    const request = await aRequest(provider);
    const [one, two] = [await provider.create(request, signal), await provider.create(request, signal)];
    assert.equal(one.id, two.id);
    assert.equal((await provider.list(signal)).length, 1);
  });

  it('has one machine for one purchase, however many names a machine has', async () => {
    const { provider, hosts, machine } = subject;
    const request = await aRequest(provider);
    const { id, mark } = await provider.create(request, signal);
    hosts.set({ name: 'other-name', pricePerHourMicroUsd: '0' });
    const ids = async () => (await provider.list(signal)).map(found => found.id);
    assert.deepEqual(await ids(), [id]);
    assert.deepEqual(
      (await provider.offers(signal)).map(({ supplier, stock }) => [supplier, stock]),
      [
        ['gpu-box', 3],
        ['other-name', 3],
      ],
    );
    const another = `other-name/${mark ?? ''}`;
    assert.equal((await provider.get(another, signal)).status, 'gone');
    await provider.destroy(another, signal);
    assert.equal((await provider.get(id, signal)).status, 'running');
    hosts.remove('gpu-box');
    assert.deepEqual(await ids(), []);
    await provider.destroy(id, signal);
    assert.equal((await provider.get(id, signal)).status, 'gone');
    assert.deepEqual(readdirSync(machine.home), []);
  });

  it('leaves nothing on the machine', async () => {
    const { provider, machine } = subject;
    const { id } = await provider.create(await aRequest(provider), signal);
    assert.ok(existsSync(join(machine.home, '.hitch')));
    await provider.destroy(id, signal);
    assert.deepEqual(readdirSync(machine.home), []);
  });

  it('claims of no machine that it is gone while it does not answer, and finds it again', async () => {
    const { provider, machine } = subject;
    const { id } = await provider.create(await aRequest(provider), signal);
    await machine.halt();
    for (const ask of [
      () => provider.get(id, signal),
      () => provider.list(signal),
      () => provider.offers(signal),
    ]) {
      await assert.rejects(ask, isFailure('retryable'));
    }
    await assert.rejects(provider.destroy(id, signal), isFailure('retryable', 'unknownOutcome'));
    await machine.boot();
    assert.equal((await provider.get(id, signal)).status, 'running');
  });

  it('offers what answers when one of two machines does not', async () => {
    subject.hosts.set({ name: 'nobody@127.0.0.1', pricePerHourMicroUsd: '0' });
    assert.deepEqual(
      (await subject.provider.offers(signal)).map(({ supplier }) => supplier),
      ['gpu-box'],
    );
    assert.match(subject.provider.offersLeftOut?.() ?? '', /nobody@127\.0\.0\.1/);
    subject.hosts.remove('nobody@127.0.0.1');
    await subject.provider.offers(signal);
    assert.equal(subject.provider.offersLeftOut?.(), null);
  });

  it('says all of the machine in question while another is switched off', async () => {
    const provider = subject.another();
    const request = await aRequest(provider);
    const { id } = await provider.create(request, signal);
    subject.hosts.set({ name: 'nobody@127.0.0.1', pricePerHourMicroUsd: '0' });
    for (const list of [await provider.list(signal), await provider.listNear(request.offer, signal)]) {
      assert.deepEqual(
        list.map(found => found.id),
        [id],
      );
    }
    assert.match(provider.listLeftOut() ?? '', /nobody@127\.0\.0\.1/);
    subject.hosts.remove('nobody@127.0.0.1');
    await provider.list(signal);
    assert.equal(provider.listLeftOut(), null);
  });

  it('offers nothing, and that is no failure, where no machine was added', async () => {
    subject.hosts.remove('gpu-box');
    assert.deepEqual(await subject.provider.offers(signal), []);
    assert.deepEqual(await subject.provider.list(signal), []);
  });
});
