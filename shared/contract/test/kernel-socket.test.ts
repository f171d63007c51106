import assert from 'node:assert/strict';
import fc from 'fast-check';
import { decodeMessage, encodeControl, KERNEL_PROTOCOL_HITCH, KERNEL_PROTOCOL_V1 } from '../src/index.ts';
import { URL_OF_KERNEL, frame, numbered, world, idsOf, opened } from './support/kernel-socket-world.ts';

describe('the kernel socket', () => {
  it('offers the cursor protocol and looks like a stock v1 socket once it is greeted', () => {
    const { socket, last } = opened();
    let opens = 0;
    socket.onopen = () => opens++;
    assert.deepEqual(last().protocols, [KERNEL_PROTOCOL_HITCH, KERNEL_PROTOCOL_V1]);
    assert.equal(last().cursor, null);
    assert.equal(socket.readyState, 0);
    assert.throws(() => {
      socket.send(frame('early'));
    });
    last().open();
    assert.equal(opens, 0);
    last().control({ type: 'hello', epoch: 'e1', firstSeq: 1, lastSeq: 4, resumed: false });
    assert.equal(opens, 1);
    assert.equal(socket.readyState, 1);
    assert.equal(socket.protocol, KERNEL_PROTOCOL_V1);
  });

  it('hands messages over once, in order, without their numbers', () => {
    const { last, received } = opened();
    last().hello(4);
    for (const seq of [5, 6, 6, 5, 9]) {
      last().give(numbered(seq, frame(`m${seq.toString()}`)));
    }
    assert.deepEqual(idsOf(received), ['m5', 'm6', 'm9']);
  });

  it('says to a client that asks for it that the kernel is busy as it opens, once', () => {
    const { socket, last, received, fire } = opened({ tellBusy: true });
    const heard: string[] = [];
    socket.onopen = () => heard.push('open');
    socket.addEventListener('message', () => heard.push('message'));
    last().hello(4, { busy: true });
    // JupyterLab takes the state of a connection that is not open yet for unknown.
    assert.deepEqual(heard, ['open', 'message']);
    const [state] = received.map(data => decodeMessage(new Uint8Array(data)));
    assert.equal(state?.channel, 'iopub');
    assert.equal(state.header.msg_type, 'status');
    assert.deepEqual(state.content, { execution_state: 'busy' });
    assert.deepEqual(state.parentHeader, {});
    last().end(1012);
    fire();
    assert.equal(last().cursor, 'e1:4');
    last().hello(9, { busy: true, resumed: true });
    last().give(numbered(5, frame('m5')));
    assert.deepEqual(idsOf(received).slice(1), ['m5']);
  });

  it('says nothing of the kernel’s state to other clients, nor of a kernel that is not busy', () => {
    const others = opened();
    others.last().hello(4, { busy: true });
    assert.deepEqual(others.received, []);
    const idle = opened({ tellBusy: true });
    idle.last().hello(4, { busy: false });
    assert.deepEqual(idle.received, []);
  });

  for (const code of [1012, 1006, 1001, 1011, 1005]) {
    it(`comes back after close code ${code.toString()} with its cursor, unseen by its user`, () => {
      const { socket, last, inners, fire } = opened();
      let closes = 0;
      let errors = 0;
      socket.onclose = () => closes++;
      socket.onerror = () => errors++;
      last().hello(4);
      last().give(numbered(7, frame('m7')));
      last().onerror?.({ type: 'error', target: null });
      last().end(code);
      assert.equal(socket.readyState, 1);
      fire();
      assert.equal(inners.length, 2);
      assert.equal(last().cursor, 'e1:7');
      last().hello(7, { resumed: true });
      assert.equal(closes + errors, 0);
    });
  }

  for (const code of [1000, 4404, 4400]) {
    it(`takes close code ${code.toString()} for what it is`, () => {
      const { socket, last, timers } = opened();
      const codes: unknown[] = [];
      socket.onclose = event => codes.push(event.code);
      last().hello(1);
      last().end(code);
      assert.deepEqual(codes, [code]);
      assert.equal(socket.readyState, 3);
      assert.equal(timers.length, 0);
    });
  }

  it('tries for ever with growing, scattered waits when nobody answers', () => {
    const { last, inners, timers } = opened();
    const waits: number[] = [];
    for (let attempt = 0; attempt < 50; attempt++) {
      last().end(1006);
      assert.equal(timers.length, 1);
      const [timer] = timers.splice(0, 1);
      assert.ok(timer);
      waits.push(timer.ms);
      timer.run();
    }
    assert.equal(inners.length, 51);
    assert.ok(waits.every((wait, index) => index === 0 || wait >= (waits[index - 1] ?? 0)));
    assert.equal(waits.at(-1), 15_000 * 0.75);
  });

  it('sends again what was not acknowledged, in order, after the greeting only', () => {
    const { socket, last, fire } = opened();
    last().hello(0);
    for (const id of ['a', 'b', 'c']) {
      socket.send(frame(id, 'execute_request'));
    }
    last().control({ type: 'ack', msg_id: 'b' });
    last().end(1006);
    socket.send(frame('d', 'execute_request').slice().buffer);
    assert.ok(socket.bufferedAmount > 0);
    fire();
    last().open();
    assert.deepEqual(last().messagesSent, []);
    last().control({ type: 'hello', epoch: 'e1', firstSeq: 1, lastSeq: 0, resumed: true });
    assert.deepEqual(last().messagesSent, ['a', 'c', 'd']);
  });

  it('leaves a connection that does not greet or no longer answers', () => {
    const { last, inners, fire, timers } = opened();
    fire();
    assert.equal(inners[0]?.closed, 4000);
    fire();
    assert.equal(inners.length, 2);
    last().hello(1);
    assert.ok(last().sent.includes('{"type":"ping"}'));
    last().control({ type: 'pong' });
    fire();
    assert.equal(last().closed, null);
    fire();
    assert.equal(last().closed, 4000);
    assert.equal(timers.length, 1);
  });

  it('says in the cell what was lost, by a gap or by a journal that started afresh', () => {
    const { socket, last, received, fire } = opened();
    last().hello(0);
    socket.send(frame('run', 'execute_request'));
    last().control({ type: 'ack', msg_id: 'run' });
    last().control({
      type: 'gap',
      fromSeq: 1,
      toSeq: 50,
      messages: 50,
      droppedBytes: 2_500_000,
      reason: 'bound',
      executions: [{ messageId: 'run', droppedBytes: 2_500_000 }],
    });
    last().end(1012);
    fire();
    assert.equal(last().cursor, 'e1:50');
    last().hello(3, { epoch: 'e2' });
    last().give(numbered(1, frame('fresh')));
    const messages = received.map(data => decodeMessage(new Uint8Array(data)));
    assert.deepEqual(
      messages.map(({ header }) => header.msg_type),
      ['stream', 'stream', 'stream'],
    );
    const [gap, afresh, fresh] = messages;
    assert.equal(gap?.content['name'], 'stderr');
    assert.match(String(gap?.content['text']), /2\.5 MB of older output are no longer kept/);
    assert.equal(gap?.parentHeader.msg_id, 'run');
    assert.match(String(afresh?.content['text']), /started afresh/);
    assert.equal(afresh?.parentHeader.msg_id, 'run');
    assert.equal(fresh?.header.msg_id, 'fresh');
  });

  it('goes on from where an earlier socket of the same session stopped, whatever host leads there', () => {
    const { socket, last, KernelSocket, fire } = opened();
    last().hello(2);
    last().give(numbered(3, frame('m3')));
    socket.close();
    fire();
    new KernelSocket(
      'wss://other:8888/base/api/kernels/k1/channels?token=t&session_id=s1',
      KERNEL_PROTOCOL_V1,
    );
    assert.equal(last().cursor, 'e1:3');
    new KernelSocket('ws://host/api/kernels/k1/channels?session_id=s2', KERNEL_PROTOCOL_V1);
    assert.equal(last().cursor, null);
  });

  it('asks where to go before each attempt, and waits when that is not known', () => {
    let port = 1;
    const here = world({
      locate: url => {
        if (port === 2) {
          throw new Error('no daemon');
        }
        return { url: url.replace('host', `host:${port.toString()}`) };
      },
    });
    const socket = new here.KernelSocket(URL_OF_KERNEL, [KERNEL_PROTOCOL_V1]);
    assert.match(here.last().url, /host:1/);
    here.last().end(1006);
    port = 2;
    here.fire();
    assert.equal(here.inners.length, 1);
    port = 3;
    here.fire();
    assert.match(here.last().url, /host:3/);
    assert.equal(socket.readyState, 0);
  });

  it('is closed by its user at once, whatever the network does', () => {
    const { socket, last, fire, timers } = opened();
    const codes: unknown[] = [];
    socket.onclose = event => codes.push(event.code);
    last().end(1006);
    socket.close(1000);
    fire();
    assert.deepEqual(codes, [1000]);
    assert.equal(timers.length, 0);
  });

  it('is a plain socket towards a stock server and for other URLs', () => {
    const stock = opened();
    stock.last().open(KERNEL_PROTOCOL_V1);
    const data = frame('plain');
    stock.last().give(data);
    assert.deepEqual(idsOf(stock.received), ['plain']);
    stock.socket.send(frame('out'));
    assert.deepEqual(stock.last().messagesSent, ['out']);
    let code: unknown;
    stock.socket.onclose = event => (code = event.code);
    stock.last().end(1006);
    assert.equal(code, 1006);

    const here = world();
    const terminal = new here.KernelSocket('ws://host/terminals/websocket/1');
    assert.deepEqual(here.last().protocols, []);
    here.last().open('');
    const texts: unknown[] = [];
    terminal.addEventListener('message', event => texts.push(event.data));
    here.last().onmessage?.({ type: 'message', target: null, data: '["stdout","x"]' });
    assert.deepEqual(texts, ['["stdout","x"]']);
  });

  it("gives every event through an overridable emit, in the ws package's form and in the browser's", () => {
    const here = world();
    const seen: string[] = [];
    class Patched extends here.KernelSocket {
      override emit(type: string, ...args: unknown[]): boolean {
        seen.push(type);
        return super.emit(type, ...args);
      }
    }
    const socket = new Patched(URL_OF_KERNEL, KERNEL_PROTOCOL_V1);
    socket.binaryType = 'nodebuffer';
    const buffers: unknown[] = [];
    socket.on('message', (data, isBinary) => buffers.push(Buffer.isBuffer(data), isBinary));
    let onces = 0;
    socket.once('open', () => onces++);
    socket.addEventListener('close', { handleEvent: () => onces++ });
    here.last().hello(0);
    here.last().give(numbered(1, frame('m')));
    socket.ping();
    socket.terminate();
    here.fire();
    assert.deepEqual(seen, ['open', 'message', 'close']);
    assert.deepEqual(buffers, [true, true]);
    assert.equal(onces, 2);
  });

  it('loses and doubles nothing in either direction under any order of drops', () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.constant('journal' as const) },
      { weight: 4, arbitrary: fc.constant('deliver' as const) },
      { weight: 4, arbitrary: fc.constant('send' as const) },
      { weight: 3, arbitrary: fc.constant('take' as const) },
      { weight: 2, arbitrary: fc.constant('drop' as const) },
      { weight: 1, arbitrary: fc.constant('halfOpen' as const) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), steps => {
        const { socket, received, last, fire } = opened();
        const journal: string[] = [];
        const taken: string[] = [];
        const sent: string[] = [];
        let toClient: Uint8Array[] = [];
        let read = 0;
        const greet = (): void => {
          const inner = last();
          const cursor = inner.cursor === null ? null : Number(inner.cursor.split(':')[1]);
          inner.hello(journal.length, { resumed: cursor !== null });
          toClient = journal
            .map((id, index) => numbered(index + 1, frame(id)))
            .slice(cursor ?? journal.length);
          read = 0;
        };
        const take = (): void => {
          const ids = last().messagesSent;
          const id = ids[read];
          if (id === undefined) {
            return;
          }
          read += 1;
          if (!taken.includes(id)) {
            taken.push(id);
          }
          toClient.push(encodeControl({ type: 'ack', msg_id: id }));
        };
        const drop = (): void => {
          last().end(1006);
          fire();
          greet();
        };
        greet();
        for (const action of steps) {
          switch (action) {
            case 'journal':
              journal.push(`j${journal.length.toString()}`);
              toClient.push(numbered(journal.length, frame(journal.at(-1) ?? '')));
              break;
            case 'deliver': {
              const next = toClient.shift();
              if (next !== undefined) {
                last().give(next);
              }
              break;
            }
            case 'send': {
              const id = `s${sent.length.toString()}`;
              sent.push(id);
              socket.send(frame(id, 'execute_request'));
              break;
            }
            case 'take':
              take();
              break;
            case 'drop':
              drop();
              break;
            case 'halfOpen': {
              // The old connection goes on talking after the new one stands; nobody is to listen to it.
              const old = last();
              drop();
              old.onmessage?.({ type: 'message', target: null, data: numbered(999, frame('ghost')).buffer });
              break;
            }
          }
        }
        drop();
        sent.forEach(take);
        toClient.forEach(bytes => {
          last().give(bytes);
        });
        assert.deepEqual(idsOf(received), journal);
        assert.deepEqual(taken, sent);
      }),
      { numRuns: 300 },
    );
  });
});
