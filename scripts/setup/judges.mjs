// The networks' own clients, each kind in a folder of its own: tests lead them to our simulators. Where they cannot be had (no
// registry, an index that has other files) those tests skip themselves and print the reason that stands here.
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { hashFiles, inCache, inRoot, isWindows, readJson, SetupError, writeAtomic } from './common.mjs';
import { mustRunNpm, run } from './progress.mjs';
import { findPython } from './python.mjs';

const requirements = 'test/simulators/judges/requirements.hashes.txt';
const folder = inCache('judges');
const stampFile = inCache('judges', 'installed.json');
/** Beside the folder, which is made anew each time. */
const reasonFile = inCache('judges-missing.txt');
const python = inCache('judges', isWindows ? 'Scripts/python.exe' : 'bin/python');

const manifests = ['package.json', 'package-lock.json'].map(file => `test/simulators/judges/npm/${file}`);
const npmFolder = inCache('judges-npm');
const npmStampFile = path.join(npmFolder, 'installed.json');
const npmReasonFile = inCache('judges-npm-missing.txt');

const stamp = () => ({ requirements: hashFiles([requirements]), folder });
const npmStamp = () => ({ manifests: hashFiles(manifests) });

const pythonIsThere = () => JSON.stringify(readJson(stampFile)) === JSON.stringify(stamp());
const npmIsThere = () => JSON.stringify(readJson(npmStampFile)) === JSON.stringify(npmStamp());

export const judgesAreReady = () => pythonIsThere() && npmIsThere();

/**
 * @param {import('./progress.mjs').Say} say
 * @param {string} node the Node that runs TypeScript files
 */
export async function installJudges(say, node) {
  if (!npmIsThere()) await installFromNpm(say);
  if (!pythonIsThere()) await installFromPypi(say, node);
}

/** @param {import('./progress.mjs').Say} say */
async function installFromNpm(say) {
  rmSync(npmFolder, { recursive: true, force: true });
  mkdirSync(npmFolder, { recursive: true });
  for (const manifest of manifests) cpSync(inRoot(manifest), path.join(npmFolder, path.basename(manifest)));
  const sentence = 'npm could not install them: check that this computer reaches the npm registry.';
  try {
    await mustRunNpm(['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
      cwd: npmFolder,
      say,
      sentence,
    });
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    say(error.message);
    writeAtomic(npmReasonFile, error.message);
    return;
  }
  rmSync(npmReasonFile, { force: true });
  writeAtomic(npmStampFile, JSON.stringify(npmStamp()));
}

/**
 * @param {import('./progress.mjs').Say} say
 * @param {string} node
 */
async function installFromPypi(say, node) {
  const missing = await make(say, node);
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
 * @param {string} node the Node that runs TypeScript files
 * @returns {Promise<string | null>} why there are none; null: they are there
 */
async function make(say, node) {
  rmSync(folder, { recursive: true, force: true });
  const found = findPython();
  if (!found.command) return `they need Python, and ${found.reason}`;
  const [command = '', ...before] = found.command;
  const made = await run(command, [...before, '-m', 'venv', folder], { say });
  if (made.code !== 0) return `${command} could not make an environment in ${folder}`;
  const installed = await run(
    node,
    [
      inRoot('scripts/setup/install-packages.ts'),
      python,
      inRoot(requirements),
      inCache('uv'),
      'the networks’ own clients',
    ],
    {
      say: line => {
        say(line.length > 60 ? `${line.slice(0, 57)}…` : line);
      },
    },
  );
  const last = installed.output.trim().split('\n').at(-1) ?? '';
  return installed.code === 0 ? null : `they could not be installed: ${last}`;
}
