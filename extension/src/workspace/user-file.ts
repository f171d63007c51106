/** The ssh configuration that an editor reads, where its user has named another one than `~/.ssh/config`. */
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/** @param setting what `remote.SSH.configFile` says. Undefined: the usual one. */
export function userFileOf(setting: unknown, homeFolder = homedir()): string | undefined {
  if (typeof setting !== 'string' || setting.trim() === '') {
    return undefined;
  }
  const path = setting.trim().replace(/^~(?=[\\/])/, homeFolder);
  return isAbsolute(path) ? path : join(homeFolder, path);
}
