// Builds what cannot run from source: the library that others import by its dist, and the bundled programs.
// Runs on Node 20, before Node 24 is there; skips whatever is already built from the same bytes.
import { chmodSync, existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildExtension, extensionIsReady } from './build-extension.mjs';
import { isFresh, lastOutputs, remember, toolchain } from './bundle/stamps.mjs';
import { textsOfFiles } from './bundle/texts.mjs';
import { ownOf, packagesIn } from './bundle/third-party.mjs';
import { filesBelow, inRoot, isWindows, root, SetupError, writeAtomic } from './setup/common.mjs';
import { mustRun } from './setup/progress.mjs';

const rayClient = 'shared/ray-client-ts';

const dist = 'backend-proxy/dist';

/**
 * Programs built together share their code in chunks that lie beside them; a program of its own is one file.
 * @typedef {{ name: string, entries: Readonly<Record<string, string>>, chunks: boolean, keepNames: boolean }} Bundle
 * @type {readonly Bundle[]}
 */
const bundles = [
  {
    // A command loads neither the server nor the store, and the daemon not the command line: each is a chunk.
    name: 'hitch',
    entries: { hitch: 'backend-proxy/src/cli/main.ts', 'store-worker': 'backend-proxy/src/store/worker.ts' },
    chunks: true,
    keepNames: false,
  },
  // The daemon copies this file alone to a node.
  { name: 'agent', entries: { agent: 'backend-proxy/src/agent/main.ts' }, chunks: false, keepNames: true },
];

/** @param {string} program */
const outputOf = program => `${dist}/${program}.mjs`;

/** The command-line program that `hitch` starts. */
export const hitchProgram = inRoot(outputOf('hitch'));

/** Native modules cannot be bundled; ws does without its optional ones. */
const external = ['@napi-rs/keyring', 'bufferutil', 'utf-8-validate'];

// Bundled CommonJS packages call require() for those, which an ES module does not have.
const banner = "const require = process.getBuiltinModule('node:module').createRequire(import.meta.url);";

/**
 * Node's own modules, as they are: `import 'node:http'` reads every property of it for its ES module face, and one of
 * them (`http.WebSocket`) loads all of Node's fetch: 10 MB that no program here uses.
 * @type {import('esbuild').Plugin}
 */
const nodeModules = {
  name: 'node-modules',
  setup(builder) {
    builder.onResolve({ filter: /^[a-z0-9_:/]+$/ }, ({ path: name }) =>
      isBuiltin(name)
        ? { path: name.replace(/^(?:node:)?/, 'node:'), namespace: 'node-modules', sideEffects: false }
        : undefined,
    );
    builder.onLoad({ filter: /.*/, namespace: 'node-modules' }, ({ path: name }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(name)});`,
    }));
  },
};

/** A thread's program travels as text inside the programs that begin it: an agent is one file. */
const threadProgram = 'shared/transfer/src/thread/disk-worker.ts';

/**
 * Puts the thread's program in the place of the file that says where its source is. What it is made of is added to `read`.
 * @param {Set<string>} read @returns {import('esbuild').Plugin}
 */
const threadText = read => ({
  name: 'thread-text',
  setup(builder) {
    builder.onLoad({ filter: /[\\/]thread[\\/]thread-program\.ts$/ }, async () => {
      const { build } = await import('esbuild');
      const { outputFiles, metafile } = await build({
        absWorkingDir: root,
        entryPoints: [threadProgram],
        bundle: true,
        // In a function of its own: it runs as a script, and its short names would stand before `globalThis.gc` and others.
        format: 'iife',
        platform: 'node',
        target: 'node22',
        minify: true,
        legalComments: 'none',
        metafile: true,
        write: false,
        logLevel: 'silent',
      });
      Object.keys(metafile.inputs).forEach(input => read.add(input));
      return { contents: `export const program = { code: ${JSON.stringify(outputFiles[0]?.text)} };` };
    });
  },
});

const libraryInputs = () => [
  ...toolchain,
  `${rayClient}/package.json`,
  `${rayClient}/tsconfig.json`,
  ...filesBelow(`${rayClient}/src`),
];

const libraryOutput = `${rayClient}/dist/index.js`;

function libraryIsFresh() {
  if (!existsSync(inRoot(rayClient, 'src', 'index.ts'))) return true;
  return isFresh(rayClient, libraryInputs());
}

const present = () =>
  bundles.filter(({ entries }) => Object.values(entries).every(entry => existsSync(inRoot(entry))));

export const bundlesAreReady = () =>
  libraryIsFresh() && present().every(({ name }) => isFresh(name)) && launcherIsReady() && extensionIsReady();

const launcher = inRoot('node_modules', '.bin', isWindows ? 'hitch.cmd' : 'hitch');

/** `hitch` for a shell: the pinned Node and the pinned Python, whatever else is on PATH. */
const launcherText = isWindows
  ? [
      '@setlocal',
      '@if not defined HITCH_PYTHON set "HITCH_PYTHON=%~dp0..\\..\\.cache\\venv\\Scripts\\python.exe"',
      '@"%~dp0..\\node\\bin\\node.exe" "%~dp0..\\..\\backend-proxy\\dist\\hitch.mjs" %*',
      '',
    ].join('\r\n')
  : [
      '#!/bin/sh',
      'root=$(cd "$(dirname "$0")/../.." && pwd)',
      'export HITCH_PYTHON="${HITCH_PYTHON:-$root/.cache/venv/bin/python}"',
      'exec "$root/node_modules/node/bin/node" "$root/backend-proxy/dist/hitch.mjs" "$@"',
      '',
    ].join('\n');

const launcherIsReady = () => existsSync(launcher) && readFileSync(launcher, 'utf8') === launcherText;

function writeLauncher() {
  // A link that npm made would lead the write into the bundle itself.
  rmSync(launcher, { force: true });
  writeAtomic(launcher, launcherText);
  chmodSync(launcher, 0o755);
}

/** @param {import('./setup/progress.mjs').Say} say */
async function buildLibrary(say) {
  if (libraryIsFresh()) return;
  say(rayClient);
  const tsc = inRoot('node_modules', 'typescript', 'bin', 'tsc');
  // --force: tsc trusts its own record of the last build even when somebody removed dist.
  const force = existsSync(inRoot(libraryOutput)) ? [] : ['--force'];
  await mustRun(process.execPath, [tsc, '-b', rayClient, ...force], {
    sentence: `${rayClient} does not compile.`,
  });
  remember(rayClient, libraryInputs(), [libraryOutput]);
}

/** @param {Bundle} bundle */
async function buildBundle({ name, entries, chunks, keepNames }) {
  const { build } = await import('esbuild');
  /** @type {Set<string>} */
  const carried = new Set();
  const result = await build({
    absWorkingDir: root,
    entryPoints: { ...entries },
    outdir: dist,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: chunks,
    chunkNames: `${name}-[hash]`,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    // Not for the disk: the text of a program stays in memory as long as it runs.
    minify: true,
    // Names of error classes and functions show up in logs and in messages.
    keepNames,
    sourcemap: chunks ? 'linked' : false,
    legalComments: 'none',
    external,
    plugins: [nodeModules, threadText(carried), textsOfFiles(carried)],
    banner: { js: banner },
    metafile: true,
    write: false,
    logLevel: 'silent',
  });
  const outputs = Object.keys(result.metafile.outputs);
  removeOldChunks(name, [...outputs, ...lastOutputs(name)]);
  for (const file of result.outputFiles) {
    const old = existsSync(file.path) ? readFileSync(file.path) : undefined;
    if (!old?.equals(file.contents)) writeAtomic(file.path, file.contents);
  }
  const read = [...new Set([...Object.keys(result.metafile.inputs), ...carried])];
  remember(name, [...toolchain, ...ownOf(read)], outputs, packagesIn(read));
}

/**
 * Chunks are named by their content and would pile up. Those of the build before stay: a daemon that runs may still
 * have to load one.
 * @param {string} name @param {readonly string[]} kept
 */
function removeOldChunks(name, kept) {
  const folder = inRoot(dist);
  if (!existsSync(folder)) return;
  for (const file of readdirSync(folder)) {
    if (file.startsWith(`${name}-`) && !kept.includes(`${dist}/${file}`)) rmSync(path.join(folder, file));
  }
}

/** @param {import('./setup/progress.mjs').Say} say */
export async function buildAll(say) {
  await buildLibrary(say);
  for (const bundle of present()) {
    if (isFresh(bundle.name)) continue;
    say(outputOf(bundle.name));
    try {
      await buildBundle(bundle);
    } catch (error) {
      throw new SetupError(
        `${outputOf(bundle.name)} could not be built: ${error instanceof Error ? error.message : String(error)}`,
        {
          cause: error,
        },
      );
    }
  }
  if (!launcherIsReady()) writeLauncher();
  await buildExtension(say);
}

if (import.meta.url === pathToFileURL(path.resolve(process.argv[1] ?? '')).href) {
  await buildAll(text => {
    process.stdout.write(`${text}\n`);
  });
}
