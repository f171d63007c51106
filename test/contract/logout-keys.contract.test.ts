/**
 * What a logout does to keys for ssh that Hitch put on an account, at every network that keeps keys by account: its real adapter on
 * the simulator of it, under clusters of the practice market.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Cluster } from '@hitch/contract';
import { silentLog } from '@hitch/platform/src/log.ts';
import { generateOpensshKey } from '@hitch/platform/src/openssh-key.ts';
import { homeAt } from '@hitch/platform/src/paths.ts';
import { SshHosts } from '../../backend-proxy/src/access/ssh/hosts.ts';
import type { AccountKeys, Provider } from '../../backend-proxy/src/providers/provider.ts';
import { wrap } from '../../backend-proxy/test/clusters/faulty.ts';
import { Practice } from '../../backend-proxy/test/clusters/practice.ts';
import { SIMULATED, simulatedRig, type SimulatedRig } from './simulated-rig.ts';

const { signal } = new AbortController();
const THEIRS = 'of-somebody';

/** A Hitch of its own, whose machines need a key on the account. */
class Installation {
  readonly practice: Practice;
  readonly #folder = mkdtempSync(join(tmpdir(), 'hitch-logout-'));
  provider: Provider | null = null;

  /** @param seed two with one seed would call all things the same */
  constructor(accountKeys: AccountKeys, seed: number) {
    this.practice = new Practice({
      seed,
      home: this.#folder,
      ssh: new SshHosts({
        home: homeAt(this.#folder),
        log: silentLog,
        program: { node: 'node', hitch: 'hitch.mjs', environment: {} },
      }),
      wrapProvider: market => {
        this.provider = wrap(market, {
          capabilities: { ...market.capabilities, sshKeys: 'account' },
          accountKeys,
        });
        return this.provider;
      },
    });
  }

  async rent(): Promise<Cluster> {
    await this.practice.open();
    const { id } = await this.practice.rent({ idleMs: 0 });
    return this.practice.untilPhase(id, 'ready');
  }

  async stop({ id }: Cluster): Promise<void> {
    const { practice } = this;
    await practice.pass(practice.service.stop(id, { skipSave: true }));
    await practice.until(() => practice.service.get(id).conditions.cleanup.status === 'yes');
  }

  /** As a logout asks for it. */
  async takeOut(): Promise<void> {
    assert.ok(this.provider !== null);
    await this.practice.pass(this.practice.keys.takeOut(this.provider));
  }

  get left(): readonly string[] {
    return this.practice.keys.leftOn('sandbox');
  }

  end(): void {
    this.practice.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

const KEEPERS = SIMULATED.filter(known => simulatedRig(known).adapter().accountKeys !== undefined);

it('there are networks that keep keys by account', () => {
  assert.deepEqual(
    KEEPERS.map(({ id }) => id),
    ['prime'],
  );
});

for (const known of KEEPERS) {
  describe(`keys of Hitch's on an account at ${known.title}, at a logout`, () => {
    let rig: SimulatedRig;
    let keys: AccountKeys;
    let before: ReadonlySet<string>;
    let first: Installation;
    let second: Installation;

    beforeEach(async () => {
      rig = simulatedRig(known);
      keys = rig.adapter().accountKeys ?? assert.fail('it keeps none');
      before = new Set((await keys.list(signal)).map(({ id }) => id));
      await keys.add(THEIRS, generateOpensshKey('somebody').publicKey, signal);
      first = new Installation(keys, 1);
      second = new Installation(keys, 2);
    });
    afterEach(async () => {
      first.end();
      second.end();
      await rig[Symbol.asyncDispose]();
    });

    /** Of those that came since. */
    const names = async (): Promise<readonly string[]> =>
      (await keys.list(signal)).flatMap(({ id, name }) => (before.has(id) ? [] : [name])).toSorted();
    const keyOf = ({ nodes }: Cluster): string =>
      nodes[0]?.attempts[0]?.ref ?? assert.fail('nothing was bought');

    it('are taken out, though that failed before; those of another Hitch and of others stay', async () => {
      const cluster = await first.rent();
      const others = keyOf(await second.rent());
      assert.deepEqual(await names(), [THEIRS, keyOf(cluster), others].toSorted());
      rig.faults.add({ route: /^DELETE /, fault: { does: 'answer', answer: { status: 503, body: 'down' } } });
      await first.stop(cluster);
      assert.ok((await names()).includes(keyOf(cluster)), 'it could not be taken out');
      await assert.rejects(first.takeOut());
      assert.deepEqual(first.left, [keyOf(cluster)], 'which is known');
      rig.faults.clear();
      await first.takeOut();
      assert.deepEqual(first.left, []);
      assert.deepEqual(await names(), [THEIRS, others].toSorted());
    });

    it('stay while a machine that was bought with them stands', async () => {
      const cluster = await first.rent();
      await first.takeOut();
      assert.deepEqual(await names(), [THEIRS, keyOf(cluster)].toSorted());
      assert.deepEqual(first.left, [], 'it is needed');
    });

    it('are known to be left where the network does not answer at all', async () => {
      const cluster = await first.rent();
      rig.faults.add({ route: /./, fault: { does: 'refuse' } });
      await first.stop(cluster);
      await assert.rejects(first.takeOut());
      assert.deepEqual(first.left, [keyOf(cluster)]);
      rig.faults.clear();
      assert.ok((await names()).includes(keyOf(cluster)));
    });
  });
}
