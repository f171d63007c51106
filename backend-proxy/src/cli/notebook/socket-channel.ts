/** A kernel channel over the socket class that does not break; a daemon that dies meanwhile is started again. */
import {
  createKernelSocketClass,
  decodeMessage,
  encodeMessage,
  KERNEL_CLOSE,
  KERNEL_PROTOCOL_V1,
  type KernelCursor,
  KernelFrameError,
  type KernelMessage,
  type KernelSocketBase,
  noticeFrame,
} from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';
import type { Ids, Random } from '@hitch/platform/src/random.ts';
import type { DaemonAddress, Session } from '@hitch/client-node/src/session.ts';
import type { ChannelEvents, KernelChannel } from './channel.ts';
import { KernelLostError } from './errors.ts';
import { readJson } from './exact-json.ts';
import { connectInner } from '@hitch/client-node/src/inner-socket.ts';

export interface SocketChannelOptions {
  readonly session: Session;
  /** The kernel's socket on the daemon, without a query. */
  readonly path: string;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly random: Random;
  /** Where in the kernel's journal to begin; else with what comes from now on. */
  readonly from?: KernelCursor;
  /** Asked after some failed attempts: a sentence when the cluster is gone for good. */
  readonly whyGone: () => Promise<string | null>;
}

const socketUrl = ({ baseUrl }: DaemonAddress, pathAndQuery: string): string =>
  `${baseUrl.replace(/^http/, 'ws')}${pathAndQuery}`;

const SUSPICIOUS_ATTEMPTS = 3;

const noEvents: ChannelEvents = {
  message: () => undefined,
  notice: () => undefined,
  connection: () => undefined,
  ended: () => undefined,
};

/** What becomes a part of a notebook. */
const KEPT_TYPES: ReadonlySet<string> = new Set([
  'display_data',
  'execute_result',
  'update_display_data',
  'comm_open',
  'comm_msg',
  'kernel_info_reply',
]);

const noMessage = (why: string): string =>
  `The kernel sent something that is no message, so nothing more of it is read. ${why}`;

function endWords(code: unknown, reason: unknown): string {
  switch (code) {
    case KERNEL_CLOSE.gone:
      return 'The kernel does not exist any more.';
    case KERNEL_CLOSE.badFrame:
      return noMessage(String(reason));
    default:
      return 'The connection to the kernel ended.';
  }
}

class SocketChannel implements KernelChannel {
  readonly sessionId: string;
  readonly #options: SocketChannelOptions;
  readonly #pathAndQuery: string;
  #address: DaemonAddress;
  /** What came before anybody listened: of a journal that is read from its start, the most. */
  #early: KernelMessage[] = [];
  #events: ChannelEvents = { ...noEvents, message: message => this.#early.push(message) };
  #isUp = false;
  readonly #socket: KernelSocketBase;
  readonly opened: Promise<void>;

  constructor(options: SocketChannelOptions, address: DaemonAddress) {
    this.#options = options;
    this.#address = address;
    this.sessionId = options.ids.secret(16);
    this.#pathAndQuery = `${options.path}?session_id=${this.sessionId}`;
    const KernelSocket = createKernelSocketClass({
      connect: connectInner,
      setTimer: (run, ms) => options.clock.setTimer(run, ms),
      random: () => options.random.next(),
      newId: () => options.ids.secret(16),
      now: () => options.clock.now(),
      ...(options.from === undefined ? {} : { from: options.from }),
      locate: () => ({
        url: socketUrl(this.#address, this.#pathAndQuery),
        options: { headers: { authorization: `Bearer ${this.#address.token}` } },
      }),
      onStatus: ({ connected, attempt }) => this.#status(connected, attempt),
    });
    this.#socket = new KernelSocket(socketUrl(address, this.#pathAndQuery), [KERNEL_PROTOCOL_V1], {
      headers: {},
    });
    this.opened = new Promise((resolve, reject) => {
      this.#socket.on('open', () => resolve());
      this.#socket.on('close', (code, reason) => {
        const sentence = endWords(code, reason);
        reject(new KernelLostError(sentence));
        this.#events.ended(sentence);
      });
    });
    this.#socket.binaryType = 'arraybuffer';
    this.#socket.on('message', data => {
      if (data instanceof ArrayBuffer) this.#take(new Uint8Array(data));
    });
  }

  /** A listener that threw would end the program, and a kernel may send anything. */
  #take(frame: Uint8Array): void {
    try {
      this.#events.message(this.#decoded(frame));
    } catch (error) {
      this.#events.ended(noMessage(`It cannot be taken: ${String(error)}.`));
      this.#socket.close();
    }
  }

  send(message: Parameters<KernelChannel['send']>[0]): void {
    this.#socket.send(encodeMessage(message));
  }

  listen(events: ChannelEvents): void {
    this.#events = events;
    const early = this.#early;
    this.#early = [];
    early.forEach(message => events.message(message));
  }

  close(): void {
    this.#events = noEvents;
    this.#socket.close();
  }

  /** What is no message is missing where it would have been, and said there. */
  #decoded(frame: Uint8Array): KernelMessage {
    try {
      return decodeMessage(frame, type => (KEPT_TYPES.has(type) ? readJson : JSON.parse));
    } catch (error) {
      if (!(error instanceof KernelFrameError)) throw error;
      const { clock, ids } = this.#options;
      const notice = noticeFrame({
        text: `[Hitch] A message of the kernel cannot be read and is missing here: ${error.message}\n`,
        lostBytes: frame.byteLength,
        messageId: ids.secret(16),
        parentId: '',
        parentSession: '',
        date: new Date(clock.now()).toISOString(),
      });
      return decodeMessage(notice);
    }
  }

  #status(connected: boolean, attempt: number): void {
    if (connected !== this.#isUp) {
      this.#isUp = connected;
      this.#events.connection(connected ? 'up' : 'down');
    }
    if (!connected) {
      void this.#findWayBack(attempt);
    }
  }

  /** The next attempt uses what is found here: the daemon's new token, or the reason why there is none to come. */
  async #findWayBack(attempt: number): Promise<void> {
    try {
      this.#address = await this.#options.session.address();
      const why = attempt < SUSPICIOUS_ATTEMPTS ? null : await this.#options.whyGone();
      if (why !== null) {
        this.#events.ended(why);
        this.#socket.close();
      }
    } catch {
      // Still down; the socket tries again and asks again.
    }
  }
}

/** @throws KernelLostError when there is no such kernel. */
export async function openSocketChannel(options: SocketChannelOptions): Promise<KernelChannel> {
  const channel = new SocketChannel(options, await options.session.address());
  await channel.opened;
  return channel;
}
