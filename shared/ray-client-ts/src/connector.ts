/** One way to the dashboard for both HTTP (undici) and the log tail (ws). */
import { connect as connectSocket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Agent } from 'undici';
import type { ConnectionFactory } from './tail-socket.ts';

export interface Connector {
  http: Agent.Options;
  webSocket: ConnectionFactory | undefined;
}

export function connectorOf(options: {
  socketPath?: string | undefined;
  createConnection?: ConnectionFactory | undefined;
}): Connector {
  const { socketPath, createConnection } = options;
  if (createConnection !== undefined) {
    return { http: undiciOptions(createConnection), webSocket: createConnection };
  }
  if (socketPath !== undefined) {
    return { http: { connect: { socketPath } }, webSocket: () => connectSocket(socketPath) };
  }
  return { http: {}, webSocket: undefined };
}

type Connected = (error: Error | null, stream: Duplex | null) => void;

/** undici's types ask for a socket, but it uses only what every duplex stream has. */
function undiciOptions(open: ConnectionFactory): Agent.Options {
  const connect = (_options: unknown, connected: Connected): void => {
    Promise.resolve()
      .then(open)
      .then(
        stream => {
          connected(null, stream);
        },
        (error: unknown) => {
          connected(error instanceof Error ? error : new Error(String(error)), null);
        },
      );
  };
  const options: Agent.Options = {};
  Object.assign(options, { connect });
  return options;
}
