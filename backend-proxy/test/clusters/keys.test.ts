/** The key of a cluster in its machines: let in after the purchase, tried again while they run, let in again. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Cluster, ClusterId } from '@hitch/contract';
import { silentLog } from '@hitch/platform/src/log.ts';
import { homeAt } from '@hitch/platform/src/paths.ts';
import { type Host, HostError } from '../../src/access/host.ts';
import { SshHosts } from '../../src/access/ssh/hosts.ts';
import { FarError } from '../../src/access/tunnel/far-shell.ts';
import { ProviderError } from '../../src/providers/provider.ts';
import { endsClean, mute, wrap } from './faulty.ts';
import { Practice } from './practice.ts';
import { waysIn } from './ways-in.ts';

const QUARTER_MS = 15 * 60_000;

/** A market that takes a machine's key after the purchase, whose machines refuse it while it is not there. */
class KeyMarket {
  readonly asked: { readonly id: string; readonly key: string }[] = [];
  /** What it answers next instead; the last for good. */
  answers: (ProviderError | null)[] = [];
  isKeyThere = false;
  /** Whether the network's word brings a key there. */
  isHeeded = true;
  isSilent = false;
  readonly practice: Practice;
  readonly #folder = mkdtempSync(join(tmpdir(), 'hitch-keys-'));

  constructor() {
    this.practice = new Practice({
      home: this.#folder,
      ssh: new SshHosts({
        home: homeAt(this.#folder),
        log: silentLog,
        program: { node: 'node', hitch: 'hitch.mjs', environment: {} },
      }),
      wrapAgent: mute(() => this.isSilent),
      wrapProvider: market =>
        wrap(market, {
          capabilities: { ...market.capabilities, sshKeys: 'perInstance' },
          letIn: (id, key) => this.#letIn(id, key),
          host: async (instance, rank, signal) =>
            this.#behindKey(await waysIn(market).host(instance, rank, signal)),
          dial: async (id, rank, address, signal) =>
            this.#behindKey(await waysIn(market).dial(id, rank, address, signal)),
        }),
    });
  }

  async open(): Promise<this> {
    await this.practice.open();
    return this;
  }

  async warnings(id: ClusterId): Promise<readonly string[]> {
    const events = await this.practice.pass(this.practice.service.events(id, 0, 1000));
    return events
      .filter(({ kind }) => kind === 'warning')
      .map(({ value, message }) => `${value}: ${message}`);
  }

  async ready(): Promise<Cluster> {
    const { id } = await this.practice.rent({ idleMs: 0 });
    return this.practice.untilPhase(id, 'ready');
  }

  async end(cluster: Cluster): Promise<void> {
    await endsClean(this.practice, cluster);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #letIn(id: string, key: string): Promise<void> {
    this.asked.push({ id, key });
    const answer = (this.answers.length > 1 ? this.answers.shift() : this.answers[0]) ?? null;
    this.isKeyThere ||= answer === null && this.isHeeded;
    return answer === null ? Promise.resolve() : Promise.reject(answer);
  }

  #behindKey(host: Host): Host {
    const refusal = (): Promise<never> =>
      Promise.reject(
        new HostError('root@one lets nobody in.', {
          fatal: true,
          cause: new FarError('login', 'root@one lets nobody in.'),
        }),
      );
    // Whoever is in stays in, and is asked by that connection (FarShells.use).
    let isIn = false;
    return {
      address: host.address,
      facts: signal => (this.isKeyThere || isIn ? host.facts(signal) : refusal()),
      ensurePython: (needs, report, signal) => host.ensurePython(needs, report, signal),
      startAgent: (agent, signal) => host.startAgent(agent, signal),
      connect: async signal => {
        isIn = this.isKeyThere;
        return isIn ? host.connect(signal) : refusal();
      },
      readLog: (name, bytes, signal) => host.readLog(name, bytes, signal),
      way: {
        isOpen: true,
        opened: () => Promise.resolve(),
        knock: () => Promise.resolve(this.isKeyThere),
      },
    };
  }
}

describe('the key of a rented machine', () => {
  it('is let in as soon as the machine is bought, once, with the key of its cluster', async () => {
    const market = await new KeyMarket().open();
    const cluster = await market.ready();
    const [{ id, key } = assert.fail('nobody was asked'), ...more] = market.asked;
    assert.deepEqual(more, []);
    assert.equal(id, cluster.nodes[0]?.attempts[0]?.instanceId);
    assert.match(key, /^ssh-ed25519 /);
    await market.practice.run(4 * QUARTER_MS);
    assert.equal(market.asked.length, 1, 'what opens is left alone');
    await market.end(cluster);
  });

  it('is asked for until the network does it, and a machine that refuses it meanwhile is no bad one', async () => {
    const market = new KeyMarket();
    market.answers = [
      new ProviderError('retryable', 'Too often.'),
      new ProviderError('unknownOutcome', 'No answer.'),
      null,
    ];
    await market.open();
    const cluster = await market.ready();
    assert.equal(cluster.nodes[0]?.attempts.length, 1);
    assert.deepEqual(await market.warnings(cluster.id), []);
    await market.end(cluster);
  });

  it('is asked for once more by the next daemon where the last one died over it', async () => {
    const market = new KeyMarket();
    market.answers = [new ProviderError('unknownOutcome', 'No answer.')];
    await market.open();
    const { id } = await market.practice.rent({ idleMs: 0 });
    await market.practice.until(() => market.asked.length > 0);
    market.practice.close();
    market.answers = [];
    await market.open();
    const cluster = await market.practice.untilPhase(id, 'ready');
    assert.equal(cluster.nodes[0]?.attempts.length, 1);
    await market.end(cluster);
  });

  it('that the network will never attach is said once', async () => {
    const market = new KeyMarket();
    market.isKeyThere = true;
    market.answers = [new ProviderError('permanent', 'It takes no such key.')];
    await market.open();
    const cluster = await market.ready();
    await market.practice.run(4 * QUARTER_MS);
    assert.ok(market.asked.length > 1, 'it is tried again');
    assert.deepEqual(await market.warnings(cluster.id), [
      'key_not_attached: The cluster’s key was not attached to the machine: It takes no such key. It may let nobody in, now or after some hours.',
    ]);
    await market.end(cluster);
  });

  it('is let in again when a new handshake is refused, while the connection that is open works on', async () => {
    const market = await new KeyMarket().open();
    const cluster = await market.ready();
    market.isKeyThere = false;
    await market.practice.run(2 * QUARTER_MS);
    assert.equal(market.asked.length, 2);
    assert.ok(market.isKeyThere);
    assert.equal(market.practice.service.get(cluster.id).phase, 'ready');
    assert.deepEqual(await market.warnings(cluster.id), []);
    await market.end(cluster);
  });

  it('that is refused in spite of that is warned of once, and said when it opens again', async () => {
    const market = await new KeyMarket().open();
    const cluster = await market.ready();
    [market.isKeyThere, market.isHeeded] = [false, false];
    await market.practice.run(4 * QUARTER_MS);
    const [first, ...others] = await market.warnings(cluster.id);
    assert.match(
      first ?? '',
      /^key_refused: .* does not let the cluster’s key in any more\. What runs there goes on, .*Save what you need now\.$/,
    );
    assert.deepEqual(others, []);
    assert.equal(market.practice.service.get(cluster.id).phase, 'ready');
    market.isHeeded = true;
    await market.practice.run(2 * QUARTER_MS);
    assert.match((await market.warnings(cluster.id)).at(-1) ?? '', /lets the cluster’s key in again\.$/);
    await market.end(cluster);
  });

  it('is let in again where a machine that was silent refuses it', async () => {
    const market = await new KeyMarket().open();
    const cluster = await market.ready();
    [market.isSilent, market.isKeyThere] = [true, false];
    await market.practice.until(() => market.practice.service.get(cluster.id).phase === 'unreachable');
    market.isSilent = false;
    await market.practice.untilPhase(cluster.id, 'ready');
    assert.equal(market.asked.length, 2);
    await market.end(cluster);
  });
});
