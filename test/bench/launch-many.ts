/** A thousand people say yes at once. */
import type { ClusterId } from '@hitch/contract';
import type { DaemonUnderTest } from './daemon-under-test.ts';

/**
 * Quotes first, then every create at once; a client that was open before learns from the event stream how it goes on.
 * @returns milliseconds from the first create until all are ready.
 */
export async function launchMany(daemon: DaemonUnderTest, count: number): Promise<number> {
  const { client } = daemon;
  const { api } = client;
  const quotes = [];
  for (let index = 0; index < count; index++) {
    quotes.push(await api.quotes.create({ filter: { practice: 'only' } }));
  }
  const { cursor } = await api.events.cursor();
  const over = new AbortController();
  const ready = allReady(client.watch({ cursor, signal: over.signal }), count);
  const start = performance.now();
  try {
    await Promise.all(quotes.map(({ id }) => api.clusters.create({ quoteId: id })));
    await ready;
  } finally {
    over.abort();
  }
  const tookMs = performance.now() - start;
  const late = (await api.clusters.list()).filter(({ phase }) => phase !== 'ready');
  if (late.length > 0) {
    throw new Error(`${late.length.toString()} clusters were said to be ready and are not`);
  }
  return tookMs;
}

async function allReady(
  events: ReturnType<DaemonUnderTest['client']['watch']>,
  count: number,
): Promise<void> {
  const ready = new Set<ClusterId>();
  for await (const { event } of events) {
    if (event.kind === 'phase' && event.value === 'failed') {
      throw new Error(`a launch failed: ${event.message}`);
    }
    if (event.kind === 'phase' && event.value === 'ready') {
      ready.add(event.clusterId);
    }
    if (ready.size === count) {
      return;
    }
  }
}
