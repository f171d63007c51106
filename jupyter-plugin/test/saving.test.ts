/** How far a save is has no events: while one goes on, the clusters are asked for more often. */
import assert from 'node:assert/strict';
import { mock } from 'node:test';
import type { Cluster, HitchClient } from '@hitch/contract';
import { ServerConnection } from '@jupyterlab/services';
import { testCluster } from '../../shared/views/test/support/cluster.ts';
import { Hitch } from '../src/clusters/hitch.ts';

const SAVING = { files: 10, bytes: 100, doneFiles: 3, doneBytes: 30, untilMs: null, problem: null };
const SOON_MS = 2_000;

/** Lets everything that waits for no clock go on. */
const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

describe('a save that goes on', () => {
  let hitch: Hitch;
  let clusters: readonly Cluster[];
  let asked: number;

  beforeEach(async () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    [clusters, asked] = [[testCluster()], 0];
    const client = {
      api: {
        clusters: {
          list: async () => {
            asked += 1;
            return clusters;
          },
        },
        providers: { list: async () => [] },
        events: { cursor: async () => ({ cursor: '1' }) },
      },
      async *watch({ signal }: { signal: AbortSignal }) {
        await new Promise(resolve => signal.addEventListener('abort', resolve));
        yield* [];
      },
    };
    hitch = new Hitch({
      serverSettings: ServerConnection.makeSettings({ baseUrl: 'http://here/' }),
      page: { hidden: false, onChange: () => () => undefined, whenIdle: run => run() },
      now: () => 0,
      webSocket: WebSocket,
      client: client as unknown as HitchClient,
    });
    hitch.start();
    await pass(0);
    assert.equal(asked, 1);
  });

  afterEach(() => {
    hitch.dispose();
    mock.timers.reset();
  });

  async function pass(ms: number): Promise<void> {
    await turn();
    mock.timers.tick(ms);
    await turn();
  }

  async function know(...known: readonly Cluster[]): Promise<void> {
    clusters = known;
    await hitch.refresh();
    asked = 0;
  }

  it('is looked at again and again', async () => {
    await know(testCluster({ saving: SAVING }));
    await pass(SOON_MS);
    await pass(SOON_MS);
    assert.equal(asked, 2);
  });

  it('is looked for as long as a cluster stops', async () => {
    await know(testCluster({ phase: 'stopping' }));
    await pass(SOON_MS);
    assert.equal(asked, 1);
  });

  it('costs no request while there is none, nor when it is over', async () => {
    await know(testCluster());
    await pass(SOON_MS);
    await pass(SOON_MS);
    assert.equal(asked, 0);
    await know(testCluster({ saving: SAVING }));
    clusters = [testCluster()];
    await pass(SOON_MS);
    assert.equal(asked, 1);
    await pass(SOON_MS);
    assert.equal(asked, 1);
  });
});
