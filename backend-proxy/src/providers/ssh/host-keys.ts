/** A machine's key that nobody has said yes to: seen, shown to a person, and written where the user's own `ssh` looks. */
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { shownName } from '@hitch/contract';
import { FarError, type HostKeySeen } from '../../access/tunnel/far-shell.ts';
import { keyIn, sshProblem } from '../../access/tunnel/ssh-problem.ts';
import { givenUp, startSsh } from '../../access/tunnel/ssh-process.ts';
import type { FarTarget } from '../../access/tunnel/target.ts';
import { settingsOf } from './ssh-config.ts';

export interface SeenKey extends HostKeySeen {
  /** As `ssh` writes it into a list of known machines. */
  readonly lines: string;
}

/**
 * Lets `ssh` write the key that answers into a list of its own, and log in to nothing.
 * @throws FarError also where a yes could not be kept, before anybody is asked for one
 */
export async function seeHostKey(target: FarTarget, signal: AbortSignal): Promise<SeenKey> {
  await userListOf(target);
  const folder = mkdtempSync(join(tmpdir(), 'hitch-key-'));
  const list = join(folder, 'known_hosts');
  try {
    const config = target.configFile === null ? [] : ['-F', target.configFile];
    const settings = [
      'BatchMode=yes',
      'ConnectTimeout=15',
      'StrictHostKeyChecking=accept-new',
      `UserKnownHostsFile=${list}`,
      'PreferredAuthentications=none',
      'ControlMaster=no',
      'ControlPath=none',
      'ClearAllForwardings=yes',
      'PermitLocalCommand=no',
      'RemoteCommand=none',
      'LogLevel=DEBUG1',
    ].flatMap(setting => ['-o', setting]);
    const ssh = startSsh([...config, '-T', ...settings, '--', target.destination, 'exit'], signal);
    ssh.child.stdin.end();
    ssh.child.stdout.resume();
    const code = await ssh.ended;
    if (signal.aborted) {
      throw givenUp(signal);
    }
    const key = keyIn(ssh.said());
    const lines = readIfThere(list);
    if (key === null || lines === '') {
      throw sshProblem(target.name, ssh.said().replace(/^debug\d: .*$/gm, ''), code);
    }
    return { ...key, lines };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Writes the key into the user's own list, as `ssh` would have after a yes. @throws FarError when it cannot be written. */
export async function trustHostKey(target: FarTarget, { lines }: SeenKey): Promise<string> {
  const file = await userListOf(target);
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    const before = readIfThere(file);
    appendFileSync(file, before === '' || before.endsWith('\n') ? lines : `\n${lines}`, { mode: 0o600 });
  } catch (cause) {
    throw new FarError(
      'no_ssh',
      `The key of ${target.name} cannot be written to ${file}: make it writable.`,
      {
        cause,
      },
    );
  }
  return file;
}

/** The file where the user's `ssh` looks for this machine's key first. @throws FarError where it looks into none */
async function userListOf(target: FarTarget): Promise<string> {
  const settings = await settingsOf(target.destination, target.configFile);
  const lists = settings.get('userknownhostsfile') ?? ['~/.ssh/known_hosts'];
  const named = lists.find(list => list !== '/dev/null' && list !== 'none');
  if (named === undefined) {
    throw new FarError(
      'no_ssh',
      `ssh keeps no list of known machines for ${shownName(target.name)} (UserKnownHostsFile ${lists.join(' ')}): name a file there for this machine, such as ~/.ssh/known_hosts.`,
    );
  }
  return named.startsWith('~/') ? join(homedir(), named.slice(2)) : named;
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
