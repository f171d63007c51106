/** Jupyter Server's process stands still while a kernel prints: what the kernel's own side does with its output. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { type KernelMessage, lostBytesOf } from '@hitch/contract';
import { TestClient, until } from './clients.ts';
import { OneKernel, waiting } from './one-kernel.ts';

const COUNT = 5_000;
/** More than the sockets between the two processes take by themselves. */
const WIDTH = 4_000;
const all = Array.from({ length: COUNT }, (_, number) => number);
/** What the kernel's output thread sends with. */
const PUBLISHER = 'get_ipython().kernel.iopub_thread.socket.send_multipart.__self__';
const LOOKS_EVERY_MS = 500;
const MOST_LOOKS = 240;

describe('a kernel whose reader stands still', function () {
  this.timeout(240_000);
  let one: OneKernel;

  before(async function () {
    one = await OneKernel.start(this);
  });

  after(() => (one as OneKernel | undefined)?.stop());

  /** What a cell prints. */
  async function run(code: string): Promise<string> {
    const client = new TestClient(one.server.url(one.kernelId));
    await client.opened;
    const request = client.execute(code);
    assert.equal((await client.done(request)).content['status'], 'ok', client.streamText(request, 'stderr'));
    client.drop();
    return client.streamText(request);
  }

  const kernelProcess = async (): Promise<number> => Number(await run('import os; print(os.getpid())'));

  /** Python that prints numbered lines, and says in a file how far it is. */
  const printing = (gate: string, progress: string): string =>
    [
      waiting(gate),
      `for n in range(${COUNT.toString()}):`,
      `    print(str(n).zfill(${WIDTH.toString()}), flush=True)`,
      '    if n % 100 == 99:',
      `        open(${JSON.stringify(progress)}, "w").write(str(n + 1))`,
    ].join('\n');

  /** Waits until the cell is over or gets no further; how far it came. */
  async function untilItStands(progress: string): Promise<number> {
    let before = -1;
    for (let look = 0; look < MOST_LOOKS; look++) {
      const printed = existsSync(progress) ? Number(readFileSync(progress, 'utf8')) : 0;
      if (printed > 0 && (printed === before || printed === COUNT)) {
        return printed;
      }
      before = printed;
      await delay(LOOKS_EVERY_MS);
    }
    throw new Error('The cell neither stands still nor ends.');
  }

  interface Scene {
    readonly client: TestClient;
    readonly request: KernelMessage;
    /** How many lines were printed when the cell stood still, or was over. */
    readonly printed: number;
  }

  /** Runs the cell while the reader stands still, and has that go on. */
  async function printUnread(meanwhile: () => Promise<unknown> = () => Promise.resolve()): Promise<Scene> {
    const client = new TestClient(one.server.url(one.kernelId));
    await client.opened;
    const [gate, progress] = [one.gate(), one.gate()];
    const request = client.execute(printing(gate, progress));
    await until('busy', () => client.answersTo(request).length > 0);
    one.jupyter.signal('SIGSTOP');
    try {
      writeFileSync(gate, '');
      const printed = await untilItStands(progress);
      await meanwhile();
      return { client, request, printed };
    } finally {
      one.jupyter.signal('SIGCONT');
    }
  }

  const numbersIn = (text: string): number[] => text.split('\n').slice(0, -1).map(Number);

  it('prints on once the reader reads again, and nothing is missing', async () => {
    const { client, request } = await printUnread();
    await client.done(request);
    assert.deepEqual(numbersIn(client.streamText(request)), all);
    assert.equal(client.streamText(request, 'stderr'), '');
    client.drop();
  });

  it('can be interrupted while it waits', async () => {
    const pid = await kernelProcess();
    const { client, request, printed } = await printUnread(() => {
      process.kill(pid, 'SIGINT');
      return Promise.resolve();
    });
    const reply = await client.done(request);
    if (printed < COUNT) {
      assert.equal(reply.content['ename'], 'KeyboardInterrupt');
    }
    const numbers = numbersIn(client.streamText(request));
    assert.deepEqual(numbers, all.slice(0, numbers.length));
    assert.ok(numbers.length >= printed);
    client.drop();
  });

  it('goes on alone after a time, says in the cell what is lost, and the cell ends', async () => {
    await run(`${PUBLISHER}.patience_s = 0.2`);
    const { client, request, printed } = await printUnread();
    assert.equal(printed, COUNT);
    await client.done(request);
    const numbers = numbersIn(client.streamText(request));
    assert.ok(numbers.length < COUNT, 'the sockets took it all');
    assert.deepEqual(numbers, all.slice(0, numbers.length));
    const said = client.streamText(request, 'stderr');
    assert.match(
      said,
      /^\[Hitch\] Up to [\d.]+ MB of output are missing here: the cluster's Jupyter Server read nothing/,
    );
    const lost = client.answersTo(request).flatMap(message => lostBytesOf(message) ?? []);
    assert.equal(lost.length, 1);
    assert.ok((lost[0] ?? 0) >= (COUNT - numbers.length) * (WIDTH + 1));
    await run(`${PUBLISHER}.patience_s = 60`);
    const after = await printUnread();
    await after.client.done(after.request);
    assert.deepEqual(numbersIn(after.client.streamText(after.request)), all);
    after.client.drop();
    client.drop();
  });

  it('lets a child print that was forked while it waited', async () => {
    const code = [
      'import os',
      `${PUBLISHER}._has_room.clear()`,
      'child = os.fork()',
      'if child == 0:',
      '    print("from the child", flush=True)',
      '    os._exit(0)',
      'os.waitpid(child, 0)',
      `${PUBLISHER}._has_room.set()`,
    ].join('\n');
    assert.equal(await run(code), 'from the child\n');
  });
});
