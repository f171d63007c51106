// VS Code's own server, in which the tests of the extension run. Half a gigabyte that nothing else needs, so it is no
// package of the workspaces: it has its own pinned manifest and lies in .cache, installed when its tier is asked for.
import { cpSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { hashFiles, inCache, inRoot, readJson, SetupError, writeAtomic } from './common.mjs';
import { mustRunNpm } from './progress.mjs';

const manifests = ['test/vscode-host/package.json', 'test/vscode-host/package-lock.json'];
const folder = inCache('vscode-host');
const stampFile = path.join(folder, 'installed.json');

/** The folder with `out/server-main.js`. */
export const vscodeServer = path.join(folder, 'node_modules', 'code-server', 'lib', 'vscode');

export function vscodeHostIsReady() {
  const stamp = readJson(stampFile);
  return (
    typeof stamp === 'object' &&
    stamp !== null &&
    'hash' in stamp &&
    stamp.hash === hashFiles(manifests) &&
    existsSync(path.join(vscodeServer, 'node_modules'))
  );
}

/**
 * Install scripts stay off: code-server's would build native modules that nothing here uses; its server starts as it is
 * when the packages of its two inner folders are there.
 * @param {import('./progress.mjs').Say} say
 */
export async function installVscodeHost(say) {
  mkdirSync(folder, { recursive: true });
  rmSync(stampFile, { force: true });
  for (const manifest of manifests) cpSync(inRoot(manifest), path.join(folder, path.basename(manifest)));
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund'];
  const inner = ['install', '--omit=dev', ...quiet];
  /** @type {readonly (readonly [string, readonly string[]])[]} */
  const installs = [
    [folder, ['ci', ...quiet]],
    [vscodeServer, inner],
    [path.join(vscodeServer, 'extensions'), inner],
  ];
  for (const [cwd, args] of installs) {
    await mustRunNpm(args, {
      cwd,
      say,
      sentence: 'VS Code’s server could not be installed: check that this computer reaches the npm registry.',
    });
  }
  if (!existsSync(path.join(vscodeServer, 'out', 'server-main.js'))) {
    throw new SetupError(`code-server came without VS Code’s server (${vscodeServer}).`);
  }
  writeAtomic(stampFile, JSON.stringify({ hash: hashFiles(manifests) }));
}
