/** Looks for secrets on a far machine: in its files, in the lists of its processes and in their environments. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Home } from '@hitch/platform/src/paths.ts';
import type { FarMachine } from './far-machine.ts';

export const filesIn = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name));

/** Where one of the secrets stands on the machine: a file, or the process and what of it. */
export async function secretsOn(
  machine: Pick<FarMachine, 'home' | 'processes'>,
  secrets: readonly string[],
): Promise<readonly string[]> {
  const isSecret = (text: string): boolean => secrets.some(secret => text.includes(secret));
  const found = machine
    .processes()
    .flatMap(({ pid, command, environment }) =>
      [command, ...environment].some(isSecret) ? [`process ${pid.toString()}`] : [],
    );
  // The packages stand in a cache and in an environment, and are the same files.
  const read = new Set<number>();
  for (const path of filesIn(machine.home)) {
    const number = statSync(path, { throwIfNoEntry: false })?.ino;
    if (number === undefined || read.has(number)) {
      continue;
    }
    read.add(number);
    // One that has gone meanwhile holds nothing. Whoever waits goes on answering while this reads.
    if (isSecret(await readFile(path, 'latin1').catch(() => ''))) {
      found.push(path);
    }
  }
  return found;
}

/** The private keys that open clusters of this home, each line by itself: a copy may be laid out in another way. */
export function privateKeysOf({ ssh }: Home): readonly string[] {
  const keys = join(ssh, 'keys');
  const files = existsSync(keys) ? filesIn(keys).filter(path => !path.endsWith('.pub')) : [];
  // The first line of the content is the same in every key that has no password.
  return files.flatMap(path => readFileSync(path, 'utf8').split('\n').slice(2, -2));
}
