/** Joins this terminal to one on a cluster until the person leaves or the program there ends. */
import type { Clock } from '@hitch/platform/src/clock.ts';
import { CommandFailure } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import type { Io } from '../screen/io.ts';
import type { OpenTerminal, TerminalSocket } from '@hitch/client-node/src/terminal-socket.ts';

/** Ctrl-], which telnet taught and no shell uses. */
const DETACH_KEY = '\u001d';
export const DETACH_KEY_NAME = 'Ctrl-]';

const TRIES = 20;
const TRY_AGAIN_MS = 1000;

type End = 'detached' | 'ended';

interface Attachment {
  socket: TerminalSocket | null;
  /** The person has left, or the program there has ended: a socket that closes now is no break. */
  isOver: boolean;
  settle: (end: End) => void;
  readonly over: Promise<End>;
}

function newAttachment(): Attachment {
  let settle: (end: End) => void = () => undefined;
  const over = new Promise<End>(resolve => (settle = resolve));
  return { socket: null, isOver: false, settle, over };
}

/** Goes on trying for a while: what runs there does not notice that nobody looks. */
async function connect(io: Io, open: OpenTerminal, clock: Clock, attachment: Attachment): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      const socket = await open({
        stdout: text => io.terminal(text),
        ended: () => attachment.settle('ended'),
        broken: () => void reconnect(),
      });
      if (attachment.isOver) {
        socket.close();
        return;
      }
      attachment.socket = socket;
      socket.resize(io.stdout.rows ?? 24, io.stdout.columns ?? 80);
      return;
    } catch (error) {
      if (attachment.isOver) {
        return;
      }
      if (tries === TRIES) {
        throw new CommandFailure(
          EXIT.unreachable,
          'UNREACHABLE',
          'The terminal does not answer; it may keep running.',
          {
            next: 'Try again in a while.',
            cause: error,
          },
        );
      }
      await clock.sleep(TRY_AGAIN_MS);
    }
  }
  async function reconnect(): Promise<void> {
    attachment.socket = null;
    if (attachment.isOver) {
      return;
    }
    await connect(io, open, clock, attachment).catch(() => attachment.settle('detached'));
  }
}

export async function attachTerminal(io: Io, open: OpenTerminal, clock: Clock): Promise<End> {
  const attachment = newAttachment();
  await connect(io, open, clock, attachment);
  const onData = (chunk: Buffer | string): void => {
    const text = chunk.toString();
    const detachAt = text.indexOf(DETACH_KEY);
    attachment.socket?.stdin(detachAt < 0 ? text : text.slice(0, detachAt));
    if (detachAt >= 0) attachment.settle('detached');
  };
  const onResize = (): void => attachment.socket?.resize(io.stdout.rows ?? 24, io.stdout.columns ?? 80);
  io.stdin.setRawMode?.(true);
  io.stdin.on('data', onData);
  io.stdout.on('resize', onResize);
  io.stdin.resume();
  try {
    return await attachment.over;
  } finally {
    attachment.isOver = true;
    io.stdin.off('data', onData);
    io.stdout.off('resize', onResize);
    io.stdin.setRawMode?.(false);
    io.stdin.pause();
    attachment.socket?.close();
    io.endTerminal();
  }
}
