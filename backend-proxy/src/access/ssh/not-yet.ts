/** Stands in until nodes have an SSH server: says so, and changes nothing. */
import { join } from 'node:path';
import { type ClusterId, HitchError } from '@hitch/contract';
import type { Home } from '../../platform/paths.ts';
import type { SshPart } from './part.ts';

const MESSAGE = 'This version of Hitch has no SSH server on its nodes.';

export function noSshYet(home: Home, nameOf: (id: ClusterId) => string): SshPart {
  const configFile = join(home.root, 'ssh', 'config');
  const refuse = (): never => {
    throw new HitchError('CONFLICT', MESSAGE);
  };
  return {
    access: clusterId => ({
      clusterId,
      alias: `hitch-${nameOf(clusterId)}`,
      state: 'unavailable',
      message: MESSAGE,
      user: '',
      workFolder: '',
      hostKeys: [],
      identityFile: '',
      knownHostsFile: '',
      configFile,
      command: [],
    }),
    check: async () => ({ ok: false, differences: [MESSAGE] }),
    config: userFile => ({
      configFile,
      userFile: userFile ?? '',
      includeLine: `Include "${configFile}"`,
      included: false,
      entries: [],
      problem: MESSAGE,
    }),
    include: refuse,
    exclude: refuse,
  };
}
