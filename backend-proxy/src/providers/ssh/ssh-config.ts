/** What the configuration of `ssh` says, as far as it is asked: which machines it names, and what it would do for one. */
import { execFile } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { hostNameSchema } from './own-hosts.ts';

const LONGEST_MS = 10_000;
/** Files that name each other end somewhere. */
const DEEPEST = 8;

/**
 * Names without wildcards, in the order of the files. Only `ssh` knows what stands behind one; that there is one, only the
 * text tells.
 */
export function namesInConfig(file: string | null): readonly string[] {
  const names = namesIn(file ?? join(homedir(), '.ssh', 'config'), 0);
  // What Hitch writes there itself leads to its clusters.
  return [...new Set(names)].filter(
    name => hostNameSchema.safeParse(name).success && !name.startsWith('hitch-'),
  );
}

function namesIn(file: string, depth: number): readonly string[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return [];
  }
  return text.split('\n').flatMap(line => {
    const [, word = '', rest = ''] = /^\s*(\w+)(?:\s*=\s*|\s+)(.*?)\s*$/.exec(line) ?? [];
    const values = (rest.match(/"[^"]*"|\S+/g) ?? []).map(value => value.replaceAll('"', ''));
    switch (word.toLowerCase()) {
      case 'host':
        return values;
      case 'include':
        return depth >= DEEPEST
          ? []
          : values.flatMap(value => globSync(placeOf(value)).flatMap(found => namesIn(found, depth + 1)));
      default:
        return [];
    }
  });
}

const placeOf = (path: string): string =>
  isAbsolute(path)
    ? path
    : path.startsWith('~/')
      ? join(homedir(), path.slice(2))
      : join(homedir(), '.ssh', path);

/** What `ssh -G` answers: each setting's words, by its name in small letters. Empty where it cannot be asked. */
export function settingsOf(
  name: string,
  configFile: string | null,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const args = [...(configFile === null ? [] : ['-F', configFile]), '-G', '--', name];
  return new Promise(resolve => {
    execFile('ssh', args, { timeout: LONGEST_MS, windowsHide: true }, (error, stdout) => {
      const lines = error === null ? stdout.split('\n') : [];
      resolve(
        new Map(
          lines.map(line => {
            const [word = '', ...values] = line.trim().split(/\s+/);
            return [word, values] as const;
          }),
        ),
      );
    });
  });
}
