/** The daemon's terminal socket: terminado's JSON frames over a WebSocket. */
import * as z from 'zod';
import { WebSocket } from 'ws';
import type { Session } from './session.ts';

/** `["stdout", text]`, `["setup", {}]`, `["disconnect", 1]`; others pass over. */
const frameSchema = z.tuple([z.string()]).rest(z.unknown());

export interface TerminalSocket {
  stdin(text: string): void;
  resize(rows: number, columns: number): void;
  close(): void;
}

export interface TerminalEvents {
  /** All that is still known of its screen follows. */
  begins?(): void;
  stdout(text: string): void;
  /** The program in the terminal has ended. */
  ended(): void;
  /** The way there broke; the terminal goes on. */
  broken(): void;
}

export type OpenTerminal = (events: TerminalEvents) => Promise<TerminalSocket>;

/** A listener that threw would end the whole program, and what comes is a stranger's. */
function jsonOf(data: unknown): unknown {
  try {
    return Buffer.isBuffer(data) ? JSON.parse(data.toString('utf8')) : null;
  } catch {
    return null;
  }
}

function take(data: unknown, events: TerminalEvents): void {
  const parsed = frameSchema.safeParse(jsonOf(data));
  if (!parsed.success) return;
  const [kind, value] = parsed.data;
  if (kind === 'setup') {
    events.begins?.();
  } else if (kind === 'stdout' && typeof value === 'string') {
    events.stdout(value);
  } else if (kind === 'disconnect') {
    events.ended();
  }
}

export function openTerminalSocket(session: Pick<Session, 'address'>, path: string): OpenTerminal {
  return async events => {
    const { baseUrl, token } = await session.address();
    const socket = new WebSocket(`${baseUrl.replace(/^http/, 'ws')}${path}`, {
      headers: { authorization: `Bearer ${token}` },
      perMessageDeflate: false,
    });
    // Listened to from the start: the screen often comes in one piece with the answer that opens the socket.
    socket.on('message', data => take(data, events));
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.once('open', () => {
        socket.on('close', () => events.broken());
        resolve();
      });
    });
    const send = (frame: unknown): void => {
      if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(frame));
    };
    socket.on('error', () => socket.terminate());
    return {
      stdin: text => send(['stdin', text]),
      resize: (rows, columns) => send(['set_size', rows, columns, 0, 0]),
      close: () => socket.close(),
    };
  };
}
