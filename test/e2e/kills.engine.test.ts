/**
 * The daemon is killed with -9 twenty times, at moments drawn from a seed, while it rents, sets up and gives back real
 * machines. The daemons after it finish the work: nothing is left, nothing was bought twice.
 */
import assert from 'node:assert/strict';
import { type Cluster, type ClusterId, HitchError, type QuoteId } from '@hitch/contract';
import { pick, randomInt, seededRandom } from '@hitch/platform/src/random.ts';
import { DaemonHome, passing } from '../support/daemon-home.ts';
import { needsRealNodes } from '../support/processes.ts';
import { delay, until } from '../support/waiting.ts';

const KILLS = 20;
/** About as long as a launch or a stop takes here. */
const LONGEST_LIFE_MS = 8_000;
/** A life that is shorter may end while the daemon starts; a longer one is counted from when it answers. */
const START_MS = 1_000;
/** More at once would only wait for each other's Python. */
const AT_ONCE = 2;

const SEED = Number(process.env['HITCH_TEST_SEED'] ?? Date.now() % 1_000_000);

interface Wish {
  readonly quoteId: QuoteId;
  /** Null until a daemon has answered the yes. */
  id: ClusterId | null;
  /** So many kills later it is asked to stop. */
  killsLeft: number;
  stopAsked: boolean;
}

describe('twenty kill -9 of the daemon between create and gone', function () {
  this.timeout(600_000);
  const random = seededRandom(SEED);
  const home = new DaemonHome({
    HITCH_SANDBOX_BOOT_MS: '300',
    HITCH_SANDBOX_VISIBILITY_MS: '2000',
    // Two of these clusters never race for the last one of an offer.
    HITCH_SANDBOX_STOCK: '50',
  });
  const wishes: Wish[] = [];
  const killedAt = new Map<string, number>();

  before(function () {
    needsRealNodes(this);
    console.log(`      seed ${SEED.toString()} (HITCH_TEST_SEED=${SEED.toString()} draws the same moments)`);
  });

  after(() => home.dispose());

  /** On a slow computer too a daemon lives for long enough to be asked for something. */
  const untilItAnswers = async (living: () => boolean): Promise<void> => {
    await until('the daemon answers, or has ended', async () => {
      const answered = await home.api.daemon.info().catch(() => null);
      return !living() || answered?.pid === home.pid;
    });
  };

  /** What a person does meanwhile; every call may die with the daemon, and is made again with the next one. */
  const act = async (): Promise<void> => {
    if (wishes.filter(({ stopAsked }) => !stopAsked).length < AT_ONCE) {
      const provider = pick(random, ['sandbox', 'sandbox', 'local'] as const);
      const quote = await home.quote({ filter: { providers: [provider] } });
      wishes.push({ quoteId: quote.id, id: null, killsLeft: randomInt(random, 1, 2), stopAsked: false });
    }
    for (const wish of wishes) {
      wish.id ??= (await home.api.clusters.create({ quoteId: wish.quoteId })).id;
      if (wish.killsLeft <= 0 && !wish.stopAsked) {
        await home.api.clusters.stop({ clusterId: wish.id, skipSave: false });
        wish.stopAsked = true;
      }
    }
  };

  it('are survived: each next daemon goes on where the last one died', async () => {
    for (let kill = 1; kill <= KILLS; kill++) {
      // Short lives more often than long ones: in them something is always under way.
      const lifeMs = 100 + LONGEST_LIFE_MS * random.next() ** 2;
      const daemon = home.spawn();
      const living = () => daemon.exitCode === null && daemon.signalCode === null;
      const death = (lifeMs < START_MS ? Promise.resolve() : untilItAnswers(living)).then(async () => {
        await delay(lifeMs);
        for (const { phase } of await home.api.clusters.list().catch(() => [])) {
          killedAt.set(phase, (killedAt.get(phase) ?? 0) + 1);
        }
        await home.kill();
      });
      while (living()) {
        await act().catch(whileItDies);
        await delay(200);
      }
      await death;
      assert.equal(daemon.signalCode, 'SIGKILL', `the daemon ended by itself: ${home.said}`);
      wishes.forEach(wish => (wish.killsLeft -= 1));
    }
    console.log(`      phases at the kills: ${[...killedAt].map(pair => pair.join(' ')).join(', ')}`);
    assert.ok(wishes.some(({ stopAsked }) => stopAsked));
  });

  it('leave nothing once a last daemon has stopped every cluster', async () => {
    await home.start();
    for (const wish of wishes) {
      wish.id ??= (await home.api.clusters.create({ quoteId: wish.quoteId })).id;
      await home.api.clusters.stop({ clusterId: wish.id, skipSave: false });
    }
    const clusters: Cluster[] = [];
    for (const { id } of await home.api.clusters.list()) {
      clusters.push(await home.untilOver(id));
    }
    assert.equal(clusters.length, wishes.length, 'a yes makes one cluster, however often it is said');
    for (const { name, phase, message, conditions, nodes } of clusters) {
      assert.equal(phase, 'stopped', `${name}: ${message}`);
      assert.equal(conditions.cleanup.status, 'yes', name);
      assert.equal(conditions.billing.status, 'no', name);
      const states = nodes.flatMap(({ attempts }) => attempts.map(({ state }) => state));
      assert.ok(
        states.every(state => state === 'gone' || state === 'refused'),
        `${name}: ${states.join(' ')}`,
      );
    }
    assert.deepEqual(home.machines(), []);
    assert.deepEqual(home.leftovers(clusters), []);
  });

  it('buy nothing twice and leave nothing billing in the market’s own ledger', async () => {
    const ledger = home.ledger();
    const attempts = (await home.api.clusters.list()).flatMap(({ nodes }) =>
      nodes.flatMap(node => node.attempts.map(({ ref }) => ({ ref, nodeId: node.id }))),
    );
    const nodeOf = new Map(attempts.map(({ ref, nodeId }) => [ref, nodeId]));
    assert.ok(ledger.length > 0, 'something was rented at the practice market');
    for (const { id, ref, endedAtMs } of ledger) {
      assert.ok(nodeOf.has(ref), `${id} was bought with an intent on record`);
      assert.notEqual(endedAtMs, null, `${id} has ended`);
    }
    assert.equal(new Set(ledger.map(({ ref }) => ref)).size, ledger.length, 'one rental for each ref');
    const nodes = ledger.map(({ ref }) => nodeOf.get(ref));
    assert.equal(new Set(nodes).size, nodes.length, 'one rental for each node');
  });

  function whileItDies(error: unknown): void {
    // Before the first daemon has written its discovery file there is no address; with a dying one there is no answer.
    if (!(error instanceof HitchError && error.code === 'INTERNAL')) {
      passing(error);
    }
  }
});
