/** The user's own ssh configuration: whether it leads to ours, and the one line that makes it so. */
import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import { type Cluster, HitchError, type SshCheck, type SshConfigState } from '@hitch/contract';
import { errorText } from '@hitch/platform/src/log.ts';
import { differences, evaluate } from './check.ts';
import { isNameable, unnameable } from './entries.ts';
import type { SshHosts } from './hosts.ts';
import { hasInclude, includeLine, withInclude, withoutInclude } from './include.ts';
import { asBytes, changeUserFile, readUserFile } from './user-file.ts';

/** What the API asks of ssh. */
export interface SshPart extends Pick<SshHosts, 'access'> {
  config(file: string | undefined): SshConfigState;
  /** @throws HitchError with a sentence; the file is then as it was. */
  include(file: string | undefined): Promise<SshConfigState>;
  exclude(file: string | undefined): SshConfigState;
  check(cluster: Pick<Cluster, 'id' | 'name'>, file: string | undefined): Promise<SshCheck>;
}

export function sshPart(hosts: SshHosts, homeFolder = homedir()): SshPart {
  const own = join(homeFolder, '.ssh', 'config');
  const fileOf = (file: string | undefined): string => file ?? own;
  const line = includeLine(hosts.files.config);
  const include = asBytes(line);
  /** Without `-F` ssh also reads the system's file; it looks in the account's home, whatever HOME says. */
  const asked = (file: string): string | null =>
    file === join(userInfo().homedir, '.ssh', 'config') ? null : file;

  const config = (file: string | undefined): SshConfigState => {
    const userFile = fileOf(file);
    const { included, problem } = look(userFile, include, hosts.files.config);
    return {
      configFile: hosts.files.config,
      userFile,
      includeLine: line,
      included,
      aliases: hosts.hosts.map(({ alias }) => alias),
      problem,
    };
  };

  return {
    access: (cluster, nodeIndex) => hosts.access(cluster, nodeIndex),
    config,

    async include(file) {
      const userFile = fileOf(file);
      if (!isNameable(hosts.files.config)) {
        throw new HitchError('CONFLICT', unnameable(hosts.files.config));
      }
      const alias = hosts.hosts[0]?.alias ?? 'localhost';
      // What was broken before is the user's own affair; what broke by the line is taken back.
      const wasRead = readUserFile(userFile) === '' || 'settings' in (await evaluate(alias, asked(userFile)));
      changeUserFile(userFile, text => withInclude(text, include));
      const after = await evaluate(alias, asked(userFile));
      if (wasRead && 'problem' in after && !after.noSsh) {
        changeUserFile(userFile, text => withoutInclude(text, include));
        throw new HitchError('CONFLICT', `The Include was taken out again: ${after.problem}`);
      }
      return config(file);
    },

    exclude(file) {
      const userFile = fileOf(file);
      if (readUserFile(userFile) !== '') {
        changeUserFile(userFile, text => withoutInclude(text, include));
      }
      return config(file);
    },

    async check(cluster, file) {
      const host = hosts.hosts.find(({ clusterId }) => clusterId === cluster.id);
      if (host === undefined) {
        return { ok: false, differences: [`ssh cannot be led to ${cluster.name} at the moment.`] };
      }
      const userFile = fileOf(file);
      // A pipe or a device would keep ssh reading.
      const { problem } = look(userFile, include, hosts.files.config);
      if (problem !== '') {
        return { ok: false, differences: [problem] };
      }
      const evaluated = await evaluate(host.alias, asked(userFile));
      if ('problem' in evaluated) {
        return { ok: false, differences: [evaluated.problem] };
      }
      const found = differences(evaluated.settings, host, hosts.files);
      return { ok: found.length === 0, differences: [...found] };
    },
  };
}

function look(userFile: string, include: string, configFile: string): { included: boolean; problem: string } {
  if (!isNameable(configFile)) {
    return { included: false, problem: unnameable(configFile) };
  }
  try {
    return { included: hasInclude(readUserFile(userFile), include), problem: '' };
  } catch (error) {
    return { included: false, problem: errorText(error) };
  }
}
