/** What sshd is told, as text: its configuration, and the program that each session starts with. */

export interface SshdFacts {
  /** Files of the agent, absolute. */
  readonly hostKey: string;
  readonly authorizedKeys: string;
  readonly session: string;
  /** Whom it lets in: the one user that the agent itself is. */
  readonly user: string;
  /** The attempt's ref, which tags every process of the node. */
  readonly ref: string;
  readonly workFolder: string;
  /** What shells read for the node's environment, and the program that is a person's login shell with it. */
  readonly sessionFile: string;
  readonly shell: string | null;
  /** The program for `scp` and `sftp`; null where only sshd's inner one is there. */
  readonly sftpServer: string | null;
  /** The account is locked for passwords, which sshd takes for closed unless PAM decides. */
  readonly usePam: boolean;
  readonly terminals: boolean;
}

/** What no quoting of sshd's and the shell's bears. */
export const isPlainPath = (path: string): boolean => !/["'\\%\0\r\n]/.test(path);

/** One connection on standard input and output, one key, no passwords; nothing listens. */
export function sshdConfig(facts: SshdFacts): string {
  const lines = [
    '# Written by Hitch for one cluster; changes are lost.',
    `HostKey "${facts.hostKey}"`,
    `AuthorizedKeysFile "${facts.authorizedKeys}"`,
    // The folders above may belong to whoever made the machine; the files themselves are the agent's, 0600.
    'StrictModes no',
    'AuthenticationMethods publickey',
    'PubkeyAuthentication yes',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'PermitRootLogin prohibit-password',
    `AllowUsers ${facts.user}`,
    `UsePAM ${facts.usePam ? 'yes' : 'no'}`,
    'PidFile none',
    'UseDNS no',
    'PrintMotd no',
    'PrintLastLog no',
    // A stranger's machine may not use the keys of whoever visits it.
    'AllowAgentForwarding no',
    'X11Forwarding no',
    // Editors forward ports; what is forwarded towards the machine stays on its loopback.
    'AllowTcpForwarding yes',
    'AllowStreamLocalForwarding yes',
    'GatewayPorts no',
    'PermitTunnel no',
    `PermitTTY ${facts.terminals ? 'yes' : 'no'}`,
    'PermitUserEnvironment no',
    'ClientAliveInterval 60',
    'ClientAliveCountMax 5',
    'AcceptEnv LANG LC_*',
    // Only the first SetEnv counts. The tag ends whatever a session leaves behind together with the node.
    `SetEnv HITCH_NODE=${facts.ref} SPT_NOENV=1`,
  ];
  // sshd does not run its inner sftp under a forced command, and without one only sftp can be told where to start.
  const places =
    facts.sftpServer === null
      ? [`Subsystem sftp internal-sftp -d "${facts.workFolder}"`]
      : [`Subsystem sftp ${facts.sftpServer}`, `ForceCommand '${facts.session}'`];
  return [...lines, ...places, ''].join('\n');
}

const NO_TERMINAL =
  'hitch: no terminals over ssh on this machine: its /dev/pts is not mounted for the group tty. This shell has none; ' +
  'hitch ssh opens one that has, and commands, scp and editors do without.';

/** Does what sshd would have done, in the work folder instead of the home, and in the node's environment. */
export function sessionScript({
  workFolder,
  sessionFile,
  shell,
  terminals,
}: Pick<SshdFacts, 'workFolder' | 'sessionFile' | 'shell' | 'terminals'>): string {
  const enter = `[ -r '${sessionFile}' ] && . '${sessionFile}'`;
  return [
    '#!/bin/sh',
    `cd '${workFolder}' 2>/dev/null || :`,
    enter,
    'command=${SSH_ORIGINAL_COMMAND-}',
    'unset SSH_ORIGINAL_COMMAND',
    'if [ -z "$command" ]; then',
    ...(terminals ? [] : [`  echo '${NO_TERMINAL}' >&2`]),
    ...(shell === null ? [] : [`  [ -x '${shell}' ] && exec '${shell}'`]),
    '  exec "${SHELL:-/bin/sh}" -l',
    'fi',
    // The shell that sshd ran this in has read the user's start-up file; at this depth bash does not read it again.
    'SHLVL=1',
    'export SHLVL',
    // Zsh reads one all the same, which may have put another Python first.
    'case "${SHELL-}" in',
    `*/zsh) exec "$SHELL" -c "${enter}; $command" ;;`,
    'esac',
    'exec "${SHELL:-/bin/sh}" -c "$command"',
    '',
  ].join('\n');
}
