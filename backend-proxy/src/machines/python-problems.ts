/** Why a Python cannot be used, each with its sentence. Pure: the tests read them all. */
import { cutText } from '@hitch/contract';
import { HostError, type PythonNeeds } from '../access/host.ts';
import type { CommandResult } from './python.ts';

const OLDEST_PYTHON = [3, 10] as const;
const NEWEST_PYTHON = [3, 14] as const;
const OLDEST_RAY = [2, 52] as const;

type Version = readonly [major: number, minor: number];

function versionOf(text: string): Version {
  const [major = 0, minor = 0] = text.split('.').map(part => Number.parseInt(part, 10));
  return [major, minor];
}

function isOlder([major, minor]: Version, than: Version): boolean {
  return major < than[0] || (major === than[0] && minor < than[1]);
}

export function versionProblem(python: string, version: string): HostError | null {
  const found = versionOf(version);
  const wanted = `${OLDEST_PYTHON.join('.')} to ${NEWEST_PYTHON.join('.')}`;
  if (isOlder(found, OLDEST_PYTHON)) {
    return new HostError(`${python} is Python ${version}, which is too old: install Python ${wanted}.`, {
      fatal: true,
    });
  }
  if (isOlder(NEWEST_PYTHON, found)) {
    return new HostError(
      `${python} is Python ${version}, for which the pinned packages do not exist yet: install Python ${wanted}.`,
      { fatal: true },
    );
  }
  return null;
}

/** Why this Ray cannot be used, as a sentence; null: it can. */
export const rayTooOld = (version: string): string | null =>
  isOlder(versionOf(version), OLDEST_RAY)
    ? `Ray ${version} cannot be closed to strangers by a token; Hitch needs ${OLDEST_RAY.join('.')} or newer.`
    : null;

export function venvProblem(python: string, result: CommandResult): HostError {
  const text = `${result.stdout}\n${result.stderr}`;
  if (isDiskFull(text)) {
    return diskFull(text);
  }
  return /No module named '?(venv|ensurepip)|ensurepip is not available/i.test(text)
    ? new HostError(
        `${python} cannot make virtual environments: install its venv module (on Debian and Ubuntu: apt install python3-venv).`,
        { fatal: true },
      )
    : new HostError(`${python} could not make a virtual environment: ${lastWords(text)}`, { fatal: true });
}

export function pipProblem(result: CommandResult): HostError {
  const text = `${result.stdout}\n${result.stderr}`;
  if (isDiskFull(text)) {
    return diskFull(text);
  }
  if (
    /Connection|NewConnectionError|timed out|Temporary failure in name resolution|Network is unreachable|ProxyError|SSLError/i.test(
      text,
    )
  ) {
    return new HostError(
      'The Python packages could not be downloaded: check the network (or pip’s index setting) and start again.',
      { fatal: false, cause: new Error(lastWords(text)) },
    );
  }
  if (/No matching distribution|Could not find a version/i.test(text)) {
    return new HostError(`A pinned Python package does not exist for this computer: ${lastWords(text)}`, {
      fatal: true,
    });
  }
  return new HostError(`pip could not install the packages: ${lastWords(text)}`, { fatal: false });
}

/** @param found lines `name version`, as the probe prints them. */
export function missingPackages(python: string, found: string, needs: PythonNeeds): HostError | null {
  const versions = new Map(
    found.split('\n').map(line => {
      const [name = '', version = ''] = line.trim().split(' ');
      return [name, version] as const;
    }),
  );
  const version = versionProblem(python, versions.get('python') ?? '0.0');
  if (version !== null) {
    return version;
  }
  const wanted = ['jupyter_server', 'ipykernel', ...(needs.ray ? ['ray'] : [])];
  const missing = wanted.filter(name => !versions.has(name));
  if (missing.length > 0) {
    return new HostError(
      `${python} lacks ${missing.join(' and ')}: install ${missing.length === 1 ? 'it' : 'them'} there, or unset HITCH_PYTHON to let Hitch make its own environment.`,
      { fatal: true },
    );
  }
  const ray = versions.get('ray');
  return needs.ray && ray !== undefined && isOlder(versionOf(ray), OLDEST_RAY)
    ? new HostError(
        `${python} has Ray ${ray}, which lets anybody who reaches it run code: install ray[default] ${OLDEST_RAY.join('.')} or newer.`,
        { fatal: true },
      )
    : null;
}

function isDiskFull(text: string): boolean {
  return /No space left on device|ENOSPC|Disk quota exceeded|not enough space/i.test(text);
}

function diskFull(text: string): HostError {
  return new HostError(
    'The disk is full: the Python packages need about 1.5 GB. Free some space, or point HITCH_HOME at a larger disk.',
    { fatal: false, cause: new Error(lastWords(text)) },
  );
}

const LONGEST_WORDS = 300;

function lastWords(text: string): string {
  const lines = text.split('\n').map(line => line.trim());
  const errors = lines.filter(line => /^(error|ERROR)\b/.test(line));
  return cutText(errors.at(-1) ?? lines.filter(Boolean).at(-1) ?? 'it said nothing', LONGEST_WORDS);
}
