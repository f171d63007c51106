// Plot libraries that the tests of JupyterLab show. They lie in a folder of their own, which those tests name to their
// kernels: what a node gets stays what the lock says.
import { rmSync } from 'node:fs';
import { hashFiles, inCache, inRoot, readJson, writeAtomic } from './common.mjs';
import { mustRun } from './progress.mjs';
import { ownPython, venvPython } from './python.mjs';

const requirements = 'test/jupyterlab/plots.requirements.txt';
const folder = inCache('plots');
const stampFile = inCache('plots', 'installed.json');

const python = () => ownPython() ?? venvPython;
const stamp = () => ({ requirements: hashFiles([requirements]), python: python() });

export const plotsAreReady = () => JSON.stringify(readJson(stampFile)) === JSON.stringify(stamp());

/** @param {import('./progress.mjs').Say} say */
export async function installPlots(say) {
  rmSync(folder, { recursive: true, force: true });
  const quiet = ['--no-input', '--progress-bar', 'off', '--no-deps', '--disable-pip-version-check'];
  await mustRun(
    python(),
    ['-m', 'pip', 'install', ...quiet, '--target', folder, '-r', inRoot(requirements)],
    {
      say: line => {
        say(line.length > 60 ? `${line.slice(0, 57)}…` : line);
      },
      sentence:
        'pip could not install the plot libraries: check that this computer reaches PyPI, then run this again.',
    },
  );
  writeAtomic(stampFile, JSON.stringify(stamp()));
}
