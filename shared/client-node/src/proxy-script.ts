/**
 * The programs that stand in `ProxyCommand`: a few lines at a path that never changes, which start `hitch ssh-proxy` (or
 * `hitch ws-connect`, for machines that a web address alone leads to) of whichever Hitch started last. It depends on nothing of the shell, window or editor that started `ssh`.
 */

export interface ProxyProgram {
  /** Node, or an editor that is Node when it is told so. */
  readonly node: string;
  /** The file of `hitch`. */
  readonly hitch: string;
  readonly homeFolder: string;
  /** What a daemon that it starts is to be given, as the last one was; of it only what is meant for a daemon. */
  readonly environment: NodeJS.ProcessEnv;
}

/** What a daemon is told in its environment, and a person's shell may hold much more that is no file's business. */
const FOR_DAEMONS = ['HITCH_PYTHON', 'HITCH_PROVIDERS'] as const;

/** What of `hitch` is started. */
export type ProxyCommandName = 'ssh-proxy' | 'ws-connect';

const FILES: Readonly<Record<ProxyCommandName, string>> = { 'ssh-proxy': 'proxy', 'ws-connect': 'web-proxy' };

export const proxyName = (platform: NodeJS.Platform, command: ProxyCommandName = 'ssh-proxy'): string =>
  platform === 'win32' ? `${FILES[command]}.cmd` : FILES[command];

export function proxyScript(
  program: ProxyProgram,
  platform: NodeJS.Platform,
  command: ProxyCommandName = 'ssh-proxy',
): string {
  return platform === 'win32' ? windowsScript(program, command) : shellScript(program, command);
}

/** No sign in it that a shell or a batch file reads. */
const GONE =
  'Hitch was moved or removed. Open it in VS Code, in JupyterLab or by the command hitch, then try again.';

/** An editor's program is Node when it is told so; an editor's own settings for its processes are none for ours. */
const variables = (homeFolder: string, environment: NodeJS.ProcessEnv): Readonly<Record<string, string>> => ({
  ...Object.fromEntries(
    FOR_DAEMONS.flatMap(name => {
      const value = environment[name];
      return value === undefined ? [] : [[name, value]];
    }),
  ),
  HITCH_HOME: homeFolder,
  ELECTRON_RUN_AS_NODE: '1',
  NODE_OPTIONS: '',
});

/** The file of `hitch` that a script starts; null where it says none. */
export function programIn(script: string): string | null {
  const shell = /^hitch='((?:[^']|'\\'')*)'$/m.exec(script)?.[1];
  const windows = /^@"[^"]*" "([^"]*)" ssh-proxy/m.exec(script)?.[1];
  return shell?.replaceAll(`'\\''`, `'`) ?? windows?.replaceAll('%%', '%') ?? null;
}

function shellScript(
  { node, hitch, homeFolder, environment }: ProxyProgram,
  command: ProxyCommandName,
): string {
  const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
  return [
    '#!/bin/sh',
    '# Written by Hitch, again at each start; changes are lost.',
    `node=${quoted(node)}`,
    `hitch=${quoted(hitch)}`,
    '[ -x "$node" ] || node=$(command -v node)',
    'if [ -z "$node" ] || [ ! -f "$hitch" ]; then',
    `  echo ${quoted(`hitch: ${GONE}`)} >&2`,
    '  exit 127',
    'fi',
    ...Object.entries(variables(homeFolder, environment)).map(
      ([name, value]) => `export ${name}=${quoted(value)}`,
    ),
    `exec "$node" "$hitch" ${command} "$@"`,
    '',
  ].join('\n');
}

function windowsScript(
  { node, hitch, homeFolder, environment }: ProxyProgram,
  command: ProxyCommandName,
): string {
  // A percent sign begins a variable there.
  const plain = (text: string): string => text.replaceAll('%', '%%');
  return [
    '@rem Written by Hitch, again at each start; changes are lost.',
    '@setlocal',
    ...Object.entries(variables(homeFolder, environment)).map(
      ([name, value]) => `@set "${name}=${plain(value)}"`,
    ),
    `@if not exist "${plain(hitch)}" (echo hitch: ${GONE} 1>&2 & exit /b 127)`,
    `@"${plain(node)}" "${plain(hitch)}" ${command} %*`,
    '',
  ].join('\r\n');
}
