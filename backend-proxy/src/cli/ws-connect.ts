/**
 * `hitch ws-connect <https address> <file with its token>`: what stands between `ssh` and a machine that a web address alone
 * leads to. It carries bytes inside a WebSocket and nothing else: binary messages are the bytes of ssh, the text `end` says
 * that no more of them come, and the machine closes once its sshd has ended. Whose host key answers is for `ssh` to see.
 */
import { readFileSync } from 'node:fs';
import { systemClock } from '@hitch/platform/src/clock.ts';
import { errorText } from '@hitch/platform/src/log.ts';
import type { RawData, WebSocket } from 'ws';
import { webAddressOf } from '../machines/far/web-access.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { say, type SshStreams, sshStreams } from './ssh-streams.ts';
import { HELD_BYTES } from './ssh-way.ts';
import { openWebSocket } from './web-socket.ts';

/** Gateways cut what is silent for a minute, and `ssh` need not say anything for longer. */
const PING_EVERY_MS = 20_000;
/** So many of them unanswered in a row, and nobody is there. */
const MOST_UNANSWERED = 3;
/** As the WebSocket protocol has it: the other side is done. */
const NORMAL = 1000;

export async function wsConnect(address: string, tokenFile: string): Promise<ExitCode> {
  if (process.stdin.isTTY) {
    return fail(EXIT.usage, 'ws-connect speaks with ssh, not with people: it stands in a ProxyCommand');
  }
  const url = webAddressOf(address);
  if (url === null) {
    return fail(EXIT.usage, `${address} is no https address: it looks like https://name.example`);
  }
  let token: string;
  try {
    token = readFileSync(tokenFile, 'utf8').trim();
  } catch (error) {
    return fail(EXIT.usage, `the token of ${url} cannot be read (${errorText(error)})`);
  }
  if (!/^[\x21-\x7e]+$/.test(token)) {
    return fail(EXIT.usage, `${tokenFile} holds no token for ${url}`);
  }
  const opened = await openWebSocket({ url, token }, process.env);
  return 'refused' in opened
    ? fail(EXIT.unreachable, opened.refused)
    : carry(opened.socket, sshStreams(), new URL(url).host);
}

function fail(code: ExitCode, why: string): ExitCode {
  say(`${why}.`);
  return code;
}

/** Until either side ends. What was received is passed on to its last byte. */
async function carry(socket: WebSocket, { input, output }: SshStreams, host: string): Promise<ExitCode> {
  const alive = keepAlive(socket);
  const isOver = new Promise<ExitCode>(resolve => {
    socket.once('close', (code: number) => {
      alive.end();
      input.destroy();
      output.end(() =>
        resolve(
          code === NORMAL
            ? EXIT.ok
            : fail(
                EXIT.unreachable,
                alive.isLost()
                  ? `nothing was heard of ${host} for ${((PING_EVERY_MS * MOST_UNANSWERED) / 1000).toString()} s`
                  : `the connection to ${host} was cut (${code.toString()})`,
              ),
        ),
      );
    });
    // Whoever read it has gone: `ssh` ends what it started.
    output.once('error', () => {
      socket.terminate();
      resolve(EXIT.ok);
    });
  });
  socket.on('message', (data: RawData, isBinary: boolean) => {
    if (isBinary && !output.write(data)) {
      socket.pause();
      output.once('drain', () => socket.resume());
    }
  });
  input.on('data', (piece: Buffer) => {
    socket.send(piece, () => {
      if (socket.bufferedAmount < HELD_BYTES) {
        input.resume();
      }
    });
    if (socket.bufferedAmount >= HELD_BYTES) {
      input.pause();
    }
  });
  socket.resume();
  const end = (): void => socket.send('end', () => undefined);
  input.once('end', end).once('error', end);
  return isOver;
}

/** Asks the machine again and again whether it is there; ends the socket where it is not. */
function keepAlive(socket: WebSocket): { readonly end: () => void; readonly isLost: () => boolean } {
  let unanswered = 0;
  const heard = (): void => {
    unanswered = 0;
  };
  socket.on('pong', heard).on('message', heard).on('ping', heard);
  let timer = systemClock.setTimer(look, PING_EVERY_MS);
  function look(): void {
    // What nobody reads here is not heard either, and says nothing of the machine.
    if (!socket.isPaused) {
      unanswered++;
      if (unanswered > MOST_UNANSWERED) {
        socket.terminate();
        return;
      }
      socket.ping();
    }
    timer = systemClock.setTimer(look, PING_EVERY_MS);
  }
  return { end: () => timer.cancel(), isLost: () => unanswered > MOST_UNANSWERED };
}
