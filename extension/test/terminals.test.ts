import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { HitchError } from '@hitch/contract';
import { openTerminalSocket, type TerminalEvents } from '@hitch/client-node/src/terminal-socket.ts';
import { chooseTerminal, shownSchema, socketPath, terminalState, titleOf } from '../src/terminals/places.ts';
import { type TerminalState, TerminalSession } from '../src/terminals/session.ts';
import { cluster, CLUSTER_ID } from './sample.ts';

const settled = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

function sessionWith(state: () => Promise<TerminalState> = () => Promise.resolve('runs')) {
  const sent: string[] = [];
  const wrote: string[] = [];
  const timers = new Set<{ run: () => void; ms: number }>();
  const ways: TerminalEvents[] = [];
  let refuses = false;
  let ended = 0;
  const session = new TerminalSession({
    clusterName: 'llm-dev',
    state,
    open: events => {
      if (refuses) {
        return Promise.reject(new Error('refused'));
      }
      ways.push(events);
      return Promise.resolve({
        stdin: text => sent.push(text),
        resize: (rows, columns) => sent.push(`${rows.toString()}×${columns.toString()}`),
        close: () => sent.push('closed'),
      });
    },
    write: text => wrote.push(text),
    ended: () => (ended += 1),
    setTimer: (run, ms) => {
      const timer = { run, ms };
      timers.add(timer);
      return { cancel: () => timers.delete(timer) };
    },
  });
  return {
    session,
    sent,
    wrote,
    ways,
    ended: () => ended,
    refuse: (value: boolean) => (refuses = value),
    pauses: () => [...timers].map(({ ms }) => ms),
    /** Lets the timers up to this long go off. */
    pass: async (ms: number) => {
      for (const timer of [...timers].filter(one => one.ms <= ms)) {
        timers.delete(timer);
        timer.run();
      }
      await settled();
    },
  };
}

describe('a terminal on a cluster', () => {
  it('gets its size and what was typed before it was there', async () => {
    const { session, sent } = sessionWith();
    session.start({ rows: 30, columns: 100 });
    session.type('ls\r');
    await settled();
    session.type('pwd\r');
    session.resize({ rows: 20, columns: 80 });
    assert.deepEqual(sent, ['30×100', 'ls\r', 'pwd\r', '20×80']);
  });

  it('says once from where on what is typed is not kept while the cluster is away', async () => {
    const { session, sent, wrote } = sessionWith();
    session.start(null);
    for (let n = 0; n < 1_010; n++) {
      session.type('x');
    }
    const said = wrote.filter(text => text.includes('anything you type now is lost'));
    assert.equal(said.length, 1);
    await settled();
    assert.equal(sent.length, 1_000);
  });

  it('shows the screen anew, once, when the way was broken', async () => {
    const { session, ways, wrote, pass } = sessionWith();
    session.start(null);
    await settled();
    ways[0]?.begins?.();
    ways[0]?.stdout('$ ');
    ways[0]?.broken();
    await pass(250);
    ways[1]?.begins?.();
    ways[1]?.stdout('$ ');
    ways[0]?.stdout('late');
    assert.deepEqual(wrote, ['$ ', '\u001bc', '$ ']);
  });

  it('says after a while that nobody answers, and goes on trying with longer pauses', async () => {
    const { session, refuse, wrote, pauses, pass } = sessionWith();
    refuse(true);
    session.start(null);
    await settled();
    assert.deepEqual(pauses().sort(), [250, 3_000]);
    await pass(250);
    assert.ok(pauses().includes(500));
    assert.deepEqual(wrote, []);
    await pass(3_000);
    assert.match(wrote.join(''), /llm-dev does not answer\. Programs there keep running/);
    session.dispose();
    assert.deepEqual(pauses(), []);
  });

  it('ends with its shell', async () => {
    const { session, ways, ended } = sessionWith();
    session.start(null);
    await settled();
    ways[0]?.ended();
    assert.equal(ended(), 1);
  });

  it('leaves the last screen and a sentence when the cluster is gone', async () => {
    const gone: TerminalState = { gone: 'llm-dev has been stopped.' };
    const { session, ways, wrote, ended, pass, pauses } = sessionWith(() => Promise.resolve(gone));
    session.start(null);
    await settled();
    ways[0]?.broken();
    await pass(250);
    assert.match(wrote.join(''), /llm-dev has been stopped\. Press any key to close\./);
    assert.deepEqual([ended(), pauses()], [0, []]);
    session.type('x');
    assert.equal(ended(), 1);
  });

  it('is left without a word to the shell when it is closed here', async () => {
    const { session, sent, ended } = sessionWith();
    session.start(null);
    await settled();
    session.dispose();
    assert.deepEqual([sent, ended()], [['closed'], 0]);
  });
});

describe('the terminals of a cluster', () => {
  const one = { clusterId: CLUSTER_ID, name: '1' };
  const running = (...names: string[]) => ({
    list: () => Promise.resolve(names.map(name => ({ name, lastActivityMs: 0 }))),
    create: () => Promise.resolve({ name: '9', lastActivityMs: 0 }),
  });

  it('are gone back to where one waits, else made', async () => {
    const chosen = async (names: string[], shown = [one]) =>
      (await chooseTerminal(running(...names), CLUSTER_ID, shown)).name;
    assert.equal(await chosen(['1', '2']), '2');
    assert.equal(await chosen(['1']), '9');
    assert.equal(await chosen(['1'], []), '1');
  });

  it('have a place, and a title that tells two apart', () => {
    assert.equal(socketPath(one), `/clusters/${CLUSTER_ID}/terminals/1/socket`);
    assert.deepEqual(
      [titleOf('llm-dev', one), titleOf('llm-dev', { ...one, name: '2' })],
      ['llm-dev', 'llm-dev 2'],
    );
    assert.equal(shownSchema.safeParse({ clusterId: CLUSTER_ID, name: '../x' }).success, false);
  });

  it('are over with their shell or their cluster, and not because nobody answers', async () => {
    assert.equal(await terminalState(running('1'), one, cluster()), 'runs');
    assert.equal(await terminalState(running('2'), one, cluster()), 'ended');
    const stopped = await terminalState(running('1'), one, cluster({ phase: 'stopped' }));
    assert.ok(typeof stopped === 'object' && /llm-dev has stopped/.test(stopped.gone));
    const away = { list: () => Promise.reject(new HitchError('UNREACHABLE', 'No answer.')) };
    await assert.rejects(terminalState(away, one, cluster()), /No answer/);
  });
});

describe('the socket of a terminal', () => {
  /** What is heard of these frames, which come in one piece with the answer that opens the socket. */
  const heardOf = async (...frames: readonly string[]): Promise<readonly string[]> => {
    const frame = (text: string) => Buffer.concat([Buffer.from([0x81, text.length]), Buffer.from(text)]);
    const server = createServer();
    server.on('upgrade', (request, socket) => {
      const key = `${request.headers['sec-websocket-key'] ?? ''}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
      const accept = createHash('sha1').update(key).digest('base64');
      const answer = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`;
      socket.write(Buffer.concat([Buffer.from(answer), ...frames.map(frame)]));
      socket.on('error', () => undefined);
      socket.on('data', () => socket.end());
    });
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    const place = server.address();
    assert.ok(typeof place === 'object' && place !== null);
    const heard: string[] = [];
    const broken = new Promise<void>(resolve => {
      const address = () =>
        Promise.resolve({ baseUrl: `http://127.0.0.1:${place.port.toString()}`, token: 'a' });
      void openTerminalSocket(
        { address },
        '/',
      )({
        begins: () => heard.push('begins'),
        stdout: text => heard.push(text),
        ended: () => heard.push('ended'),
        broken: resolve,
      }).then(terminal => terminal.stdin('exit'));
    });
    await broken;
    server.close();
    return heard;
  };

  it('hears what comes at once', async () => {
    assert.deepEqual(await heardOf('["setup",{}]', '["stdout","$ "]'), ['begins', '$ ']);
  });

  it('passes over what is no frame of a terminal', async () => {
    const odd = ['', 'no JSON', '{"stdout":"x"}', '["stdout",7]', '["later",{}]', '[]', 'null'];
    assert.deepEqual(await heardOf(...odd, '["stdout","$ "]'), ['$ ']);
  });
});
