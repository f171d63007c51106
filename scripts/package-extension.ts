// The VS Code extension as a .vsix: what is shipped is laid out first, so that the list of files is a list here and not
// what an ignore file happens to leave.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import * as z from 'zod';
import { layOutKeyring } from './bundle/keyring.ts';
import { lastPackages } from './bundle/stamps.mjs';
import { licences } from './bundle/third-party.mjs';
import { layOutPages } from './docs/pages.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const extension = path.join(root, 'extension');
const stage = path.join(root, '.cache', 'vsix');

const manifestSchema = z.looseObject({ name: z.string(), version: z.string() });

/** Paths below `extension/` that are shipped; folders with all that is in them. */
const shipped = ['README.md', 'CHANGELOG.md', 'media', 'dist/extension.cjs', 'dist/page', 'dist/hitch'];

/** What the manifest says only to npm and to this repository. */
const notShipped = ['devDependencies', 'private', 'type', 'scripts'];

async function layOut(): Promise<{ readonly name: string; readonly version: string }> {
  rmSync(stage, { recursive: true, force: true });
  mkdirSync(stage, { recursive: true });
  for (const item of shipped) {
    const from = path.join(extension, item);
    if (!existsSync(from)) {
      throw new Error(`extension/${item} is not there: run npm run build first.`);
    }
    cpSync(from, path.join(stage, item), { recursive: true });
  }
  layOutKeyring(path.join(stage, 'dist', 'hitch'));
  await layOutPages(path.join(stage, 'docs'));
  cpSync(path.join(root, 'LICENSE'), path.join(stage, 'LICENSE'));
  writeFileSync(
    path.join(stage, 'THIRD_PARTY_LICENSES.txt'),
    licences(['extension', 'hitch', 'agent'].flatMap(lastPackages)),
  );
  const manifest = manifestSchema.parse(
    JSON.parse(readFileSync(path.join(extension, 'package.json'), 'utf8')),
  );
  const kept = Object.fromEntries(Object.entries(manifest).filter(([key]) => !notShipped.includes(key)));
  writeFileSync(path.join(stage, 'package.json'), `${JSON.stringify(kept, null, 2)}\n`);
  return manifest;
}

/** @returns the file, relative to the repository. */
export async function packageExtension(): Promise<string> {
  const { name, version } = await layOut();
  const file = `dist/${name}-${version}.vsix`;
  mkdirSync(path.join(root, 'dist'), { recursive: true });
  const vsce = path.join(root, 'node_modules', '@vscode', 'vsce', 'vsce');
  const args = ['package', '--no-dependencies', '--allow-missing-repository', '--no-rewrite-relative-links'];
  execFileSync(process.execPath, [vsce, ...args, '--out', path.join(root, file)], {
    cwd: stage,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return file;
}

if (import.meta.url === pathToFileURL(path.resolve(process.argv[1] ?? '')).href) {
  console.log(await packageExtension());
}
