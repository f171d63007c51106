// Whose code lies in our bundles: ours, and that of npm packages, with the licences that have to go with it.
import { readFileSync, readdirSync } from 'node:fs';
import { inRoot, readJson } from '../setup/common.mjs';

/** @param {readonly string[]} inputs files of a bundle @returns {string[]} folders of packages */
export function packagesIn(inputs) {
  // What a package asks to be left out of a browser's bundle is named as an input, and is not in it.
  const there = inputs.filter(input => !input.startsWith('(disabled):'));
  const folders = there.map(input => /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(input)?.[0]);
  return [...new Set(folders.filter(folder => folder !== undefined))].sort();
}

/** @param {readonly string[]} inputs files of a bundle @returns {string[]} those that are written here */
export const ownOf = inputs =>
  inputs.filter(input => !input.includes('node_modules/') && !input.startsWith('node-modules:'));

const isLicence = (/** @type {string} */ file) => /^(licen[cs]e|copying|notice)\b/i.test(file);

/** @param {string} folder @returns {{ title: string, text: string }} */
function licenceOf(folder) {
  const manifest = /** @type {{ name?: string, version?: string, license?: string } | undefined} */ (
    readJson(inRoot(folder, 'package.json'))
  );
  const { name = folder, version = '', license = 'no licence named' } = manifest ?? {};
  const texts = readdirSync(inRoot(folder))
    .filter(isLicence)
    .sort()
    .map(file => readFileSync(inRoot(folder, file), 'utf8').trim());
  // Some publish the name of their licence alone.
  const text = texts.length > 0 ? texts.join('\n\n') : `${license}; the package holds no licence file.`;
  return { title: `${name} ${version} (${license})`, text };
}

/** @param {readonly string[]} folders of packages @returns {string} one text for all of them */
export function licences(folders) {
  const all = [...new Set(folders)].sort().map(licenceOf);
  const rule = '-'.repeat(100);
  return [
    'Programs and scripts of this package hold code of the packages below, under their licences.',
    ...all.map(({ title, text }) => `${rule}\n${title}\n${rule}\n\n${text}`),
  ]
    .join('\n\n')
    .concat('\n');
}
