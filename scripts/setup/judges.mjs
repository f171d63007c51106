// The networks' own clients, each kind in a folder of its own: tests lead them to our simulators. Where they cannot be had (no
// registry, an index that has other files) those tests skip themselves and print the reason that stands here.
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { hashFiles, inCache, inRoot, isWindows, readJson, SetupError, writeAtomic } from './common.mjs';
import { mustRunNpm, run } from './progress.mjs';
import { findPython } from './python.mjs';

/**
 * A Python environment with clients. It is made anew each time; the reason why it is not there stands beside it.
 * @typedef {{ name: string, requirements: string, what: string }} Environment
 */
/** @type {Environment} */
const daily = {
  name: 'judges',
  requirements: 'test/simulators/judges/requirements.hashes.txt',
  what: 'the networks’ own clients',
};
/** @type {Environment} */
const nightly = {
  name: 'judges-nightly',
  requirements: 'test/simulators/judges/nightly.hashes.txt',
  what: 'programs that rent from several networks',
};

/** @type {Environment} */
const metrics = {
  name: 'metric-clients',
  requirements: 'test/training/metrics/requirements.hashes.txt',
  what: 'clients that log figures',
};

const manifests = ['package.json', 'package-lock.json'].map(file => `test/simulators/judges/npm/${file}`);
const npmFolder = inCache('judges-npm');
const npmStampFile = path.join(npmFolder, 'installed.json');
const npmReasonFile = inCache('judges-npm-missing.txt');

/** @param {Environment} environment */
const stampFile = ({ name }) => inCache(name, 'installed.json');
/** @param {Environment} environment */
const stamp = ({ name, requirements }) => ({
  requirements: hashFiles([requirements]),
  folder: inCache(name),
});
const npmStamp = () => ({ manifests: hashFiles(manifests) });

/** @param {Environment} environment */
const isThere = environment =>
  JSON.stringify(readJson(stampFile(environment))) === JSON.stringify(stamp(environment));
const npmIsThere = () => JSON.stringify(readJson(npmStampFile)) === JSON.stringify(npmStamp());

export const judgesAreReady = () => isThere(daily) && npmIsThere();
export const nightlyJudgesAreReady = () => isThere(nightly) && isThere(metrics);

/**
 * @param {import('./progress.mjs').Say} say
 * @param {string} node the Node that runs TypeScript files
 */
export async function installJudges(say, node) {
  if (!npmIsThere()) await installFromNpm(say);
  if (!isThere(daily)) await installFromPypi(daily, say, node);
}

/**
 * @param {import('./progress.mjs').Say} say
 * @param {string} node
 */
export async function installNightlyJudges(say, node) {
  for (const environment of [nightly, metrics]) {
    if (!isThere(environment)) await installFromPypi(environment, say, node);
  }
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
 * @param {Environment} environment
 * @param {import('./progress.mjs').Say} say
 * @param {string} node
 */
async function installFromPypi(environment, say, node) {
  const reasonFile = inCache(`${environment.name}-missing.txt`);
  const missing = await make(environment, say, node);
  if (missing === null) {
    rmSync(reasonFile, { force: true });
    writeAtomic(stampFile(environment), JSON.stringify(stamp(environment)));
  } else {
    say(missing);
    writeAtomic(reasonFile, missing);
  }
}

/**
 * @param {Environment} environment
 * @param {import('./progress.mjs').Say} say
 * @param {string} node the Node that runs TypeScript files
 * @returns {Promise<string | null>} why there are none; null: they are there
 */
async function make({ name, requirements, what }, say, node) {
  const folder = inCache(name);
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
      path.join(folder, isWindows ? 'Scripts/python.exe' : 'bin/python'),
      inRoot(requirements),
      inCache('uv'),
      what,
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
