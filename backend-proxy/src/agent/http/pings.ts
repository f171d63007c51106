/** Whether the other end of a socket still answers. */
import type WebSocket from 'ws';

/** How often the owner of the sockets calls {@link Pings.send}. The daemon takes an agent that it does not hear for gone. */
export const PING_EVERY_MS = 30_000;
const MAX_UNANSWERED = 3;

export class Pings {
  readonly #socket: WebSocket;
  #unanswered = 0;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('pong', () => {
      this.#unanswered = 0;
    });
  }

  /** Asks once more; cuts the socket off when the last ones were not answered. One that is not read cannot be heard. */
  send(): void {
    if (this.#unanswered >= MAX_UNANSWERED) {
      this.#socket.terminate();
    } else if (this.#socket.readyState === this.#socket.OPEN && !this.#socket.isPaused) {
      this.#unanswered += 1;
      this.#socket.ping();
    }
  }
}
