import assert from 'node:assert/strict';
import { type Cluster, type HitchClient, HitchError } from '@hitch/contract';
import type { FoundDaemon } from '@hitch/client-node/src/find.ts';
import { HitchModel } from '../src/daemon/model.ts';
import { DaemonPlace } from '../src/daemon/place.ts';
import { sendSurely } from '../src/daemon/send.ts';
import { connectionWord, practiceOnly } from '../src/daemon/state.ts';
import { Emitter } from '../src/emitter.ts';
import { cluster, provider, stateOf } from './sample.ts';

const found = (token: string, port = 4000): FoundDaemon => ({
  baseUrl: `http://127.0.0.1:${port.toString()}`,
  token,
  discovery: { protocol: 1, version: '0.1.0', pid: 1, port, token, challengeKey: '', startedAtMs: 0 },
});

function placeWith(options: { find: () => FoundDaemon | null; needed?: boolean }) {
  const calls = { find: 0, ensure: 0 };
  let now = 0;
  const place = new DaemonPlace({
    find: () => {
      calls.find += 1;
      return Promise.resolve(options.find());
    },
    ensure: () => {
      calls.ensure += 1;
      return Promise.resolve(found('started'));
    },
    isNeeded: () => options.needed ?? false,
    monotonic: () => now,
  });
  return { place, calls, pass: (ms: number) => (now += ms) };
}

describe('the daemon’s place', () => {
  it('is looked for without starting anything', async () => {
    const { place, calls } = placeWith({ find: () => null });
    assert.equal(await place.look(), null);
    await assert.rejects(
      place.current(),
      (error: unknown) => error instanceof HitchError && error.code === 'UNREACHABLE',
    );
    assert.equal(calls.ensure, 0);
  });

  it('is started again while clusters live that it looks after', async () => {
    const { place, calls } = placeWith({ find: () => null, needed: true });
    assert.equal((await place.current()).token, 'started');
    assert.equal(calls.ensure, 1);
  });

  it('is asked for once by many at a time, and anew after a second or a doubt', async () => {
    const { place, calls, pass } = placeWith({ find: () => found('a') });
    await Promise.all([place.current(), place.current(), place.current()]);
    assert.equal(calls.find, 1);
    await place.current();
    assert.equal(calls.find, 1);
    place.doubt();
    await place.current();
    assert.equal(calls.find, 2);
    pass(1_500);
    await place.current();
    assert.equal(calls.find, 3);
  });

  it('is remembered for those who cannot wait', async () => {
    const places: (FoundDaemon | null)[] = [found('a'), null];
    const { place } = placeWith({ find: () => places.shift() ?? null });
    const last = () => place.last?.token;
    assert.equal(last(), undefined);
    await place.look();
    await place.look();
    assert.equal(last(), 'a');
  });
});

describe('a request to the daemon', () => {
  const refused = Object.assign(new TypeError('fetch failed'), {
    cause: Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }),
  });
  const sender = (answers: (Response | Error)[], places: FoundDaemon[]) => {
    const sent: string[] = [];
    const { place } = placeWith({ find: () => places.shift() ?? null });
    const send = (request: Request) =>
      sendSurely(
        {
          place,
          sleep: () => Promise.resolve(),
          fetch: asked => {
            sent.push(`${asked.method} ${asked.url} ${asked.headers.get('authorization') ?? ''}`);
            const next = answers.shift();
            return next instanceof Response
              ? Promise.resolve(next)
              : Promise.reject(next ?? new Error('no more'));
          },
        },
        request,
      );
    return { sent, send };
  };
  const post = () =>
    new Request('http://127.0.0.1:4000/api/clusters', {
      method: 'POST',
      body: '{}',
      headers: { authorization: 'Bearer a' },
    });

  it('is sent again with the new token and port after a refusal', async () => {
    const { sent, send } = sender(
      [new Response(null, { status: 401 }), new Response('ok')],
      [found('b', 5000)],
    );
    assert.equal((await send(post())).status, 200);
    assert.deepEqual(sent, [
      'POST http://127.0.0.1:4000/api/clusters Bearer a',
      'POST http://127.0.0.1:5000/api/clusters Bearer b',
    ]);
  });

  it('is sent again when it never arrived', async () => {
    const { send } = sender([refused, new Response('ok')], [found('b')]);
    assert.equal((await send(post())).status, 200);
  });

  it('is not repeated when it may have arrived: it could rent twice', async () => {
    const { sent, send } = sender([new TypeError('terminated'), new Response('ok')], [found('b')]);
    await assert.rejects(send(post()), /terminated/);
    assert.equal(sent.length, 1);
  });
});

describe('the list of clusters', () => {
  const saving = { files: 10, bytes: 40, doneFiles: 3, doneBytes: 12, untilMs: null, problem: null };

  /** A model whose daemon answers with these lists, one after the other, and has no events. */
  const modelWith = (...lists: Cluster[][]) => {
    const pauses: number[] = [];
    const shown: (number | undefined)[] = [];
    const nothing = () => Promise.resolve([]);
    const client = {
      api: {
        events: { cursor: () => Promise.resolve({ cursor: '1' }) },
        clusters: { list: () => Promise.resolve(lists.length > 1 ? lists.shift() : lists[0]) },
        providers: { list: nothing },
        templates: { list: nothing },
        offers: { presets: () => Promise.resolve({ presets: [] }) },
      },
      async *watch({ signal }: { signal: AbortSignal }) {
        await new Promise(resolve => signal.addEventListener('abort', resolve));
        yield* [];
      },
      // Only what the model asks for is there.
    } as unknown as HitchClient;
    const model = new HitchModel({
      place: placeWith({ find: () => found('a') }).place,
      loadClient: () => Promise.resolve(client),
      sleep: (ms, signal) => {
        pauses.push(ms);
        return signal.aborted ? Promise.reject(new Error('ended')) : Promise.resolve();
      },
      report: (problem, error) => assert.fail(`${problem}: ${String(error)}`),
      wantedFromTheStart: false,
      folders: () => [],
    });
    model.onChange(({ clusters }) => shown.push(clusters?.[0]?.saving?.doneFiles));
    return { model, pauses, shown };
  };
  const settled = async (): Promise<void> => {
    for (let turns = 0; turns < 20; turns++) {
      await new Promise(resolve => setImmediate(resolve));
    }
  };

  it('is asked for again while something is saved, and no longer than that', async () => {
    const { model, pauses, shown } = modelWith(
      [cluster({ saving })],
      [cluster({ phase: 'stopping', saving: { ...saving, doneFiles: 7 } })],
      [cluster({ phase: 'stopping' })],
      [cluster({ phase: 'stopped' })],
    );
    model.start();
    await settled();
    assert.deepEqual(pauses, [2_000, 2_000, 2_000]);
    assert.deepEqual(shown.slice(-4), [3, 7, undefined, undefined]);
    model.dispose();
  });

  it('is left alone where nothing is saved', async () => {
    const { model, pauses } = modelWith([cluster()]);
    model.start();
    await settled();
    assert.deepEqual(pauses, []);
    model.dispose();
  });
});

describe('what is known', () => {
  it('tells a daemon that was there from one that answers: only the first can be started from the view', () => {
    assert.equal(connectionWord({ ...stateOf([]), connection: 'live' }), 'ready');
    assert.equal(connectionWord({ ...stateOf([]), connection: 'lost' }), 'lost');
    assert.equal(connectionWord({ ...stateOf(null), connection: 'lost' }), 'loading');
  });

  it('tells practice from networks that can be rented from', () => {
    const state = stateOf([]);
    const own = provider({ id: 'local', kind: 'own', credentials: 'not_needed' });
    const practice = provider({ id: 'sandbox', kind: 'practice', credentials: 'not_needed' });
    assert.equal(practiceOnly({ ...state, providers: [] }), false);
    assert.equal(practiceOnly({ ...state, providers: [own, practice] }), true);
    const looked = provider({ credentials: 'absent' });
    assert.equal(practiceOnly({ ...state, providers: [own, practice, looked] }), true);
    assert.equal(practiceOnly({ ...state, providers: [own, looked] }), false, 'practice is off');
    assert.equal(practiceOnly({ ...state, providers: [own, provider()] }), false);
    const machines = provider({ id: 'ssh', kind: 'own', credentials: 'not_needed', offers: 1 });
    assert.equal(practiceOnly({ ...state, providers: [own, practice, machines] }), false, 'one was added');
    assert.equal(practiceOnly({ ...state, providers: [own, practice, { ...machines, offers: 0 }] }), true);
  });

  it('reaches every listener although one of them fails', () => {
    const heard: number[] = [];
    const problems: unknown[] = [];
    const emitter = new Emitter<number>(error => problems.push(error));
    emitter.listen(() => {
      throw new Error('broken');
    });
    const stop = emitter.listen(value => heard.push(value));
    emitter.fire(1);
    stop();
    emitter.fire(2);
    assert.deepEqual(heard, [1]);
    assert.equal(problems.length, 2);
  });
});
