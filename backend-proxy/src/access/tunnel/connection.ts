/**
 * One connection to a machine: an `ssh` that stays. Its session runs a program there that says back what it is told, so
 * that the connection is known to be open, can be asked whether it still lives, and ends with this process, since then
 * nobody holds its standard input any more. What goes over it beside that (an open ssh of the user's) ends first.
 */
import { Socket } from 'node:net';
import { Preface, framed } from './framing.ts';
import { noShell, sshProblem } from './ssh-problem.ts';
import { type SshProcess, givenUp, startSsh } from './ssh-process.ts';
import { type FarTarget, sshArgs } from './target.ts';

export class Connection {
  readonly #process: SshProcess;
  readonly #closed = new AbortController();
  #echoes: (() => void)[] = [];

  private constructor(name: string, started: SshProcess) {
    this.#process = started;
    started.ended.then(
      code => {
        this.#closed.abort(sshProblem(name, started.said(), code));
        this.#wakeAll();
      },
      (error: unknown) => {
        this.#closed.abort(error);
        this.#wakeAll();
      },
    );
  }

  /**
   * @param extra what the connection is to do beside its session
   * @throws FarError
   */
  static async open(
    target: FarTarget,
    extra: readonly string[],
    nonce: string,
    signal: AbortSignal,
  ): Promise<Connection> {
    const { command, head, mark } = framed('exec cat', nonce);
    const started = startSsh([...sshArgs(target, extra), command]);
    const giveUp = (): void => started.end();
    signal.addEventListener('abort', giveUp, { once: true });
    if (signal.aborted) {
      giveUp();
    }
    const connection = new Connection(target.name, started);
    const { stdin, stdout } = started.child;
    stdin.write(head);
    const preface = new Preface(mark);
    const isOpen = await new Promise<boolean>(resolve => {
      stdout.on('data', (bytes: Buffer) => {
        connection.#hear(preface.push(bytes));
        if (preface.isOver || preface.isTooLong) {
          resolve(preface.isOver);
        }
      });
      connection.closed.addEventListener('abort', () => resolve(false), { once: true });
    });
    signal.removeEventListener('abort', giveUp);
    if (signal.aborted) {
      await connection.end();
      throw givenUp(signal);
    }
    if (isOpen) {
      keepsNothingAlive(started);
      return connection;
    }
    started.end();
    const code = await started.ended;
    // 255 is ssh's own; any other code came from there, so it did let us in.
    throw code === 255 && preface.text === ''
      ? sshProblem(target.name, started.said(), code)
      : noShell(target.name, preface.text, started.said());
  }

  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  get pid(): number | undefined {
    return this.#process.child.pid;
  }

  /** Everything that `ssh` has said since it was started. */
  said(): string {
    return this.#process.said();
  }

  /** Resolves when the machine has answered; rejects with why when the connection ends before that. */
  ping(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#echoes.push(() => {
        if (this.closed.aborted) {
          reject(this.closed.reason as Error);
        } else {
          resolve();
        }
      });
      if (this.closed.aborted) {
        this.#wakeAll();
      } else {
        this.#process.child.stdin.write('\n');
      }
    });
  }

  /** Ends it now, with everything that goes over it. */
  async end(): Promise<void> {
    this.#process.end();
    await this.#process.ended.catch(() => undefined);
  }

  #hear(bytes: Buffer): void {
    for (const byte of bytes) {
      if (byte === 0x0a) {
        this.#echoes.shift()?.();
      }
    }
  }

  #wakeAll(): void {
    this.#echoes.splice(0).forEach(wake => wake());
  }
}

/** A connection that stays open keeps no process from ending, which in turn ends it. */
function keepsNothingAlive({ child }: SshProcess): void {
  child.unref();
  for (const pipe of [child.stdin, child.stdout, child.stderr]) {
    if (pipe instanceof Socket) {
      pipe.unref();
    }
  }
}
