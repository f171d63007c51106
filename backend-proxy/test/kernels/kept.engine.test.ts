import assert from 'node:assert/strict';
import WebSocket from 'ws';
import { encodeMessage, KERNEL_PROTOCOL_V1, lostBytesOf, peekFrame } from '@hitch/contract';
import { makeMessage, TestClient, until } from './clients.ts';
import { startHub, type HubServer } from './hub-server.ts';
import { pythonOrSkip, startJupyter, type JupyterServer } from './jupyter-server.ts';
import { printing } from './one-kernel.ts';

const LINES = 300;
/** Slowly enough that each line is a message. */
const CODE = printing(LINES, 0.002);

const all = Array.from({ length: LINES }, (_, number) => number);

const textOf = ({ messages }: TestClient): string =>
  messages
    .filter(({ header }) => header.msg_type === 'stream')
    .map(({ content }) => String(content['text']))
    .join('');

const numbersIn = (text: string): number[] =>
  [...text.matchAll(/line (\d+)\n/g)].map(([, number]) => Number(number));

/** A kernel, and a hub that comes in the place of another one. */
class Kept {
  readonly jupyter: JupyterServer;
  readonly server: HubServer;
  readonly kernelId: string;

  private constructor(jupyter: JupyterServer, server: HubServer, kernelId: string) {
    this.jupyter = jupyter;
    this.server = server;
    this.kernelId = kernelId;
  }

  /** @param kept bytes that Jupyter Server keeps. */
  static async start(python: string, kept?: number): Promise<Kept> {
    const jupyter = await startJupyter(python, kept === undefined ? {} : { kept });
    try {
      return new Kept(jupyter, await startHub(jupyter.upstream), await jupyter.startKernel());
    } catch (error) {
      await jupyter.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    await this.server.stop();
    await this.jupyter.stop();
  }

  /** @param hear is told each message, from the first on. */
  async connect(session: string, hear: (data: Buffer) => void = () => undefined): Promise<WebSocket> {
    const url = this.jupyter.socketUrl(this.kernelId, `session_id=${session}`);
    const headers = { authorization: this.jupyter.upstream.authorization };
    const socket = new WebSocket(url, [KERNEL_PROTOCOL_V1], { headers, perMessageDeflate: false });
    socket.on('message', data => hear(data as Buffer));
    await new Promise((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    return socket;
  }

  /** A cell prints all its lines while the hub that is connected reads none of them and is killed. */
  async printUnread(): Promise<void> {
    const killed = await this.connect(`hitch-${this.kernelId}`);
    killed.pause();
    const other = await this.connect('somebody');
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
  }

  async comeBack(): Promise<void> {
    await this.server.hub.sync(await this.jupyter.kernels());
  }

  /** All that the journal holds, once the last line is there. */
  async journal(): Promise<TestClient> {
    const cursor = { epoch: 'another', seq: 0 };
    const client = new TestClient(this.server.url(this.kernelId), { session: 'reader', cursor });
    await client.opened;
    await until('the last line', () => textOf(client).includes(`line ${(LINES - 1).toString()}\n`), 180);
    client.drop();
    return client;
  }
}

describe('what an agent had not read when it was killed', function () {
  this.timeout(240_000);
  let scene: Kept;

  before(async function () {
    scene = await Kept.start(pythonOrSkip(this));
  });

  after(async () => {
    await (scene as Kept | undefined)?.stop();
  });

  /** The number of every line that the journal holds, in order. */
  const journaled = async (): Promise<number[]> => numbersIn(textOf(await scene.journal()));

  it('is sent again to the one that comes in its place, and not to another program', async () => {
    await scene.printUnread();
    await scene.comeBack();
    assert.deepEqual(await journaled(), all);
  });

  it('is in the journal once, however often the agent is started again', async () => {
    const before = await journaled();
    for (let time = 0; time < 3; time++) {
      await scene.server.restart();
      await scene.comeBack();
    }
    const client = new TestClient(scene.server.url(scene.kernelId));
    await client.opened;
    await client.done(client.execute('pass'));
    client.drop();
    assert.deepEqual(await journaled(), before);
  });

  it('is forgotten once the agent says that it holds it', async () => {
    await scene.server.hub.close();
    const heard: string[] = [];
    const socket = await scene.connect(`hitch-${scene.kernelId}`, data => heard.push(data.toString()));
    const text = await until('the first message', () => heard[0]);
    socket.terminate();
    const [, first, count] = /^hitch-again (\d+) (\d+)$/.exec(text) ?? [];
    assert.ok(Number(first) > LINES, text);
    assert.ok(Number(count) < 100, text);
  });
});

describe('more than Jupyter Server keeps for an agent that does not read', function () {
  this.timeout(240_000);
  let scene: Kept;

  before(async function () {
    scene = await Kept.start(pythonOrSkip(this), 16 * 1024);
  });

  after(async () => {
    await (scene as Kept | undefined)?.stop();
  });

  const notices = ({ messages }: TestClient) =>
    messages.flatMap(message => {
      const bytes = lostBytesOf(message);
      return bytes === null ? [] : [{ bytes, text: String(message.content['text']) }];
    });

  it('is missing with a line that says so, before what is there', async () => {
    await scene.printUnread();
    await scene.comeBack();
    const client = await scene.journal();
    const [notice, ...others] = notices(client);
    assert.match(
      notice?.text ?? '',
      /^\[Hitch\] Up to .* of output are missing here: the cluster's agent was away/,
    );
    assert.ok((notice?.bytes ?? 0) > 0);
    assert.deepEqual(others, []);
    const text = textOf(client);
    const numbers = numbersIn(text);
    assert.ok(numbers.length > 0 && numbers.length < LINES);
    assert.deepEqual(numbers, all.slice(-numbers.length));
    assert.ok(text.indexOf('[Hitch] Up to') < text.indexOf('line '));
  });

  it('is said once, and nothing is said of what the agent has', async () => {
    for (let time = 0; time < 3; time++) {
      await scene.server.restart();
      await scene.comeBack();
    }
    const client = new TestClient(scene.server.url(scene.kernelId));
    await client.opened;
    await client.done(client.execute(CODE));
    client.drop();
    await scene.server.restart();
    await scene.comeBack();
    assert.equal(notices(await scene.journal()).length, 1);
  });
});
