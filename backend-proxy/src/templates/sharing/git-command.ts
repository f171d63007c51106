/**
 * Runs the user's own git on a repository of somebody else. It asks nobody anything, reads by https and ssh alone, keeps a bare
 * repository of its own without hooks, and never checks anything out: so no filter, no submodule and no link takes part.
 */
import { spawn } from 'node:child_process';
import { cutText, HitchError, type ErrorCode } from '@hitch/contract';

export interface GitTools {
  /** Of this process; what names another repository is left out of it. */
  readonly environment: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
}

export interface GitWish {
  readonly args: readonly string[];
  /** The repository; null: none yet. */
  readonly folder: string | null;
  /** Written to its standard input. */
  readonly input?: string;
  /** More than that is not read, and ends it. */
  readonly mostBytes: number;
}

/** Whatever names a repository, an index or objects that are not ours. */
const NOT_OURS: ReadonlySet<string> = new Set([
  'GIT_DIR',
  'GIT_WORK_TREE',
  'GIT_COMMON_DIR',
  'GIT_INDEX_FILE',
  'GIT_OBJECT_DIRECTORY',
  'GIT_ALTERNATE_OBJECT_DIRECTORIES',
  'GIT_NAMESPACE',
  'GIT_SHALLOW_FILE',
  'GIT_TEMPLATE_DIR',
  'GIT_TRACE',
]);

const SETTINGS = [
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'core.symlinks=false',
  'protocol.allow=never',
  'protocol.https.allow=always',
  'protocol.ssh.allow=always',
  // Objects that are not what they say they are.
  'fetch.fsckObjects=true',
  'transfer.bundleURI=false',
  'gc.auto=0',
  'maintenance.auto=false',
];

export class GitTooMuchError extends Error {}

/** @returns what it printed. @throws HitchError with a sentence, GitTooMuchError where it printed more than was wanted. */
export async function git(
  { environment, signal }: GitTools,
  { args, folder, input = '', mostBytes }: GitWish,
): Promise<Buffer> {
  signal.throwIfAborted();
  const env = Object.fromEntries(Object.entries(environment).filter(([name]) => !NOT_OURS.has(name)));
  const child = spawn(
    'git',
    [
      ...SETTINGS.flatMap(setting => ['-c', setting]),
      ...(folder === null ? [] : ['--git-dir', folder]),
      ...args,
    ],
    {
      env: {
        ...env,
        LC_ALL: 'C',
        GIT_ALLOW_PROTOCOL: 'https:ssh',
        GIT_TERMINAL_PROMPT: '0',
        GIT_ASKPASS: 'true',
        SSH_ASKPASS: 'true',
        SSH_ASKPASS_REQUIRE: 'never',
        GCM_INTERACTIVE: 'never',
      },
      stdio: ['pipe', 'pipe', 'pipe'],
      // A session of its own has no terminal, so that ssh has nothing to ask on; and all of it ends together.
      detached: process.platform !== 'win32',
    },
  );
  const end = (): void => {
    try {
      process.kill(process.platform === 'win32' ? (child.pid ?? 0) : -(child.pid ?? 0), 'SIGKILL');
    } catch {
      // It has ended.
    }
  };
  signal.addEventListener('abort', end);
  const chunks: Buffer[] = [];
  const read = { bytes: 0 };
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => {
    read.bytes += chunk.length;
    if (read.bytes > mostBytes) {
      end();
    } else {
      chunks.push(chunk);
    }
  });
  child.stderr.on('data', (chunk: Buffer) => {
    said = `${said}${chunk.toString('utf8')}`.slice(-8000);
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', error => {
      reject(
        new HitchError('NOT_FOUND', 'git was not found on this computer, and templates are read with it.', {
          next: 'Install git.',
          cause: error,
        }),
      );
    });
    child.once('close', resolve);
  }).finally(() => signal.removeEventListener('abort', end));
  signal.throwIfAborted();
  if (read.bytes > mostBytes) {
    throw new GitTooMuchError();
  }
  if (code !== 0) {
    throw refusal(said);
  }
  return Buffer.concat(chunks);
}

/** What git says of a repository that it cannot read (`remote-curl.c`, `transport.c` and ssh), in our words. */
const MEANINGS: readonly (readonly [RegExp, ErrorCode, string, string])[] = [
  [
    /could not read (?:Username|Password)|terminal prompts disabled|Authentication failed|Permission denied \(|HTTP 40[13]/i,
    'LOGIN_NEEDED',
    'The repository wants a login that git does not have, or does not exist.',
    'Try git ls-remote with its address in a terminal; what git may read there, Hitch may read too.',
  ],
  [
    /Host key verification failed/i,
    'LOGIN_NEEDED',
    'ssh does not know the host key of the repository’s server.',
    'Connect to it once with ssh, look at its key, and try again.',
  ],
  [
    /transport '[^']*' not allowed/i,
    'BAD_INPUT',
    'The repository is read by https or ssh alone, and this computer’s git was told to read it in another way.',
    'Look for url.….insteadOf in git config --global --list.',
  ],
  [
    /Could not resolve host|Failed to connect|Connection (?:refused|timed out|reset)|Network is unreachable|Couldn't connect|Could not resolve hostname/i,
    'UNREACHABLE',
    'The repository’s server cannot be reached from here.',
    'Try again once it can be.',
  ],
  [
    /certificate|SSL/i,
    'UNREACHABLE',
    'The certificate of the repository’s server is not one that this computer believes.',
    'Try git ls-remote with its address in a terminal.',
  ],
  [
    /not found|does not appear to be a git repository|does not exist/i,
    'NOT_FOUND',
    'There is no such repository, or git may not see it.',
    'Look at its address.',
  ],
  [
    /fsck|bad object|missing|index-pack failed|inflate/i,
    'BAD_INPUT',
    'What the repository sent is not sound, and nothing of it was used.',
    'Tell the owner of the repository.',
  ],
];

function refusal(said: string): HitchError {
  const found = MEANINGS.find(([pattern]) => pattern.test(said));
  const last = said
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '')
    .at(-1);
  const [, code, sentence, next] = found ?? [
    null,
    'PROVIDER_ERROR' as const,
    'git could not read the repository.',
    'Try git ls-remote with its address in a terminal.',
  ];
  return new HitchError(code, `${sentence}${last === undefined ? '' : ` (${cutText(last, 300)})`}`, { next });
}
