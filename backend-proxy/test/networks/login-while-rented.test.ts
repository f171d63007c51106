/** Whose login is taken while machines stand at a network: only one that can end what is rented there. */
import assert from 'node:assert/strict';
import type { AttemptRecord } from '../../src/ledger/records.ts';
import type { Instance } from '../../src/providers/provider.ts';
import type { SandboxProvider } from '../../src/providers/sandbox/sandbox-provider.ts';
import { refused } from '../refused.ts';
import { attempt, cluster, node } from '../store/records.ts';
import { type Daemon, Daemons, KEY, login, READ_ONLY, REVOKED } from './daemons.ts';

describe('a login where something is rented', () => {
  let daemons: Daemons;
  beforeEach(() => {
    daemons = new Daemons();
  });
  afterEach(() => daemons.close());
  const open = () => daemons.open();

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
  const rentAt = ({ states }: Daemon, state: AttemptRecord['state']) => {
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
  const machineOf = (daemon: Daemon): Instance => ({
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
    daemons.clock.jump(60_001);
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
