/** Keys that a network keeps by account: put there with a purchase, taken out with its cluster, others' left alone. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Cluster } from '@hitch/contract';
import { silentLog } from '@hitch/platform/src/log.ts';
import { homeAt } from '@hitch/platform/src/paths.ts';
import { SshHosts } from '../../src/access/ssh/hosts.ts';
import {
  type AccountKey,
  type AccountKeys,
  type Provider,
  ProviderError,
} from '../../src/providers/provider.ts';
import { endsClean, states, wrap } from './faulty.ts';
import { Practice } from './practice.ts';

const THEIRS: readonly AccountKey[] = [
  { id: 'k-laptop', name: 'laptop', publicKey: 'ssh-ed25519 AAAA theirs' },
  { id: 'k-other', name: 'hitch-anotherhitch0000', publicKey: 'ssh-ed25519 BBBB theirs too' },
];

/** A market whose machines let in whoever's key the account has when they are made. */
class KeyAccount {
  keys: AccountKey[] = [...THEIRS];
  readonly asked: string[] = [];
  /** Keys that the account had when each machine was bought. */
  readonly boughtWith: (readonly AccountKey[])[] = [];
  /** Fails a call, by its name. */
  fails: (call: string) => ProviderError | null = () => null;
  readonly practice: Practice;
  readonly #folder = mkdtempSync(join(tmpdir(), 'hitch-keys-'));
  #last = 0;

  constructor(removedKept?: number) {
    this.practice = new Practice({
      home: this.#folder,
      ssh: new SshHosts({
        home: homeAt(this.#folder),
        log: silentLog,
        program: { node: 'node', hitch: 'hitch.mjs', environment: {} },
      }),
      ...(removedKept === undefined ? {} : { removedKept }),
      wrapProvider: market => this.#wrap(market),
    });
  }

  #wrap(market: Provider): Provider {
    const accountKeys: AccountKeys = {
      list: () => this.#call('list', () => [...this.keys]),
      add: (name, publicKey) =>
        this.#call('add', () => {
          assert.ok(!this.keys.some(key => key.publicKey === publicKey), 'an account has a key once');
          const key = { id: `k${(++this.#last).toString()}`, name, publicKey };
          this.keys.push(key);
          return key;
        }),
      remove: id =>
        this.#call('remove', () => {
          this.keys = this.keys.filter(key => key.id !== id);
        }),
    };
    return wrap(market, {
      capabilities: { ...market.capabilities, sshKeys: 'account' },
      accountKeys,
      create: (request, signal) => {
        this.boughtWith.push([...this.keys]);
        return market.create(request, signal);
      },
    });
  }

  get ours(): readonly AccountKey[] {
    return this.keys.filter(({ id }) => !THEIRS.some(theirs => theirs.id === id));
  }

  async open(): Promise<this> {
    await this.practice.open();
    return this;
  }

  async end(cluster: Cluster): Promise<void> {
    const { practice } = this;
    await practice.pass(practice.service.stop(cluster.id, { skipSave: true }));
    await practice.until(() => practice.service.get(cluster.id).conditions.cleanup.status === 'yes');
    await practice.until(() => this.ours.length === 0);
    await endsClean(practice, cluster);
    assert.deepEqual(this.keys, THEIRS, 'those of others are left alone');
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #call<T>(call: string, answer: () => T): Promise<T> {
    this.asked.push(call);
    const error = this.fails(call);
    if (error !== null && error.kind !== 'unknownOutcome') {
      return Promise.reject(error);
    }
    const said = answer();
    return error === null ? Promise.resolve(said) : Promise.reject(error);
  }
}

const two = { nodes: 2, engine: 'ray', idleMs: 0 } as const;

describe('a key that a network keeps by account', () => {
  it('is there before the machine is bought, named by its mark, and goes with its cluster', async () => {
    const account = await new KeyAccount().open();
    const { id } = await account.practice.rent({ idleMs: 0 });
    const cluster = await account.practice.untilPhase(id, 'ready');
    const [key, ...more] = account.ours;
    assert.deepEqual(more, []);
    assert.equal(key?.name, cluster.nodes[0]?.attempts[0]?.ref);
    assert.match(key?.publicKey ?? '', /^ssh-ed25519 /);
    assert.deepEqual(account.boughtWith, [[...THEIRS, key]]);
    await account.practice.run(3_600_000);
    assert.equal(account.ours.length, 1, 'it stays while the machine runs');
    await account.end(cluster);
  });

  it('is one for all machines of a cluster', async () => {
    const account = await new KeyAccount().open();
    const { id } = await account.practice.rent(two);
    const cluster = await account.practice.untilPhase(id, 'ready');
    assert.equal(account.ours.length, 1);
    assert.equal(account.asked.filter(call => call === 'add').length, 1);
    await account.end(cluster);
  });

  it('that cannot be put there buys nothing, and another machine is tried', async () => {
    const account = new KeyAccount();
    let left = 1;
    account.fails = call =>
      call === 'add' && left-- > 0 ? new ProviderError('permanent', 'It takes no such key.') : null;
    await account.open();
    const { id } = await account.practice.rent({ idleMs: 0 });
    const cluster = await account.practice.untilPhase(id, 'ready');
    assert.deepEqual(states(cluster), ['refused', 'owned']);
    assert.equal(account.boughtWith.length, 1);
    await account.end(cluster);
  });

  it('whose answer was lost is found again, not put there twice', async () => {
    const account = new KeyAccount();
    let left = 1;
    account.fails = call =>
      call === 'add' && left-- > 0 ? new ProviderError('unknownOutcome', 'No answer.') : null;
    await account.open();
    const { id } = await account.practice.rent({ idleMs: 0 });
    const cluster = await account.practice.untilPhase(id, 'ready');
    assert.equal(account.asked.filter(call => call === 'add').length, 1);
    assert.deepEqual(states(cluster), ['refused', 'owned']);
    await account.end(cluster);
  });

  it('is taken out by the next daemon where the last one died over its purchase', async () => {
    const account = new KeyAccount();
    account.fails = call => (call === 'add' ? new ProviderError('unknownOutcome', 'No answer.') : null);
    await account.open();
    const { id } = await account.practice.rent({ idleMs: 0 });
    await account.practice.until(() => account.ours.length > 0);
    account.practice.close();
    account.fails = () => null;
    await account.open();
    await account.end(account.practice.service.get(id));
  });

  it('is taken out however often that fails', async () => {
    const account = new KeyAccount();
    let left = 3;
    account.fails = call =>
      call === 'remove' && left-- > 0 ? new ProviderError('unknownOutcome', 'No answer.') : null;
    await account.open();
    const { id } = await account.practice.rent({ idleMs: 0 });
    await account.end(await account.practice.untilPhase(id, 'ready'));
    assert.ok(left < 3);
  });

  it('that comes back when all but the ref of its purchase is forgotten is known, and taken out', async () => {
    const account = new KeyAccount(0);
    const { practice } = account;
    await account.open();
    const { id } = await practice.rent({ idleMs: 0 });
    const cluster = await practice.untilPhase(id, 'ready');
    const [key = assert.fail()] = account.ours;
    await account.end(cluster);
    await account.open();
    await practice.pass(practice.service.remove(id));
    await practice.run(60_000);
    practice.close();
    account.keys.push(key);
    await account.open();
    await practice.until(() => account.ours.length === 0);
    assert.deepEqual(account.keys, THEIRS);
    practice.close();
  });
});
