import assert from 'node:assert/strict';
import { type Cluster, type ClusterEvent, type HitchClient, HitchError } from '@hitch/contract';
import { ClusterFollower, type FollowerOptions } from '../src/follower.ts';

/** Of a cluster and an event, only what a follower reads. */
const testCluster = (name = 'llm-dev', lastEventSeq = 10): Cluster =>
  ({ id: 'c1', name, lastEventSeq }) as unknown as Cluster;
const testEvent = (seq: number): ClusterEvent => ({ clusterId: 'c1', seq }) as unknown as ClusterEvent;

/** Lets everything that waits for no clock go on. */
async function settled(): Promise<void> {
  for (let turns = 0; turns < 20; turns++) {
    await new Promise(resolve => setImmediate(resolve));
  }
}

/** A daemon of which a test says what its lists hold and what its stream tells. */
class Daemon {
  clusters: readonly Cluster[] = [testCluster()];
  /** Thrown by the next lists, while there is one. */
  failure: Error | null = null;
  refusedCursor: string | null = null;
  lists = 0;
  readonly begun: (string | undefined)[] = [];
  #tell: ((event: ClusterEvent) => void) | null = null;
  #position = 0;

  readonly client = {
    api: {
      events: { cursor: async () => ({ cursor: `at ${this.#position}` }) },
      clusters: {
        list: async () => {
          this.lists += 1;
          if (this.failure !== null) throw this.failure;
          return this.clusters;
        },
      },
      providers: { list: async () => [] },
    },
    watch: (options: Parameters<HitchClient['watch']>[0]) => this.#watch(options ?? {}),
    // Only what a follower asks for is there.
  } as unknown as HitchClient;

  get isFollowed(): boolean {
    return this.#tell !== null;
  }

  happen(seq: number): void {
    this.#position += 1;
    this.#tell?.(testEvent(seq));
  }

  async *#watch({ cursor, signal, onState }: NonNullable<Parameters<HitchClient['watch']>[0]>) {
    this.begun.push(cursor);
    if (cursor === this.refusedCursor) {
      throw new HitchError('BAD_INPUT', 'There is no such cursor.');
    }
    const waiting: ClusterEvent[] = [];
    let wake = (): void => undefined;
    this.#tell = event => {
      waiting.push(event);
      wake();
    };
    signal?.addEventListener('abort', () => wake());
    onState?.('live', null);
    while (signal?.aborted !== true) {
      const event = waiting.shift();
      if (event === undefined) {
        await new Promise<void>(resolve => (wake = resolve));
      } else {
        yield { cursor: `at ${this.#position}`, event };
      }
    }
    this.#tell = null;
  }
}

function following(daemon: Daemon, options: Partial<FollowerOptions> = {}) {
  const pauses: { ms: number; end: () => void }[] = [];
  const seen: string[] = [];
  const follower = new ClusterFollower({
    client: null,
    reach: async () => daemon.client,
    sleep: (ms, signal) =>
      new Promise(resolve => {
        pauses.push({ ms, end: resolve });
        signal.addEventListener('abort', () => resolve());
      }),
    listWithinMs: 60_000,
    everyMs: () => null,
    onLists: ({ clusters }) => seen.push(`lists ${clusters.map(({ name }) => name).join(' ')}`),
    onEvent: ({ seq }) => seen.push(`event ${seq}`),
    onAbsent: () => seen.push('absent'),
    onFailure: (error, during) => seen.push(`${during} failed: ${String(error)}`),
    ...options,
  });
  /** Ends the newest pause of that length. */
  const pass = async (ms: number): Promise<void> => {
    const pause = pauses.findLast(each => each.ms === ms);
    assert.ok(pause !== undefined, `nobody waits ${ms} ms, but ${pauses.map(each => each.ms).join(', ')}`);
    pause.end();
    await settled();
  };
  return { follower, pauses, seen, pass };
}

describe('following the clusters', () => {
  it('looks for a daemon again and again, and lists once it is there', async () => {
    const daemon = new Daemon();
    let there = false;
    const { follower, seen, pass } = following(daemon, { reach: async () => (there ? daemon.client : null) });
    follower.start();
    await settled();
    assert.deepEqual(seen, ['absent']);
    there = true;
    await pass(3_000);
    assert.equal(seen[1], 'lists llm-dev');
    assert.ok(daemon.isFollowed);
    follower.dispose();
  });

  it('waits longer after each failure, and less when it is woken', async () => {
    const daemon = new Daemon();
    daemon.failure = new Error('no daemon');
    const { follower, pauses, seen, pass } = following(daemon);
    follower.start();
    await settled();
    await pass(3_000);
    assert.deepEqual(
      pauses.map(({ ms }) => ms),
      [3_000, 6_000],
    );
    assert.deepEqual(seen, ['reach failed: Error: no daemon', 'reach failed: Error: no daemon']);
    daemon.failure = null;
    follower.wake();
    await settled();
    assert.ok(daemon.isFollowed);
    follower.dispose();
  });

  it('tells events after a list that was begun later, and one list answers a burst of them', async () => {
    const daemon = new Daemon();
    const { follower, seen, pass } = following(daemon);
    follower.start();
    await settled();
    const before = daemon.lists;
    daemon.clusters = [testCluster('after', 12)];
    daemon.happen(11);
    daemon.happen(12);
    await settled();
    assert.equal(daemon.lists, before);
    await pass(100);
    assert.equal(daemon.lists, before + 1);
    assert.deepEqual(seen.slice(-3), ['lists after', 'event 11', 'event 12']);
    follower.dispose();
  });

  it('keeps what was known when a list fails, and goes on telling events', async () => {
    const daemon = new Daemon();
    const { follower, seen, pass } = following(daemon);
    follower.start();
    await settled();
    daemon.failure = new Error('hangs');
    daemon.happen(11);
    await settled();
    await pass(100);
    assert.deepEqual(seen.slice(-2), ['list failed: Error: hangs', 'event 11']);
    follower.dispose();
  });

  it('closes its stream while nobody can see, and goes on from its cursor', async () => {
    const daemon = new Daemon();
    const { follower, pass } = following(daemon);
    follower.start();
    await settled();
    daemon.happen(11);
    await settled();
    await pass(100);
    follower.setHidden(true);
    await settled();
    assert.equal(daemon.isFollowed, false);
    const lists = daemon.lists;
    daemon.happen(12);
    follower.setHidden(false);
    await settled();
    assert.ok(daemon.isFollowed);
    assert.ok(daemon.lists > lists, 'what happened meanwhile is in the lists');
    assert.deepEqual(daemon.begun, ['at 0', 'at 1']);
    follower.dispose();
  });

  it('asks for nothing before anybody can see', async () => {
    const daemon = new Daemon();
    const { follower } = following(daemon);
    follower.setHidden(true);
    follower.start();
    await settled();
    assert.equal(daemon.lists, 0);
    follower.dispose();
  });

  it('reads everything anew where another store’s daemon refuses the cursor', async () => {
    const daemon = new Daemon();
    daemon.refusedCursor = 'at 0';
    const { follower, pass } = following(daemon);
    follower.start();
    await settled();
    assert.equal(daemon.isFollowed, false);
    daemon.refusedCursor = null;
    await pass(3_000);
    assert.ok(daemon.isFollowed);
    follower.dispose();
  });

  it('opens its stream anew when two lists in a row know of events that never came', async () => {
    const daemon = new Daemon();
    const { follower } = following(daemon);
    follower.start();
    await settled();
    daemon.clusters = [testCluster('llm-dev', 11)];
    await follower.refresh();
    await settled();
    assert.equal(daemon.begun.length, 1);
    await follower.refresh();
    await settled();
    assert.equal(daemon.begun.length, 2);
    follower.dispose();
  });

  it('lists as often as its client wishes, counted from the last list, and more rarely while that fails', async () => {
    const daemon = new Daemon();
    let everyMs: number | null = null;
    const { follower, pauses, pass } = following(daemon, { everyMs: () => everyMs });
    follower.start();
    await settled();
    assert.deepEqual(pauses, []);
    everyMs = 5_000;
    follower.nudge();
    await settled();
    const lists = daemon.lists;
    await pass(5_000);
    assert.equal(daemon.lists, lists + 1);
    daemon.failure = new Error('hangs');
    await pass(5_000);
    await pass(10_000);
    await pass(20_000);
    await pass(30_000);
    daemon.failure = null;
    await pass(30_000);
    await pass(5_000);
    follower.dispose();
  });

  it('stops for good', async () => {
    const daemon = new Daemon();
    const { follower, seen } = following(daemon);
    follower.start();
    await settled();
    follower.dispose();
    await settled();
    assert.equal(daemon.isFollowed, false);
    const known = seen.length;
    await follower.refresh();
    assert.equal(seen.length, known);
  });
});
