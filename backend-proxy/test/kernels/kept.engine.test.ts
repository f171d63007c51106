import assert from 'node:assert/strict';
import WebSocket from 'ws';
import { encodeMessage, KERNEL_PROTOCOL_V1, peekFrame } from '@hitch/contract';
import { makeMessage, TestClient, until } from './clients.ts';
import { startHub, type HubServer } from './hub-server.ts';
import { pythonOrSkip, startJupyter, type JupyterServer } from './jupyter-server.ts';
import { printing } from './one-kernel.ts';

const LINES = 300;
/** Slowly enough that each line is a message. */
const CODE = printing(LINES, 0.002);

describe('what an agent had not read when it was killed', function () {
  this.timeout(240_000);
  let jupyter: JupyterServer;
  let server: HubServer;
  let kernelId: string;

  before(async function () {
    jupyter = await startJupyter(pythonOrSkip(this));
    server = await startHub(jupyter.upstream);
    kernelId = await jupyter.startKernel();
  });

  after(async () => {
    await (server as HubServer | undefined)?.stop();
    await (jupyter as JupyterServer | undefined)?.stop();
  });

  /** @param hear is told each message, from the first on. */
  const connect = async (
    session: string,
    hear: (data: Buffer) => void = () => undefined,
  ): Promise<WebSocket> => {
    const url = jupyter.socketUrl(kernelId, `session_id=${session}`);
    const headers = { authorization: jupyter.upstream.authorization };
    const socket = new WebSocket(url, [KERNEL_PROTOCOL_V1], { headers, perMessageDeflate: false });
    socket.on('message', data => hear(data as Buffer));
    await new Promise((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    return socket;
  };

  /** The number of every line that the journal holds, in order. */
  const journaled = async (): Promise<number[]> => {
    const cursor = { epoch: 'another', seq: 0 };
    const client = new TestClient(server.url(kernelId), { session: 'reader', cursor });
    await client.opened;
    await until('the last line', () => textOf(client).includes(`line ${(LINES - 1).toString()}\n`));
    client.drop();
    return [...textOf(client).matchAll(/line (\d+)\n/g)].map(([, number]) => Number(number));
  };
  const textOf = ({ messages }: TestClient): string =>
    messages
      .filter(({ header }) => header.msg_type === 'stream')
      .map(({ content }) => String(content['text']))
      .join('');
  const all = Array.from({ length: LINES }, (_, number) => number);

  it('is sent again to the one that comes in its place, and not to another program', async () => {
    const killed = await connect(`hitch-${kernelId}`);
    killed.pause();
    const other = await connect('somebody');
    const heard = new Set<string>();
    other.on('message', (data, isBinary) => {
      assert.ok(isBinary && Buffer.isBuffer(data), 'a stock client is told nothing that it does not know');
      heard.add(peekFrame(data).type);
    });
    const send = (type: string, content: Record<string, unknown>): void =>
      other.send(encodeMessage(makeMessage('somebody', type, content)));
    // Jupyter Server swallows what comes before it has found the kernel.
    await until('an answer', () => {
      send('kernel_info_request', {});
      return heard.has('kernel_info_reply');
    });
    send('execute_request', { code: CODE, silent: false, store_history: false, allow_stdin: false });
    await until('the end of the cell', () => heard.has('execute_reply'));
    killed.terminate();
    other.terminate();
    await server.hub.sync(await jupyter.kernels());
    const lines = await journaled();
    assert.deepEqual(lines, all);
  });

  it('is in the journal once, however often the agent is started again', async () => {
    const before = await journaled();
    for (let time = 0; time < 3; time++) {
      await server.restart();
      await server.hub.sync(await jupyter.kernels());
    }
    const client = new TestClient(server.url(kernelId));
    await client.opened;
    await client.done(client.execute('pass'));
    client.drop();
    assert.deepEqual(await journaled(), before);
  });

  it('is forgotten once the agent says that it holds it', async () => {
    await server.hub.close();
    const heard: string[] = [];
    const socket = await connect(`hitch-${kernelId}`, data => heard.push(data.toString()));
    const text = await until('the first message', () => heard[0]);
    socket.terminate();
    const [, first, count] = /^hitch-again (\d+) (\d+)$/.exec(text) ?? [];
    assert.ok(Number(first) > LINES, text);
    assert.ok(Number(count) < 100, text);
  });
});
