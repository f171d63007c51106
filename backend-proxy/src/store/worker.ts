/** Entry of the store's thread: opens the file it was told, then answers requests one after the other. */
import { parentPort, workerData } from 'node:worker_threads';
import * as z from 'zod';
import { giveMemoryBack } from '@hitch/platform/src/memory.ts';
import type { Answer, Answers, Request } from './messages.ts';
import { SqlStore } from './sql-store.ts';
import { sqliteError } from './sqlite.ts';
import { SqliteDatabase } from './sqlite-database.ts';

const { path } = z.object({ path: z.string() }).parse(workerData);
const port = parentPort;
if (port === null) {
  throw new Error('store/worker.ts runs as a worker thread only');
}
const say = (answer: Answer) => port.postMessage(answer);

async function answer(store: SqlStore, request: Request): Promise<Answers[Request['kind']]> {
  switch (request.kind) {
    case 'load':
      return store.load(request.nowMs);
    case 'commit':
      await store.commit(request.change);
      return null;
    case 'eventsOf':
      return store.eventsOf(request.clusterId, request.after, request.limit);
    case 'eventsAfter':
      return store.eventsAfter(request.after, request.limit);
    case 'forgottenCost':
      return store.forgottenCost(request.fromMs, request.toMs);
    case 'trouble':
      return store.trouble();
    case 'renew':
      return store.renew(request.rows, request.stamp);
    case 'close':
      store.close();
      return null;
  }
}

try {
  const store = new SqlStore(new SqliteDatabase(path));
  let last: Promise<void> = Promise.resolve();
  port.on('message', ({ id, request }: { id: number; request: Request }) => {
    last = last.then(async () => {
      try {
        say({ id, value: await answer(store, request) });
      } catch (error) {
        say({ id, error: store.error(error).toEnvelope() });
      }
      if (request.kind === 'load') {
        // The whole store went through this thread, once.
        giveMemoryBack();
      }
      if (request.kind === 'close') {
        port.close();
      }
    });
  });
  say({ id: 0, value: null });
} catch (error) {
  say({ id: 0, error: sqliteError(error, path).toEnvelope() });
  port.close();
}
