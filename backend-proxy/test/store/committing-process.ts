/** Commits clusters until it is killed, and says each one's id once its commit has resolved. */
import { openStore } from '../../src/store/open.ts';
import { systemClock } from '@hitch/platform/src/clock.ts';
import { createIds, systemRandom } from '@hitch/platform/src/random.ts';
import { cluster, START_MS } from './records.ts';

const ids = createIds(systemClock, systemRandom);
const store = await openStore({ path: process.argv[2] ?? '', now: () => START_MS });
await store.load();
for (;;) {
  await Promise.all(
    Array.from({ length: 10 }, async () => {
      const one = cluster({ id: ids.next('clu') });
      await store.commit({ clusters: [one] });
      process.send?.(one.id);
    }),
  );
}
