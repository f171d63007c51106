// Writes backend-proxy/src/providers/folders.ts: the networks that have a folder there, for programs that are bundled and
// cannot look. A test fails while it is not what the folders are.
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const providers = join(import.meta.dirname, '..', 'backend-proxy', 'src', 'providers');

/** What the file holds for these folders. */
export function folderList(names: readonly string[]): string {
  const sorted = [...names].sort();
  const variable = (name: string): string => name.replace(/-[a-z0-9]/g, part => part.slice(1).toUpperCase());
  return `// Written by scripts/list-networks.ts, one line for each folder beside this file. Do not edit.
${sorted.map(name => `import { network as ${variable(name)} } from './${name}/network.ts';`).join('\n')}

export const NETWORKS = [${sorted.map(variable).join(', ')}];
`;
}

export function foldersThere(): readonly string[] {
  return readdirSync(providers, { withFileTypes: true })
    .filter(entry => entry.isDirectory() && existsSync(join(providers, entry.name, 'network.ts')))
    .map(({ name }) => name);
}

if (process.argv[1] === import.meta.filename) {
  writeFileSync(join(providers, 'folders.ts'), folderList(foldersThere()));
}
