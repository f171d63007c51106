/**
 * Signatures of templates, by the system's `ssh-keygen -Y`: the keys that people have, and the list of allowed signers that git
 * reads too. What is signed is the folder's digest, so that it covers every file.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cutText, HitchError } from '@hitch/contract';

/** A signature for anything else, such as a commit, is none for a template. */
export const NAMESPACE = 'hitch-template';
/** A signature has some hundred bytes, of a certificate a few thousand. */
export const LONGEST_SIGNATURE_BYTES = 64 * 1024;

export type Verdict =
  | { readonly kind: 'unsigned' }
  /** It fits, and nobody said whose key that is. */
  | { readonly kind: 'unknown'; readonly key: string }
  | { readonly kind: 'signed'; readonly by: string; readonly key: string }
  | { readonly kind: 'refused'; readonly sentence: string };

export interface Trust {
  /** Files of allowed signers, as ssh-keygen(1) describes them; those that are not there name nobody. */
  readonly signers: readonly string[];
  /** Keys that were taken back: a file of keys, or a revocation list; null: none. */
  readonly revoked: string | null;
}

interface Answer {
  readonly code: number | null;
  readonly out: string;
  readonly said: string;
}

/** @throws HitchError NOT_FOUND where there is no ssh-keygen. */
function sshKeygen(args: readonly string[], input: string, signal: AbortSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const child = spawn('ssh-keygen', ['-Y', ...args], {
      // A session of its own has no terminal, so that no key's passphrase is asked for.
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, LC_ALL: 'C', SSH_ASKPASS_REQUIRE: 'never' },
      signal,
      detached: process.platform !== 'win32',
    });
    let [out, said] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (out = `${out}${chunk.toString('utf8')}`.slice(0, 100_000)));
    child.stderr.on('data', (chunk: Buffer) => (said = `${said}${chunk.toString('utf8')}`.slice(0, 10_000)));
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    child.once('error', error =>
      reject(
        new HitchError('NOT_FOUND', 'ssh-keygen could not be run, which signs and verifies templates.', {
          next: 'Install OpenSSH 8.2 or newer.',
          cause: error,
        }),
      ),
    );
    child.once('close', code => resolve({ code, out, said }));
  });
}

const signedText = (digest: string): string => `${digest}\n`;

/** What a folder's signature is worth. @throws HitchError NOT_FOUND where there is no ssh-keygen. */
export async function verify(
  digest: string,
  signature: Uint8Array | null,
  trust: Trust,
  signal: AbortSignal,
): Promise<Verdict> {
  if (signature === null) {
    return { kind: 'unsigned' };
  }
  if (signature.length > LONGEST_SIGNATURE_BYTES) {
    return { kind: 'refused', sentence: 'Its signature is larger than any signature.' };
  }
  const folder = await mkdtemp(join(tmpdir(), 'hitch-signature-'));
  try {
    const file = join(folder, 'it.sig');
    await writeFile(file, signature);
    const fits = await sshKeygen(
      ['check-novalidate', '-n', NAMESPACE, '-s', file],
      signedText(digest),
      signal,
    );
    const key = /key (SHA256:\S+)/.exec(`${fits.out}${fits.said}`)?.[1] ?? null;
    if (fits.code !== 0 || key === null) {
      return {
        kind: 'refused',
        sentence: `Its signature is not one of these files (${cutText(lastLine(fits.said), 200)}): they were changed after it was signed, or it belongs to another template.`,
      };
    }
    return await named(digest, { file, key }, trust, signal);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function named(
  digest: string,
  { file, key }: { readonly file: string; readonly key: string },
  { signers, revoked }: Trust,
  signal: AbortSignal,
): Promise<Verdict> {
  for (const list of signers) {
    if (!(await isFile(list))) {
      continue;
    }
    const found = await sshKeygen(['find-principals', '-s', file, '-f', list], '', signal);
    const [by] = found.out.split('\n');
    if (found.code !== 0 || by === undefined || by === '') {
      const why = /key has expired|not yet valid/.exec(found.said)?.[0];
      if (why !== undefined) {
        return {
          kind: 'refused',
          sentence: `The key ${key} that signed it ${why === 'not yet valid' ? 'is not valid yet' : 'has expired'}, by ${list}.`,
        };
      }
      continue;
    }
    // Several names may stand for one key; each is a name of the same person.
    const [name = by] = by.split(',');
    const check = ['verify', '-n', NAMESPACE, '-s', file, '-f', list, '-I', name];
    const verified = await sshKeygen(check, signedText(digest), signal);
    if (verified.code !== 0) {
      return {
        kind: 'refused',
        sentence: `The key ${key} of ${name} may not sign templates, by ${list} (${cutText(lastLine(verified.said), 200)}).`,
      };
    }
    if (revoked !== null && (await isFile(revoked))) {
      // It says no more of a revoked key than that it does not verify.
      const { code } = await sshKeygen([...check, '-r', revoked], signedText(digest), signal);
      if (code !== 0) {
        return {
          kind: 'refused',
          sentence: `The key ${key} of ${name} that signed it was revoked, by ${revoked}.`,
        };
      }
    }
    return { kind: 'signed', by: name, key };
  }
  return { kind: 'unknown', key };
}

/**
 * Signs a digest with a key's file, or its public half where an agent holds it.
 * @throws HitchError BAD_INPUT with what ssh-keygen says.
 */
export async function sign(digest: string, keyFile: string, signal: AbortSignal): Promise<string> {
  const { code, out, said } = await sshKeygen(
    ['sign', '-q', '-n', NAMESPACE, '-f', keyFile],
    signedText(digest),
    signal,
  );
  if (code !== 0 || !out.startsWith('-----BEGIN SSH SIGNATURE-----')) {
    throw new HitchError('BAD_INPUT', `${keyFile} cannot sign (${cutText(lastLine(said), 200)}).`, {
      field: '--key',
      next: 'Name a key of ssh; one with a passphrase signs by ssh-agent, after ssh-add.',
    });
  }
  return out;
}

const lastLine = (text: string): string => text.trim().split('\n').at(-1)?.trim() || 'no reason was given';

const isFile = async (path: string): Promise<boolean> =>
  (await stat(path).catch(() => null))?.isFile() === true;
