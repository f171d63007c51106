// Programs in other languages travel as text inside the bundles: an agent is one file, and `hitch` a few.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../setup/common.mjs';

/** In files of this name, `textOf('…')` stands for the text of a file whose place is said from there. */
const CALL = /\btextOf\('([^']+)'\)/g;

/**
 * Puts the texts in the place of the calls that read them. What they were read from is added to `read`.
 * @param {Set<string>} read @returns {import('esbuild').Plugin}
 */
export const textsOfFiles = read => ({
  name: 'texts-of-files',
  setup(builder) {
    builder.onLoad({ filter: /[\\/][a-z]+-texts\.ts$/ }, ({ path: source }) => {
      const contents = readFileSync(source, 'utf8').replaceAll(CALL, (_call, /** @type {string} */ place) => {
        const file = path.resolve(path.dirname(source), place);
        read.add(path.relative(root, file).replaceAll(path.sep, '/'));
        return JSON.stringify(readFileSync(file, 'utf8'));
      });
      if (contents.includes('textOf(')) {
        throw new Error(
          `${path.relative(root, source)}: a call of textOf has to name its file in plain quotes.`,
        );
      }
      return { contents, loader: 'ts' };
    });
  },
});
