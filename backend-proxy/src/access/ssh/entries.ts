/** What `ssh` is told of our hosts, as text: the entries of our own configuration, and the keys it has to find there. */

/** A machine that `ssh` can be led to. */
export interface SshHost {
  readonly alias: string;
  readonly clusterId: string;
  readonly user: string;
  /** `ssh-ed25519 AAAA…`, pinned. */
  readonly hostKey: string;
}

export interface SshFiles {
  readonly config: string;
  readonly knownHosts: string;
  /** The private key of a cluster. */
  readonly identity: (clusterId: string) => string;
  /** The program that `ssh` speaks through. */
  readonly proxy: string;
  /** The one through which it reaches a machine by a web address. */
  readonly webProxy: string;
}

const isWindowsPath = (path: string): boolean => /^(?:[A-Za-z]:|\\\\)/.test(path);

/** On Windows too `ssh` reads forward slashes; a backslash would quote what follows. Elsewhere it belongs to a name. */
export const forSsh = (path: string): string => (isWindowsPath(path) ? path.replaceAll('\\', '/') : path);

/** Paths with these cannot be written into a configuration so that every reader of it agrees. */
export const isNameable = (path: string): boolean => !/["'$`\\\0\r\n]/.test(forSsh(path));

export const unnameable = (path: string): string =>
  `ssh cannot use ${path}: its path has quotes, dollar signs or backslashes. Use another HITCH_HOME.`;

/** A name that no address can be: each machine's key stands under its own, however often an alias is used again. */
export const hostKeyAlias = (host: Pick<SshHost, 'alias' | 'clusterId'>): string =>
  `${host.clusterId.toLowerCase()}.${host.alias}`;

/** `%` begins a token for `ssh`; editors split at blanks outside of double quotes; a shell reads what is no plain letter. */
export function proxyCommand(proxy: string, ...args: readonly string[]): string {
  return [proxy, ...args].map(word => asWord(forSsh(word).replaceAll('%', '%%'))).join(' ');
}

const asWord = (word: string): string => (/^[\p{L}\p{N}%+,./:=@_-]*$/u.test(word) ? word : `"${word}"`);

/**
 * What an entry says, keyword by keyword. Editors read it with parsers of their own: no Match, no tokens, no shell.
 */
export function entryOf(host: SshHost, files: SshFiles): readonly (readonly [string, string])[] {
  const quoted = (path: string): string => `"${forSsh(path).replaceAll('%', '%%')}"`;
  return [
    ['HostName', host.alias],
    ['User', host.user],
    ['ProxyCommand', proxyCommand(files.proxy, host.alias)],
    ['HostKeyAlias', hostKeyAlias(host)],
    ['HostKeyAlgorithms', 'ssh-ed25519'],
    ['UserKnownHostsFile', quoted(files.knownHosts)],
    ['GlobalKnownHostsFile', quoted(files.knownHosts)],
    ['StrictHostKeyChecking', 'yes'],
    ['UpdateHostKeys', 'no'],
    ['IdentityFile', quoted(files.identity(host.clusterId))],
    ['IdentitiesOnly', 'yes'],
    // Under its older name every OpenSSH knows it. A user's own list could leave out the kind that our key is.
    ['PubkeyAcceptedKeyTypes', 'ssh-ed25519'],
    ['PubkeyAuthentication', 'yes'],
    ['PreferredAuthentications', 'publickey'],
    ['PasswordAuthentication', 'no'],
    // The name is an address for nobody but the proxy, which speaks on its standard input and output. No ProxyJump: the
    // first of the two counts, and an editor that reads “none” there would look for a machine of that name.
    ['CanonicalizeHostname', 'no'],
    ['VerifyHostKeyDNS', 'no'],
    ['ProxyUseFdpass', 'no'],
    // The machine is a stranger's: nothing of this computer is lent to it.
    ['IdentityAgent', 'none'],
    ['AddKeysToAgent', 'no'],
    ['ForwardAgent', 'no'],
    ['ForwardX11', 'no'],
    ['Tunnel', 'no'],
    ['PermitLocalCommand', 'no'],
    // A master connection of an earlier machine must not answer for a later one of the same name.
    ['ControlPath', 'none'],
    ['ServerAliveInterval', '15'],
    ['ServerAliveCountMax', '4'],
    ['ConnectTimeout', '90'],
  ];
}

export function configText(hosts: readonly SshHost[], files: SshFiles): string {
  const entries = hosts.map(host =>
    [`Host ${host.alias}`, ...entryOf(host, files).map(([key, value]) => `  ${key} ${value}`), ''].join('\n'),
  );
  return ['# Written by Hitch: the machines that run now. Changes are lost.', '', ...entries].join('\n');
}

/** Under the alias too: clients that know no HostKeyAlias, such as paramiko, look for the name that they connect to. */
export const knownHostsText = (hosts: readonly SshHost[]): string =>
  hosts.map(host => `${hostKeyAlias(host)},${host.alias} ${host.hostKey}\n`).join('');
