// The generator of the documentation site, which nothing else needs: no package of the workspaces, but a manifest and a
// lock of its own in docs/, installed when the site is built.
import { existsSync, rmSync } from 'node:fs';
import { hashFiles, inRoot, readJson, writeAtomic } from './common.mjs';
import { mustRunNpm } from './progress.mjs';

const manifests = ['docs/package.json', 'docs/package-lock.json'];
const stampFile = inRoot('docs', 'node_modules', '.installed.json');
const generator = inRoot('docs', 'node_modules', 'vitepress', 'bin', 'vitepress.js');

export function docsAreReady() {
  const stamp = readJson(stampFile);
  return (
    typeof stamp === 'object' &&
    stamp !== null &&
    'hash' in stamp &&
    stamp.hash === hashFiles(manifests) &&
    existsSync(generator)
  );
}

/**
 * Install scripts stay off: the only one is esbuild's, whose program comes with the package of its platform.
 * @param {import('./progress.mjs').Say} say
 */
export async function installDocs(say) {
  rmSync(stampFile, { force: true });
  await mustRunNpm(['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: inRoot('docs'),
    say,
    sentence:
      'The generator of the documentation could not be installed: check that this computer reaches the npm registry.',
  });
  writeAtomic(stampFile, JSON.stringify({ hash: hashFiles(manifests) }));
}
