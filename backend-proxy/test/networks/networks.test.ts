/** Logins at networks, what is said of accounts, and what a key that stops working does: over the practice market. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { HitchError } from '@hitch/contract';
import { defectText } from '@hitch/platform/src/log.ts';
import { networkWords } from '../../src/approvals/network-approvals.ts';
import { ProviderError } from '../../src/providers/provider.ts';
import { refused } from '../refused.ts';
import { offer } from '../store/records.ts';
import { Daemons, KEY, login, READ_ONLY, REVOKED } from './daemons.ts';

describe('logins at networks', () => {
  let daemons: Daemons;
  beforeEach(() => {
    daemons = new Daemons();
  });
  afterEach(() => daemons.close());
  const open = () => daemons.open();

  it('asks the network whose key it is, keeps it in the keychain, and is seen at once', async () => {
    const { networks, provider, told, shown } = open();
    assert.equal(shown().login?.state, 'absent');
    const { signal } = new AbortController();
    await assert.rejects(provider.offers(signal), /wants a key/);
    const { message, account, warning } = await networks.login('sandbox', login(` ${KEY}\n`));
    assert.equal(message, 'You are logged in to Practice market.');
    assert.deepEqual(
      [account?.name, account?.scopes, account?.balanceMicroUsd, account?.spendLimitPerHourMicroUsd],
      ['Practice account', ['read', 'rent'], '25000000', '3000000'],
    );
    assert.equal(warning, null);
    assert.deepEqual(told, ['sandbox']);
    assert.deepEqual([shown().login?.state, shown().login?.keptIn], ['present', 'keychain']);
    assert.ok((await provider.offers(signal)).length > 0);
    assert.ok(!readFileSync(daemons.file, 'utf8').includes(KEY), 'the file holds no key');
    assert.deepEqual([...daemons.keychain.entries.values()], [JSON.stringify({ apiKey: KEY })]);
  });

  it('keeps nothing of a key that is not accepted, and does not repeat it', async () => {
    const { networks, shown, logins } = open();
    const wrong = 'practice-key-nobody-knows';
    const { message, next } = await refused(networks.login('sandbox', login(wrong)), 'LOGIN_NEEDED');
    assert.ok(!`${message} ${next ?? ''}`.includes(wrong));
    assert.equal(shown().login?.state, 'absent');
    assert.equal(daemons.keychain.entries.size, 0);
    assert.equal(logins.mask(`the key ${wrong} is unknown`, login(wrong)), 'the key ••• is unknown');
  });

  it('asks with the end of what was typed, and with none where that is short', () => {
    const { networks } = open();
    const asked = (apiKey: string) =>
      networkWords(networks, { kind: 'login', provider: 'sandbox', values: login(apiKey) }).lines[1];
    assert.equal(asked(KEY), 'With what was typed in the page, which ends with …-one');
    assert.equal(asked('short'), 'With what was typed in the page');
  });

  it('repeats no key of what a network says at any call', async () => {
    const { networks, provider, calls } = open();
    await networks.login('sandbox', login(KEY));
    const said = `no machine for ${KEY} now`;
    for (const cause of [new ProviderError('capacity', said), new Error(said)]) {
      await assert.rejects(
        calls.provider(provider, 'create', () => Promise.reject(cause)),
        (error: Error) => /no machine for ••• now/.test(error.message) && !error.message.includes(KEY),
      );
    }
  });

  it('repeats no key of what caused that either, in whatever is logged of it', async () => {
    const { networks, provider, calls } = open();
    await networks.login('sandbox', login(KEY));
    const answer = Object.assign(new Error(`401 for ${KEY}`, { cause: `Authorization: ${KEY}` }), {
      headers: { authorization: KEY },
    });
    const thrown = [
      new ProviderError('unknownOutcome', `no answer for ${KEY}`, { cause: answer }),
      answer,
      new Error('fetch failed', { cause: answer }),
    ];
    for (const cause of thrown) {
      await assert.rejects(
        calls.provider(provider, 'list', () => Promise.reject(cause)),
        (error: Error) => {
          const whole = inspect(error, { depth: null });
          return !whole.includes(KEY) && whole.includes('401 for •••') && !defectText(error).includes(KEY);
        },
      );
    }
  });

  it('repeats no key that is only tried', async () => {
    const { provider, calls } = open();
    const tried = 'practice-key-that-is-tried';
    await assert.rejects(
      calls.withLogin(provider, 'account', login(tried), () =>
        Promise.reject(new ProviderError('auth', `${tried} is unknown`, { cause: new Error(tried) })),
      ),
      (error: Error) => !inspect(error, { depth: null }).includes(tried),
    );
  });

  it('keeps the warning of a key that was revoked when another one is not accepted', async () => {
    const { networks, provider, calls, shown } = open();
    await networks.login('sandbox', login(REVOKED));
    daemons.clock.jump(60_001);
    await assert.rejects(calls.provider(provider, 'list', signal => provider.list(signal)));
    await refused(networks.login('sandbox', login('practice-key-nobody-knows')), 'LOGIN_NEEDED');
    const { state, problem } = shown().login ?? {};
    assert.deepEqual([state, problem], ['refused', 'This key of the practice market was revoked.']);
  });

  it('leaves the login that is there as it is when another one is not accepted', async () => {
    const { networks, provider, shown } = open();
    await networks.login('sandbox', login(KEY));
    await refused(networks.login('sandbox', login('practice-key-nobody-knows')), 'LOGIN_NEEDED');
    assert.equal(shown().login?.state, 'present');
    assert.ok((await provider.offers(new AbortController().signal)).length > 0);
  });

  it('refuses what is not its fields, and what is for a network that is not there', async () => {
    const { networks } = open();
    const unknown = await refused(networks.login('sandbox', { ...login(KEY), other: 'x' }), 'BAD_INPUT');
    assert.equal(unknown.message, 'The login of Practice market has no field other.');
    const missing = await refused(networks.login('sandbox', {}), 'BAD_INPUT');
    assert.equal(missing.message, 'The login of Practice market is not complete: apiKey is missing.');
    await refused(networks.login('elsewhere', login(KEY)), 'NOT_FOUND');
  });

  it('is there for the next daemon, and gone for it after a logout', async () => {
    await open().networks.login('sandbox', login(KEY));
    const second = open();
    assert.equal(second.shown().login?.state, 'present');
    assert.equal((await second.networks.test('sandbox')).account?.balanceMicroUsd, '25000000');
    await second.networks.logout('sandbox');
    assert.equal(second.shown().account, null);
    await refused(second.networks.test('sandbox'), 'LOGIN_NEEDED');
    await refused(second.networks.logout('sandbox'), 'NOT_FOUND');
    assert.equal(open().shown().login?.state, 'absent');
    assert.equal(daemons.keychain.entries.size, 0);
  });

  it('takes keys of ours out of the account before it goes, and says which its network has kept', async () => {
    const { networks, keys, shown } = open();
    await networks.login('sandbox', login(KEY));
    keys.left = ['hitch-one'];
    assert.equal(shown().login?.problem, null, 'it is at work on them');
    await networks.logout('sandbox');
    assert.deepEqual([keys.left, shown().login?.problem], [[], null]);
    await networks.login('sandbox', login(KEY));
    keys.left = ['hitch-one', 'hitch-two'];
    keys.stay = true;
    await networks.logout('sandbox');
    const { state, problem } = shown().login ?? {};
    assert.deepEqual(
      [state, problem],
      [
        'absent',
        'SSH keys that Hitch put on the account are left there: hitch-one, hitch-two. Log in again to have them removed, or remove them at Practice market.',
      ],
    );
  });

  it('says where it lies when there is no keychain', async () => {
    daemons.keychain.broken = 'there is none';
    const { networks, shown } = open();
    const { warning } = await networks.login('sandbox', login(KEY));
    assert.match(warning ?? '', /keychain cannot be used \(there is none\).*logins\.json/);
    assert.equal(shown().login?.keptIn, 'file');
  });

  it('says that a key was revoked, until there is another', async () => {
    const { networks, provider, calls, shown } = open();
    await networks.login('sandbox', login(REVOKED));
    daemons.clock.jump(60_001);
    await assert.rejects(calls.provider(provider, 'list', signal => provider.list(signal)));
    const { state, problem } = shown().login ?? {};
    assert.deepEqual([state, problem], ['refused', 'This key of the practice market was revoked.']);
    await networks.login('sandbox', login(KEY));
    assert.deepEqual([shown().login?.state, shown().login?.problem], ['present', null]);
  });

  it('lets nobody agree to what the login or the account does not carry', async () => {
    const { accounts, provider, networks } = open();
    const at = (perHour: string) => ({ ...offer, pricePerHourMicroUsd: perHour });
    await refused(accounts.check(provider, [at('1000000')], 1_000_000n), 'LOGIN_NEEDED');
    await networks.login('sandbox', login(KEY));
    await accounts.check(provider, [at('1000000')], 1_000_000n);
    const dear = await refused(accounts.check(provider, [at('4000000')], 4_000_000n), 'FUNDS_TOO_LOW');
    assert.match(dear.message, /could cost \$4\.00\/h; your account there allows \$3\.00\/h/);
    const floor = { ...at('1000000'), floorMicroUsd: '26000000' };
    const poor = await refused(accounts.check(provider, [floor], 1_000_000n), 'FUNDS_TOO_LOW');
    assert.match(poor.message, /balance at Practice market is \$25\.00; this needs \$26\.00 at once/);
  });

  it('shows every network where the list of own machines cannot be read', () => {
    const { networks, shown } = open();
    Object.assign(networks.machines, {
      of: () => {
        throw new HitchError('BAD_INPUT', 'ssh-hosts.json is not JSON.');
      },
    });
    assert.deepEqual([shown().machines, shown().problem], [[], 'ssh-hosts.json is not JSON.']);
  });

  it('rents nothing with a key that may only read', async () => {
    const { networks, provider } = open();
    const { account } = await networks.login('sandbox', login(READ_ONLY));
    assert.deepEqual(account?.scopes, ['read']);
    await assert.rejects(
      provider.destroy('sbx-1', new AbortController().signal),
      /may not rent: it needs the scope rent/,
    );
  });
});
