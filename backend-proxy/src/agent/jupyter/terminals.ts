/** Terminal sockets: terminado's own JSON frames, passed on both ways. What a person types counts as activity. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { HitchError } from '@hitch/contract';
import WebSocket, { WebSocketServer, type RawData } from 'ws';
import type { Clock, Timer } from '@hitch/platform/src/clock.ts';
import { refuseUpgrade } from '../http/envelope.ts';
import { PING_EVERY_MS, Pings } from '../http/pings.ts';
import type { Upstream } from '../http/upstream.ts';

const MOST_UNSENT_BYTES = 1024 * 1024;
const MAX_FRAME_BYTES = 16 * 1024 * 1024;
const JUPYTER_ANSWERS_WITHIN_MS = 15_000;
const NAME = /^\w{1,64}$/;

/** @throws HitchError BAD_INPUT */
export function checkTerminalName(name: string): string {
  if (!NAME.test(name)) {
    throw new HitchError('BAD_INPUT', 'A terminal has a name of up to 64 letters, digits and underscores.', {
      field: 'name',
    });
  }
  return name;
}

export class TerminalSockets {
  readonly #upstream: Upstream;
  readonly #typed: () => void;
  readonly #server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: MAX_FRAME_BYTES,
  });

  readonly #clock: Clock;
  readonly #pings = new Set<Pings>();
  #timer: Timer;

  constructor({ upstream, clock, typed }: { upstream: Upstream; clock: Clock; typed: () => void }) {
    this.#upstream = upstream;
    this.#typed = typed;
    this.#clock = clock;
    this.#timer = this.#pingLater();
  }

  /** The daemon hears by them that this agent lives, and this agent that the client does. */
  #pingLater(): Timer {
    return this.#clock.setTimer(() => {
      this.#pings.forEach(pings => {
        pings.send();
      });
      this.#timer = this.#pingLater();
    }, PING_EVERY_MS);
  }

  /** Opens Jupyter's side first, so that an unknown terminal is a plain 404 and no socket that closes at once. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, name: string): void {
    const inner = this.#connect(checkTerminalName(name));
    const early: { data: RawData; isBinary: boolean }[] = [];
    const keep = (data: RawData, isBinary: boolean): void => {
      early.push({ data, isBinary });
    };
    inner.on('message', keep);
    const failed = (error: unknown): void => refuseUpgrade(socket, error);
    inner.once('unexpected-response', (asked, answer) => {
      asked.destroy();
      inner.off('error', refused);
      inner.on('error', () => undefined);
      failed(
        answer.statusCode === 404
          ? new HitchError('NOT_FOUND', `There is no terminal ${name}.`)
          : new HitchError(
              'UNREACHABLE',
              `Jupyter Server refused the terminal with ${String(answer.statusCode)}.`,
            ),
      );
    });
    const refused = (cause: Error): void =>
      failed(new HitchError('UNREACHABLE', 'Jupyter Server on this node does not answer.', { cause }));
    inner.once('error', refused);
    socket.once('close', () => inner.terminate());
    inner.once('open', () => {
      inner.off('error', refused);
      this.#server.handleUpgrade(request, socket, head, outer => {
        inner.off('message', keep);
        early.forEach(({ data, isBinary }) => outer.send(data, { binary: isBinary }));
        this.#join(outer, inner);
      });
    });
  }

  close(): void {
    this.#timer.cancel();
    this.#server.clients.forEach(client => client.close(1012, 'the agent restarts'));
    this.#server.close();
  }

  #connect(name: string): WebSocket {
    const { address, authorization } = this.#upstream;
    const path = `/terminals/websocket/${name}`;
    const url =
      'socketPath' in address
        ? `ws+unix:${address.socketPath}:${path}`
        : `ws://${address.host}:${address.port.toString()}${path}`;
    return new WebSocket(url, {
      perMessageDeflate: false,
      maxPayload: MAX_FRAME_BYTES,
      handshakeTimeout: JUPYTER_ANSWERS_WITHIN_MS,
      headers: { authorization, host: 'localhost' },
    });
  }

  #join(outer: WebSocket, inner: WebSocket): void {
    const pings = new Pings(outer);
    this.#pings.add(pings);
    outer.once('close', () => this.#pings.delete(pings));
    pass(outer, inner, data => {
      if (isTyped(data)) {
        this.#typed();
      }
    });
    pass(inner, outer, () => undefined);
  }
}

function pass(from: WebSocket, to: WebSocket, seen: (data: RawData) => void): void {
  from.on('message', (data, isBinary) => {
    seen(data);
    if (to.readyState !== WebSocket.OPEN) {
      return;
    }
    to.send(data, { binary: isBinary }, () => {
      if (from.isPaused && to.bufferedAmount < MOST_UNSENT_BYTES / 2) {
        from.resume();
      }
    });
    if (to.bufferedAmount > MOST_UNSENT_BYTES) {
      from.pause();
    }
  });
  from.on('error', () => undefined);
  from.on('close', () => {
    // 1012: come back; the terminal itself lives on.
    to.close(1012, 'the other side closed');
  });
}

/** `["stdin", "…"]`; a resized window is not somebody at work. */
function isTyped(data: RawData): boolean {
  return (
    Buffer.isBuffer(data) &&
    data.subarray(0, 32).toString('latin1').replaceAll(' ', '').startsWith('["stdin"')
  );
}
