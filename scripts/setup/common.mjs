// What every set-up step shares: where things are, hashes for stamps, and the one error class a person sees.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.resolve(fileURLToPath(new URL('../..', import.meta.url)));
export const cacheFolder = path.join(root, '.cache');
export const logFolder = path.join(cacheFolder, 'logs');
export const isWindows = process.platform === 'win32';

/** A set-up problem whose message is the whole sentence to show: what, and what to do. */
export class SetupError extends Error {
  /** @override */
  name = 'SetupError';
}

/** What can be rented on this computer and on machines of one's own: no daemon that a test starts asks anybody else. */
const NETWORKS_HERE = 'local,sandbox,ssh';

/**
 * An environment whose daemons leave real networks alone, unless it names networks.
 * @param {NodeJS.ProcessEnv} env
 * @returns {NodeJS.ProcessEnv}
 */
export const apartFromNetworks = env => ({
  ...env,
  HITCH_PROVIDERS: env['HITCH_PROVIDERS'] || NETWORKS_HERE,
});

/** @param {...string} parts */
export const inRoot = (...parts) => path.join(root, ...parts);

/** @param {...string} parts */
export const inCache = (...parts) => path.join(cacheFolder, ...parts);

/**
 * One hash over the names and bytes of files; a missing file counts as empty.
 * @param {readonly string[]} files paths relative to the repository
 */
export function hashFiles(files) {
  const hash = createHash('sha256');
  for (const file of [...files].sort()) {
    const absolute = inRoot(file);
    hash.update(file.replaceAll('\\', '/')).update('\0');
    if (existsSync(absolute)) hash.update(readFileSync(absolute));
    hash.update('\0');
  }
  return hash.digest('hex');
}

/**
 * Every file below a folder, relative to the repository.
 * @param {string} folder relative to the repository
 * @returns {string[]}
 */
export function filesBelow(folder) {
  if (!existsSync(inRoot(folder))) return [];
  return readdirSync(inRoot(folder), { withFileTypes: true }).flatMap(entry => {
    const child = path.join(folder, entry.name);
    return entry.isDirectory() ? filesBelow(child) : [child];
  });
}

/**
 * A JSON file's value, or undefined when it is missing or cut short.
 * @param {string} file
 * @returns {unknown}
 */
export function readJson(file) {
  try {
    return /** @type {unknown} */ (JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return undefined;
  }
}

/**
 * Replaces a file in one step, so that a reader sees the old bytes or all the new ones.
 * @param {string} file
 * @param {string | Uint8Array} content
 */
export function writeAtomic(file, content) {
  mkdirSync(path.dirname(file), { recursive: true });
  const temporary = `${file}.${String(process.pid)}.tmp`;
  writeFileSync(temporary, content);
  renameSync(temporary, file);
}

/**
 * The environment with folders put first on PATH, whatever the platform calls that variable.
 * @param {NodeJS.ProcessEnv} env
 * @param {readonly string[]} folders
 * @returns {NodeJS.ProcessEnv}
 */
export function withPath(env, folders) {
  const key = Object.keys(env).find(name => name.toUpperCase() === 'PATH') ?? 'PATH';
  return { ...env, [key]: [...folders, env[key] ?? ''].join(path.delimiter) };
}
