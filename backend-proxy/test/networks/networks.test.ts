/** Logins at networks, what is said of accounts, and what a key that stops working does: over the practice market. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { type ErrorCode, HitchError, networkInfoSchema } from '@hitch/contract';
import { VirtualClock } from '@hitch/platform/src/clock.ts';
import { defectText, silentLog } from '@hitch/platform/src/log.ts';
import { networkWords } from '../../src/approvals/network-approvals.ts';
import { Accounts } from '../../src/clusters/accounts.ts';
import { RateLimiter } from '../../src/clusters/rate-limiter.ts';
import type { ClusterState } from '../../src/ledger/cluster-state.ts';
import type { AttemptRecord } from '../../src/ledger/records.ts';
import { Networks } from '../../src/networks/networks.ts';
import { Recordings } from '../../src/networks/recordings.ts';
import { Recorder } from '../../src/providers/recorder.ts';
import { OwnMachineTasks } from '../../src/networks/own-machine-tasks.ts';
import { OfferBook } from '../../src/offers/offer-book.ts';
import { type Instance, ProviderError } from '../../src/providers/provider.ts';
import { marketAccountSchema } from '../../src/providers/sandbox/account.ts';
import { SandboxMarket } from '../../src/providers/sandbox/market.ts';
import { memoryStorage } from '../../src/providers/sandbox/market-storage.ts';
import { NullRuntime } from '../../src/providers/sandbox/null-runtime.ts';
import { SandboxProvider } from '../../src/providers/sandbox/sandbox-provider.ts';
import { Logins } from '../../src/secrets/logins.ts';
import { SecretStore } from '../../src/secrets/secret-store.ts';
import { MemoryKeychain } from '../secrets/memory-keychain.ts';
import { attempt, cluster, ids, node, offer } from '../store/records.ts';

const KEY = 'practice-key-one';
const READ_ONLY = 'practice-key-that-reads';
const REVOKED = 'practice-key-to-be-revoked';

async function refused(call: Promise<unknown>, code: ErrorCode): Promise<HitchError> {
  try {
    await call;
  } catch (error) {
    assert.ok(error instanceof HitchError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, /\.$/);
    return error;
  }
  return assert.fail('it was not refused');
}

describe('logins at networks', () => {
  let folder = '';
  let keychain: MemoryKeychain;
  const clock = new VirtualClock();

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hitch-networks-'));
    keychain = new MemoryKeychain();
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const file = () => join(folder, 'logins.json');

  /** A daemon's part of it, over the same keychain and the same file. */
  function open() {
    const logins = new Logins(new SecretStore(file(), keychain));
    const market = new SandboxMarket({
      clock,
      storage: memoryStorage(),
      runtime: new NullRuntime({ clock }),
      account: marketAccountSchema.parse({
        keys: [{ key: KEY }, { key: READ_ONLY, scopes: ['read'] }, { key: REVOKED, revokedAfterMs: 60_000 }],
        offersNeedKey: true,
        balanceDollars: '25',
        spendLimitDollarsPerHour: '3',
      }),
    });
    const provider = new SandboxProvider(market, { login: () => logins.values('sandbox') });
    const calls = new RateLimiter(clock, new AbortController().signal, silentLog, (text, values) =>
      logins.mask(text, values),
    );
    const states: ClusterState[] = [];
    const accounts = new Accounts({ clock, calls, logins, ledger: { states: () => states.values() } });
    const told: string[] = [];
    /** What a login that is tried is shown of the account. */
    const listed: Instance[] = [];
    /** Names of keys on the account, and whether they are taken out. */
    const keys = { left: [] as string[], stay: false };
    const networks = new Networks({
      log: silentLog,
      keys: {
        takeOut: () => {
          if (keys.stay) {
            return Promise.reject(new ProviderError('retryable', 'It does not answer.'));
          }
          assert.ok(logins.has('sandbox'), 'the login is there still');
          keys.left = [];
          return Promise.resolve();
        },
        leftOn: () => keys.left,
      },
      providers: new Map([['sandbox', provider]]),
      book: new OfferBook(),
      logins,
      calls,
      accounts,
      billsOf: () => [],
      notOursOf: () => [],
      lookAtBills: () => Promise.resolve(),
      recordings: new Recordings({
        clock,
        providers: new Map(),
        recorder: new Recorder(clock),
        logins: { maskAll: text => text },
      }),
      adapterWith: (_, values) =>
        Object.assign(new SandboxProvider(market, { login: () => Promise.resolve(values) }), {
          list: () => Promise.resolve(listed),
        }),
      machines: new OwnMachineTasks({
        clock,
        ids,
        log: silentLog,
        machines: null,
        onChange: () => Promise.resolve(),
      }),
      onLogin: id => told.push(id),
    });
    const shown = () => networkInfoSchema.parse(networks.list()[0]);
    return { logins, market, provider, calls, accounts, networks, told, shown, states, listed, keys };
  }
  const login = (apiKey: string) => ({ apiKey });

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
    assert.ok(!readFileSync(file(), 'utf8').includes(KEY), 'the file holds no key');
    assert.deepEqual([...keychain.entries.values()], [JSON.stringify({ apiKey: KEY })]);
  });

  it('keeps nothing of a key that is not accepted, and does not repeat it', async () => {
    const { networks, shown, logins } = open();
    const wrong = 'practice-key-nobody-knows';
    const { message, next } = await refused(networks.login('sandbox', login(wrong)), 'LOGIN_NEEDED');
    assert.ok(!`${message} ${next ?? ''}`.includes(wrong));
    assert.equal(shown().login?.state, 'absent');
    assert.equal(keychain.entries.size, 0);
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
    clock.jump(60_001);
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
    assert.equal(keychain.entries.size, 0);
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
    keychain.broken = 'there is none';
    const { networks, shown } = open();
    const { warning } = await networks.login('sandbox', login(KEY));
    assert.match(warning ?? '', /keychain cannot be used \(there is none\).*logins\.json/);
    assert.equal(shown().login?.keptIn, 'file');
  });

  it('says that a key was revoked, until there is another', async () => {
    const { networks, provider, calls, shown } = open();
    await networks.login('sandbox', login(REVOKED));
    clock.jump(60_001);
    await assert.rejects(calls.provider(provider, 'list', signal => provider.list(signal)));
    const { state, problem } = shown().login ?? {};
    assert.deepEqual([state, problem], ['refused', 'This key of the practice market was revoked.']);
    await networks.login('sandbox', login(KEY));
    assert.deepEqual([shown().login?.state, shown().login?.problem], ['present', null]);
  });

  describe('while something is rented there', () => {
    const other = 'practice-key-of-another';
    /** The market has one account; this one says another for one of its keys. */
    const withOther = (provider: SandboxProvider) => {
      const real = provider.account?.bind(provider);
      assert.ok(real !== undefined);
      const said: typeof real = async (signal, values) =>
        values?.['apiKey'] === other
          ? { ...(await real(signal, login(KEY))), id: 'other', name: 'Another account' }
          : real(signal, values);
      Object.assign(provider, { account: said });
    };
    const rentAt = ({ states }: ReturnType<typeof open>, state: AttemptRecord['state']) => {
      const rented = cluster();
      const head = node(rented);
      states.push({ cluster: rented, nodes: [head], attempts: [attempt(head, { state })], segments: [] });
    };

    it('takes no login of another account, and keeps the one that is there', async () => {
      const first = open();
      await first.networks.login('sandbox', login(KEY));
      // The next daemon has not been told yet whose login is kept.
      for (const daemon of [first, open()]) {
        withOther(daemon.provider);
        rentAt(daemon, 'quarantined');
        const { message } = await refused(daemon.networks.login('sandbox', login(other)), 'CONFLICT');
        assert.match(
          message,
          /another account \(Another account\)\. Something is rented at Practice market with Practice account/,
        );
        assert.deepEqual(await daemon.logins.values('sandbox'), login(KEY));
        assert.equal((await daemon.networks.login('sandbox', login(KEY))).warning, null);
      }
    });

    it('takes it once that is over', async () => {
      const daemon = open();
      await daemon.networks.login('sandbox', login(KEY));
      withOther(daemon.provider);
      rentAt(daemon, 'gone');
      rentAt(daemon, 'refused');
      await daemon.networks.login('sandbox', login(other));
      assert.equal(daemon.shown().account?.name, 'Another account');
    });

    /** What the account's list has of that purchase. */
    const machineOf = (daemon: ReturnType<typeof open>): Instance => ({
      id: 'sbx-1',
      mark: daemon.states[0]?.attempts[0]?.mark ?? null,
      status: 'running',
      members: [],
      rates: [],
      message: '',
    });

    it('takes a new key for one that was revoked where it shows what stands there, and no other', async () => {
      await open().networks.login('sandbox', login(REVOKED));
      const next = open();
      clock.jump(60_001);
      rentAt(next, 'owned');
      const { message } = await refused(next.networks.login('sandbox', login(KEY)), 'CONFLICT');
      assert.match(message, /^This login shows none of what Hitch rents at Practice market: /);
      assert.deepEqual(await next.logins.values('sandbox'), login(REVOKED));
      next.listed.push(machineOf(next));
      assert.equal((await next.networks.login('sandbox', login(KEY))).warning, null);
      assert.deepEqual(await next.logins.values('sandbox'), login(KEY));
    });

    it('takes no key that shows none of it where the network never says whose one is', async () => {
      const daemon = open();
      const real = daemon.provider.account?.bind(daemon.provider);
      assert.ok(real !== undefined);
      Object.assign(daemon.provider, {
        account: async (...asked: Parameters<typeof real>) => ({ ...(await real(...asked)), id: null }),
      });
      await daemon.networks.login('sandbox', login(KEY));
      rentAt(daemon, 'owned');
      daemon.listed.push({ ...machineOf(daemon), id: 'another', mark: 'another' });
      const { next } = await refused(daemon.networks.login('sandbox', login(READ_ONLY)), 'CONFLICT');
      assert.match(next ?? '', /hitch networks login sandbox --other-account/);
      daemon.listed.push(machineOf(daemon));
      await daemon.networks.login('sandbox', login(READ_ONLY));
    });

    it('takes a login of another account from a person who says that it is one', async () => {
      const daemon = open();
      await daemon.networks.login('sandbox', login(KEY));
      withOther(daemon.provider);
      rentAt(daemon, 'owned');
      await daemon.networks.login('sandbox', login(other), true);
      assert.equal(daemon.shown().account?.name, 'Another account');
    });

    it('lets nobody log out', async () => {
      const daemon = open();
      await daemon.networks.login('sandbox', login(KEY));
      rentAt(daemon, 'releasing');
      await refused(daemon.networks.logout('sandbox'), 'CONFLICT');
      assert.equal(daemon.shown().login?.state, 'present');
    });
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
