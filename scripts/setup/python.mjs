// The Python that runs Jupyter and Ray: a virtual environment in .cache with every package pinned.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { aptInstall, canAptInstall } from './apt.mjs';
import { hashFiles, inCache, inRoot, isWindows, readJson, SetupError, writeAtomic } from './common.mjs';
import { mustRun } from './progress.mjs';

export const lockFile = 'backend-proxy/python/requirements.lock.txt';
const oldest = 10;
const newest = 14;
const venv = inCache('venv');
const stampFile = inCache('venv', 'hitch-stamp.json');
export const venvPython = inCache('venv', isWindows ? 'Scripts/python.exe' : 'bin/python');

const probe = 'import sys, venv, ensurepip; print("%d.%d" % sys.version_info[:2])';
const wanted = `Python 3.${String(oldest)} to 3.${String(newest)} with its venv module`;

/**
 * The first suitable Python on PATH, or why there is none.
 * @returns {{ command: string[], version: string, reason?: undefined } | { command?: undefined, reason: string }}
 */
export function findPython() {
  const minors = Array.from(
    { length: newest - oldest + 1 },
    (_, index) => `python3.${String(newest - index)}`,
  );
  const names = isWindows
    ? [['py', '-3'], ['python'], ['python3']]
    : [['python3'], ...minors.map(name => [name]), ['python']];
  /** @type {string[]} */
  const reasons = [];
  for (const command of names) {
    const [name = '', ...before] = command;
    const outcome = spawnSync(name, [...before, '-c', probe], { encoding: 'utf8', windowsHide: true });
    if (outcome.error) continue;
    const version = outcome.stdout.trim();
    const minor = Number(/^3\.(\d+)$/.exec(version)?.[1]);
    if (outcome.status === 0 && minor >= oldest && minor <= newest) return { command, version };
    const label = command.join(' ');
    if (version) reasons.push(`${label} is ${version}`);
    else if (/No module named '?(venv|ensurepip)/.test(outcome.stderr)) {
      reasons.push(`${label} has no venv module`);
    }
  }
  return { reason: reasons.length > 0 ? reasons.join(', ') : 'there is no Python on PATH' };
}

/** @param {string} reason */
function missing(reason) {
  return new SetupError(
    `Hitch needs ${wanted}, but ${reason}: install it (Debian or Ubuntu: "apt-get install python3 python3-venv", ` +
      'macOS: "brew install python@3.13", Windows: "winget install Python.Python.3.13") and run this again.',
  );
}

/** @param {import('./progress.mjs').Say} say */
async function pythonToUse(say) {
  const found = findPython();
  if (found.command) return found.command;
  if (!canAptInstall()) throw missing(found.reason);
  await aptInstall(say, ['python3', 'python3-venv']);
  const second = findPython();
  if (!second.command) throw missing(second.reason);
  return second.command;
}

const stamp = () => ({ requirements: hashFiles([lockFile]), folder: venv });

/** A person's own environment, named by HITCH_PYTHON, is used as it is. */
export const ownPython = () => process.env['HITCH_PYTHON'] || undefined;

export function pythonIsReady() {
  if (ownPython()) return true;
  const found = readJson(stampFile);
  // A virtual environment holds absolute paths: one that was moved, or whose Python was upgraded away, is made again.
  return (
    JSON.stringify(found) === JSON.stringify(stamp()) &&
    spawnSync(venvPython, ['-c', ''], { stdio: 'ignore' }).status === 0
  );
}

/** Fails with a sentence when the environment a person named cannot be used. */
export function checkOwnPython() {
  const python = ownPython();
  if (!python) return;
  const check =
    'import importlib.metadata as m; [m.version(n) for n in ("jupyter_server", "ipykernel", "ray")]';
  if (spawnSync(python, ['-c', check], { stdio: 'ignore' }).status === 0) return;
  throw new SetupError(
    `HITCH_PYTHON is ${python}, which does not run or lacks jupyter_server, ipykernel or ray: install ${lockFile} ` +
      'into it, or unset HITCH_PYTHON to let Hitch make its own environment.',
  );
}

/**
 * @param {import('./progress.mjs').Say} say
 * @param {string} node the Node that runs TypeScript files
 */
export async function installPython(say, node) {
  const [command = '', ...before] = await pythonToUse(say);
  rmSync(venv, { recursive: true, force: true });
  await mustRun(command, [...before, '-m', 'venv', venv], {
    say,
    sentence: `${command} could not make a virtual environment in ${venv}.`,
  });
  await mustRun(
    node,
    [inRoot('scripts/setup/install-packages.ts'), venvPython, lockFile, inCache('uv'), 'Jupyter, Ray'],
    {
      say: line => {
        say(line.length > 60 ? `${line.slice(0, 57)}…` : line);
      },
      sentence:
        'The Python packages could not be installed: check that this computer reaches PyPI, then run this again.',
    },
  );
  await mustRun(venvPython, ['-m', 'pip', 'check'], {
    say,
    sentence: `The pins in ${lockFile} do not fit together.`,
  });
  writeAtomic(stampFile, JSON.stringify(stamp()));
}
