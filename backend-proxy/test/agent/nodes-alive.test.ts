import assert from 'node:assert/strict';
import { NodesAlive } from '../../src/agent/ray/nodes-alive.ts';
import type { RayEngine } from '../../src/agent/ray/ray.ts';
import { VirtualClock } from '@hitch/platform/src/clock.ts';

describe('the count of living Ray nodes', () => {
  it('is asked for often while nodes join, less often while somebody watches, and seldom while nobody does', async () => {
    const clock = new VirtualClock();
    let [asked, alive, watched] = [0, 1, true];
    const ray = {
      headAddress: '127.0.0.1:6379',
      dashboard: { api: { nodesAlive: () => Promise.resolve((asked += 1) === 0 ? 0 : alive) } },
    };
    const nodes = new NodesAlive({
      clock,
      ray: ray as unknown as RayEngine,
      isWatched: () => watched,
      changed: () => undefined,
    });
    nodes.start();
    /** How often it is asked for in so many seconds. */
    const during = async (seconds: number): Promise<number> => {
      const [before, endMs] = [asked, clock.now() + seconds * 1000];
      while ((clock.nextTimerAt() ?? Infinity) <= endMs) {
        clock.step();
        await new Promise(resolve => setImmediate(resolve));
      }
      return asked - before;
    };
    assert.equal(await during(10), 20);
    alive = 2;
    assert.equal(await during(80), 160);
    assert.equal(nodes.count, 2);
    await during(30);
    assert.equal(await during(60), 30);
    watched = false;
    assert.equal(await during(60), 2);
    nodes.stop();
    assert.equal(await during(60), 0);
  });
});
