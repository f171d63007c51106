/** What this machine has of OpenSSH, and what its account needs. */
import { accessSync, constants, mkdirSync, readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { delimiter, join } from 'node:path';
import { sshUserSchema } from '@hitch/contract';

/** Servers stand outside of a user's PATH. */
const SSHD_FOLDERS = [
  '/usr/sbin',
  '/usr/local/sbin',
  '/sbin',
  '/usr/bin',
  '/usr/local/bin',
  '/opt/openssh/sbin',
];
const SFTP_SERVERS = [
  '/usr/lib/openssh/sftp-server',
  '/usr/libexec/openssh/sftp-server',
  '/usr/lib/ssh/sftp-server',
  '/usr/lib64/ssh/sftp-server',
  '/usr/libexec/sftp-server',
  '/usr/local/libexec/sftp-server',
];
/** Where Debian's sshd, when it is root, shuts its unprivileged half in; its package's service makes it at boot. */
const EMPTY_FOLDER = '/run/sshd';

/** Its absolute path, which sshd insists on; null where there is none. */
export function findSshd(environment: NodeJS.ProcessEnv = process.env): string | null {
  const folders = [...SSHD_FOLDERS, ...(environment['PATH'] ?? '').split(delimiter).filter(Boolean)];
  return folders.map(folder => join(folder, 'sshd')).find(isProgram) ?? null;
}

export const findSftpServer = (): string | null => SFTP_SERVERS.find(isProgram) ?? null;

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Rented containers often have the package but never started its service. */
export function makeEmptyFolder(): void {
  if (process.getuid?.() === 0) {
    try {
      mkdirSync(EMPTY_FOLDER, { recursive: true, mode: 0o755 });
    } catch {
      // sshd says itself what it misses; those of other makers miss nothing.
    }
  }
}

/** Whom sshd can let in; null where the account has no name, as in a container under a number of its own, or an odd one. */
export function accountName(nameOf = () => userInfo().username): string | null {
  try {
    return sshUserSchema.parse(nameOf());
  } catch {
    return null;
  }
}

/**
 * Whether the account has a `!` for a password. sshd refuses such a one even to a key, unless PAM is asked; only root
 * can see it, and only then does sshd see it too.
 */
export function isLocked(user: string, shadowFile = '/etc/shadow'): boolean {
  try {
    const line = readFileSync(shadowFile, 'utf8')
      .split('\n')
      .find(entry => entry.startsWith(`${user}:`));
    return line?.split(':')[1]?.startsWith('!') === true;
  } catch {
    return false;
  }
}
