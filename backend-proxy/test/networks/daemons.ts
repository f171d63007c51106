/** What the tests of logins share: a daemon's networks over the practice market and one keychain. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { networkInfoSchema } from '@hitch/contract';
import { VirtualClock } from '@hitch/platform/src/clock.ts';
import { silentLog } from '@hitch/platform/src/log.ts';
import { Accounts } from '../../src/clusters/accounts.ts';
import { RateLimiter } from '../../src/clusters/rate-limiter.ts';
import type { ClusterState } from '../../src/ledger/cluster-state.ts';
import { Networks } from '../../src/networks/networks.ts';
import { OwnMachineTasks } from '../../src/networks/own-machine-tasks.ts';
import { Recordings } from '../../src/networks/recordings.ts';
import { OfferBook } from '../../src/offers/offer-book.ts';
import { type Instance, ProviderError } from '../../src/providers/provider.ts';
import { Recorder } from '../../src/providers/recorder.ts';
import { marketAccountSchema } from '../../src/providers/sandbox/account.ts';
import { SandboxMarket } from '../../src/providers/sandbox/market.ts';
import { memoryStorage } from '../../src/providers/sandbox/market-storage.ts';
import { NullRuntime } from '../../src/providers/sandbox/null-runtime.ts';
import { SandboxProvider } from '../../src/providers/sandbox/sandbox-provider.ts';
import { Logins } from '../../src/secrets/logins.ts';
import { SecretStore } from '../../src/secrets/secret-store.ts';
import { MemoryKeychain } from '../secrets/memory-keychain.ts';
import { ids } from '../store/records.ts';

export const KEY = 'practice-key-one';
export const READ_ONLY = 'practice-key-that-reads';
export const REVOKED = 'practice-key-to-be-revoked';

export const login = (apiKey: string) => ({ apiKey });

export type Daemon = ReturnType<Daemons['open']>;

/** Daemons that come one after the other, on one computer. */
export class Daemons {
  readonly keychain = new MemoryKeychain();
  readonly clock = new VirtualClock();
  readonly #folder = mkdtempSync(join(tmpdir(), 'hitch-networks-'));
  readonly file = join(this.#folder, 'logins.json');

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** A daemon's part of it, over the same keychain and the same file. */
  open() {
    const { clock, keychain } = this;
    const logins = new Logins(new SecretStore(this.file, keychain));
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
}
