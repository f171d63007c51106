/** Which editor this is, by the SSH extension that it has: each of them opens `ssh-remote+<host>` in a window of its own. */

/** By the extension's id. None of them is depended on: each exists for its own editor only. */
const SSH_EXTENSIONS = {
  'ms-vscode-remote.remote-ssh': 'Remote - SSH',
  'anysphere.remote-ssh': 'Remote SSH',
  'codeium.windsurf-remote-openssh': 'Remote - SSH',
  'google.antigravity-remote-openssh': 'Remote - SSH',
  'jeanp413.open-remote-ssh': 'Open Remote - SSH',
} as const;

export type SshExtensionId = keyof typeof SSH_EXTENSIONS;
export const SSH_EXTENSION_IDS = Object.keys(SSH_EXTENSIONS) as readonly SshExtensionId[];

export interface SshExtension {
  readonly id: SshExtensionId;
  readonly title: string;
}

/** Looked for at each use: people install one when they are told that it is missing. */
export function sshExtension(isInstalled: (id: string) => boolean): SshExtension | null {
  const id = SSH_EXTENSION_IDS.find(isInstalled);
  return id === undefined ? null : { id, title: SSH_EXTENSIONS[id] };
}
