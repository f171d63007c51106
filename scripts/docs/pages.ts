/** The pages that are made from the code, so that none of them can be out of date. */
import { cpSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { commandsPage } from './commands.ts';
import { environmentPage } from './environment.ts';
import { errorsPage } from './errors.ts';
import { settingsPage } from './settings.ts';

/** By their paths below `docs/`. */
export async function madePages(): Promise<ReadonlyMap<string, string>> {
  return new Map([
    ['reference/commands.md', await commandsPage()],
    ['reference/settings.md', settingsPage()],
    ['reference/errors.md', errorsPage()],
    ['reference/environment.md', environmentPage()],
  ]);
}

export async function writeMadePages(docs: string): Promise<void> {
  for (const [path, text] of await madePages()) {
    mkdirSync(dirname(join(docs, path)), { recursive: true });
    writeFileSync(join(docs, path), text);
  }
}

const docs = join(import.meta.dirname, '..', '..', 'docs');

/** The pages that somebody wrote, by their paths below `docs/`. */
export const writtenPages = (): ReadonlyMap<string, string> =>
  new Map(
    globSync('**/*.md', { cwd: docs, exclude: path => /node_modules|\.vitepress|^reference/.test(path) }).map(
      path => [path.replaceAll('\\', '/'), readFileSync(join(docs, path), 'utf8')],
    ),
  );

/** All pages and their pictures, as the editors show them without a network. */
export async function layOutPages(folder: string): Promise<void> {
  for (const [path, text] of [...writtenPages(), ...(await madePages())]) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  cpSync(join(docs, 'pictures'), join(folder, 'pictures'), { recursive: true });
}
