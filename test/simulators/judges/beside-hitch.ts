/** What Hitch does on an account, as the network's own client sees it, and the other way round. One suite for all of them. */
import assert from 'node:assert/strict';
import { type Cluster, isOver, type MicroUsd } from '@hitch/contract';
import { Bench, type JudgedSimulator } from './bench.ts';
import { attemptOf, HitchBeside } from './hitch-beside.ts';

export interface JudgedNetwork<Of extends JudgedSimulator> {
  /** Its id in Hitch. */
  readonly id: string;
  readonly title: string;
  /** The login, in variables that Hitch reads. */
  readonly login: Readonly<Record<string, string>>;
  /** What is bought there must not come to run: nothing stands behind its address. */
  build(): Of;
  /** The network's own id of what Hitch calls so; left out: the same. */
  readonly ownId?: (instanceId: string) => string;
}

/** One thing as the client shows it. */
export interface Listed {
  readonly id: string;
  readonly mark: string | null;
  /** With everything that is billed beside it. */
  readonly perHourMicroUsd: MicroUsd;
}

/** How the network's own client is asked. Each call rejects when the client says that it failed. */
export interface OwnClient extends AsyncDisposable {
  /** What stands on the account. */
  list(): Promise<readonly Listed[]>;
  /** Rents one of its own. @returns its id */
  create(mark: string): Promise<string>;
  destroy(id: string): Promise<void>;
  /** Looks at what else the client shows of the machine that Hitch rented. */
  looksAtOurs?(id: string): Promise<void>;
}

/** The marks of what the client rents: one of them looks like a mark of another Hitch. */
const THEIR_MARKS = ['somebody-elses', 'hitch-anotherhitch0000'];

/**
 * Hitch rents, and the client sees that machine; the client rents, and Hitch leaves that alone; the client destroys
 * what Hitch rented, and Hitch says so.
 */
export function besideHitch<Of extends JudgedSimulator>(
  network: JudgedNetwork<Of>,
  client: {
    /** As people call it. */
    readonly name: string;
    /** Skips the suite where it cannot be had. */
    needs(test: Mocha.Context): void;
    lead(bench: Bench<Of>): OwnClient | Promise<OwnClient>;
    /**
     * What it does by itself, on a simulator of its own: done while the machine that Hitch rented gets old enough for its network
     * to be believed that it is gone (`visibilityDelayMs`).
     */
    readonly onItsOwn?: () => void;
  },
): void {
  describe(`judge: ${client.name}`, function () {
    this.timeout(600_000);
    const bench = new Bench(network.build());
    const close = new AsyncDisposableStack();
    let own: OwnClient;
    let hitch: HitchBeside;
    let cluster: Cluster;
    const theirs = new Map<string, string>();
    const ownId = network.ownId ?? (id => id);

    before(async function () {
      client.needs(this);
      close.defer(() => bench.close());
      await bench.open();
      own = close.use(await client.lead(bench));
      hitch = new HitchBeside(network, bench.url);
      close.defer(() => hitch.home.dispose());
      await hitch.start();
    });
    after(() => close.disposeAsync());

    describe('beside Hitch, at first', () => {
      it('sees what Hitch rents, under its mark and for its price', async () => {
        const rented = await hitch.rent();
        ({ cluster } = rented);
        const { instanceId, ref } = attemptOf(cluster);
        const [listed, ...more] = await own.list();
        assert.deepEqual(more, []);
        assert.deepEqual([listed?.id, listed?.mark], [ownId(instanceId ?? ''), ref]);
        assert.equal(listed?.perHourMicroUsd.toString(), rented.offer.pricePerHourMicroUsd);
        await own.looksAtOurs?.(ownId(instanceId ?? ''));
      });
    });

    if (client.onItsOwn !== undefined) {
      describe('on its own', client.onItsOwn);
    }

    describe('beside Hitch', () => {
      it('rents for itself, and destroys what Hitch rented, which Hitch says was not its doing', async () => {
        for (const mark of THEIR_MARKS) {
          theirs.set(await own.create(mark), mark);
        }
        await own.destroy(ownId(attemptOf(cluster).instanceId ?? ''));
        const now = await hitch.seesGone(cluster.id);
        assert.equal(attemptOf(now).message, `${network.title} ended the machine.`);
        assert.deepEqual(bench.hitchDestroyed(), [], 'nobody asked for that');
      });

      it('has what it rented shown as not ours, with its price', async () => {
        const shown = await hitch.notOurs(theirs.size);
        const listed = await own.list();
        for (const [id, mark] of theirs) {
          const one = shown.find(other => ownId(other.id) === id);
          const price = listed.find(other => other.id === id)?.perHourMicroUsd;
          assert.deepEqual([one?.mark, one?.pricePerHourMicroUsd], [mark, price?.toString()]);
        }
        const { stdout } = await hitch.home.cli(['networks', 'ls']);
        assert.match(stdout, /Not ours, never touched: somebody-elses/);
      });

      it('still has it when nothing of Hitch’s is left', async () => {
        const now = await hitch.home.cluster(cluster.id);
        const over = isOver(now) ? now : await hitch.home.stopCluster(cluster.id);
        assert.equal(over.conditions.cleanup.status, 'yes', over.message);
        const left = (await own.list()).map(({ id }) => id);
        assert.deepEqual(left.toSorted(), [...theirs.keys()].toSorted());
        assert.ok(!bench.hitchDestroyed().some(id => theirs.has(id)));
      });
    });
  });
}
