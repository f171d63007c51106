/** An interpreter of a wanted version on this computer, by its absolute path: a shim on PATH may answer 127 or lead elsewhere. */
import { readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { HostError } from '../../access/host.ts';
import { PYTHONS, type RunCommand } from '../python.ts';
import type { Uv } from '../uv.ts';

export interface FindPython {
  /** Such as `3.12`. */
  readonly version: string;
  /** Asked first: the user's own. */
  readonly named: string | undefined;
  /** Where Pythons are put that have to be fetched. */
  readonly folder: string;
  /** What fetches one; null: there is nothing that could. */
  readonly uv: Uv | null;
  readonly run: RunCommand;
  readonly report: (sentence: string) => void;
  readonly candidates?: readonly string[];
}

const PROBE = 'import sys, venv; print("%d.%d" % sys.version_info[:2]); print(sys.executable)';

/** @throws HostError with a sentence where there is none and none can be fetched. */
export async function findPython(wanted: FindPython, signal: AbortSignal): Promise<string> {
  const { version, named, run, uv, report, folder } = wanted;
  const candidates = wanted.candidates ?? [
    ...(named === undefined || named === '' ? [] : [named]),
    // What is found by its folder costs no start of a shim.
    ...pythonsOfPyenv(version),
    ...pythonsBelow(folder, version),
    `python${version}`,
    ...PYTHONS,
  ];
  for (const candidate of candidates) {
    const { code, stdout } = await run(candidate, ['-c', PROBE], signal);
    signal.throwIfAborted();
    const [found, path] = stdout.split(/\r?\n/);
    if (code === 0 && found === version && path !== undefined && path !== '') {
      return path;
    }
  }
  if (uv === null) {
    throw none(version, 'there is no uv that could fetch it');
  }
  report(`Fetching Python ${version} (30 MB).`);
  const { code, stderr } = await run(
    uv.program,
    ['python', 'install', '--install-dir', folder, '--no-bin', version],
    signal,
    {
      ...uv.environment,
      UV_NO_PROGRESS: '1',
      NO_COLOR: '1',
    },
  );
  signal.throwIfAborted();
  const [fetched] = pythonsBelow(folder, version);
  if (code !== 0 || fetched === undefined) {
    throw none(version, `it could not be fetched (${stderr.trim().split('\n').at(-1)?.trim() ?? ''})`);
  }
  return fetched;
}

const none = (version: string, why: string): HostError =>
  new HostError(
    `This computer has no Python ${version}, and ${why}: install Python ${version}, or choose another with --python.`,
    {
      fatal: true,
    },
  );

function pythonsOfPyenv(version: string): readonly string[] {
  const root = process.env['PYENV_ROOT'] ?? join(homedir(), '.pyenv');
  return inside(join(root, 'versions'))
    .filter(name => name.startsWith(`${version}.`))
    .map(name => join(root, 'versions', name, 'bin', 'python'));
}

/** As uv names them: `cpython-3.12.11-linux-x86_64-gnu`. */
function pythonsBelow(folder: string, version: string): readonly string[] {
  return inside(folder)
    .filter(name => name.startsWith(`cpython-${version}.`))
    .map(name =>
      process.platform === 'win32' ? join(folder, name, 'python.exe') : join(folder, name, 'bin', 'python3'),
    );
}

function inside(folder: string): readonly string[] {
  try {
    return readdirSync(folder).toSorted().toReversed();
  } catch {
    return [];
  }
}
