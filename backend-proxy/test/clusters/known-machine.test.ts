/** A machine that was looked at is reached again without another look, which follows a little later. */
import assert from 'node:assert/strict';
import type { Cluster, MachineAbout } from '@hitch/contract';
import {
  type AgentLinkTransport,
  type Host,
  HostError,
  type HostFacts,
  type MachineAddress,
  type WayThere,
} from '../../src/access/host.ts';
import { LATER_LOOK_MS, SILENCE_LIMIT_MS } from '../../src/clusters/limits.ts';
import { mute, wrap } from './faulty.ts';
import { Practice } from './practice.ts';
import { waysIn } from './ways-in.ts';

const ABOUT: MachineAbout = { says: 'driver 550', warnings: [], returnsAfterReboot: true };

/** Practice with one machine behind a way that is looked at as those are that ssh reaches. */
class Known {
  looks = 0;
  starts = 0;
  /** Nothing of it is heard. */
  isCut = false;
  /** Only its agent says nothing. */
  isMute = false;
  about: MachineAbout | null = null;
  problem: Error | null = null;
  last: HostFacts | null = null;
  isOpen = true;
  readonly practice = new Practice({
    wrapAgent: mute(() => this.isCut || this.isMute),
    wrapProvider: market =>
      wrap(market, {
        host: async (...asked) => new KnownHost(this, await waysIn(market).host(...asked)),
        dial: async (...asked) => new KnownHost(this, await waysIn(market).dial(...asked)),
      }),
  });
  #cluster: Cluster | null = null;

  async ready(): Promise<this> {
    await this.practice.open();
    const { id } = await this.practice.rent({ idleMs: 0 });
    this.#cluster = await this.practice.untilPhase(id, 'ready');
    await this.practice.run(2 * LATER_LOOK_MS);
    this.looks = 0;
    this.starts = 0;
    return this;
  }

  get cluster(): Cluster {
    return this.practice.service.get(this.#cluster?.id ?? assert.fail('nothing is rented'));
  }

  async cut(forMs: number): Promise<void> {
    this.isCut = true;
    this.isOpen = false;
    await this.practice.run(forMs);
    this.isCut = false;
  }

  /** @throws Error while it is cut */
  reach(): void {
    if (this.isCut) {
      throw new Error('No route to host.');
    }
    this.isOpen = true;
  }

  async untilAgain(phase: Cluster['phase']): Promise<void> {
    await this.practice.until(() => this.cluster.phase === phase);
  }
}

class KnownHost implements Host {
  readonly address: MachineAddress;
  readonly #known: Known;
  readonly #host: Host;

  constructor(known: Known, host: Host) {
    this.#known = known;
    this.#host = host;
    this.address = host.address;
  }

  async facts(signal: AbortSignal): Promise<HostFacts> {
    const known = this.#known;
    known.reach();
    known.looks += 1;
    if (known.problem !== null) {
      throw known.problem;
    }
    const facts = await this.#host.facts(signal);
    known.last = known.about === null ? facts : { ...facts, about: known.about };
    return known.last;
  }

  get lastFacts(): HostFacts | null {
    return this.#known.last;
  }

  forgetFacts(): void {
    this.#known.last = null;
  }

  ensurePython(...asked: Parameters<Host['ensurePython']>): Promise<string> {
    return this.#host.ensurePython(...asked);
  }

  startAgent(...asked: Parameters<Host['startAgent']>): Promise<void> {
    this.#known.starts += 1;
    return this.#host.startAgent(...asked);
  }

  async connect(signal: AbortSignal): Promise<AgentLinkTransport> {
    this.#known.reach();
    return this.#host.connect(signal);
  }

  readLog(...asked: Parameters<Host['readLog']>): Promise<string> {
    return this.#host.readLog(...asked);
  }

  get way(): WayThere {
    const { isOpen, practice } = this.#known;
    return { isOpen, opened: signal => practice.clock.sleep(3_600_000, signal) };
  }
}

describe('a machine that is known', () => {
  it('is reached again after a cut without a look, and looked at when that is done', async () => {
    const known = await new Known().ready();
    await known.cut(2 * SILENCE_LIMIT_MS);
    assert.equal(known.cluster.phase, 'unreachable');
    await known.untilAgain('ready');
    assert.equal(known.looks, 0);
    known.about = ABOUT;
    await known.practice.run(2 * LATER_LOOK_MS);
    assert.equal(known.looks, 1);
    assert.deepEqual(known.cluster.nodes[0]?.machine, ABOUT);
    known.practice.close();
  });

  it('is looked at first where its agent does not answer as it was known', async () => {
    const known = await new Known().ready();
    known.isMute = true;
    await known.practice.run(SILENCE_LIMIT_MS);
    assert.ok(known.looks > 0);
    known.practice.close();
  });

  it('is unreachable with the reason where it cannot be used any more', async () => {
    const known = await new Known().ready();
    known.problem = new HostError('Its lease is gone.', { fatal: true });
    await known.cut(2 * SILENCE_LIMIT_MS);
    await known.practice.run(60_000);
    assert.equal(known.cluster.phase, 'unreachable');
    assert.match(known.cluster.nodes[0]?.message ?? '', /Its lease is gone/);
    known.practice.close();
  });

  it('keeps its door where it does not say in time what it is', async () => {
    const known = await new Known().ready();
    known.problem = new Error('no answer in 20 s');
    await known.cut(2 * SILENCE_LIMIT_MS);
    await known.untilAgain('ready');
    await known.practice.run(60_000);
    assert.equal(known.looks, 1);
    assert.equal(known.cluster.phase, 'ready');
    known.practice.close();
  });

  it('keeps its agent through a cut of any length, and loses one that is silent alone', async () => {
    const known = await new Known().ready();
    await known.cut(1_800_000);
    await known.untilAgain('ready');
    assert.equal(known.starts, 0);
    await known.practice.run(600_000);
    known.isMute = true;
    await known.practice.run(600_000);
    assert.ok(known.starts > 0);
    known.practice.close();
  });
});
