// npm run new-provider -- NAME [--title "Its Name"]: the beginning of a network's adapter. Its folder, a simulator, and its part in
// the contract suite are written; whatever is left to be done says so, loudly, where it is called.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { adapterFiles } from './scaffold/adapter.ts';
import { simulatorFiles } from './scaffold/simulator.ts';

const NAME = /^[a-z][a-z0-9]{1,30}$/;

export interface NewNetwork {
  /** Its id in Hitch, such as `vast`. */
  readonly id: string;
  /** As people know it, such as `Vast.ai`. */
  readonly title: string;
}

/** @throws Error with a sentence for a name that cannot be one. */
export function newNetwork(name: string | undefined, title: string | undefined): NewNetwork {
  if (name === undefined || !NAME.test(name)) {
    throw new Error(
      `A network's name is 2 to 31 small letters and digits, a letter first, not "${name ?? ''}": npm run new-provider -- examplecloud`,
    );
  }
  const shown = title ?? `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`;
  if (!/^[\w .-]{2,40}$/.test(shown)) {
    throw new Error(`--title takes 2 to 40 letters, digits, spaces, dots and hyphens, not "${shown}".`);
  }
  return { id: name, title: shown };
}

/** Their texts, by their paths in the repository. */
export const filesOf = (network: NewNetwork): ReadonlyMap<string, string> =>
  new Map([...adapterFiles(network), ...simulatorFiles(network)]);

/** @throws Error where one of them is there already; then nothing is written. */
export function writeNetwork(root: string, network: NewNetwork): readonly string[] {
  const files = filesOf(network);
  const there = [...files.keys()].find(path => existsSync(join(root, path)));
  if (there !== undefined) {
    throw new Error(`${there} is there already: choose another name, or remove it first.`);
  }
  for (const [path, text] of files) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return [...files.keys()];
}

function main(): void {
  const { values, positionals } = parseArgs({
    options: { title: { type: 'string' } },
    allowPositionals: true,
  });
  const root = join(import.meta.dirname, '..');
  const network = newNetwork(positionals[0], values.title);
  const written = writeNetwork(root, network);
  execFileSync(process.execPath, [join(root, 'scripts', 'list-networks.ts')], { stdio: 'inherit' });
  console.log(
    [
      ...written.map(path => `wrote ${path}`),
      'wrote backend-proxy/src/providers/folders.ts',
      '',
      'Next: docs/adding-a-network.md. First see the contract suite fail:',
      `  npm test -- test/contract/${network.id}-provider.contract.test.ts`,
    ].join('\n'),
  );
}

if (process.argv[1] === import.meta.filename) {
  try {
    main();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 2;
  }
}
