import assert from 'node:assert/strict';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { HitchClient, HitchError } from '@hitch/contract';
import fc from 'fast-check';
import { serve, type Served, TOKEN } from './serve.ts';

/** Passes bytes on and breaks each connection after the next of `cuts` bytes of answers; then leaves them whole. */
function cuttingProxy(target: number, cuts: number[]): Promise<Server> {
  const server = createServer(client => {
    const upstream = connect(target, '127.0.0.1');
    const end = () => {
      client.destroy();
      upstream.destroy();
    };
    client.on('error', end).on('close', end);
    upstream.on('error', end).on('close', end);
    // The daemon answers only under its own port; both ports have five digits.
    const { port } = server.address() as AddressInfo;
    client.on('data', (chunk: Buffer) => {
      upstream.write(chunk.toString('latin1').replace(`127.0.0.1:${port}`, `127.0.0.1:${target}`), 'latin1');
    });
    let left = cuts.shift() ?? Number.POSITIVE_INFINITY;
    upstream.on('data', (chunk: Buffer) => {
      client.write(chunk.subarray(0, Math.min(chunk.length, left)));
      left -= chunk.length;
      if (left <= 0) {
        end();
      }
    });
  });
  return new Promise(resolve => server.listen(0, '127.0.0.1', () => resolve(server)));
}

describe('the event stream', function () {
  this.timeout(60_000);
  let served: Served;

  beforeEach(async () => {
    served = await serve();
  });

  afterEach(() => served.close());

  it('carries the cursor as the event’s id, for clients that resume by Last-Event-ID', async () => {
    const cluster = served.clusters.add();
    served.clusters.say(cluster, 'one');
    served.clusters.say(cluster, 'two');
    const stop = new AbortController();
    const answer = await fetch(`${served.baseUrl}/api/events?cursor=e0`, {
      headers: { authorization: `Bearer ${TOKEN}`, 'last-event-id': 'e1' },
      signal: stop.signal,
    });
    let text = '';
    for await (const chunk of answer.body ?? []) {
      text += Buffer.from(chunk).toString();
      if (text.includes('data:')) {
        break;
      }
    }
    stop.abort();
    assert.match(text, /id: e2\n/);
    assert.ok(!text.includes('"one"') && text.includes('"two"'));
  });

  it('refuses a cursor of another store for good', async () => {
    await assert.rejects(
      served.client.watch({ cursor: 'nonsense' }).next(),
      (error: unknown) =>
        error instanceof HitchError && error.code === 'BAD_INPUT' && error.field === 'cursor',
    );
  });

  it('ends when its signal does', async () => {
    const stop = new AbortController();
    const watching = served.client.watch({ signal: stop.signal, onState: () => stop.abort() });
    assert.deepEqual(await watching.next(), { done: true, value: undefined });
  });

  it('loses and repeats no event however often the connection breaks', async () => {
    const cluster = served.clusters.add();
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 3_000 }), { maxLength: 12 }),
        fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 1, maxLength: 12 }),
        async (cuts, bursts) => {
          const proxy = await cuttingProxy(served.port, [...cuts]);
          const client = new HitchClient({
            baseUrl: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
            token: () => TOKEN,
            clientId: 'test',
            sleep: async () => undefined,
          });
          const before = served.clusters.recorded.length;
          const total = bursts.reduce((sum, count) => sum + count, 0) + 1;
          const stop = new AbortController();
          const seen: number[] = [];
          const live = Promise.withResolvers<undefined>();
          const watching = (async () => {
            const onState = (state: string) => state === 'live' && live.resolve(undefined);
            for await (const { event } of client.watch({ signal: stop.signal, onState })) {
              seen.push(event.seq);
              if (seen.length >= total) {
                return;
              }
            }
          })();
          await Promise.race([live.promise, watching]);
          for (const count of bursts) {
            for (let one = 0; one < count; one++) {
              served.clusters.say(cluster, 'ready');
            }
            await new Promise(resolve => setImmediate(resolve));
          }
          served.clusters.say(cluster, 'last');
          await watching;
          stop.abort();
          proxy.close();
          assert.deepEqual(
            seen,
            Array.from({ length: total }, (_, index) => before + index + 1),
          );
        },
      ),
      { numRuns: 40 },
    );
  });

  it('goes on after the daemon started anew with another token, on the same port', async () => {
    const cluster = served.clusters.add();
    let token = TOKEN;
    const client = new HitchClient({
      baseUrl: served.baseUrl,
      token: () => token,
      clientId: 'test',
      sleep: () => new Promise(resolve => setImmediate(resolve)),
    });
    const states: string[] = [];
    const watching = client.watch({ cursor: 'e0', onState: state => states.push(state) });
    served.clusters.say(cluster, 'one');
    assert.equal((await watching.next()).value?.event.value, 'one');
    const { recorded } = served.clusters;
    token = 'not read yet';
    await served.close();
    const next = watching.next();
    served = await serve(served.port);
    served.clusters.recorded.push(...recorded);
    served.clusters.say(cluster, 'two');
    await new Promise(resolve => setTimeout(resolve, 50));
    token = TOKEN;
    assert.equal((await next).value?.event.value, 'two');
    assert.deepEqual([states[0], states.includes('reconnecting'), states.at(-1)], ['live', true, 'live']);
    await watching.return();
  });
});
