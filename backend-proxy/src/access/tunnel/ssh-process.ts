/** One process of the user's own `ssh`. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { FarError } from './far-shell.ts';

/** What `ssh` says is kept up to this from its beginning, and as much of its end. */
const SAID_MAX_CHARS = 32 * 1024;

export interface SshProcess {
  readonly child: ChildProcessWithoutNullStreams;
  /** What it wrote to standard error until now; where that was much, its beginning and its end. */
  said(): string;
  /** Its exit code; null when a signal ended it. Rejects with a FarError where there is no `ssh`. */
  readonly ended: Promise<number | null>;
  /** Ends it now; what it runs there is told by the end of its input and output. */
  readonly end: () => void;
}

/** Ends with `signal`. Whoever asks reads `stdout` and closes `stdin`. */
export function startSsh(args: readonly string[], signal?: AbortSignal): SshProcess {
  const child = spawn('ssh', args, {
    stdio: 'pipe',
    windowsHide: true,
    // No dialog appears out of nowhere: what `ssh` would ask is an error with a sentence instead.
    env: { ...process.env, SSH_ASKPASS_REQUIRE: 'never' },
  });
  let first = '';
  let last = '';
  child.stderr.on('data', (bytes: Buffer) => {
    const text = bytes.toString('utf8');
    const room = SAID_MAX_CHARS - first.length;
    first += text.slice(0, room);
    last = (last + text.slice(Math.max(0, room))).slice(-SAID_MAX_CHARS);
  });
  // A process that ends while it is written to is known by its end.
  child.stdin.on('error', () => undefined);
  child.stdout.on('error', () => undefined);
  child.stderr.on('error', () => undefined);
  const end = (): void => {
    child.kill();
    // Where a connection is shared, its owner holds these pipes too, as long as the program there runs.
    [child.stdin, child.stdout, child.stderr].forEach(pipe => pipe.destroy());
  };
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', cause => {
      signal?.removeEventListener('abort', end);
      reject(noSsh(cause));
    });
    child.once('close', code => {
      signal?.removeEventListener('abort', end);
      resolve(code);
    });
  });
  ended.catch(() => undefined);
  if (signal?.aborted === true) {
    end();
  } else {
    signal?.addEventListener('abort', end, { once: true });
  }
  return { child, said: () => first + last, ended, end };
}

const noSsh = (cause: Error): FarError =>
  new FarError(
    'no_ssh',
    `The program ssh cannot be run on this computer (${cause.message}): install OpenSSH's client.`,
    { cause },
  );

export function givenUp(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error('Given up.');
}

/** Whoever gives up waits no longer; what was waited for goes on. */
export function orGivenUp<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const end = (): void => reject(givenUp(signal));
    signal.addEventListener('abort', end, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', end));
    if (signal.aborted) {
      end();
    }
  });
}
