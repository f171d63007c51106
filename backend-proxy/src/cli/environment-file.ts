/** A file of packages from this computer, as the daemon locks it; and those that lie in a folder. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import {
  type EnvironmentFile,
  environmentFiles,
  type EnvironmentRequest,
  type HitchClient,
  HitchError,
  type LockedEnvironment,
  lockNotes,
  namesPackages,
  problemLine,
} from '@hitch/contract';
import * as z from 'zod';
import type { Context } from './context.ts';
import { CommandFailure } from './errors.ts';
import { EXIT } from './exit-codes.ts';

const LARGEST_BYTES = 2_000_000;

/** @throws HitchError BAD_INPUT with a sentence. */
export function readEnvironmentFile(cwd: string, path: string): EnvironmentFile {
  const whole = resolve(cwd, path);
  try {
    if (statSync(whole).size > LARGEST_BYTES) {
      throw new HitchError('BAD_INPUT', `${path} is larger than 2 MB, too large for a list of packages.`, {
        field: '--env',
      });
    }
    const text = readFileSync(whole, 'utf8');
    return { name: basename(whole), text: whole.endsWith('.ipynb') ? cellWithPackages(path, text) : text };
  } catch (cause) {
    if (cause instanceof HitchError) {
      throw cause;
    }
    const code = cause instanceof Error && 'code' in cause ? cause.code : '';
    const why = code === 'ENOENT' ? 'is not there' : code === 'EISDIR' ? 'is a folder' : 'cannot be read';
    throw new HitchError('BAD_INPUT', `${path} ${why}.`, {
      field: '--env',
      next: 'Name a requirements.txt, requirements.lock, pyproject.toml, environment.yml, or a script with “# /// script”.',
      cause,
    });
  }
}

const notebookSchema = z.object({
  cells: z.array(z.object({ source: z.union([z.string(), z.array(z.string())]) })),
});

function cellWithPackages(path: string, text: string): string {
  let notebook;
  try {
    notebook = notebookSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new HitchError('BAD_INPUT', `${path} cannot be read as a notebook.`, { field: '--env', cause });
  }
  const cells = notebook.cells.map(({ source }) => (typeof source === 'string' ? source : source.join('')));
  return cells.find(namesPackages) ?? '';
}

/** What `hitch rent` says in a folder with such a file; null: there is none. */
export function environmentHint(cwd: string): string | null {
  let names: readonly string[];
  try {
    names = readdirSync(cwd);
  } catch {
    return null;
  }
  const [first] = environmentFiles(names);
  return first === undefined ? null : `${first} is here: --env ${first} uses it.`;
}

/** @throws CommandFailure that names all that is wrong with the file; nothing is rented or changed then. */
export async function lockOrSay(
  { io }: Pick<Context, 'io'>,
  api: HitchClient['api'],
  request: EnvironmentRequest,
  json: boolean,
): Promise<LockedEnvironment> {
  if (!json) {
    io.line(`Locking ${request.file?.name ?? (request.add ?? []).join(' ')}.`);
  }
  const { environment, problems } = await api.environments.lock(request);
  if (environment === null) {
    const [first = ''] = problems.map(problemLine);
    problems.slice(1).forEach(problem => io.note(problemLine(problem)));
    const more = problems.length === 1 ? '' : ` (and ${(problems.length - 1).toString()} more, above)`;
    throw new CommandFailure(EXIT.usage, 'BAD_INPUT', `${first}${more}`, {
      next: 'Correct it and run this again; nothing was rented or changed.',
    });
  }
  if (!json) {
    lockNotes(environment).forEach(note => io.line(note));
  }
  return environment;
}
