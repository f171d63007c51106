/** The first connection to a rented machine: which host key answers, and whether it is proved to be the machine's own. */
import { createHash } from 'node:crypto';
import { shownName } from '@hitch/contract';
import { HostError } from '../../access/host.ts';
import { FarError, type FarShell } from '../../access/tunnel/far-shell.ts';
import { PROVE } from './program-texts.ts';
import { overSsh } from './far-programs.ts';

export interface FirstContact {
  /** `ssh-ed25519 AAAA…`: the key that `ssh` saw on this very connection. */
  readonly hostKey: string;
  /** What was put into the machine's environment when it was bought; null: nothing was. */
  readonly secret: string | null;
}

/** What the machine says of one of its host keys, where it knows the secret. */
export const proofOf = (secret: string, hostKey: string): string =>
  createHash('sha256').update(`${secret}${hostKey}${secret}`).digest('hex');

/**
 * A machine in the middle can pass the question on, and gets the hash of the real key instead of the hash of its own; what
 * it leaves out is refused too, for it could always leave it out.
 * @returns whether the key is proved; false where the machine was given nothing to prove it with
 * @throws HostError for a key that is not the machine's, or not shown to be
 */
export async function proveHostKey(
  shell: FarShell,
  { hostKey, secret }: FirstContact,
  signal: AbortSignal,
): Promise<boolean> {
  if (secret === null) {
    return false;
  }
  const { stdout } = await overSsh(() => shell.run(PROVE, { signal }));
  const lines = stdout.split('\n');
  if (lines.includes(`::key ${proofOf(secret, hostKey)}`)) {
    return true;
  }
  const who = shownName(shell.name);
  const why = lines.includes('::unproved')
    ? 'the machine does not have the secret that it was rented with'
    : 'it is not the key of the machine that was rented; somebody may be in between';
  throw new HostError(`The host key of ${who} is refused: ${why}. Nothing of yours was sent.`, {
    fatal: true,
    cause: new FarError('host_key_changed', `No proof for ${hostKey}`),
  });
}

/** The keys in a list of known machines as `ssh` writes it, without the names that they stand for. */
export const keysIn = (knownHosts: string): readonly string[] =>
  knownHosts
    .split('\n')
    .map(line => line.trim().split(' '))
    .flatMap(([, type, key]) => (type === undefined || key === undefined ? [] : [`${type} ${key}`]));
