/** What runs, as it is told to JupyterLab, which takes what is missing from a list for ended. */
import assert from 'node:assert/strict';
import type { Cluster } from '@hitch/contract';
import { type Kernel, ServerConnection, type Session } from '@jupyterlab/services';
import { Signal } from '@lumino/signaling';
import { KernelClient } from '../src/kernels/clients.ts';
import { Places } from '../src/kernels/places.ts';
import { SessionClient } from '../src/kernels/session-client.ts';
import { withScope } from '../src/kernels/scope.ts';
import type { IHitch } from '../src/tokens.ts';

const model = (id: string): Kernel.IModel => ({
  id,
  name: 'python3',
  execution_state: 'idle',
  last_activity: '2026-01-01T00:00:00Z',
  connections: 0,
});
const session = (id: string, kernel: Kernel.IModel): Session.IModel => ({
  id,
  path: `${id}.ipynb`,
  name: `${id}.ipynb`,
  type: 'notebook',
  kernel,
});

const SCOPE = 'me';

type Answer = () => unknown;

/** This computer and one cluster, each with a server that answers by `METHOD path`. */
function world(answers: Record<string, Answer>) {
  const settings = (baseUrl: string) =>
    ServerConnection.makeSettings({
      baseUrl,
      fetch: async request => {
        const { method, url } = request as Request;
        const answer = answers[`${method} ${url.replace(/\?.*$/, '')}`];
        const body: unknown = await answer?.();
        return method === 'DELETE'
          ? new Response(null, { status: 204 })
          : new Response(JSON.stringify(body ?? []), { status: method === 'POST' ? 201 : 200 });
      },
    });
  const cluster = {
    id: 'c1',
    name: 'far',
    phase: 'ready',
    nodes: [],
    conditions: { kernel: { status: 'yes' } },
  };
  const hitch = {
    serverSettings: settings('http://here/'),
    clusters: [cluster as unknown as Cluster],
    settingsFor: () => settings('http://far/'),
  };
  const places = new Places(
    Object.assign(hitch, { changed: new Signal<object, void>(hitch) }) as unknown as IHitch,
  );
  return { kernels: new KernelClient(places), sessions: new SessionClient(places, SCOPE) };
}

const ids = (models: readonly { readonly id: string }[]): string[] => models.map(({ id }) => id).sort();

describe('what runs here and on a cluster', () => {
  it('holds the kernel of a session there from when the session is known', async () => {
    const { kernels, sessions } = world({
      'GET http://far/api/sessions': () => [
        { ...session('s', model('k')), name: withScope('s.ipynb', SCOPE) },
      ],
      'GET http://far/api/kernels': () => new Promise(() => undefined),
    });
    assert.deepEqual(ids(await sessions.listRunning()), ['s']);
    assert.deepEqual(ids(await kernels.listRunning()), ['k']);
  });

  it('holds nothing of a kernel that was ended from here, whichever list is the older', async () => {
    const there = [session('s', model('k')), session('t', model('l'))].map(found => ({
      ...found,
      name: withScope(found.name, SCOPE),
    }));
    let hangs = false;
    const answer = <T>(list: T) => (hangs ? new Promise<T>(() => undefined) : list);
    const { kernels, sessions } = world({
      'GET http://far/api/sessions': () => answer(there),
      'GET http://far/api/kernels': () => answer(there.map(({ kernel }) => kernel)),
    });
    const seen = async () => [ids(await sessions.listRunning()), ids(await kernels.listRunning())];
    assert.deepEqual(await seen(), [
      ['s', 't'],
      ['k', 'l'],
    ]);
    hangs = true;
    await kernels.shutdown('k');
    assert.deepEqual(await seen(), [['t'], ['l']]);
    await sessions.shutdown('t');
    assert.deepEqual(await seen(), [[], []]);
  });

  it('holds what was started here while a cluster was slow to answer', async () => {
    const begun: { answer?: () => void } = {};
    const slow = new Promise<[]>(resolve => (begun.answer = () => resolve([])));
    const here: Session.IModel[] = [];
    const started = session('s', model('k'));
    const { kernels, sessions } = world({
      'GET http://here/api/kernels': () => here.map(({ kernel }) => kernel),
      'GET http://here/api/sessions': () => here,
      'POST http://here/api/sessions': () => {
        here.push(started);
        return started;
      },
      'GET http://far/api/kernels': () => slow,
      'GET http://far/api/sessions': () => slow,
    });
    const lists = Promise.all([kernels.listRunning(), sessions.listRunning()]);
    const { path, name, type } = started;
    await sessions.startNew({ path, name, type, kernel: { name: 'python3' } });
    begun.answer?.();
    const [running, open] = await lists;
    assert.deepEqual([ids(running), ids(open)], [['k'], ['s']]);
  });
});
