// Akash's own SDK, asked by JSON-RPC, a line each way, for the manifest of an SDL. `AKASH_SDK` says where it lies.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const place = process.env.AKASH_SDK ?? '';
const { generateManifest, generateManifestVersion, manifestToSortedJSON } = await import(
  pathToFileURL(place).href
);
// What the SDK itself reads YAML with: `ts/src/utils/yaml.ts`.
const { load } = createRequire(place)('js-yaml');

async function manifestOf(text) {
  const { ok, value } = generateManifest(load(text));
  if (!ok) {
    throw new Error(JSON.stringify(value));
  }
  return {
    manifest: manifestToSortedJSON(value.groups),
    hash: Buffer.from(await generateManifestVersion(value.groups)).toString('hex'),
    groupSpecs: manifestToSortedJSON(value.groupSpecs),
  };
}

let rest = '';
for await (const piece of process.stdin.setEncoding('utf8')) {
  const lines = (rest + piece).split('\n');
  rest = lines.pop() ?? '';
  for (const line of lines) {
    const { id, params } = JSON.parse(line);
    const said = await manifestOf(params.sdl).then(
      result => ({ result }),
      error => ({ error: { message: String(error) } }),
    );
    // Some characters are line breaks to whoever reads.
    const plain = JSON.stringify({ id, ...said }).replace(
      /[^\x20-\x7e]/g,
      odd => `\\u${odd.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
    process.stdout.write(`${plain}\n`);
  }
}
