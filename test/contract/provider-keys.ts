/** The part of the provider suite about the keys that open machines. */
import assert from 'node:assert/strict';
import { generateOpensshKey } from '@hitch/platform/src/openssh-key.ts';
import {
  aRequest,
  type Build,
  checkFacts,
  isFailure,
  nextRef,
  type ProviderSubject,
  signal,
  skipFor,
  SUITE_KEY,
  unknownId,
  wayIn,
} from './provider-rig.ts';

export function describeKeys(build: Build): void {
  describeAccountKeys(build);

  it('lets a key in to what it rented, and once more without harm', async function () {
    const subject = await build();
    const { provider } = subject;
    if (provider.letIn === undefined) {
      return skipFor(this, provider, 'takes no keys after a purchase');
    }
    const { id } = await provider.create(await aRequest(provider), signal);
    await provider.letIn(id, SUITE_KEY.publicKey, signal);
    await subject.pass(600_000);
    const before = await provider.get(id, signal);
    await provider.letIn(id, SUITE_KEY.publicKey, signal);
    assert.deepEqual(await provider.get(id, signal), before, 'nothing else has changed');
    await isOpen(subject, id);
  });

  it('says in an error that it knows no such instance to let a key in to', async function () {
    const subject = await build();
    const { provider } = subject;
    if (provider.letIn === undefined) {
      return skipFor(this, provider, 'takes no keys after a purchase');
    }
    await assert.rejects(
      provider.letIn(unknownId(subject), SUITE_KEY.publicKey, signal),
      isFailure('permanent', 'retryable'),
    );
    assert.deepEqual(await provider.list(signal), []);
  });
}

/** Those of an account, as far as `describeKeys` puts them there. */
function describeAccountKeys(build: Build): void {
  const OTHER = generateOpensshKey('another key of the contract suite').publicKey;
  const bare = (key: string | null): string => (key ?? '').split(' ').slice(0, 2).join(' ');

  it('keeps a key on the account under its name, beside those of others, until that one is taken out', async function () {
    const subject = await build();
    const { provider } = subject;
    const { accountKeys } = provider;
    if (accountKeys === undefined) {
      return skipFor(this, provider, 'keeps no keys by account');
    }
    assert.equal(provider.capabilities.sshKeys, 'account');
    const before = await accountKeys.list(signal);
    const [one, two] = [nextRef(), nextRef()];
    const made = await accountKeys.add(one, OTHER, signal);
    const staying = await accountKeys.add(two, generateOpensshKey('a third').publicKey, signal);
    const listed = await accountKeys.list(signal);
    const shown = listed.find(({ id }) => id === made.id);
    assert.equal(shown?.name, one);
    assert.equal(bare(shown.publicKey), bare(OTHER));
    assert.equal(listed.length, before.length + 2);
    const again = await subject.restarted().accountKeys?.list(signal);
    assert.deepEqual(again, listed, 'whoever asks');
    await accountKeys.remove(made.id, signal);
    await accountKeys.remove(made.id, signal);
    const after = await accountKeys.list(signal);
    assert.ok(!after.some(({ id }) => id === made.id) && after.some(({ id }) => id === staying.id));
    assert.equal(after.length, before.length + 1);
    assert.deepEqual(await provider.list(signal), [], 'keys rent nothing');
  });

  it('resolves when it is asked to take out a key that is not there', async function () {
    const subject = await build();
    const { provider } = subject;
    if (provider.accountKeys === undefined) {
      return skipFor(this, provider, 'keeps no keys by account');
    }
    await provider.accountKeys.remove(unknownId(subject), signal);
  });
}

/** Where its machines are more than records. */
async function isOpen(subject: ProviderSubject, id: string): Promise<void> {
  if (subject.leadsNowhere === undefined) {
    await checkFacts(await wayIn(subject, await subject.provider.get(id, signal)));
  }
}
