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

export interface FoundPython {
  /** Absolute. */
  readonly path: string;
  /** The wheel of pip that it brings (ensurepip's), by its path; null: none, as Debian has it without python3-venv. */
  readonly pip: string | null;
}

/** One start of it for all that is asked; ensurepip is not imported, which takes as long as the start. */
const PROBE = `
import glob, os, sys, sysconfig, venv
print("%d.%d" % sys.version_info[:2])
print(sys.executable)
bundled = os.path.join(sysconfig.get_path("stdlib"), "ensurepip", "_bundled")
places = [sysconfig.get_config_var("WHEEL_PKG_DIR") or "", bundled]
print(next((file for place in places if place for file in sorted(glob.glob(os.path.join(place, "pip-*.whl")))), ""))
`;

/** @throws HostError with a sentence where there is none and none can be fetched. */
export async function findPython(wanted: FindPython, signal: AbortSignal): Promise<FoundPython> {
  const found = await amongThose(candidatesOf(wanted), wanted, signal);
  if (found !== null) {
    return found;
  }
  const fetched = await fetchPython(wanted, signal);
  const python = await amongThose([fetched], wanted, signal);
  if (python === null) {
    throw none(wanted.version, `the one that was fetched (${fetched}) does not run`);
  }
  return python;
}

function candidatesOf({ candidates, named, version, folder }: FindPython): readonly string[] {
  return (
    candidates ?? [
      ...(named === undefined || named === '' ? [] : [named]),
      // What is found by its folder costs no start of a shim.
      ...pythonsOfPyenv(version),
      ...pythonsBelow(folder, version),
      `python${version}`,
      ...PYTHONS,
    ]
  );
}

async function amongThose(
  candidates: readonly string[],
  { version, run }: FindPython,
  signal: AbortSignal,
): Promise<FoundPython | null> {
  for (const candidate of candidates) {
    const { code, stdout } = await run(candidate, ['-c', PROBE], signal);
    signal.throwIfAborted();
    const [said, path, pip] = stdout.split(/\r?\n/);
    if (code === 0 && said === version && path !== undefined && path !== '') {
      return { path, pip: pip === undefined || pip === '' ? null : pip };
    }
  }
  return null;
}

async function fetchPython(wanted: FindPython, signal: AbortSignal): Promise<string> {
  const { version, run, uv, report, folder } = wanted;
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
