/** How this computer comes to its Python packages, for machines of the tests that stand on it and have another home. */
import { copyFileSync, existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const NAMES = [
  'PIP_INDEX_URL',
  'PIP_CERT',
  'UV_DEFAULT_INDEX',
  'UV_INDEX_URL',
  'SSL_CERT_FILE',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
];
/** Files that pip and uv read in a home, each with the variable that names another. */
const FILES = [
  ['PIP_CONFIG_FILE', ['.config/pip/pip.conf', '.pip/pip.conf']],
  ['UV_CONFIG_FILE', ['.config/uv/uv.toml']],
] as const;

/**
 * Variables for a machine's programs: an index with a name and a password, and a proxy, are theirs too, since they are
 * this computer's. @param folder where files are copied to that the machine's user could not read where they are
 */
export function packageSettings(folder: string, environment = process.env): Record<string, string> {
  const found = NAMES.flatMap(name => {
    const value = environment[name];
    return value === undefined || value === '' ? [] : [[name, value] as const];
  });
  const files = FILES.flatMap(([variable, usual]) => {
    const places = [environment[variable] ?? '', ...usual.map(path => join(homedir(), path))];
    const file = places.find(path => path !== '' && path !== '/dev/null' && existsSync(path));
    if (file === undefined) {
      return [];
    }
    const copy = join(folder, variable.toLowerCase());
    copyFileSync(file, copy);
    return [[variable, copy] as const];
  });
  return Object.fromEntries([...found, ...files]);
}
