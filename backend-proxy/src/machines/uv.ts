/**
 * uv installs the packages of an environment in a tenth of pip's time. pip itself brings it, once, by the hashes of its
 * files. Where that fails, or pip was set up in a way that uv is not told of here, pip installs the packages too.
 */
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { shownName } from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';
import { withFolderLock } from './folder-lock.ts';
import type { CommandResult, RunCommand } from './python.ts';

export interface Uv {
  readonly program: string;
  /** What it is told by variables: the settings of pip, in its own words. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface UvNeeds {
  /** An interpreter that has pip. */
  readonly python: string;
  /** Where its folder is made. */
  readonly folder: string;
  /** Its pin with the hashes of its files, as pip reads them. */
  readonly pins: string;
  readonly run: RunCommand;
  readonly clock: Clock;
  /** Called once where another process fetches it. */
  readonly wait: () => void;
}

/** The uv, or why there is none, as a clause for people. */
export async function uvFor(needs: UvNeeds, signal: AbortSignal): Promise<Uv | string> {
  const { python, folder, pins, run } = needs;
  const listed = await run(python, ['-m', 'pip', 'config', 'list'], signal);
  signal.throwIfAborted();
  const environment = listed.code === 0 ? uvSettings(listed.stdout) : 'pip does not say how it is set up';
  if (typeof environment === 'string') {
    return environment;
  }
  const version = /^uv==(\S+)/m.exec(pins)?.[1] ?? '';
  const place = join(folder, `uv-${version}`);
  const program = programIn(place) ?? (await fetchOnce(needs, place, signal));
  return program === null ? `the index has no uv ${version} for this computer` : { program, environment };
}

/** Installs what `file` pins into the environment of `interpreter`. */
export const installWithUv = (
  { program, environment }: Uv,
  {
    interpreter,
    file,
    run,
  }: { readonly interpreter: string; readonly file: string; readonly run: RunCommand },
  signal: AbortSignal,
): Promise<CommandResult> =>
  run(program, ['pip', 'install', '--python', interpreter, '--no-deps', '-r', file], signal, {
    ...environment,
    UV_NO_PROGRESS: '1',
    UV_PYTHON_DOWNLOADS: 'never',
  });

/** Environments of other packages are made beside this one, by other daemons too: one of them fetches it for all. */
function fetchOnce(needs: UvNeeds, place: string, signal: AbortSignal): Promise<string | null> {
  const { clock, wait } = needs;
  mkdirSync(needs.folder, { recursive: true, mode: 0o700 });
  return withFolderLock(
    `${place}.lock`,
    { clock, signal, wait },
    async () => programIn(place) ?? (await fetchUv(needs, place, signal)),
  );
}

async function fetchUv(
  { python, pins, run }: UvNeeds,
  place: string,
  signal: AbortSignal,
): Promise<string | null> {
  const part = `${place}.part`;
  const file = `${place}.txt`;
  rmSync(part, { recursive: true, force: true });
  writeFileSync(file, pins);
  const install = ['-m', 'pip', 'install', '--disable-pip-version-check', '--no-input', '--no-deps'];
  const how = ['--only-binary', ':all:', '--require-hashes', '--target', part, '-r', file];
  const { code } = await run(python, [...install, ...how], signal);
  signal.throwIfAborted();
  if (code === 0 && programIn(part) !== null) {
    rmSync(place, { recursive: true, force: true });
    renameSync(part, place);
  }
  rmSync(part, { recursive: true, force: true });
  rmSync(file, { force: true });
  return programIn(place);
}

/** pip puts the programs of a target folder into its `bin`, on Windows too. */
const programIn = (place: string): string | null =>
  ['uv', 'uv.exe'].map(name => join(place, 'bin', name)).find(path => existsSync(path)) ?? null;

/** How pip's settings are called for uv (https://docs.astral.sh/uv/reference/environment/). */
const UV_NAMES: Readonly<Record<string, string>> = {
  'index-url': 'UV_DEFAULT_INDEX',
  'extra-index-url': 'UV_INDEX',
  'find-links': 'UV_FIND_LINKS',
  'trusted-host': 'UV_INSECURE_HOST',
  cert: 'SSL_CERT_FILE',
  timeout: 'UV_HTTP_TIMEOUT',
  'default-timeout': 'UV_HTTP_TIMEOUT',
};

/** Settings of pip that say nothing of where packages come from, or which. */
const NO_MATTER = new Set([
  'break-system-packages',
  'cache-dir',
  'disable-pip-version-check',
  'no-cache-dir',
  'no-color',
  'no-compile',
  'no-input',
  'no-warn-script-location',
  'progress-bar',
  'quiet',
  'require-virtualenv',
  'retries',
  'root-user-action',
  'verbose',
]);

/** Those that count for `pip install`, from the weakest to the strongest; it lists them by the alphabet. */
const SECTIONS = ['global', 'install', ':env:'];

/**
 * What `pip config list` says, as variables for uv; a clause that names the setting where there is one that uv cannot be told.
 * pip takes the best version of all indexes and believes the system's certificates, and so must uv.
 */
export function uvSettings(listed: string): Readonly<Record<string, string>> | string {
  const settings: Record<string, string> = { UV_INDEX_STRATEGY: 'unsafe-best-match', UV_SYSTEM_CERTS: '1' };
  const found: { readonly section: string; readonly name: string; readonly text: string }[] = [];
  for (const line of listed.split('\n').filter(each => each.trim() !== '')) {
    const [, section = '', name = '', , text] = /^([^=]*?)\.([a-z-]+)=(['"])(.*)\3\s*$/.exec(line) ?? [];
    if (text === undefined) {
      return `pip has a setting that Hitch cannot read (${shownName(line)})`;
    }
    found.push({ section, name, text });
  }
  for (const { name, text } of SECTIONS.flatMap(each => found.filter(({ section }) => section === each))) {
    const uvName = UV_NAMES[name];
    if (uvName !== undefined) {
      // Values of several lines come as Python writes them in one.
      const values = text.split(/\\n|\s+/).filter(value => value !== '');
      settings[uvName] = values.join(name === 'find-links' ? ',' : ' ');
    } else if (!NO_MATTER.has(name)) {
      return `pip has the setting ${shownName(name)}`;
    }
  }
  return settings;
}
