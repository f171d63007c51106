/** The part of the provider suite about the keys that open machines. */
import assert from 'node:assert/strict';
import {
  aRequest,
  type Build,
  checkFacts,
  isFailure,
  type ProviderSubject,
  signal,
  skipFor,
  SUITE_KEY,
  unknownId,
  wayIn,
} from './provider-rig.ts';

export function describeKeys(build: Build): void {
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

/** Where its machines are more than records. */
async function isOpen(subject: ProviderSubject, id: string): Promise<void> {
  if (subject.leadsNowhere === undefined) {
    await checkFacts(await wayIn(subject, await subject.provider.get(id, signal)));
  }
}
