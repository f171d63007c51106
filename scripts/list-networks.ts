// Writes backend-proxy/src/providers/folders.ts: the networks that have a folder there, for programs that are bundled and
// cannot look; and verified.ts beside it: the adapters of which a recording of a check for real lies in
// test/simulators/<network>/recordings. A test fails while they are not what lies there.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CheckedRecording, checkedRecordingSchema } from '@hitch/contract';

const providers = join(import.meta.dirname, '..', 'backend-proxy', 'src', 'providers');
const simulators = join(import.meta.dirname, '..', 'test', 'simulators');

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

/** Recordings that people handed in, of all networks, or of those below another folder. */
export function recordingsThere(below = simulators): readonly CheckedRecording[] {
  return readdirSync(below, { withFileTypes: true }).flatMap(({ name }) => {
    const folder = join(below, name, 'recordings');
    return existsSync(folder)
      ? readdirSync(folder)
          .filter(file => file.endsWith('.json'))
          .map(file => checkedRecordingSchema.parse(JSON.parse(readFileSync(join(folder, file), 'utf8'))))
      : [];
  });
}

/** What was asked on this computer proves nothing of the network, and a check that failed nothing of the adapter. */
export const proves = ({ api, check }: Pick<CheckedRecording, 'api' | 'check'>): boolean =>
  check.outcome === 'passed' &&
  api.startsWith('https://') &&
  !/^https:\/\/(?:localhost|127\.|\[::1\])/.test(api);

export function verifiedList(recordings: readonly CheckedRecording[]): string {
  const rows = recordings
    .filter(proves)
    .map(
      ({ network, adapterVersion }) =>
        `  { network: '${network}', adapterVersion: ${adapterVersion.toString()} },\n`,
    );
  return `// Written by scripts/list-networks.ts from the recordings that people handed in. Do not edit.

export const VERIFIED: readonly { readonly network: string; readonly adapterVersion: number }[] = [${rows.length === 0 ? '' : `\n${[...new Set(rows)].sort().join('')}`}];
`;
}

if (process.argv[1] === import.meta.filename) {
  writeFileSync(join(providers, 'folders.ts'), folderList(foldersThere()));
  writeFileSync(join(providers, 'verified.ts'), verifiedList(recordingsThere()));
}
