/** Asks this computer's own `ssh` how it reads its configuration: no parser of ours would know. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { entryOf, type SshFiles, type SshHost } from './entries.ts';

const run = promisify(execFile);
const ANSWER_WITHIN_MS = 15_000;
/** What leads to the right machine and lends it nothing; the other settings are comfort. */
const CHECKED = new Set([
  'hostname',
  'user',
  'proxycommand',
  'hostkeyalias',
  'userknownhostsfile',
  'stricthostkeychecking',
  'identityfile',
  'identitiesonly',
  'pubkeyauthentication',
  'proxyusefdpass',
  'identityagent',
  'forwardagent',
  'forwardx11',
  'tunnel',
  'permitlocalcommand',
]);
const SAME = new Map([
  ['true', 'yes'],
  ['false', 'no'],
]);

export type Evaluated =
  | { readonly settings: ReadonlyMap<string, string> }
  /** A sentence. */
  | { readonly problem: string; readonly noSsh: boolean };

/** @param file the configuration it is to read; null: its own. */
export async function evaluate(alias: string, file: string | null): Promise<Evaluated> {
  try {
    const { stdout } = await run('ssh', [...(file === null ? [] : ['-F', file]), '-G', alias], {
      timeout: ANSWER_WITHIN_MS,
      windowsHide: true,
    });
    return { settings: readSettings(stdout) };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      return { problem: 'There is no ssh on this computer: install OpenSSH’s client.', noSsh: true };
    }
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
    const last = said.split('\n').at(-1) || String(error);
    return { problem: `ssh does not read its configuration: ${last}`, noSsh: false };
  }
}

/** The output of `ssh -G`: a keyword in lower case and its value a line; of those that may repeat, the first. */
export function readSettings(text: string): ReadonlyMap<string, string> {
  const settings = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const [, key, value] = /^(\S+) (.*)$/.exec(line) ?? [];
    if (key !== undefined && value !== undefined && !settings.has(key)) {
      settings.set(key, value);
    }
  }
  return settings;
}

/** What differs between our entry and what `ssh` makes of it, a sentence each. */
export function differences(
  settings: ReadonlyMap<string, string>,
  host: SshHost,
  files: SshFiles,
): readonly string[] {
  const plain = (value: string): string => {
    const bare = value.replaceAll('"', '').replaceAll('%%', '%');
    return SAME.get(bare) ?? bare;
  };
  return entryOf(host, files).flatMap(([keyword, value]) => {
    const key = keyword.toLowerCase();
    const read = settings.get(key);
    return !CHECKED.has(key) || (read !== undefined && plain(read) === plain(value))
      ? []
      : [`For ${host.alias} ssh reads ${keyword} as ${read ?? 'nothing'}, and Hitch wrote ${value}.`];
  });
}
