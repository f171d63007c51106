/** A file of packages from this computer, as the daemon locks it; and those that lie in a folder. */
import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import {
  type EnvironmentFile,
  environmentFiles,
  type EnvironmentRequest,
  type HitchClient,
  type LockedEnvironment,
  lockNotes,
  problemLine,
} from '@hitch/contract';
import { readEnvironmentFile as readFileAt } from '../machines/environments/environment-file.ts';
import type { Context } from './context.ts';
import { CommandFailure } from './errors.ts';
import { EXIT } from './exit-codes.ts';

/** @throws HitchError BAD_INPUT with a sentence. */
export const readEnvironmentFile = (cwd: string, path: string): Promise<EnvironmentFile> =>
  readFileAt(resolve(cwd, path), { name: path, field: '--env' });

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
