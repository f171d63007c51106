import assert from 'node:assert/strict';
import { lostBytesOf } from '@hitch/contract';
import type { KernelMessage } from '@hitch/contract';
import { makeMessage, TestClient } from './clients.ts';
import { startHub, type HubServer } from './hub-server.ts';
import { pythonOrSkip, startJupyter, type JupyterServer } from './jupyter-server.ts';

const LONGEST = 100_000;
const TOO_MUCH = 3 * LONGEST;

describe('a hostile kernel and messages that nothing carries', function () {
  this.timeout(240_000);
  let jupyter: JupyterServer;
  let server: HubServer;
  let kernelId: string;

  before(async function () {
    jupyter = await startJupyter(pythonOrSkip(this), { longest: LONGEST });
    server = await startHub(jupyter.upstream);
    kernelId = await jupyter.startKernel();
    await server.hub.sync(await jupyter.kernels());
  });

  after(async () => {
    await (server as HubServer | undefined)?.stop();
    await (jupyter as JupyterServer | undefined)?.stop();
  });

  const connect = async (options: { hitch?: boolean } = {}): Promise<TestClient> => {
    const client = new TestClient(server.url(kernelId), options);
    await client.opened;
    return client;
  };

  const lost = (messages: readonly KernelMessage[]): number[] =>
    messages.flatMap(message => lostBytesOf(message) ?? []);

  for (const hitch of [true, false]) {
    it(`a ${hitch ? 'Hitch' : 'stock'} client is told in the cell what was left out, and the rest comes`, async () => {
      const client = await connect({ hitch });
      const request = client.execute(
        `print('before', flush=True)\nprint('x' * ${TOO_MUCH.toString()}, flush=True)\nprint('after', flush=True)\n` +
          `display({'text/plain': 'y' * ${TOO_MUCH.toString()}}, raw=True)\nlen('the end')`,
      );
      const reply = await client.done(request);
      assert.equal(reply.content['status'], 'ok');
      assert.equal(client.streamText(request), 'before\nafter\n');
      const said = client.streamText(request, 'stderr');
      assert.equal(said.match(/\[Hitch\] One message of \d+ bytes was left out: .*\n/g)?.length, 2, said);
      const sizes = lost(client.answersTo(request));
      assert.ok(sizes.length === 2 && sizes.every(bytes => bytes > TOO_MUCH), String(sizes));
      const [execution] = await server.hub.executions(kernelId, { messageId: request.header.msg_id });
      assert.equal(execution?.state, 'ok');
      assert.match(JSON.stringify(execution.outputs), /was left out/);
      client.drop();
    });
  }

  it('an answer and a question that are too long still come, and say why they are empty', async () => {
    const client = await connect();
    const request = makeMessage(client.session, 'execute_request', {
      code: `big = 'z' * ${TOO_MUCH.toString()}`,
      silent: false,
      store_history: true,
      user_expressions: { big: `'z' * ${TOO_MUCH.toString()}` },
      allow_stdin: true,
      stop_on_error: false,
    });
    client.send(request);
    const reply = await client.reply(request);
    assert.equal(reply.content['ename'], 'HitchMessageTooLong');
    const asks = client.execute(`input('?' * ${TOO_MUCH.toString()})`);
    const question = await client.reply(asks, 'input_request');
    assert.match(String(question.content['prompt']), /^\[Hitch\] One message of/);
    client.send(
      makeMessage(
        client.session,
        'input_reply',
        { value: 'v', status: 'ok' },
        { channel: 'stdin', parent: question },
      ),
    );
    assert.equal((await client.done(asks)).content['status'], 'ok');
    client.drop();
  });

  it('messages whose parts are anything end neither the hub nor what comes after them', async () => {
    const client = await connect();
    const odd = ['[1]', '"s"', 'null', '{'];
    const types = [
      'stream',
      'status',
      'execute_input',
      'display_data',
      'error',
      'clear_output',
      'hitch_left_out',
    ];
    const lines = types.flatMap(type =>
      odd.flatMap(value => [
        `k.session.send(k.iopub_socket, '${type}', b'${value}', parent=k.get_parent())`,
        `k.session.send(k.iopub_socket, '${type}', b'${value}', parent=k.get_parent(), metadata={'display_id': 1})`,
      ]),
    );
    const request = client.execute(['k = get_ipython().kernel', ...lines, "print('still here')"].join('\n'));
    await client.done(request);
    assert.ok(client.unreadable >= types.length * 2, client.unreadable.toString());
    assert.equal(client.streamText(request), 'still here\n');
    const [execution] = await server.hub.executions(kernelId, { messageId: request.header.msg_id });
    assert.equal(execution?.state, 'ok');
    assert.match(JSON.stringify(execution.outputs), /still here/);
    client.drop();
  });
});
