// npm packages: installed when node_modules is not what package-lock.json says, whoever changed either of them.
import { existsSync } from 'node:fs';
import { inRoot, readJson, SetupError } from './common.mjs';
import { mustRunNpm } from './progress.mjs';

/** @typedef {{ version?: string, optional?: boolean, devOptional?: boolean, peer?: boolean, link?: boolean }} Locked */

/**
 * @param {string} file
 * @returns {Record<string, Locked>}
 */
function lockedPackages(file) {
  const value = readJson(file);
  const packages = value && typeof value === 'object' && 'packages' in value ? value.packages : undefined;
  return packages && typeof packages === 'object' ? /** @type {Record<string, Locked>} */ (packages) : {};
}

/** Whether npm's own record of what it installed agrees with the lock file. */
export function packagesAreReady() {
  const installed = lockedPackages(inRoot('node_modules', '.package-lock.json'));
  return Object.entries(lockedPackages(inRoot('package-lock.json')))
    .filter(([place]) => place.includes('node_modules/'))
    .every(([place, wanted]) => {
      const found = installed[place];
      // Optional packages of other platforms are in the lock file and never on disk.
      if (!found) return wanted.optional === true || wanted.devOptional === true || wanted.peer === true;
      return found.version === wanted.version && existsSync(inRoot(place));
    });
}

/**
 * Install scripts stay off: nothing here needs them (node.mjs places Node itself, esbuild's script only saves some
 * milliseconds), npm is about to block them, and they are what a hostile package would use.
 * @param {import('./progress.mjs').Say} say
 */
export async function installPackages(say) {
  const verb = existsSync(inRoot('node_modules')) ? 'install' : 'ci';
  await mustRunNpm([verb, '--ignore-scripts', '--include=dev', '--no-audit', '--no-fund'], {
    say,
    sentence: `npm ${verb} failed: check that this computer reaches the npm registry, then run this again.`,
  });
  if (!packagesAreReady()) {
    throw new SetupError(
      'node_modules still differs from package-lock.json after npm install: remove node_modules and run this again.',
    );
  }
}
