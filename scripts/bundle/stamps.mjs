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
];

/** @typedef {Record<string, { inputs: string[], outputs?: string[], hash: string }>} Stamps */
const readStamps = () => /** @type {Stamps} */ (readJson(stampFile) ?? {});

/** What was made last time, relative to the repository. @param {string} name @returns {readonly string[]} */
export const lastOutputs = name => readStamps()[name]?.outputs ?? [];

/** @param {string} name @param {readonly string[]} inputs @param {readonly string[]} outputs */
export function remember(name, inputs, outputs) {
  const stamp = { inputs: [...inputs], outputs: [...outputs], hash: hashFiles(inputs) };
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
