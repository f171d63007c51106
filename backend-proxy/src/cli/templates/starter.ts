/** Writes a template to begin with: a copy of one that works, under the folder's name. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { HitchError } from '@hitch/contract';
import { TEMPLATE_FILE } from '@hitch/contract/src/templates/schema.ts';
import { SHIPPED } from '../../templates/shipped-texts.ts';
import { listFolder } from '../../templates/folder.ts';
import { templateName } from '../../templates/template-words.ts';

export interface Starter {
  readonly name: string;
  /** Inside the folder. */
  readonly files: readonly string[];
}

/** Of the shipped templates by their name, else of the folder at a path. */
async function filesOf(from: string): Promise<ReadonlyMap<string, string | Uint8Array>> {
  const shipped = Object.hasOwn(SHIPPED, from) ? SHIPPED[from] : undefined;
  if (shipped !== undefined) {
    return new Map(Object.entries(shipped));
  }
  if (!/[\\/]|^\./.test(from)) {
    throw new HitchError('BAD_INPUT', `There is no template “${from}” to begin with.`, {
      field: '--from',
      next: `Choose one of ${Object.keys(SHIPPED).join(', ')}, or a template’s folder.`,
    });
  }
  const { files, problems } = await listFolder(from);
  const [wrong] = problems;
  if (wrong !== undefined) {
    throw new HitchError('BAD_INPUT', `${wrong.file} ${wrong.sentence}`, { field: '--from' });
  }
  return new Map(
    await Promise.all(files.map(async ({ path }) => [path, await readFile(join(from, path))] as const)),
  );
}

/** @throws HitchError CONFLICT where the folder has files; nothing is written then. */
export async function writeStarter(folder: string, from: string): Promise<Starter> {
  const there = await readdir(folder).catch(() => []);
  if (there.length > 0) {
    throw new HitchError('CONFLICT', `The folder ${folder} is not empty; nothing was written.`, {
      next: 'Name a new folder.',
    });
  }
  const name = templateName(basename(folder));
  const files = await filesOf(from);
  if (!files.has(TEMPLATE_FILE)) {
    throw new HitchError('BAD_INPUT', `There is no ${TEMPLATE_FILE} in ${from}.`, { field: '--from' });
  }
  for (const [path, content] of files) {
    const place = join(folder, path);
    await mkdir(dirname(place), { recursive: true });
    await writeFile(place, path === TEMPLATE_FILE ? named(content, name) : content, { flag: 'wx' });
  }
  return { name, files: [...files.keys()] };
}

/** In place, so that comments stay. */
const named = (content: string | Uint8Array, name: string): string =>
  (typeof content === 'string' ? content : Buffer.from(content).toString('utf8'))
    .replace(/^name:.*$/m, `name: ${name}`)
    .replace(/^version:.*$/m, 'version: 0.1.0');
