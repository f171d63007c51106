/** Ways from sockets of this computer to sockets there. */
import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { shownName } from '@hitch/contract';
import type { AgentAddress } from '../host.ts';
import { Connection } from './connection.ts';
import { FarError, shellWord } from './far-shell.ts';
import { type Way, joinOver } from './running-program.ts';
import { sshProblem } from './ssh-problem.ts';
import { orGivenUp } from './ssh-process.ts';
import { type FarTarget, sshArgsOver } from './target.ts';

export interface ForwardsOptions {
  readonly target: () => FarTarget;
  readonly connection: Connection;
  /** Null: each way has a connection of its own, and a port on this side. */
  readonly controlPath: string | null;
  readonly sockets: string;
  readonly nonce: () => string;
  readonly wayOfItsOwn: () => Way;
  /** Whether somebody listens at this socket, as the machine itself says. */
  readonly listens: (farSocket: string) => Promise<boolean>;
}

interface Forward {
  readonly address: AgentAddress;
  close(): Promise<void>;
}

let numbered = 0;

export class Forwards {
  readonly #options: ForwardsOptions;
  readonly #ways = new Map<string, Promise<Forward>>();
  /** The machine's sshd was asked, and forbids it. */
  #isForbidden = false;

  constructor(options: ForwardsOptions) {
    this.#options = options;
  }

  /** The same socket is led to once. @throws FarError */
  async to(
    farSocket: string,
    { join, signal }: { join?: string; signal: AbortSignal },
  ): Promise<AgentAddress> {
    const way = this.#ways.get(farSocket) ?? this.#open(farSocket, join ?? JOIN(farSocket));
    this.#ways.set(farSocket, way);
    try {
      const { address } = await orGivenUp(way, signal);
      return address;
    } catch (error) {
      if (!signal.aborted) {
        this.#ways.delete(farSocket);
      }
      throw error;
    }
  }

  async close(): Promise<void> {
    const ways = [...this.#ways.values()];
    this.#ways.clear();
    await Promise.all(ways.map(async way => (await way.catch(() => null))?.close()));
  }

  async #open(farSocket: string, program: string): Promise<Forward> {
    if (!this.#isForbidden) {
      const way = await this.#forward(farSocket);
      if (way !== null) {
        return way;
      }
      this.#isForbidden = true;
    }
    return this.#join(program);
  }

  /** Null: sshd forbids it. @throws FarError where nobody listens there. */
  #forward(farSocket: string): Promise<Forward | null> {
    return this.#options.controlPath === null
      ? this.#forwardAlone(farSocket)
      : this.#forwardOver(this.#options.controlPath, farSocket);
  }

  async #forwardOver(controlPath: string, farSocket: string): Promise<Forward | null> {
    const { connection } = this.#options;
    const socketPath = this.#socketPath();
    const spec = `${socketPath}:${farSocket}`;
    try {
      await ssh(sshArgsOver(controlPath, ['-O', 'forward', '-L', spec]));
    } catch (error) {
      if (connection.closed.aborted) {
        throw connection.closed.reason;
      }
      throw sshProblem(this.#options.target().name, String(error), 255);
    }
    const close = async (): Promise<void> => {
      if (!connection.closed.aborted) {
        await ssh(sshArgsOver(controlPath, ['-O', 'cancel', '-L', spec])).catch(() => undefined);
      }
      rmSync(socketPath, { force: true });
    };
    if (await isRefused(connection, { socketPath })) {
      await close();
      return this.#isHeard(farSocket);
    }
    return { address: { socketPath }, close };
  }

  async #forwardAlone(farSocket: string): Promise<Forward | null> {
    const { target, nonce } = this.#options;
    const port = await freePort();
    const connection = await Connection.open(
      target(),
      ['-S', 'none', '-o', 'ControlMaster=no', '-L', `127.0.0.1:${port.toString()}:${farSocket}`],
      nonce(),
      new AbortController().signal,
    );
    const address = { host: '127.0.0.1', port } as const;
    if (await isRefused(connection, address)) {
      await connection.end();
      return this.#isHeard(farSocket);
    }
    return { address, close: () => connection.end() };
  }

  /** sshd says the same of what it forbids and of a socket where nobody listens. */
  async #isHeard(farSocket: string): Promise<null> {
    const { target, listens } = this.#options;
    if (await listens(farSocket)) {
      return null;
    }
    throw new FarError(
      'unreachable',
      `${shownName(target().name)} has nothing that listens at ${shownName(farSocket)} yet, or any more.`,
    );
  }

  /** Each connection is a program there that joins its standard input and output to the socket. */
  async #join(program: string): Promise<Forward> {
    const { controlPath, wayOfItsOwn, nonce, connection } = this.#options;
    const open = new Set<Socket>();
    const carry = async (socket: Socket): Promise<void> => {
      const over = controlPath === null ? wayOfItsOwn() : sshArgsOver(controlPath);
      const end = await joinOver(over, program, nonce(), socket);
      if (!end.ran && controlPath !== null && !connection.closed.aborted && !socket.destroyed) {
        await joinOver(wayOfItsOwn(), program, nonce(), socket);
      }
      socket.end();
    };
    const server = createServer(socket => {
      open.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => open.delete(socket));
      carry(socket).catch(() => socket.destroy());
    });
    const address = await listen(server, controlPath === null ? null : this.#socketPath());
    return {
      address,
      close: () => {
        open.forEach(socket => socket.destroy());
        return new Promise(resolve => server.close(() => resolve()));
      },
    };
  }

  #socketPath(): string {
    return join(this.#options.sockets, `a-${process.pid.toString(36)}-${(++numbered).toString(36)}`);
  }
}

const run = promisify(execFile);
const ssh = (args: readonly string[]): Promise<unknown> => run('ssh', args, { windowsHide: true });

/**
 * `ssh` accepts on this side whatever the machine allows. So a connection is made: where it is refused there, ssh has
 * said so by the time that the machine has answered twice.
 */
async function isRefused(connection: Connection, address: AgentAddress): Promise<boolean> {
  const before = connection.said().length;
  const tried = 'socketPath' in address ? connect(address.socketPath) : connect(address.port, address.host);
  tried.on('error', () => undefined);
  await new Promise<void>(resolve => {
    tried.once('connect', () => resolve());
    tried.once('close', () => resolve());
  });
  await connection.ping();
  await connection.ping();
  tried.destroy();
  return connection.said().slice(before).includes('open failed');
}

function listen(server: Server, socketPath: string | null): Promise<AgentAddress> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    const done = (): void => {
      server.unref();
      resolve(
        socketPath === null
          ? { host: '127.0.0.1', port: (server.address() as AddressInfo).port }
          : { socketPath },
      );
    };
    if (socketPath === null) {
      server.listen(0, '127.0.0.1', done);
    } else {
      server.listen(socketPath, done);
    }
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  const address = await listen(server, null);
  await new Promise(resolve => server.close(resolve));
  return 'port' in address ? address.port : 0;
}

/** What most machines have one of. */
const JOIN = (socket: string): string => `
s=${shellWord(socket)}
if command -v socat >/dev/null 2>&1; then exec socat - "UNIX-CONNECT:$s"; fi
if command -v python3 >/dev/null 2>&1; then exec python3 -c ${shellWord(PYTHON_JOIN)} "$s"; fi
if command -v nc >/dev/null 2>&1; then exec nc -U "$s"; fi
echo 'socat, python3 or nc is needed here' >&2
exit 127
`;
const PYTHON_JOIN = `
import os, socket, sys, threading
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
def up():
    while True:
        b = os.read(0, 65536)
        if not b:
            s.shutdown(socket.SHUT_WR)
            return
        s.sendall(b)
threading.Thread(target=up, daemon=True).start()
while True:
    b = s.recv(65536)
    if not b:
        break
    while b:
        b = b[os.write(1, b):]
`;
