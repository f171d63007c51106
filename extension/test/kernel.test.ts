import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { HitchError } from '@hitch/contract';
import type { FoundDaemon } from '@hitch/client-node/src/find.ts';
import { Request } from 'node-fetch';
import { WebSocketServer } from 'ws';
import { chooseSpec, controllerIdOf, type KernelSpec, wishOf } from '../src/kernel/controller-id.ts';
import { createKernelFetch } from '../src/kernel/fetch.ts';
import { whyNoJupyter } from '../src/kernel/jupyter-words.ts';
import { KernelServers } from '../src/kernel/servers.ts';
import { createKernelSocket } from '../src/kernel/socket.ts';
import { cluster, CLUSTER_ID, clusterId, stateOf } from './sample.ts';

function servers(state = stateOf([cluster()])) {
  return new KernelServers({
    state: () => state,
    remembered: [{ id: CLUSTER_ID, label: 'remembered' }],
    baseUrl: () => Promise.resolve('http://127.0.0.1:4000'),
  });
}

describe('the clusters as Jupyter servers', () => {
  it('are what an earlier window remembered until the first list has come', () => {
    assert.deepEqual(servers(stateOf(null)).list(), [{ id: CLUSTER_ID, label: 'remembered' }]);
  });

  it('lose one only when it is confirmed gone, whatever its phase', () => {
    const state = stateOf([
      cluster({ id: clusterId(1), phase: 'unreachable' }),
      cluster({ id: clusterId(2), phase: 'stopping' }),
      cluster({ id: clusterId(3), phase: 'stopped' }),
      cluster({ id: clusterId(4), phase: 'stopped' }, { clean: true }),
    ]);
    assert.deepEqual(
      servers(state)
        .list()
        .map(({ id }) => id),
      [1, 2, 3].map(clusterId),
    );
  });

  it('keep their base URL, which ends with a slash', async () => {
    let origin = 'http://127.0.0.1:4000';
    const moving = new KernelServers({
      state: () => stateOf([cluster()]),
      remembered: [],
      baseUrl: () => Promise.resolve(origin),
    });
    const first = await moving.resolve(CLUSTER_ID);
    assert.equal(first, `http://127.0.0.1:4000/clusters/${CLUSTER_ID}/jupyter/`);
    origin = 'http://127.0.0.1:5000';
    assert.equal(await moving.resolve(CLUSTER_ID), first);
  });

  it('say in a sentence why one cannot be used', async () => {
    const coming = servers(stateOf([cluster({}, { kernel: false })]));
    await assert.rejects(coming.resolve(CLUSTER_ID), /cannot run a notebook yet/);
    const gone = servers(stateOf([cluster({ phase: 'stopped' }, { clean: true })]));
    await assert.rejects(gone.resolve(CLUSTER_ID), (error: unknown) => error instanceof HitchError);
  });

  it('know which URLs may carry the bearer', async () => {
    const known = servers();
    assert.equal(known.isOurs('http://127.0.0.1:4000/clusters/x/jupyter/api'), false, 'none is given yet');
    await known.resolve(CLUSTER_ID);
    assert.equal(known.isOurs('http://127.0.0.1:4000/clusters/x/jupyter/api'), true);
    assert.equal(known.isOurs('ws://127.0.0.1:4000/clusters/x/jupyter/api/kernels/k/channels'), true);
    assert.equal(known.isOurs('https://unpkg.com/clusters/x'), false);
    assert.equal(known.isOurs('http://127.0.0.1:4001/clusters/x'), false);
  });
});

const spec = (name: string, language: string, argv: readonly string[] = [name]): KernelSpec => ({
  name,
  spec: { argv: [...argv], display_name: `${name}, shown`, language },
});
const PYTHON = spec('python3', 'python', ['python', '-m', 'ipykernel_launcher', '-f', '{connection_file}']);
const HANDLE = { extensionId: 'hitch.hitch', collectionId: 'cluster-clu_1', serverId: 'clu_1' };
const LINUX = { isWindows: false, fsPath: (path: string) => `/${path.replace(/^\//, '')}` };
const WINDOWS = {
  isWindows: true,
  fsPath: (path: string) => `\\${path.replace(/^\//, '').replaceAll('/', '\\')}`,
};

describe('the id that Jupyter gives to a kernel on a cluster', () => {
  // SHA-256 of `https://remote/?id=cluster-clu_1&uriHandle=clu_1&extensionId=hitch.hitch`.
  const server = '1d0a1bbdb82cf7118de4cc156d223deacea100e467c5f3812b45281b3b954e71';

  it('is made of server, kernel, program and arguments', () => {
    assert.equal(
      controllerIdOf(HANDLE, PYTHON, LINUX).replace(/^[0-9a-f]{64}/, 'server'),
      'server..python3./python./.-m#ipykernel_launcher',
    );
    assert.equal(controllerIdOf(HANDLE, PYTHON, LINUX).slice(0, 64), server);
  });

  it('leaves the folder of programs out, and keeps all arguments of other languages', () => {
    const venv = spec('own', 'python', ['/opt/venv/bin/python', '-m', 'X', '-f', '{connection_file}']);
    assert.match(controllerIdOf(HANDLE, venv, LINUX), /\.\.own\.\/opt\/venv\/python\.\/\.-m#x$/);
    const system = spec('own', 'python', ['/usr/bin/python', '-m', 'X']);
    assert.match(controllerIdOf(HANDLE, system, LINUX), /\.\.own\.\/usr\/bin\/python\./);
    const r = spec('ir', 'R', ['R', '--args', '{connection_file}']);
    assert.match(controllerIdOf(HANDLE, r, LINUX), /\.\.ir\.\/R\.\/\.r#--args#\{connection_file\}$/);
  });

  it('has the paths of the editor’s own system', () => {
    assert.match(controllerIdOf(HANDLE, PYTHON, WINDOWS), /\.\.python3\.python\.\\\.-m#ipykernel_launcher$/);
  });
});

describe('the kernel for a notebook', () => {
  const r = spec('ir', 'R');
  const specs = {
    default: 'python3',
    kernelspecs: { ir: r, python3: PYTHON, other: spec('other', 'python') },
  };
  const chosen = (metadata: unknown, cells = 'python') =>
    chooseSpec(specs, wishOf(metadata, cells))?.name ?? null;

  it('is the one that it names, else the usual one of its language', () => {
    assert.equal(chosen({ metadata: { kernelspec: { name: 'other' } } }), 'other');
    assert.equal(chosen({ metadata: { kernelspec: { name: 'conda-mine', language: 'python' } } }), 'python3');
    assert.equal(chosen({ metadata: { language_info: { name: 'R' } } }), 'ir');
    assert.equal(chosen({}), 'python3');
    assert.equal(chosen(undefined, 'r'), 'ir');
  });

  it('is none where none speaks its language', () => {
    assert.equal(chosen({ metadata: { kernelspec: { name: 'julia-1', language: 'julia' } } }), null);
  });
});

describe('a window without Jupyter', () => {
  it('says what to do, and where notebooks run in a remote one', () => {
    assert.match(whyNoJupyter(undefined), /install “Jupyter”/);
    assert.match(whyNoJupyter('wsl'), /works in WSL, where its notebooks run/);
    assert.match(whyNoJupyter('ssh-remote'), /over SSH/);
    assert.match(whyNoJupyter('something-else'), /install “Jupyter”/);
  });
});

/** A daemon that notes what it is asked, and knows one bearer. */
class FakeDaemon {
  readonly seen: { url: string; authorization: string; body: string }[] = [];
  readonly #server: Server;
  token = 'first';
  port = 0;

  constructor() {
    this.#server = createServer((request, response) => {
      void this.#answer(request).then(status => {
        response.writeHead(status).end('{}');
      });
    });
    const sockets = new WebSocketServer({ server: this.#server });
    sockets.on('connection', (socket, request) => {
      this.seen.push({
        url: request.url ?? '',
        authorization: request.headers.authorization ?? '',
        body: '',
      });
      socket.on('message', data => socket.send(data));
    });
  }

  async #answer(request: IncomingMessage): Promise<number> {
    const parts: Buffer[] = [];
    for await (const part of request as AsyncIterable<Buffer>) {
      parts.push(part);
    }
    const authorization = request.headers.authorization ?? '';
    this.seen.push({ url: request.url ?? '', authorization, body: Buffer.concat(parts).toString() });
    return authorization === `Bearer ${this.token}` ? 200 : 401;
  }

  async listen(): Promise<void> {
    await new Promise<void>(resolve => this.#server.listen(0, '127.0.0.1', resolve));
    const address = this.#server.address();
    this.port = typeof address === 'object' && address !== null ? address.port : 0;
  }

  found(token = this.token): FoundDaemon {
    const discovery = {
      protocol: 1,
      version: '0.1.0',
      pid: 1,
      port: this.port,
      token,
      challengeKey: '',
      startedAtMs: 0,
    };
    return { baseUrl: `http://127.0.0.1:${this.port.toString()}`, token, discovery };
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise(resolve => this.#server.close(resolve));
  }
}

describe('the fetch that Jupyter is given', () => {
  const daemon = new FakeDaemon();
  before(() => daemon.listen());
  after(() => daemon.close());
  beforeEach(() => {
    daemon.seen.length = 0;
    daemon.token = 'first';
  });
  const given = 'http://127.0.0.1:4000/clusters/x/jupyter/api/sessions';
  const fetchWith = (current: () => FoundDaemon, isOurs = true) =>
    createKernelFetch({
      isOurs: () => isOurs,
      current: () => Promise.resolve(current()),
      doubt: () => undefined,
      sleep: () => Promise.resolve(),
    });

  it('goes to where the daemon is now, with its bearer and without a token in the URL', async () => {
    const answer = await fetchWith(() => daemon.found())(`${given}?token=leak&a=1`);
    assert.equal(answer.status, 200);
    assert.deepEqual(daemon.seen, [
      { url: '/clusters/x/jupyter/api/sessions?a=1', authorization: 'Bearer first', body: '' },
    ]);
  });

  it('takes the request object of another copy of node-fetch, its body too', async () => {
    const foreign = new Request(given, { method: 'POST', body: '{"a":1}' });
    // As another copy's object looks to this one.
    const seen = {
      url: foreign.url,
      method: foreign.method,
      headers: foreign.headers,
      arrayBuffer: () => foreign.arrayBuffer(),
    } as unknown as Request;
    assert.equal((await fetchWith(() => daemon.found())(seen)).status, 200);
    assert.equal(daemon.seen[0]?.body, '{"a":1}');
  });

  it('asks again with the new token after a refusal', async () => {
    daemon.token = 'second';
    const tokens = ['first', 'second'];
    const answer = await fetchWith(() => daemon.found(tokens.shift()))(given, { method: 'POST', body: 'x' });
    assert.equal(answer.status, 200);
    assert.deepEqual(
      daemon.seen.map(({ authorization, body }) => [authorization, body]),
      [
        ['Bearer first', 'x'],
        ['Bearer second', 'x'],
      ],
    );
  });

  it('waits out a daemon that is away', async () => {
    const nobody = { ...daemon.found(), baseUrl: 'http://127.0.0.1:1' };
    const places = [nobody, nobody];
    const answer = await fetchWith(() => places.shift() ?? daemon.found())(given);
    assert.equal(answer.status, 200);
  });

  it('gives its bearer to nobody else', async () => {
    await fetchWith(() => daemon.found(), false)(`http://127.0.0.1:${daemon.port.toString()}/widgets.js`);
    assert.equal(daemon.seen[0]?.authorization, '');
  });
});

describe('the WebSocket that Jupyter is given', () => {
  it('is subclassed, listened to and pinged as the ws package’s, and reads the present place', async () => {
    const daemon = new FakeDaemon();
    await daemon.listen();
    const Socket = createKernelSocket({
      isOurs: () => true,
      last: () => daemon.found('now'),
      lost: () => undefined,
      setTimer: (run, ms) => {
        const handle = setTimeout(run, ms);
        return { cancel: () => clearTimeout(handle) };
      },
      now: Date.now,
      random: Math.random,
    });
    const emitted: string[] = [];
    class Own extends Socket {
      override emit(type: string, ...args: unknown[]): boolean {
        emitted.push(type);
        return super.emit(type, ...args);
      }
    }
    // Options in the protocols' place, as some callers have them.
    const Loose = Own as unknown as new (url: string, options: object) => InstanceType<typeof Own>;
    const socket = new Loose('ws://127.0.0.1:4000/clusters/x/terminals/1/socket?token=leak', {
      headers: { 'x-own': '1' },
    });
    const opened = new Promise(resolve => socket.on('open', () => resolve(undefined)));
    await opened;
    socket.ping();
    const echoed = new Promise(resolve => socket.on('message', data => resolve(data)));
    socket.send('hello');
    await echoed;
    const closed = new Promise(resolve => socket.on('close', () => resolve(undefined)));
    socket.close();
    await closed;
    await daemon.close();
    assert.deepEqual(emitted, ['open', 'message', 'close']);
    assert.deepEqual(daemon.seen, [
      { url: '/clusters/x/terminals/1/socket', authorization: 'Bearer now', body: '' },
    ]);
  });
});
