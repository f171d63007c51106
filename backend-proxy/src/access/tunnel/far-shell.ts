/** A machine that is reached by ssh: programs run there, files are put there, and its Unix sockets are reached from here. */
import type { Readable } from 'node:stream';
import type { AgentAddress } from '../host.ts';

export interface FarShell {
  /** What a person calls it: `gpu-box`, or `ubuntu@203.0.113.7`. */
  readonly name: string;

  /**
   * Runs a program for a POSIX shell there. The program goes there by standard input, so that nothing of it is in a list
   * of processes; `input` is what the program itself then reads. What a login shell prints first is left out of `stdout`.
   * A program that fails is an answer (`code`), no error.
   * @throws FarError when the machine cannot be reached, or says more than `maxBytes` (1 MiB unless given).
   */
  run(program: string, options: RunOptions): Promise<RunResult>;

  /** Runs a program and hands on its output as it comes; answers its exit code. @throws FarError as `run`. */
  follow(program: string, onBytes: (bytes: Buffer) => void, signal: AbortSignal): Promise<number>;

  /**
   * Writes a file there: beside its place, compared by size (and by SHA-256 where the machine can), then renamed. The
   * folders above are made, 0700. @throws FarError with the machine's own words when there is no room or no permission.
   */
  put(path: string, content: Uint8Array | Readable, mode: number, signal: AbortSignal): Promise<void>;

  /**
   * A way from this computer to a Unix socket there, open until the shell is closed. Where the machine's sshd forbids
   * that, each connection is joined to the socket by `join`, a program for a POSIX shell that takes its standard input
   * and output; without one, by what the machine has (socat, python3, nc).
   * @throws FarError `unreachable` while nobody listens at the socket.
   */
  forward(farSocket: string, options: { join?: string; signal: AbortSignal }): Promise<AgentAddress>;

  /** Aborted as soon as the connection is known to be gone, with the {@link FarError} that says why. */
  readonly closed: AbortSignal;

  /** Ends the connection and every way over it. What was started detached there goes on. */
  close(): Promise<void>;
}

export interface RunOptions {
  readonly input?: string | Uint8Array | Readable;
  readonly signal: AbortSignal;
  readonly maxBytes?: number;
}

export interface RunResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * - `unreachable`: no answer there: name not found, refused, timed out, cut; worth another try later.
 * - `login`: the machine answers and lets this user not in: wrong user, no key it takes.
 * - `host_key_changed`: another key answers than the one that is known; refused, nothing was sent.
 * - `host_key_unknown`: nobody has said yet that this is the machine; {@link FarError.hostKey} is the question.
 * - `jump`: a machine on the way there fails.
 * - `shell`: logged in, but no POSIX shell runs programs there (a forced command, a terminal is demanded).
 * - `file`: a file could not be written there: no room, no permission.
 * - `too_much`: a program said more than it may.
 * - `no_ssh`: this computer has no `ssh`, or a configuration that it cannot read.
 */
export type FarErrorKind =
  | 'unreachable'
  | 'login'
  | 'host_key_changed'
  | 'host_key_unknown'
  | 'jump'
  | 'shell'
  | 'file'
  | 'too_much'
  | 'no_ssh';

/** A host key as `ssh` names it to a person. */
export interface HostKeySeen {
  /** `ED25519` */
  readonly type: string;
  /** `SHA256:…` */
  readonly fingerprint: string;
}

/** A machine that cannot be reached or used, with the sentence that says what to do. */
export class FarError extends Error {
  override readonly name = 'FarError';
  readonly kind: FarErrorKind;
  /** With `host_key_unknown` and `host_key_changed`: the key that answered. */
  readonly hostKey: HostKeySeen | null;

  constructor(
    kind: FarErrorKind,
    message: string,
    options: { hostKey?: HostKeySeen | null; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.hostKey = options.hostKey ?? null;
  }
}

/** A value as one word of a POSIX shell's program. */
export const shellWord = (value: string): string => `'${value.replaceAll("'", `'\\''`)}'`;
