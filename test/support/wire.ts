/**
 * A wire between two programs that speak TCP: it can take its time, lose what it carries, be cut without a word, be
 * mended, and reset what goes over it.
 *
 * A program between two sockets cannot drop a segment of TCP: what it does not hand on is missing for good. So a loss is
 * what a loss looks like to those who read: the bytes and all behind them come later, by the time until the sender
 * repeats them, which doubles with each repetition that is lost too. After a cut that is mended the next repetition
 * brings them, not the mend. The times are those of Linux: 200 ms at least, and a second for what opens a connection.
 */
import { type AddressInfo, type Server, Socket, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '@hitch/platform/src/random.ts';

/** What a segment of TCP carries on an Ethernet. */
const SEGMENT_BYTES = 1_448;
const REPEATED_AFTER_MS = 200;
const DIALLED_AGAIN_AFTER_MS = 1_000;

export interface Loss {
  /** Of all segments, `0.01` for one in a hundred. */
  readonly share: number;
  readonly random: Random;
}

export class Wire {
  readonly #server: Server;
  readonly #delayMs: number;
  readonly #loss: Loss | null;
  readonly #ends = new Set<Socket>();
  readonly #near = new Set<Socket>();
  #lost = 0;
  #isClosed = false;
  #isCut = false;
  #mended = Promise.resolve();
  #mend: () => void = () => undefined;

  private constructor(server: Server, delayMs: number, loss: Loss | null) {
    this.#server = server;
    this.#delayMs = delayMs;
    this.#loss = loss;
  }

  /**
   * @param delayMs how long each byte takes, each way
   * @param loss null: nothing is lost, and a mended cut hands on at once what was held up
   */
  static async to(port: number, delayMs = 0, loss: Loss | null = null): Promise<Wire> {
    const server = createServer();
    const wire = new Wire(server, delayMs, loss);
    server.on('connection', near => {
      const far = new Socket();
      near.setNoDelay(true);
      far.setNoDelay(true);
      wire.#near.add(near);
      near.once('close', () => wire.#near.delete(near));
      // The far end hears of nobody who dials while the wire is cut.
      const isOpen = (wire.#isCut ? wire.#hold(0, DIALLED_AGAIN_AFTER_MS) : Promise.resolve()).then(() => {
        if (near.destroyed || wire.#isClosed) {
          far.destroy();
        } else {
          far.connect(port, '127.0.0.1');
        }
      });
      wire.#carry(near, far, isOpen);
      wire.#carry(far, near, isOpen);
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

  /** How many times it has lost something. */
  get lost(): number {
    return this.#lost;
  }

  /** From now on nothing passes, and neither end is told. */
  cut(): void {
    if (!this.#isCut) {
      this.#isCut = true;
      this.#mended = new Promise(resolve => (this.#mend = resolve));
    }
  }

  /** What was under way arrives now, or on a wire with losses when it is next repeated. */
  mend(): void {
    this.#isCut = false;
    this.#mend();
  }

  /** Ends every connection over it at once, as a router does that has forgotten them; what was under way is lost. */
  reset(): void {
    this.#ends.forEach(end => end.resetAndDestroy());
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.mend();
    this.#ends.forEach(end => end.destroy());
    await new Promise(resolve => this.#server.close(resolve));
  }

  #carry(from: Socket, to: Socket, isOpen: Promise<void>): void {
    this.#ends.add(from);
    let before = isOpen;
    const inTurn = (bytes: number, work: () => void): void => {
      const due = this.#delayMs === 0 ? Promise.resolve() : wait(this.#delayMs);
      before = before.then(async () => {
        await due;
        await this.#hold(bytes, REPEATED_AFTER_MS);
        work();
      });
    };
    from.on('data', bytes => inTurn(bytes.length, () => to.write(bytes)));
    from.on('end', () => inTurn(0, () => to.end()));
    from.on('error', () => undefined);
    from.once('close', () => {
      this.#ends.delete(from);
      inTurn(0, () => to.destroy());
    });
  }

  /** Until these bytes have come through. */
  async #hold(bytes: number, firstRepetitionMs: number): Promise<void> {
    if (this.#loss === null) {
      await this.#mended;
      return;
    }
    const isLost = (): boolean => this.#isCut || this.#loses(bytes);
    for (let afterMs = firstRepetitionMs; isLost() && !this.#isClosed; afterMs *= 2) {
      await wait(afterMs);
    }
  }

  #loses(bytes: number): boolean {
    const { share, random } = this.#loss ?? { share: 0, random: null };
    const segments = Math.ceil(bytes / SEGMENT_BYTES);
    const isLost = random !== null && random.next() > (1 - share) ** segments;
    this.#lost += isLost ? 1 : 0;
    return isLost;
  }
}

/** Whatever is under way when a test is over keeps nothing alive. */
const wait = (ms: number): Promise<void> => delay(ms, undefined, { ref: false });
