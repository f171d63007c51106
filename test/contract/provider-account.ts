/** The part of the provider suite about whose account it is, and what was billed to it. */
import assert from 'node:assert/strict';
import type { BillLine } from '../../backend-proxy/src/providers/provider.ts';
import {
  aRequest,
  type Build,
  isFailure,
  markFor,
  nextRef,
  rents,
  signal,
  skipFor,
  untilGone,
} from './provider-rig.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export function describeAccount(build: Build): void {
  it('says whose account it is, the same by another adapter object, and no amount below nothing of its limit', async function () {
    const subject = await build();
    const { provider } = subject;
    if (provider.account === undefined) {
      return skipFor(this, provider, 'says nothing of an account');
    }
    const said = await provider.account(signal);
    const again = await subject.restarted().account?.(signal);
    assert.equal(again?.id, said.id);
    assert.notEqual(said.id, '');
    assert.ok(said.spendLimitPerHourMicroUsd === null || said.spendLimitPerHourMicroUsd >= 0n);
    assert.ok(said.scopes === null || said.scopes.every(scope => scope !== ''));
    assert.deepEqual(await provider.list(signal), [], 'asking for it rents nothing');
  });

  it('refuses a login that it does not accept, and goes on with the one that was given', async function () {
    const { provider } = await build();
    const { login } = provider;
    if (provider.account === undefined || login === null) {
      return skipFor(this, provider, 'has no logins to try');
    }
    const wrong = Object.fromEntries(login.fields.map(({ name }) => [name, 'not-a-login-of-anybody']));
    await assert.rejects(provider.account(signal, wrong), isFailure('auth'));
    await provider.account(signal);
  });

  it('bills what was rented under its mark or its id, a part each, and nothing under another', async function () {
    const subject = await build();
    const { provider } = subject;
    if (provider.bill === undefined) {
      return skipFor(this, provider, 'says nothing of what it bills');
    }
    const request = await aRequest(provider);
    const [fromMs, toMs] = [request.offer.fetchedAtMs - DAY_MS, request.offer.fetchedAtMs + 2 * DAY_MS];
    const none = await provider.bill(fromMs, request.offer.fetchedAtMs, signal);
    assert.deepEqual(of(none, markFor(provider, request), null), []);
    const { id } = await rents(provider, request);
    await subject.pass(HOUR_MS);
    await provider.destroy(id, signal);
    await untilGone(subject, id);
    await subject.pass(DAY_MS);
    const lines = await provider.bill(fromMs, toMs, signal);
    const ours = of(lines, markFor(provider, request), id);
    assert.ok(ours.length > 0, 'what was rented is on the bill');
    assert.ok(ours.every(({ label }) => label !== ''));
    assert.ok(ours.reduce((sum, { amountMicroUsd }) => sum + amountMicroUsd, 0n) > 0n);
    assert.deepEqual(of(lines, nextRef(), 'another'), []);
    const other = await subject.restarted().bill?.(fromMs, toMs, signal);
    assert.deepEqual(of(other ?? [], markFor(provider, request), id), ours, 'whoever asks');
  });
}

/** Those for one machine: by its mark or, where a bill does not say that, by its id. */
const of = (lines: readonly BillLine[], wanted: string, id: string | null): readonly BillLine[] =>
  lines.filter(
    ({ mark, instanceId = null }) => mark === wanted || (mark === null && id !== null && instanceId === id),
  );
