/** A thousand people say yes at once. */
import type { ClusterId } from '@hitch/contract';
import { systemClock } from '../../backend-proxy/src/platform/clock.ts';
import type { DaemonUnderTest } from './daemon-under-test.ts';

const LOOK_AGAIN_MS = 200;

/** Quotes first, then every create at once. @returns milliseconds from the first create until all are ready. */
export async function launchMany(daemon: DaemonUnderTest, count: number): Promise<number> {
  const { api } = daemon.client;
  const quotes = [];
  for (let index = 0; index < count; index++) {
    quotes.push(await api.quotes.create({ filter: { practice: 'only' } }));
  }
  const start = performance.now();
  const clusters = await Promise.all(quotes.map(({ id }) => api.clusters.create({ quoteId: id })));
  const waiting = new Set<ClusterId>(clusters.map(({ id }) => id));
  // The event stream would tell as much; one look at the list is how a face that has just opened learns it.
  while (waiting.size > 0) {
    await systemClock.sleep(LOOK_AGAIN_MS);
    for (const { id, phase, message } of await api.clusters.list()) {
      if (phase === 'failed') {
        throw new Error(`a launch failed: ${message}`);
      }
      if (phase === 'ready') {
        waiting.delete(id);
      }
    }
  }
  return performance.now() - start;
}
