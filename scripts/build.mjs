// Builds what cannot run from source: the library that others import by its dist, and the bundled programs.
// Runs on Node 20, before Node 24 is there; skips whatever is already built from the same bytes.
import { chmodSync, existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  filesBelow,
  hashFiles,
  inCache,
  inRoot,
  isWindows,
  readJson,
  root,
  SetupError,
  writeAtomic,
} from './setup/common.mjs';
import { mustRun } from './setup/progress.mjs';

const stampFile = inCache('build.json');
const rayClient = 'shared/ray-client-ts';

/**
 * @typedef {{ entry: string, out: string, minify: boolean }} Bundle
 * @type {readonly Bundle[]}
 */
const bundles = [
  {
    entry: 'backend-proxy/src/cli/main.ts',
    out: 'backend-proxy/dist/hitch.mjs',
    minify: false,
  },
  { entry: 'backend-proxy/src/agent/main.ts', out: 'backend-proxy/dist/agent.mjs', minify: true },
  { entry: 'backend-proxy/src/store/worker.ts', out: 'backend-proxy/dist/store-worker.mjs', minify: false },
];

/** The command-line program that `hitch` starts. */
export const hitchProgram = inRoot('backend-proxy/dist/hitch.mjs');

/** Native modules cannot be bundled; ws does without its optional ones. */
const external = ['@napi-rs/keyring', 'bufferutil', 'utf-8-validate'];

// Bundled CommonJS packages call require() for Node's own modules, which an ES module does not have.
const banner = [
  "import { createRequire as hitchCreateRequire } from 'node:module';",
  'const require = hitchCreateRequire(import.meta.url);',
].join('\n');

/** What every output depends on besides its own sources. */
const toolchain = ['package-lock.json', 'scripts/build.mjs', 'tsconfig.base.json'];
const libraryInputs = () => [
  ...toolchain,
  `${rayClient}/package.json`,
  `${rayClient}/tsconfig.json`,
  ...filesBelow(`${rayClient}/src`),
];

/** @typedef {Record<string, { inputs: string[], hash: string }>} Stamps */
const readStamps = () => /** @type {Stamps} */ (readJson(stampFile) ?? {});

/** @param {string} output @param {readonly string[]} inputs */
function remember(output, inputs) {
  const stamps = { ...readStamps(), [output]: { inputs: [...inputs], hash: hashFiles(inputs) } };
  writeAtomic(stampFile, JSON.stringify(stamps));
}

/** @param {string} output */
function isFresh(output) {
  const stamp = readStamps()[output];
  return stamp !== undefined && existsSync(inRoot(output)) && hashFiles(stamp.inputs) === stamp.hash;
}

const libraryOutput = `${rayClient}/dist/index.js`;

function libraryIsFresh() {
  if (!existsSync(inRoot(rayClient, 'src', 'index.ts'))) return true;
  // A file that was added changes the list, not a byte of the files in the old one.
  return isFresh(libraryOutput) && readStamps()[libraryOutput]?.hash === hashFiles(libraryInputs());
}

const present = () => bundles.filter(bundle => existsSync(inRoot(bundle.entry)));

export const bundlesAreReady = () =>
  libraryIsFresh() && present().every(bundle => isFresh(bundle.out)) && launcherIsReady();

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
  remember(libraryOutput, libraryInputs());
}

/** @param {Bundle} bundle */
async function buildBundle(bundle) {
  const { build } = await import('esbuild');
  const result = await build({
    absWorkingDir: root,
    entryPoints: [bundle.entry],
    outfile: bundle.out,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    minify: bundle.minify,
    // Names of error classes and functions show up in logs and in messages.
    keepNames: bundle.minify,
    sourcemap: bundle.minify ? false : 'linked',
    legalComments: 'none',
    external,
    banner: { js: banner },
    metafile: true,
    write: false,
    logLevel: 'silent',
  });
  for (const file of result.outputFiles) {
    const old = existsSync(file.path) ? readFileSync(file.path) : undefined;
    if (!old?.equals(file.contents)) writeAtomic(file.path, file.contents);
  }
  const own = Object.keys(result.metafile.inputs).filter(input => !input.includes('node_modules/'));
  remember(bundle.out, [...toolchain, ...own]);
}

/** @param {import('./setup/progress.mjs').Say} say */
export async function buildAll(say) {
  await buildLibrary(say);
  for (const bundle of present()) {
    if (isFresh(bundle.out)) continue;
    say(bundle.out);
    try {
      await buildBundle(bundle);
    } catch (error) {
      throw new SetupError(
        `${bundle.out} could not be built: ${error instanceof Error ? error.message : String(error)}`,
        {
          cause: error,
        },
      );
    }
  }
  if (!launcherIsReady()) writeLauncher();
}

if (import.meta.url === pathToFileURL(path.resolve(process.argv[1] ?? '')).href) {
  await buildAll(text => {
    process.stdout.write(`${text}\n`);
  });
}
