// The networks' own clients, in an environment of its own: tests lead them to our simulators. Where they cannot be had (no
// PyPI, an index that has other files) those tests skip themselves and print the reason that stands here.
import { rmSync } from 'node:fs';
import { hashFiles, inCache, inRoot, isWindows, readJson, writeAtomic } from './common.mjs';
import { run } from './progress.mjs';
import { findPython } from './python.mjs';

const requirements = 'test/simulators/judges/requirements.hashes.txt';
const folder = inCache('judges');
const stampFile = inCache('judges', 'installed.json');
/** Beside the folder, which is made anew each time. */
const reasonFile = inCache('judges-missing.txt');
const python = inCache('judges', isWindows ? 'Scripts/python.exe' : 'bin/python');

const stamp = () => ({ requirements: hashFiles([requirements]), folder });

export const judgesAreReady = () => JSON.stringify(readJson(stampFile)) === JSON.stringify(stamp());

/** @param {import('./progress.mjs').Say} say */
export async function installJudges(say) {
  const missing = await make(say);
  if (missing === null) {
    rmSync(reasonFile, { force: true });
    writeAtomic(stampFile, JSON.stringify(stamp()));
  } else {
    say(missing);
    writeAtomic(reasonFile, missing);
  }
}

/**
 * @param {import('./progress.mjs').Say} say
 * @returns {Promise<string | null>} why there are none; null: they are there
 */
async function make(say) {
  rmSync(folder, { recursive: true, force: true });
  const found = findPython();
  if (!found.command) return `they need Python, and ${found.reason}`;
  const [command = '', ...before] = found.command;
  const made = await run(command, [...before, '-m', 'venv', folder], { say });
  if (made.code !== 0) return `${command} could not make an environment in ${folder}`;
  const quiet = ['--no-input', '--progress-bar', 'off', '--no-deps', '--disable-pip-version-check'];
  const installed = await run(
    python,
    [
      '-m',
      'pip',
      'install',
      ...quiet,
      '--only-binary',
      ':all:',
      '--require-hashes',
      '-r',
      inRoot(requirements),
    ],
    {
      say: line => {
        say(line.length > 60 ? `${line.slice(0, 57)}…` : line);
      },
    },
  );
  const last = installed.output.trim().split('\n').at(-1) ?? '';
  return installed.code === 0 ? null : `pip could not install them: ${last}`;
}
