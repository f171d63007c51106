// The VS Code extension as it is shipped: one CommonJS file, and beside it the programs of the daemon it starts.
// Runs on Node 20, before Node 24 is there; skips what is already built from the same bytes.
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { isFresh, remember, toolchain } from './bundle/stamps.mjs';
import { ownOf, packagesIn } from './bundle/third-party.mjs';
import { inRoot, root, SetupError } from './setup/common.mjs';

/** Under these names it is remembered what was built from what. */
const [BUNDLES, PROGRAMS] = ['extension', 'extension-programs'];
const EXTRA_INPUTS = ['scripts/build-extension.mjs'];
const source = 'extension/src';
const dist = 'extension/dist';
const programs = 'backend-proxy/dist';

/** Below backend-proxy, and beside the programs where those are shipped. */
export const packageLists = ['requirements.lock', 'requirements.hashes', 'uv.hashes'].map(
  name => `python/${name}.txt`,
);

/** The one file that VS Code loads. */
export const extensionBundle = `${dist}/extension.cjs`;

/** What its webview loads, in a folder of its own: a page may read no other. */
export const pageBundle = `${dist}/page/page.js`;

/**
 * The programs and every chunk they reach: the folder also keeps the chunks of the build before, which are not shipped.
 * @returns {readonly string[]}
 */
function programFiles() {
  const known = new Set(['hitch.mjs', 'store-worker.mjs', 'agent.mjs']);
  for (const file of known) {
    const absolute = inRoot(programs, file);
    if (!existsSync(absolute)) return [];
    for (const [chunk] of readFileSync(absolute, 'utf8').matchAll(/\bhitch-[A-Z0-9]{8}\.mjs\b/g)) {
      known.add(chunk);
    }
  }
  return [...known];
}

const copyOf = (/** @type {string} */ file) => `${dist}/hitch/${file}`;

/** What each file beside the programs is copied from: the lists of packages that a node is made with lie there too. */
const copies = () => [
  ...programFiles().map(file => ({ from: `${programs}/${file}`, to: copyOf(file) })),
  ...packageLists.map(file => ({ from: `backend-proxy/${file}`, to: copyOf(file) })),
];

export function extensionIsReady() {
  if (!existsSync(inRoot(source, 'extension.ts'))) return true;
  const made = copies().map(({ from }) => from);
  return isFresh(BUNDLES) && isFresh(PROGRAMS, made);
}

/**
 * zod can write schemas as JSON Schema: 19 kB in each bundle, and work at each start, that nothing in an editor asks for.
 * A zod that imports more of it than is named here makes the build fail.
 * @type {import('esbuild').Plugin}
 */
const withoutJsonSchema = {
  name: 'without-json-schema',
  setup(builder) {
    const names = [
      'toJSONSchema',
      'initializeContext',
      'processSchema',
      'extractDefs',
      'finalize',
      'allProcessors',
    ];
    const methods = ['createToJSONSchemaMethod', 'createStandardJSONSchemaMethod'];
    const contents = [
      "const none = () => { throw new Error('JSON Schema is not in this bundle'); };",
      ...names.map(name => `export const ${name} = none;`),
      ...methods.map(name => `export const ${name} = () => none;`),
    ].join('\n');
    const filter = /[\\/]zod[\\/]v4[\\/]core[\\/](?:json-schema-processors|to-json-schema)\.js$/;
    builder.onLoad({ filter }, () => ({ contents }));
  },
};

/** @returns what it was made of */
async function buildBundle() {
  const { build } = await import('esbuild');
  const { metafile } = await build({
    metafile: true,
    absWorkingDir: root,
    entryPoints: [`${source}/extension.ts`],
    outfile: extensionBundle,
    bundle: true,
    // VS Code's extension host loads CommonJS; the package itself is ES modules like all others here.
    format: 'cjs',
    platform: 'node',
    target: 'node22',
    external: ['vscode', 'bufferutil', 'utf-8-validate', 'encoding'],
    // node-fetch's URL parser of its own, a quarter of a megabyte, is used on Node below 10 only.
    alias: { 'whatwg-url': 'node:url' },
    plugins: [withoutJsonSchema],
    // `import.meta` has no meaning in CommonJS; the modules that use it ask where their own file lies.
    define: { 'import.meta.url': '__hitchFileUrl' },
    banner: { js: "const __hitchFileUrl = require('node:url').pathToFileURL(__filename).href;" },
    minify: true,
    keepNames: false,
    sourcemap: 'linked',
    sourcesContent: false,
    legalComments: 'none',
    logLevel: 'silent',
  });
  return Object.keys(metafile.inputs);
}

/** What runs in the extension's webview. @returns what it was made of */
async function buildPage() {
  const { build } = await import('esbuild');
  const { metafile } = await build({
    metafile: true,
    absWorkingDir: root,
    entryPoints: [`${source}/page/page.ts`],
    outfile: pageBundle,
    bundle: true,
    format: 'esm',
    platform: 'browser',
    plugins: [withoutJsonSchema],
    target: 'es2022',
    minify: true,
    legalComments: 'none',
    logLevel: 'silent',
  });
  return Object.keys(metafile.inputs);
}

/** The daemon, its worker and the agent: what `hitch daemon --foreground` needs to run from the extension's folder. */
function copyPrograms() {
  const folder = inRoot(dist, 'hitch');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const files = copies();
  for (const { from, to } of files) cpSync(inRoot(from), inRoot(to));
  remember(
    PROGRAMS,
    files.map(({ from }) => from),
    files.map(({ to }) => to),
  );
}

/** @param {(detail: string) => void} say */
export async function buildExtension(say) {
  if (extensionIsReady()) return;
  say(extensionBundle);
  try {
    const read = (await Promise.all([buildBundle(), buildPage()])).flat();
    const outputs = [extensionBundle, pageBundle];
    remember(BUNDLES, [...toolchain, ...EXTRA_INPUTS, ...ownOf(read)], outputs, packagesIn(read));
  } catch (error) {
    throw new SetupError(
      `${extensionBundle} could not be built: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
  copyPrograms();
}
