// What was built from which bytes: a step whose inputs have not changed is not done again.
import { existsSync } from 'node:fs';
import { hashFiles, inCache, inRoot, readJson, writeAtomic } from '../setup/common.mjs';

const stampFile = inCache('build.json');

/** What every output depends on besides its own sources. */
export const toolchain = [
  'package-lock.json',
  'tsconfig.base.json',
  'scripts/build.mjs',
  'scripts/bundle/labextension.mjs',
  'scripts/bundle/stamps.mjs',
  'scripts/bundle/texts.mjs',
  'scripts/bundle/third-party.mjs',
];

/** @typedef {Record<string, { inputs: string[], outputs?: string[], packages?: string[], hash: string }>} Stamps */
const readStamps = () => /** @type {Stamps} */ (readJson(stampFile) ?? {});

/** What was made last time, relative to the repository. @param {string} name @returns {readonly string[]} */
export const lastOutputs = name => readStamps()[name]?.outputs ?? [];

/** Folders of the npm packages whose code it holds. @param {string} name @returns {readonly string[]} */
export const lastPackages = name => readStamps()[name]?.packages ?? [];

/**
 * @param {string} name @param {readonly string[]} inputs @param {readonly string[]} outputs
 * @param {readonly string[]} [packages]
 */
export function remember(name, inputs, outputs, packages = []) {
  const hash = hashFiles(inputs);
  const stamp = { inputs: [...inputs], outputs: [...outputs], packages: [...packages], hash };
  writeAtomic(stampFile, JSON.stringify({ ...readStamps(), [name]: stamp }));
}

/**
 * @param {string} name
 * @param {readonly string[]} [present] what lies in folders that are taken whole: a file that was added to one changes
 *   the list, not a byte of the files in the old one
 */
export function isFresh(name, present = []) {
  const stamp = readStamps()[name];
  return (
    stamp?.outputs?.every(output => existsSync(inRoot(output))) === true &&
    present.every(file => stamp.inputs.includes(file)) &&
    hashFiles(stamp.inputs) === stamp.hash
  );
}
