/** The daemons of one run: one after the other, each on the disk that the one before left, and sometimes two at once. */
import { join } from 'node:path';
import { RateLimiter } from '../../backend-proxy/src/clusters/rate-limiter.ts';
import { type Clusters, createClusters } from '../../backend-proxy/src/clusters/create-clusters.ts';
import type { Change, Store } from '../../backend-proxy/src/ledger/store.ts';
import { OfferBook } from '../../backend-proxy/src/offers/offer-book.ts';
import { OfferRefresh } from '../../backend-proxy/src/offers/refresh.ts';
import type { VirtualClock } from '@hitch/platform/src/clock.ts';
import { silentLog } from '@hitch/platform/src/log.ts';
import { createIds, type Random, randomInt } from '@hitch/platform/src/random.ts';
import type { Provider } from '../../backend-proxy/src/providers/provider.ts';
import { FarHosts } from '../../backend-proxy/src/machines/far/far-hosts.ts';
import { InlineStore } from '../../backend-proxy/src/store/inline-store.ts';
import { MemoryDisk } from '../../backend-proxy/src/store/memory-disk.ts';
import type { Source } from '@hitch/transfer';
import { type PurchaseFile, purchasesInMemory } from '../../backend-proxy/src/store/purchase-file.ts';
import { PurchaseLog } from '../../backend-proxy/src/store/purchase-log.ts';
import { type Agents, withAgents } from './agents.ts';
import type { LaptopClock } from './laptop-clock.ts';
import { Mortal } from './mortal.ts';
import type { ChaosNetwork } from './networks/network.ts';
import type { RunPlan } from './plan.ts';
import type { Report } from './report.ts';
import type { SavedFiles } from './saves.ts';
import type { AddressBook } from './ssh/address-book.ts';
import type { ClusterKeys } from './ssh/cluster-keys.ts';
import { type Far, FarMachines } from './ssh/far-machines.ts';
import { MemoryShells } from './ssh/memory-shells.ts';
import { checkRoomOn, troubledPurchases, troubledStore } from './store-trouble.ts';
import { turn } from '../../backend-proxy/test/clusters/turn.ts';
import type { Written } from './written.ts';

const MINUTE = 60_000;
/** Rarer than the real one's: a list of offers costs most of a run's time and decides about nothing here. */
const OFFERS_EVERY_MS = 20 * MINUTE;
/** Of a daemon's life, in steps. */
const MIDDLE_STEPS = 150;

/** What breaks the daemon on purpose, to see that the run notices. */
export interface Plant {
  readonly store?: (store: Store) => Store;
  readonly purchaseLog?: (file: PurchaseFile) => PurchaseFile;
  /** The adapter of each network, or of the one that `on` names. */
  readonly provider?: (provider: Provider, written: Written) => Provider;
  readonly on?: string;
  /** Which machines are believed to be ours. */
  readonly far?: (far: Far) => Far;
  /** What is saved, as the machine sends it. */
  readonly source?: (source: Source) => Source;
}

export interface DaemonsOptions {
  readonly plan: RunPlan;
  readonly plant: Plant | undefined;
  readonly report: Report;
  readonly written: Written;
  readonly clock: VirtualClock;
  readonly laptop: LaptopClock;
  /** What kills and the disk draw from. */
  readonly random: Random;
  /** The daemons' own source, so that what the person does is the same whatever a daemon draws. */
  readonly daemonRandom: Random;
  readonly networks: readonly ChaosNetwork[];
  /** Another one, asked before them in every round of whoever asks all. */
  readonly elsewhere: Provider;
  readonly agents: Agents;
  readonly saves: SavedFiles;
  readonly keys: ClusterKeys;
  readonly book: AddressBook;
  readonly onCreate: (network: ChaosNetwork, ref: string, mark: string) => void;
  readonly onDestroy: (network: ChaosNetwork, instanceId: string) => void;
  readonly onKeyRemoved: (network: ChaosNetwork, keyId: string) => void;
}

interface Daemon {
  readonly mortal: Mortal;
  readonly book: OfferBook;
  clusters: Clusters | null;
}

export class Daemons {
  /** From here on nothing dies and this computer is well. */
  calm = false;
  readonly #options: DaemonsOptions;
  #disk = new MemoryDisk();
  readonly #purchases = purchasesInMemory();
  #daemon: Daemon | null = null;
  /** Daemons that another took over from while they lived. */
  #elders: Daemon[] = [];
  /** Deaths at the point where they are aimed at, before the rest of the run has its way. */
  #aimsLeft = 3;

  constructor(options: DaemonsOptions) {
    this.#options = options;
  }

  get mortal(): Mortal | null {
    return this.#daemon?.mortal ?? null;
  }

  get isDead(): boolean {
    return this.#daemon?.mortal.dead === true;
  }

  /** The newest daemon's, once it is up. */
  get clusters(): Clusters | null {
    return this.#daemon?.mortal.dead === false ? this.#daemon.clusters : null;
  }

  get book(): OfferBook | null {
    return this.#daemon?.book ?? null;
  }

  /** Starts another daemon; one that lives goes on, and does not know. */
  async start(): Promise<void> {
    const { plan, plant, report, written, clock, laptop, random, elsewhere, agents, saves, keys } =
      this.#options;
    if (this.#daemon?.mortal.dead === false) {
      this.#elders.push(this.#daemon);
      report.visits.fault('a second daemon');
    }
    const mortal = new Mortal({
      stepsToLive: this.calm
        ? Number.POSITIVE_INFINITY
        : Math.ceil(-Math.log(1 - random.next()) * MIDDLE_STEPS),
      aim: this.#aim(),
      isUnclear: () => written.isUnclear(),
      onStep: name => report.visits.call(name),
      onDeath: where => {
        report.kills += 1;
        this.#aimsLeft -= where === plan.aim ? 1 : 0;
        report.visits.died(where);
      },
    });
    const daemon: Daemon = { mortal, book: new OfferBook(), clusters: null };
    this.#daemon = daemon;
    const stored = new InlineStore({ path: ':memory:', now: () => laptop.now(), disk: this.#disk });
    const trouble = {
      plan: plan.store,
      clock,
      random,
      isOver: () => this.calm,
      onFault: (name: string) => report.visits.fault(name),
      onWritten: (change: Change) => written.note(change),
    };
    const disk = troubledStore(stored, trouble);
    const purchaseFile = troubledPurchases(this.#purchases, mortal, () => checkRoomOn(trouble));
    const own = mortal.clock(laptop);
    const providers = this.#options.networks.map(network => this.#provider(network, mortal));
    new OfferRefresh({
      clock: own,
      log: silentLog,
      book: daemon.book,
      calls: new RateLimiter(own, new AbortController().signal, silentLog),
      providers,
      everyMs: OFFERS_EVERY_MS,
      watchedMs: Number.POSITIVE_INFINITY,
    }).start();
    const opening = createClusters({
      clock: own,
      random: this.#options.daemonRandom,
      ids: createIds(own, this.#options.daemonRandom),
      log: silentLog,
      home: saves.home,
      store: mortal.store(plant?.store?.(disk) ?? disk),
      providers: [mortal.provider(elsewhere), ...providers],
      offers: daemon.book,
      purchaseLog: new PurchaseLog(plant?.purchaseLog?.(purchaseFile) ?? purchaseFile, silentLog),
      agentBundlePath: '/nonexistent/agent.mjs',
      ...(plan.removedKept === null ? {} : { removedKept: plan.removedKept }),
      saves: saves.of(mortal, own, plant?.source),
      openAgent: link => mortal.agent(agents.open(link)),
      ssh: keys.of(mortal),
      far: this.#far(mortal),
    });
    void opening.then(
      clusters => {
        daemon.clusters = clusters;
      },
      () => mortal.kill('at its start'),
    );
    await turn();
  }

  /** How long there is none after a death. */
  drawDownMs(): number {
    const { random } = this.#options;
    return random.next() < 0.7 ? randomInt(random, 0, 30_000) : randomInt(random, 0, 40 * MINUTE);
  }

  /** One who lives again after a death. */
  async revive(): Promise<void> {
    const { random, plan, report, written } = this.#options;
    // Rare enough that every death there loses it: only the purchase log still knows that machine, if the disk took it.
    const isAimed = written.endsReclaimed && plan.store.fullAtMs === null;
    const lossChance = isAimed ? 1 : plan.store.lossChance;
    if (!this.calm && random.next() < lossChance) {
      report.visits.fault('the database is gone');
      this.#disk = new MemoryDisk();
      written.lose();
    }
    await this.start();
  }

  /** Ends those that were taken over from. */
  endElders(): void {
    this.#elders.forEach(({ mortal }) => mortal.kill('after another took over'));
    this.#elders = [];
  }

  close(): void {
    this.endElders();
    this.#daemon?.mortal.kill('at the end');
    this.#daemon?.clusters?.close();
  }

  #far(mortal: Mortal): Far {
    const { plant, laptop, keys, book, agents, report } = this.#options;
    const hosts = new FarHosts({
      shells: new MemoryShells(book, keys),
      clock: mortal.clock(laptop),
      folder: join(keys.folder, 'known'),
      keyOf: keys.fileOf,
      // None of its networks leads to a machine by a web address.
      webProxy: '/nonexistent/web-proxy',
      ownTarget: () => {
        throw new Error('There are no machines of one’s own here.');
      },
    });
    return new FarMachines({
      believes: plant?.far?.(hosts) ?? hosts,
      book,
      agents,
      mortal,
      onStranger: () => {
        report.strangersReached += 1;
      },
    });
  }

  #provider(network: ChaosNetwork, mortal: Mortal): Provider {
    const { plant, written, agents, onCreate, onDestroy, onKeyRemoved } = this.#options;
    const whole = withAgents(network.open(mortal), agents);
    const isMeant = plant?.on === undefined || plant.on === network.id;
    const broken = isMeant ? plant?.provider?.(whole, written) : undefined;
    return mortal.provider(broken ?? whole, {
      onCreate: (ref, mark) => {
        onCreate(network, ref, mark);
      },
      onDestroy: instanceId => {
        onDestroy(network, instanceId);
      },
      onKeyRemoved: keyId => {
        onKeyRemoved(network, keyId);
      },
    });
  }

  #aim(): { where: string; passes: number } | null {
    const { plan, random } = this.#options;
    // A failure there is rare enough, and so is a purchase at one network of several: the first one is it.
    const passes = /failure|POST|PUT/.test(plan.aim) ? 1 : randomInt(random, 1, 3);
    return this.calm || this.#aimsLeft <= 0 ? null : { where: plan.aim, passes };
  }
}
