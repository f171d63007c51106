/** What people installed into a node's own Python environment, from what pip and uv write beside each package. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type AddedPackage, MOST_SAID, packageNameSchema, packageVersionSchema } from '@hitch/contract';

/** `numpy-2.5.5.dist-info` (https://packaging.python.org/en/latest/specifications/recording-installed-packages/). */
const INSTALLED = /^(.+)-([^-]+)\.(?:dist|egg)-info$/;
/** What the environment is made with. */
const OWN = new Set(['pip', 'setuptools', 'wheel']);

export class AddedPackages {
  readonly #folder: string;
  /** When the folder last changed, and what was in it then: a status comes every few seconds. */
  #read: { readonly atMs: number; readonly packages: readonly AddedPackage[] } | null = null;

  /** @param folder the environment, with its `lib`. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  list(): readonly AddedPackage[] {
    const packages = sitePackages(this.#folder);
    const atMs = packages === null ? 0 : changedAtMs(packages);
    if (packages === null || atMs === null) {
      return [];
    }
    if (this.#read?.atMs !== atMs) {
      this.#read = { atMs, packages: read(packages) };
    }
    return this.#read.packages;
  }
}

function read(folder: string): readonly AddedPackage[] {
  return readdirSync(folder)
    .flatMap(entry => {
      const [, name = '', version = ''] = INSTALLED.exec(entry) ?? [];
      const atMs = name === '' || OWN.has(name.toLowerCase()) ? null : changedAtMs(join(folder, entry));
      // Any program can put a folder here: what is no package's name and version is none.
      const isOne =
        packageNameSchema.safeParse(name).success && packageVersionSchema.safeParse(version).success;
      return atMs === null || !isOne ? [] : [{ name: name.replaceAll('_', '-'), version, atMs }];
    })
    .toSorted((one, other) => other.atMs - one.atMs)
    .slice(0, MOST_SAID.packages);
}

/** `lib/python3.12/site-packages`, on Windows `Lib/site-packages`; null while it is not made. */
function sitePackages(folder: string): string | null {
  if (process.platform === 'win32') {
    return join(folder, 'Lib', 'site-packages');
  }
  const lib = join(folder, 'lib');
  try {
    const name = readdirSync(lib).find(each => each.startsWith('python3.'));
    return name === undefined ? null : join(lib, name, 'site-packages');
  } catch {
    return null;
  }
}

function changedAtMs(path: string): number | null {
  try {
    return Math.round(statSync(path).mtimeMs);
  } catch {
    return null;
  }
}
