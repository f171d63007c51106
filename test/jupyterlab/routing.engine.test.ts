/** JupyterLab's own managers, in Node, over two real Jupyter servers: this computer's, and a cluster's by the relay. */
import assert from 'node:assert/strict';
import {
  type Kernel,
  KernelManager,
  KernelSpecManager,
  ServerConnection,
  SessionManager,
} from '@jupyterlab/services';
import { Poll } from '@lumino/polling';
import { Signal } from '@lumino/signaling';
import type { Cluster } from '@hitch/contract';
import WebSocket from 'ws';
import { KernelClient, SpecClient } from '../../jupyter-plugin/src/kernels/clients.ts';
import { Places } from '../../jupyter-plugin/src/kernels/places.ts';
import { routingSocket } from '../../jupyter-plugin/src/kernels/routing-socket.ts';
import { SessionClient } from '../../jupyter-plugin/src/kernels/session-client.ts';
import type { IHitch } from '../../jupyter-plugin/src/tokens.ts';
import { DaemonHome } from '../support/daemon-home.ts';
import { JupyterLab } from '../support/jupyterlab.ts';
import { needsRealNodes, sendSignal } from '../support/processes.ts';
import { until } from '../support/waiting.ts';

const NAME = 'far';
const REMOTE = `hitch-${NAME}--python3`;
const NODE = 'import os; print(os.environ.get("HITCH_NODE"))';
const FOLDER = 'import os; print(os.path.basename(os.getcwd()))';

describe('JupyterLab’s managers over this computer and a cluster', function suite() {
  this.timeout(3 * 60_000);
  const home = new DaemonHome({ HITCH_SANDBOX_SEED: '7' });
  let lab: JupyterLab;
  let cluster: Cluster;
  let clusters: Cluster[] = [];
  let changed: Signal<object, void>;
  let places: Places;
  let specs: KernelSpecManager;
  let kernels: KernelManager;
  let sessions: SessionManager;

  before(async function start() {
    needsRealNodes(this);
    await home.start();
    const rented = await home.rent({ filter: { practice: 'only', maxGpuCount: 1 } }, NAME);
    cluster = await home.untilKernel(rented.id);
    lab = await new JupyterLab({ home, bare: true }).start();
    const { baseUrl: daemon, token } = home.place();
    const authorization = `Bearer ${token}`;
    const wsDaemon = daemon.replace('http', 'ws');
    // As the browser's: the bridge, which would add the bearer, has tests of its own.
    const open = (url: string, protocols: string[]) =>
      new WebSocket(url, protocols, url.startsWith(wsDaemon) ? { headers: { authorization } } : {}) as never;
    const local = ServerConnection.makeSettings({
      baseUrl: lab.url(''),
      wsUrl: lab.url('').replace('http', 'ws'),
      token: lab.token,
      appendToken: true,
      WebSocket: WebSocket as never,
    });
    clusters = [cluster];
    const hitch = {
      serverSettings: local,
      get clusters() {
        return clusters;
      },
      settingsFor: ({ jupyterPath }: Cluster): ServerConnection.ISettings => ({
        ...local,
        baseUrl: `${daemon}${jupyterPath}/`,
        wsUrl: `${wsDaemon}${jupyterPath}/`,
        token: '',
        init: { headers: { authorization, 'content-type': 'application/json' } },
      }),
    };
    changed = new Signal<object, void>(hitch);
    places = new Places(Object.assign(hitch, { changed }) as unknown as IHitch);
    const specClient = new SpecClient(places);
    specs = new KernelSpecManager({ serverSettings: local, kernelSpecAPIClient: specClient });
    kernels = new KernelManager({
      serverSettings: { ...local, WebSocket: routingSocket(places, open, () => undefined) },
      kernelAPIClient: new KernelClient(places),
      kernelSpecAPIClient: specClient,
    });
    const sessionAPIClient = new SessionClient(places, 'me');
    sessions = new SessionManager({ serverSettings: local, kernelManager: kernels, sessionAPIClient });
    await Promise.all([specs.ready, kernels.ready, sessions.ready]);
  });

  after(async () => {
    // A poll that is disposed of leaves its timer.
    for (const manager of [sessions, kernels, specs]) {
      const poll: unknown =
        Reflect.get(manager ?? {}, '_pollModels') ?? Reflect.get(manager ?? {}, '_pollSpecs');
      if (poll instanceof Poll) {
        await poll.stop();
      }
    }
    sessions?.dispose();
    kernels?.dispose();
    specs?.dispose();
    await lab?.dispose();
    await home.dispose();
  });

  async function printed(kernel: Kernel.IKernelConnection | null | undefined, code: string): Promise<string> {
    assert.ok(kernel);
    let text = '';
    const asked = kernel.requestExecute({ code });
    asked.onIOPub = ({ content }) => {
      text += 'text' in content ? String(content.text) : '';
    };
    await asked.done;
    return text.trim();
  }

  const start = (path: string, name: string) =>
    sessions.startNew({ path, type: 'notebook', name: path.split('/').at(-1) ?? '', kernel: { name } });

  const node = (): string => cluster.nodes[0]?.attempts.at(-1)?.ref ?? '';

  it('list the kernels of both, each under its name', async () => {
    await until('the cluster’s are known', async () => {
      await specs.refreshSpecs();
      return specs.specs?.kernelspecs[REMOTE];
    });
    assert.equal(specs.specs?.default, 'python3');
    assert.match(specs.specs.kernelspecs[REMOTE]?.display_name ?? '', /^Python 3 · far/);
  });

  it('move a session between them without another id, and leave nothing behind', async () => {
    const session = await start('moves.ipynb', 'python3');
    const { id } = session;
    assert.equal(await printed(session.kernel, NODE), 'None');
    await session.changeKernel({ name: REMOTE });
    assert.equal(await printed(session.kernel, NODE), node());
    await sessions.refreshRunning();
    assert.deepEqual(
      [...sessions.running()].map(model => [model.id, model.kernel?.name]),
      [[id, REMOTE]],
    );
    await session.kernel?.restart();
    assert.equal(await printed(session.kernel, NODE), node());
    await session.changeKernel({ name: 'python3' });
    assert.equal(await printed(session.kernel, NODE), 'None');
    await sessions.refreshRunning();
    assert.equal(session.isDisposed, false);
    assert.deepEqual(
      [...sessions.running()].map(model => [model.id, model.kernel?.name]),
      [[id, 'python3']],
    );
    await until('the cluster has no kernel left', async () => {
      await kernels.refreshRunning();
      return [...kernels.running()].length === 1;
    });
    await session.shutdown();
  });

  it('move it back at once, while the kernel that it left has not ended yet', async () => {
    for (const [first, second] of [
      ['python3', REMOTE],
      [REMOTE, 'python3'],
    ] as const) {
      const session = await start('hurries.ipynb', first);
      const left = session.kernel?.id;
      // A busy kernel ends only when its server loses patience.
      session.kernel?.requestExecute({ code: 'print("busy", flush=True); import time; time.sleep(60)' });
      await until('the cell runs', () => session.kernel?.status === 'busy');
      await session.changeKernel({ name: second });
      await session.changeKernel({ name: first });
      assert.notEqual(session.kernel?.id, left);
      assert.equal(await printed(session.kernel, NODE), first === REMOTE ? node() : 'None');
      await sessions.refreshRunning();
      assert.equal(session.isDisposed, false);
      await session.shutdown();
    }
  });

  it('start a kernel in the folder of a notebook that lies on the cluster', async () => {
    await home.api.files.makeFolder({ clusterId: cluster.id, path: 'deep' });
    const session = await start(`${NAME}:deep/there.ipynb`, REMOTE);
    assert.equal(await printed(session.kernel, FOLDER), 'deep');
    await sessions.refreshRunning();
    const [model] = sessions.running();
    assert.equal(model?.path, `${NAME}:deep/there.ipynb`);
    await session.setPath(`${NAME}:deep/renamed.ipynb`);
    await sessions.refreshRunning();
    assert.equal([...sessions.running()][0]?.path, `${NAME}:deep/renamed.ipynb`);
    await session.shutdown();
  });

  it('keep a session of a cluster that does not answer, and say when it is gone', async () => {
    const session = await start('stays.ipynb', REMOTE);
    await printed(session.kernel, NODE);
    const agent = home.agentPid(cluster);
    sendSignal(agent, 'SIGSTOP');
    await sessions.refreshRunning();
    assert.equal(session.isDisposed, false);
    sendSignal(agent, 'SIGCONT');
    assert.equal(await printed(session.kernel, NODE), node());
    clusters = [];
    changed.emit();
    await until('the session is over', async () => {
      await sessions.refreshRunning();
      return session.isDisposed;
    });
    await assert.rejects(start('again.ipynb', REMOTE), /far is not running/);
  });
});
