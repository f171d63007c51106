/** A kernel's socket as the runner needs it: whole messages in, whole messages out, nothing lost between. */
import type { KernelMessage } from '@hitch/contract';

export interface ChannelEvents {
  message(message: KernelMessage): void;
  /** What the machinery has to say, such as output that is no longer kept. A sentence. */
  notice(sentence: string): void;
  /** The way to the kernel broke and is being mended, or is whole again. */
  connection(state: 'down' | 'up'): void;
  /** The channel will never work again; a sentence says why. */
  ended(sentence: string): void;
}

export interface KernelChannel {
  /** Identifies this client in the headers of its messages. */
  readonly sessionId: string;
  /** Takes a message over: it reaches the kernel once even when the daemon is restarted meanwhile. */
  send(message: KernelMessage): void;
  /** All later events go to `events`. */
  listen(events: ChannelEvents): void;
  close(): void;
}
