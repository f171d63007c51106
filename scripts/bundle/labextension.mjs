// Builds the JupyterLab plugin: one bundle of our own code, then the labextension that JupyterLab loads from a folder.
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { filesBelow, inCache, inRoot, readJson, root, SetupError } from '../setup/common.mjs';
import { chosenNode } from '../setup/node.mjs';
import { mustRun } from '../setup/progress.mjs';
import { isFresh, remember, toolchain } from './stamps.mjs';
import { packagesIn } from './third-party.mjs';

const name = 'labextension';
const plugin = 'jupyter-plugin';
const bundleFolder = `${plugin}/lib`;
/** JupyterLab asks for an extension by its name below such a folder. */
const outputFolder = `${plugin}/dist/labextensions/jupyterlab-hitch`;
/** Pages of the documentation, as the plugin shows them. */
const docsFolder = `${outputFolder}/static/docs`;
const docsSources = () => [
  ...readdirSync(inRoot('docs'))
    .filter(name => name.endsWith('.md'))
    .map(name => `docs/${name}`),
  ...['docs/start', 'docs/decisions', 'docs/pictures', 'scripts/docs'].flatMap(filesBelow),
];

/** Taken whole by the builder; the sources of the bundle are known from the bundle. */
const takenWhole = () => [
  `${plugin}/package.json`,
  ...filesBelow(`${plugin}/style`),
  ...filesBelow(`${plugin}/schema`),
  ...docsSources(),
];

/** The folder to give JupyterLab. */
export const labextension = inRoot(outputFolder);

/** Releases of JupyterLab before the one we build with that must load the plugin too: 4.6 → 4.4. */
const olderMinors = 2;

/** Programs of the frames in which outputs of clusters are drawn; the page fetches them when they are wanted. */
const framePrograms = ['inner', 'outer', 'vega', 'widgets'];
const frameFolder = `${outputFolder}/static/frame`;
const plotly = 'node_modules/plotly.js-dist-min/plotly.min.js';

/** What JupyterLab itself loads, once for all plugins. */
const external = ['@jupyterlab/*', '@lumino/*', 'react', 'react-dom', 'react/*'];

export const labextensionIsReady = () =>
  !existsSync(inRoot(plugin, 'src', 'index.ts')) || isFresh(name, takenWhole());

/**
 * The range that says "the JupyterLab we build with, or an older one that we support". All of JupyterLab's packages
 * count their minor versions together.
 * @param {string} packageName @param {string} version
 */
function supported(packageName, version) {
  const [, major = '0', minor = '0'] = /(\d+)\.(\d+)/.exec(version) ?? [];
  if (packageName.startsWith('@jupyterlab/')) return `^${major}.${String(Number(minor) - olderMinors)}.0`;
  return packageName.startsWith('@lumino/') ? `^${major}.0.0` : version;
}

/** @typedef {Record<string, string>} Versions */
/** @param {Versions} [versions] @returns {Versions} */
const supportedVersions = (versions = {}) =>
  Object.fromEntries(Object.entries(versions).map(([key, value]) => [key, supported(key, value)]));

/**
 * JupyterLab's own list of packages, which the builder takes for what the plugin requires: with the exact release, an
 * older JupyterLab would warn of every one of them.
 */
function writeCoreMeta() {
  const source = inRoot('node_modules', '@jupyterlab', 'core-meta', 'core.package.json');
  const core = /** @type {{ dependencies?: Versions, resolutions?: Versions } | undefined} */ (
    readJson(source)
  );
  if (!core) throw new SetupError(`${source} is missing: remove node_modules and run this again.`);
  const file = inCache('build', 'core.package.json');
  mkdirSync(path.dirname(file), { recursive: true });
  const { dependencies, resolutions } = core;
  writeFileSync(
    file,
    JSON.stringify({
      ...core,
      dependencies: supportedVersions(dependencies),
      resolutions: supportedVersions(resolutions),
    }),
  );
  return file;
}

/** `jupyter labextension list` compares these with what is installed; the exact pins are for our build alone. */
function relaxManifest() {
  const file = path.join(labextension, 'package.json');
  const manifest = /** @type {{ dependencies?: Versions, devDependencies?: Versions } | undefined} */ (
    readJson(file)
  );
  if (!manifest) throw new SetupError(`The builder wrote no ${file}.`);
  manifest.dependencies = supportedVersions(manifest.dependencies);
  delete manifest.devDependencies;
  writeFileSync(file, `${JSON.stringify(manifest, null, 2)}\n`);
}

/** @returns {Promise<string[]>} what it was made of */
async function bundle() {
  const { build } = await import('esbuild');
  rmSync(inRoot(bundleFolder), { recursive: true, force: true });
  const result = await build({
    absWorkingDir: root,
    entryPoints: { index: `${plugin}/src/index.ts` },
    outdir: bundleFolder,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    legalComments: 'inline',
    // The builder minifies.
    loader: { '.svg': 'text' },
    external,
    metafile: true,
    logLevel: 'silent',
  });
  return Object.keys(result.metafile.inputs);
}

/** Each is one file, because a frame reaches no server. @returns {Promise<string[]>} what they were made of */
async function bundleFrames() {
  const { build } = await import('esbuild');
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: Object.fromEntries(framePrograms.map(entry => [entry, `${plugin}/src/frame/${entry}.ts`])),
    outdir: frameFolder,
    bundle: true,
    format: 'iife',
    platform: 'browser',
    target: 'es2022',
    minify: true,
    legalComments: 'none',
    loader: { '.svg': 'text', '.css': 'text' },
    metafile: true,
    logLevel: 'silent',
  });
  copyFileSync(inRoot(plotly), inRoot(frameFolder, 'plotly.js'));
  return [...Object.keys(metafile.inputs), plotly];
}

/** @param {import('../setup/progress.mjs').Say} say */
export async function buildLabextension(say) {
  if (labextensionIsReady()) return;
  say(bundleFolder);
  let made;
  try {
    made = await bundle();
  } catch (error) {
    throw new SetupError(
      `${bundleFolder} could not be built: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
  say(outputFolder);
  const builder = inRoot('node_modules', '@jupyter', 'builder', 'lib', 'build-labextension.js');
  await mustRun(process.execPath, [builder, '--core-package-file', writeCoreMeta(), inRoot(plugin)], {
    sentence: `${outputFolder} could not be built.`,
  });
  relaxManifest();
  // The pages that are made of the code are written in TypeScript, which the Node of the set-up alone reads.
  await mustRun(
    chosenNode() ?? process.execPath,
    [inRoot('scripts', 'docs.ts'), '--lay-out', inRoot(docsFolder)],
    {
      sentence: `${docsFolder} could not be written.`,
    },
  );
  const inputs = [...made, ...(await bundleFrames())];
  const sources = inputs.filter(input => !input.includes('node_modules/'));
  remember(name, [...toolchain, ...takenWhole(), ...sources], filesBelow(outputFolder), packagesIn(inputs));
}
