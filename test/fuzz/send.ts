/** Sends a case over a connection of its own and reads what comes back, for as long as something comes. */
import { connect, type Socket } from 'node:net';
import { bytesOf, type Case, type Names, requestBytes } from './case.ts';

/** Silence after which nothing more is waited for: a half-open body gets no answer, and need not. */
const SILENCE_MS = 400;
const MOST_BYTES = 4 * 1024 * 1024;

/**
 * Everything that was answered; empty where the daemon closed the connection or waits for more.
 * @param firstMs how long the first byte is waited for; a stream of events has no last one
 */
export function send(names: Names, sent: Case, silenceMs = SILENCE_MS, firstMs = silenceMs): Promise<Buffer> {
  return new Promise(resolve => {
    const heard: Buffer[] = [];
    let bytes = 0;
    const socket = connect({ host: '127.0.0.1', port: Number(names.port) });
    socket.setTimeout(firstMs, () => socket.destroy());
    socket.on('data', (piece: Buffer) => {
      socket.setTimeout(silenceMs);
      heard.push(piece);
      bytes += piece.length;
      if (bytes > MOST_BYTES) {
        socket.destroy();
      }
    });
    socket.on('end', () => socket.destroy());
    // A daemon that has read enough breaks the connection.
    socket.on('error', () => socket.destroy());
    socket.once('close', () => resolve(Buffer.concat(heard)));
    void sendPieces(socket, names, sent);
  });
}

async function sendPieces(socket: Socket, names: Names, sent: Case): Promise<void> {
  for (const bytes of requestBytes(sent, names)) {
    await write(socket, bytes);
  }
  const upgrades = sent.head.some(line => line.toLowerCase() === 'connection: upgrade');
  if (sent.after.length > 0 && upgrades) {
    await new Promise(resolve => {
      socket.once('data', resolve);
      socket.once('close', resolve);
    });
  }
  for (const piece of sent.after) {
    for (const bytes of bytesOf(piece, names)) {
      await write(socket, bytes);
    }
  }
}

async function write(socket: Socket, bytes: Buffer): Promise<void> {
  if (!socket.destroyed && !socket.write(bytes)) {
    await new Promise<void>(resolve => {
      const done = (): void => {
        socket.off('drain', done);
        socket.off('close', done);
        resolve();
      };
      socket.once('drain', done);
      socket.once('close', done);
    });
  }
}
