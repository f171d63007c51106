/** Files of this computer that name packages: those that lie in a folder, and the text of one as it is locked. */
import { open, readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import {
  type EnvironmentFile,
  environmentFiles,
  type FoundEnvironments,
  HitchError,
  namesPackages,
  shownName,
} from '@hitch/contract';
import * as z from 'zod';

const LARGEST_BYTES = 2_000_000;
/** Programs say in their first lines which packages they need (PEP 723); notebooks may be large before that. */
const LOOKED_AT_BYTES = 65_536;
const MOST_PROGRAMS = 200;

/**
 * @param path absolute
 * @param said as the person named it, and where
 * @throws HitchError BAD_INPUT with a sentence.
 */
export async function readEnvironmentFile(
  path: string,
  said: { readonly name: string; readonly field: string },
): Promise<EnvironmentFile> {
  const { name, field } = said;
  try {
    if ((await stat(path)).size > LARGEST_BYTES) {
      throw new HitchError('BAD_INPUT', `${name} is larger than 2 MB, too large for a list of packages.`, {
        field,
      });
    }
    const text = await readFile(path, 'utf8');
    return {
      name: basename(path),
      text: path.endsWith('.ipynb') ? cellWithPackages(text, said) : text,
    };
  } catch (cause) {
    if (cause instanceof HitchError) {
      throw cause;
    }
    const code = cause instanceof Error && 'code' in cause ? cause.code : '';
    const why = code === 'ENOENT' ? 'is not there' : code === 'EISDIR' ? 'is a folder' : 'cannot be read';
    throw new HitchError('BAD_INPUT', `${name} ${why}.`, {
      field,
      next: 'Name a requirements.txt, requirements.lock, pyproject.toml, environment.yml, or a script with “# /// script”.',
      cause,
    });
  }
}

const notebookSchema = z.object({
  cells: z.array(z.object({ source: z.union([z.string(), z.array(z.string())]) })),
});

function cellWithPackages(text: string, { name, field }: { name: string; field: string }): string {
  let notebook;
  try {
    notebook = notebookSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new HitchError('BAD_INPUT', `${name} cannot be read as a notebook.`, { field, cause });
  }
  const cells = notebook.cells.map(({ source }) => (typeof source === 'string' ? source : source.join('')));
  return cells.find(namesPackages) ?? '';
}

/**
 * What lies right in a folder: files that are lists of packages, the most exact first, then programs and notebooks that name
 * theirs. A folder that cannot be read has none, and says so; so does one with more programs than are looked into.
 * @param folder absolute
 */
export async function findEnvironmentFiles(folder: string): Promise<FoundEnvironments> {
  let names: readonly string[];
  try {
    names = await readdir(folder);
  } catch {
    return { files: [], notes: [`${shownName(folder)} cannot be looked into.`] };
  }
  const programs = names.filter(name => /\.(?:py|ipynb)$/i.test(name)).sort();
  const looked = programs.slice(0, MOST_PROGRAMS);
  const naming = await Promise.all(looked.map(name => namesItsPackages(join(folder, name))));
  const more = programs.length - looked.length;
  return {
    files: [...environmentFiles(names), ...looked.filter((_, at) => naming[at] === true)].map(name => ({
      path: join(folder, name),
      name,
    })),
    notes:
      more > 0
        ? [
            `${more.toString()} more programs in ${shownName(folder)} were not looked into for “# /// script”.`,
          ]
        : [],
  };
}

async function namesItsPackages(path: string): Promise<boolean> {
  try {
    if (path.endsWith('.ipynb')) {
      const { text } = await readEnvironmentFile(path, { name: path, field: 'path' });
      return namesPackages(text);
    }
    const file = await open(path);
    try {
      const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(LOOKED_AT_BYTES), position: 0 });
      return namesPackages(buffer.toString('utf8', 0, bytesRead));
    } finally {
      await file.close();
    }
  } catch {
    // What cannot be read, or is no notebook, names none.
    return false;
  }
}
