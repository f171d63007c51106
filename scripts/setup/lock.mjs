// One set-up at a time in one checkout: a lock file that names its owner and survives the owner's death.
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { cacheFolder, inCache } from './common.mjs';

const pollMs = 250;
const abandonedGuardMs = 10_000;

/** @param {string} file @param {string} content */
function createOnce(file, content) {
  try {
    writeFileSync(file, content, { flag: 'wx' });
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

/** @param {string} file */
function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** @param {string} file */
function ageMs(file) {
  try {
    return Date.now() - statSync(file).mtimeMs;
  } catch {
    return 0;
  }
}

/**
 * Removes a dead owner's lock. Every remover holds the guard and looks again under it; without that, two waiters
 * could both see the dead owner and the slower one would remove the faster one's fresh lock.
 * @param {string} lock
 */
function removeIfDead(lock) {
  const guard = `${lock}.guard`;
  if (!createOnce(guard, String(process.pid))) {
    if (ageMs(guard) > abandonedGuardMs) rmSync(guard, { force: true });
    return;
  }
  try {
    const owner = Number(read(lock));
    const halfWritten = !Number.isInteger(owner) || owner <= 0;
    if (halfWritten ? ageMs(lock) > abandonedGuardMs : !isAlive(owner)) rmSync(lock, { force: true });
  } finally {
    rmSync(guard, { force: true });
  }
}

/**
 * Does the work while holding the lock; waits, saying so once, while another process holds it.
 * @template T
 * @param {string} name
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(name, work) {
  mkdirSync(cacheFolder, { recursive: true });
  const lock = inCache(`${name}.lock`);
  let said = false;
  while (!createOnce(lock, String(process.pid))) {
    removeIfDead(lock);
    const owner = read(lock);
    if (owner === undefined) continue;
    if (!said) process.stderr.write(`  … waiting for the set-up that process ${owner} is doing\n`);
    said = true;
    await sleep(pollMs);
  }
  const release = () => {
    if (read(lock) === String(process.pid)) rmSync(lock, { force: true });
  };
  process.once('exit', release);
  try {
    return await work();
  } finally {
    process.off('exit', release);
    release();
  }
}
