/** A wire between two programs that speak TCP: it can take its time, be cut without a word, and be mended. */
import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net';
import { delay } from './waiting.ts';

export class Wire {
  readonly #server: Server;
  readonly #ends = new Set<Socket>();
  readonly #near = new Set<Socket>();
  #isCut = false;
  #mended = Promise.resolve();
  #mend: () => void = () => undefined;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** @param delayMs how long each byte takes, each way */
  static async to(port: number, delayMs = 0): Promise<Wire> {
    const server = createServer();
    const wire = new Wire(server);
    server.on('connection', near => {
      const far = connect(port, '127.0.0.1');
      near.setNoDelay(true);
      far.setNoDelay(true);
      wire.#near.add(near);
      near.once('close', () => wire.#near.delete(near));
      wire.#carry(near, far, delayMs);
      wire.#carry(far, near, delayMs);
    });
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    return wire;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** How many programs are connected to it now. */
  get connections(): number {
    return this.#near.size;
  }

  /** From now on nothing passes, and neither end is told. */
  cut(): void {
    if (!this.#isCut) {
      this.#isCut = true;
      this.#mended = new Promise(resolve => (this.#mend = resolve));
    }
  }

  /** What was under way arrives now. */
  mend(): void {
    this.#isCut = false;
    this.#mend();
  }

  async close(): Promise<void> {
    this.mend();
    this.#ends.forEach(end => end.destroy());
    await new Promise(resolve => this.#server.close(resolve));
  }

  #carry(from: Socket, to: Socket, delayMs: number): void {
    this.#ends.add(from);
    let before = Promise.resolve();
    const inTurn = (work: () => void): void => {
      const due = delayMs === 0 ? Promise.resolve() : delay(delayMs);
      before = before.then(async () => {
        await due;
        await this.#mended;
        work();
      });
    };
    from.on('data', bytes => inTurn(() => to.write(bytes)));
    from.on('end', () => inTurn(() => to.end()));
    from.on('error', () => undefined);
    from.once('close', () => {
      this.#ends.delete(from);
      inTurn(() => to.destroy());
    });
  }
}
