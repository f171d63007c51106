/** A machine behind the user's own `ssh`: one connection that stays, and short programs and forwards over it. */
import { createHash } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { shownName } from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';
import type { Random } from '@hitch/platform/src/random.ts';
import type { AgentAddress } from '../host.ts';
import { Connection } from './connection.ts';
import { FarError, type FarShell, type RunOptions, type RunResult, shellWord } from './far-shell.ts';
import { Forwards } from './forwards.ts';
import { type ProgramEnd, type ToRun, type Way, runOver } from './running-program.ts';
import { noShell, sshProblem } from './ssh-problem.ts';
import { type FarTarget, sshArgs, sshArgsOver } from './target.ts';
import { Turns } from './turns.ts';

export interface TunnelOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** A short folder for sockets. */
  readonly sockets: string;
  /** Whether programs and forwards go over the one connection. Windows' ssh cannot: there each has one of its own. */
  readonly shared: boolean;
}

const MAX_BYTES = 1024 * 1024;
/** sshd allows ten sessions a connection; the one that keeps it open and those of joined sockets want some of them. */
const AT_ONCE = 4;
let opened = 0;

export class OpenSshShell implements FarShell {
  #target: FarTarget;
  readonly #options: TunnelOptions;
  readonly #connection: Connection;
  readonly #controlPath: string | null;
  readonly #forwards: Forwards;
  readonly #turns = new Turns(AT_ONCE);

  private constructor(
    target: FarTarget,
    options: TunnelOptions,
    connection: Connection,
    controlPath: string | null,
  ) {
    this.#target = target;
    this.#options = options;
    this.#connection = connection;
    this.#controlPath = controlPath;
    this.#forwards = new Forwards({
      target: () => this.#target,
      connection,
      controlPath,
      sockets: options.sockets,
      nonce: () => this.#nonce(),
      wayOfItsOwn: () => this.#ownWay(),
      listens: async farSocket => {
        const signal = connection.closed;
        return (await this.run(LISTENS(farSocket), { signal })).code === 0;
      },
    });
  }

  /** @throws FarError */
  static async open(target: FarTarget, options: TunnelOptions, signal: AbortSignal): Promise<OpenSshShell> {
    mkdirSync(options.sockets, { recursive: true, mode: 0o700 });
    const number = `${process.pid.toString(36)}-${(++opened).toString(36)}`;
    const controlPath = options.shared ? join(options.sockets, `m-${number}`) : null;
    const extra =
      controlPath === null ? OWN_CONNECTION : ['-M', '-S', controlPath, '-o', 'ControlPersist=no'];
    const nonce = nonceOf(options.random);
    const connection = await Connection.open(
      target,
      [...extra, '-o', 'ClearAllForwardings=yes'],
      nonce,
      signal,
    );
    return new OpenSshShell(target, options, connection, controlPath);
  }

  get name(): string {
    return this.#target.name;
  }

  /** From now on it is the way to this one: what needs a connection of its own is dialled, and believed, as that says. */
  becomes(target: FarTarget): void {
    this.#target = target;
  }

  get closed(): AbortSignal {
    return this.#connection.closed;
  }

  /** Resolves when the machine answers over this connection. */
  ping(): Promise<void> {
    return this.#connection.ping();
  }

  async run(program: string, { input, signal, maxBytes = MAX_BYTES }: RunOptions): Promise<RunResult> {
    const pieces: Buffer[] = [];
    let size = 0;
    const { code, stderr } = await this.#run({
      program,
      ...(input === undefined ? {} : { input }),
      signal,
      onBytes: bytes => {
        size += bytes.length;
        pieces.push(bytes);
        return size <= maxBytes;
      },
    });
    if (size > maxBytes) {
      throw new FarError(
        'too_much',
        `${shownName(this.name)} says more than ${maxBytes.toString()} bytes where less is expected; the rest was not read.`,
      );
    }
    return { code: code ?? 255, stdout: Buffer.concat(pieces).toString('utf8'), stderr };
  }

  async follow(program: string, onBytes: (bytes: Buffer) => void, signal: AbortSignal): Promise<number> {
    const take = (bytes: Buffer): boolean => {
      onBytes(bytes);
      return true;
    };
    // It lasts for minutes: four of them would leave no turn for anything else.
    const end = this.#over({ program, signal, onBytes: take });
    return (await this.#ended(end)).code ?? 255;
  }

  async put(path: string, content: Uint8Array | Readable, mode: number, signal: AbortSignal): Promise<void> {
    const part = `${path}.part-${this.#nonce()}`;
    if (content instanceof Uint8Array) {
      // All of it is known before: the machine compares and renames by itself, in the one run.
      const whole = { size: content.length, hash: createHash('sha256').update(content).digest('hex') };
      const written = await this.run(`${WRITE(part, mode)}${RENAME(part, path, whole)}`, {
        input: content,
        signal,
      });
      if (written.code !== 0) {
        throw this.#notWritten(path, written, isThis(written, whole));
      }
      return;
    }
    const hash = createHash('sha256');
    let size = 0;
    const input = Readable.from(
      (async function* () {
        for await (const piece of content) {
          const bytes = Buffer.from(piece as Uint8Array);
          hash.update(bytes);
          size += bytes.length;
          yield bytes;
        }
      })(),
    );
    const written = await this.run(WRITE(part, mode), { input, signal });
    const isWhole = isThis(written, { size, hash: hash.digest('hex') });
    if (written.code !== 0 || !isWhole) {
      throw this.#notWritten(path, written, isWhole);
    }
    const moved = await this.run(`mv -f ${shellWord(part)} ${shellWord(path)}`, { signal });
    if (moved.code !== 0) {
      throw this.#notWritten(path, moved, true);
    }
  }

  forward(farSocket: string, options: { join?: string; signal: AbortSignal }): Promise<AgentAddress> {
    return this.#forwards.to(farSocket, options);
  }

  async close(): Promise<void> {
    await this.#forwards.close();
    await this.#connection.end();
    if (this.#controlPath !== null) {
      rmSync(this.#controlPath, { force: true });
    }
  }

  #notWritten(path: string, { stderr }: RunResult, isWhole: boolean): FarError {
    const why = stderr
      .split('\n')
      .findLast(line => line.trim() !== '')
      ?.replace(/^.*: (?=[^:]+$)/, '');
    return new FarError(
      'file',
      `${shownName(this.name)}: ${shownName(path)} cannot be written there: ${shownName(why ?? (isWhole ? 'no reason is given' : 'it did not arrive whole'))}.`,
    );
  }

  #run(toRun: Omit<ToRun, 'nonce'>): Promise<ProgramEnd> {
    return this.#ended(this.#turns.take(toRun.signal, () => this.#over(toRun)));
  }

  /** Over the one connection; over one of its own where sshd allows few sessions a connection, or one. */
  async #over(toRun: Omit<ToRun, 'nonce'>): Promise<ProgramEnd> {
    const over = this.#controlPath;
    const first = await runOver(over === null ? this.#ownWay() : sshArgsOver(over), {
      ...toRun,
      nonce: this.#nonce(),
    });
    return over !== null && isRefusedSession(first)
      ? runOver(this.#ownWay(), { ...toRun, nonce: this.#nonce() })
      : first;
  }

  /** How a program ended. @throws FarError where it did not run, or its connection is gone. */
  async #ended(running: Promise<ProgramEnd>): Promise<ProgramEnd> {
    const end = await running;
    if (end.code === 255) {
      // The connection's own end says best why; it is known a moment later.
      await Promise.race([this.#connection.ping().catch(() => undefined), this.#soon()]);
      if (this.closed.aborted) {
        throw this.closed.reason;
      }
    }
    if (!end.ran) {
      throw end.code === 255 && end.preface === ''
        ? sshProblem(this.name, end.stderr, end.code)
        : noShell(this.name, end.preface, end.stderr);
    }
    return end;
  }

  #soon(): Promise<void> {
    return this.#options.clock.sleep(SOON_MS);
  }

  #ownWay(): Way {
    return sshArgs(this.#target, [...OWN_CONNECTION, '-o', 'ClearAllForwardings=yes']);
  }

  #nonce(): string {
    return nonceOf(this.#options.random);
  }
}

/** How long the end of a connection may take to be known after the end of what went over it. */
const SOON_MS = 1_000;

/** Whatever the configuration says of sharing connections. */
const OWN_CONNECTION = ['-S', 'none', '-o', 'ControlMaster=no'];

const isRefusedSession = ({ ran, stderr }: ProgramEnd): boolean =>
  !ran && /Session open refused by peer|session request failed|open failed/.test(stderr);

const nonceOf = (random: Random): string => Buffer.from(random.bytes(12)).toString('hex');

/** Linux says who listens; elsewhere the file must do. */
const LISTENS = (socket: string): string => `
s=${shellWord(socket)}
if [ -r /proc/net/unix ]; then grep -qF " $s" /proc/net/unix; else [ -S "$s" ]; fi
`;

/** Says `size sha256` of what was written; the second is empty where the machine has no program for it. */
const WRITE = (part: string, mode: number): string => `
part=${shellWord(part)}
umask 077
mkdir -p "\${part%/*}" && cat > "$part" && chmod ${mode.toString(8)} "$part" || {
  rm -f "$part"
  exit 1
}
sum=$( (sha256sum < "$part" || shasum -a 256 < "$part" || openssl dgst -sha256 -r < "$part") 2>/dev/null)
sum=\${sum%% *}
size=$(($(wc -c < "$part")))
echo "$size $sum"
`;

interface Whole {
  readonly size: number;
  /** SHA-256, in hexadecimal digits. */
  readonly hash: string;
}

/** After {@link WRITE}: puts it in its place if it is all there. */
const RENAME = (part: string, path: string, { size, hash }: Whole): string => `
if [ "$size" = ${size.toString()} ] && { [ -z "$sum" ] || [ "$sum" = ${hash} ]; }; then
  mv -f ${shellWord(part)} ${shellWord(path)}
else
  rm -f ${shellWord(part)}
  exit 1
fi
`;

/** Whether what {@link WRITE} says is this. */
function isThis({ stdout }: RunResult, { size, hash }: Whole): boolean {
  const [, farSize, farHash] = /^(\d+)(?: (\w+))?$/.exec(stdout.trim()) ?? [];
  return Number(farSize) === size && ['', hash].includes(farHash ?? '');
}
