/** Another program that listens on a port of this computer and notes everything it is sent. */
import { createServer, type Server } from 'node:net';

export class Stranger {
  readonly port: number;
  #heard = '';
  readonly #server: Server;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
  }

  /** @param answer what it says to everybody; whatever it is, it is no daemon's proof. */
  static listen(port: number, answer: string): Promise<Stranger> {
    return new Promise((resolve, reject) => {
      const server = createServer(socket => {
        socket.on('error', () => undefined);
        socket.on('data', bytes => {
          stranger.#heard += bytes.toString('latin1');
          socket.end(answer);
        });
      });
      const stranger = new Stranger(server, port);
      server.once('error', reject);
      server.listen(port, '127.0.0.1', () => resolve(stranger));
    });
  }

  get heard(): string {
    return this.#heard;
  }

  close(): Promise<void> {
    return new Promise(resolve => this.#server.close(() => resolve()));
  }
}

export function httpAnswer(body: unknown): string {
  const text = JSON.stringify(body);
  const length = Buffer.byteLength(text).toString();
  return `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\nconnection: close\r\n\r\n${text}`;
}
