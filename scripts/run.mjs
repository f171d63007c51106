// The door to every npm script: sets up what the command needs, shows it, then hands over to Node 24.
// Needs nothing but Node 20 and its own files, because it runs before anything is installed.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import path from 'node:path';
import { buildAll, bundlesAreReady, hitchProgram } from './build.mjs';
import { buildLabextension, labextensionIsReady } from './bundle/labextension.mjs';
import { chromiumIsReady, findChromium, installChromium } from './setup/chromium.mjs';
import { apartFromNetworks, inRoot, isWindows, root, SetupError, withPath } from './setup/common.mjs';
import { docsAreReady, installDocs } from './setup/docs.mjs';
import {
  installJudges,
  installNightlyJudges,
  judgesAreReady,
  nightlyJudgesAreReady,
} from './setup/judges.mjs';
import { withLock } from './setup/lock.mjs';
import { chosenNode, installNode, nodeIsReady } from './setup/node.mjs';
import { installNftables, nftablesIsReady } from './setup/nftables.mjs';
import { installOpenssh, opensshIsReady } from './setup/openssh.mjs';
import { installPackages, packagesAreReady } from './setup/packages.mjs';
import { stage, startLog } from './setup/progress.mjs';
import { installPlots, plotsAreReady } from './setup/plots.mjs';
import { checkOwnPython, installPython, ownPython, pythonIsReady, venvPython } from './setup/python.mjs';
import { installVscodeHost, vscodeHostIsReady } from './setup/vscode-host.mjs';

/**
 * @typedef {'packages' | 'node' | 'python' | 'bundles' | 'labextension' | 'chromium' | 'openssh' | 'nftables' | 'judges' | 'nightlyJudges' | 'plots' | 'vscodeHost' | 'docs'} Need
 * @typedef {{ name: string, isReady: () => boolean, make: (say: import('./setup/progress.mjs').Say) => Promise<void> }} Step
 * @typedef {{ does: string, script?: string, args?: readonly string[], apart?: true, needs: (args: readonly string[]) => readonly Need[] }} Command
 * `apart`: real networks are off, unless the person who runs it names them.
 */

/** The Node of the set-up, once it is there. */
const node = () => chosenNode() ?? process.execPath;

/** In the order in which they build on each other. @type {Record<Need, Step>} */
const steps = {
  packages: { name: 'npm packages', isReady: packagesAreReady, make: installPackages },
  node: { name: 'Node 24', isReady: nodeIsReady, make: installNode },
  python: {
    name: 'Python with Jupyter and Ray',
    isReady: pythonIsReady,
    make: say => installPython(say, chosenNode() ?? process.execPath),
  },
  bundles: { name: 'daemon, agent and CLI', isReady: bundlesAreReady, make: buildAll },
  labextension: { name: 'JupyterLab plugin', isReady: labextensionIsReady, make: buildLabextension },
  chromium: { name: 'Chromium', isReady: chromiumIsReady, make: installChromium },
  openssh: { name: 'OpenSSH', isReady: opensshIsReady, make: installOpenssh },
  nftables: { name: 'nftables', isReady: nftablesIsReady, make: installNftables },
  judges: {
    name: 'the networks’ own clients',
    isReady: judgesAreReady,
    make: say => installJudges(say, node()),
  },
  nightlyJudges: {
    name: 'programs that rent from several networks',
    isReady: nightlyJudgesAreReady,
    make: say => installNightlyJudges(say, node()),
  },
  plots: { name: 'plot libraries', isReady: plotsAreReady, make: installPlots },
  vscodeHost: { name: 'VS Code’s server', isReady: vscodeHostIsReady, make: installVscodeHost },
  docs: { name: 'generator of the documentation', isReady: docsAreReady, make: installDocs },
};

/** @type {() => readonly Need[]} */
const everything = () => ['packages', 'node', 'python', 'bundles', 'labextension'];
/** @type {() => readonly Need[]} */
const nodes = () => ['packages', 'node', 'python', 'bundles'];
/** @type {() => readonly Need[]} */
const tools = () => ['packages', 'node'];
/** @type {() => readonly Need[]} */
const programs = () => ['packages', 'node', 'bundles'];
/** @type {() => readonly Need[]} */
const products = () => ['packages', 'node', 'bundles', 'labextension'];

/** Tiers without a process of Jupyter or Ray: they run on a machine without Python. */
const pureTiers = new Set(['check', 'unit', 'contract']);

/** @param {readonly string[]} args @returns {readonly Need[]} */
function testNeeds(args) {
  const at = args.indexOf('--tier');
  const tiers = at < 0 ? [] : (args[at + 1] ?? '').split(',');
  if (tiers.length > 0 && tiers.every(tier => pureTiers.has(tier))) return programs();
  const places = args.filter((arg, index) => !arg.startsWith('-') && !args[index - 1]?.startsWith('-'));
  const wants = (/** @type {string} */ word) =>
    tiers.length > 0
      ? tiers.includes(word)
      : places.length === 0 || places.some(place => place.includes(word) || !place.endsWith('.test.ts'));
  /** @type {Need[]} */
  const browser = wants('jupyterlab') || wants('vscode') ? ['chromium'] : [];
  /** @type {Need[]} */
  const host = wants('vscode') ? ['vscodeHost'] : [];
  /** @type {Need[]} */
  const plots = wants('jupyterlab') ? ['plots'] : [];
  /** @type {Need[]} */
  const ssh = wants('engine') ? ['openssh', 'nftables'] : [];
  /** @type {Need[]} */
  const judges = wants(tiers.length > 0 ? 'engine' : 'judges') ? ['judges'] : [];
  return [...everything(), ...browser, ...ssh, ...judges, ...host, ...plots];
}

/** @type {Record<string, Command>} */
const commands = {
  demo: {
    does: 'rent, run, save and stop a practice cluster, narrated',
    script: 'scripts/demo.ts',
    apart: true,
    needs: nodes,
  },
  start: { does: 'JupyterLab with Hitch in it, until Ctrl-C', script: 'scripts/start.ts', needs: everything },
  test: {
    does: 'all tests, or --tier a,b, or files',
    script: 'scripts/test.ts',
    apart: true,
    needs: testNeeds,
  },
  nightly: {
    does: 'the long tests, which npm test leaves out: hours',
    script: 'scripts/test.ts',
    args: ['--nightly', '--strict'],
    apart: true,
    needs: args => [...testNeeds(args), 'nightlyJudges', 'docs'],
  },
  'test:electron': {
    does: 'the suites of the VS Code extension in a VS Code that is downloaded',
    script: 'test/vscode/electron.ts',
    apart: true,
    needs: everything,
  },
  bench: {
    does: 'measure, one JSON line a figure',
    script: 'test/bench/main.ts',
    apart: true,
    needs: () => [...everything(), 'openssh'],
  },
  chaos: {
    does: 'kill the daemon at every await, --runs N --seed S --network vast,ionet --workers W',
    script: 'test/chaos/main.ts',
    apart: true,
    needs: nodes,
  },
  fuzz: {
    does: 'nonsense over API, relay and sockets, --seed S --minutes N',
    script: 'test/fuzz/main.ts',
    apart: true,
    needs: nodes,
  },
  simulators: {
    does: 'simulated networks over HTTP, until Ctrl-C, --seed S --port P --limits',
    script: 'test/simulators/main.ts',
    // What it prints is typed into another terminal, where the built command line has to be.
    needs: nodes,
  },
  docs: {
    does: 'the documentation site, into dist/docs; --serve shows it here',
    script: 'scripts/docs.ts',
    needs: () => [...tools(), 'docs'],
  },
  'new-provider': {
    does: 'the beginning of a network’s adapter: NAME --title "Its Name"',
    script: 'scripts/new-provider.ts',
    needs: tools,
  },
  hitch: { does: 'the command line: npm run hitch -- offers', script: hitchProgram, needs: nodes },
  build: { does: 'build the daemon, the agent, the CLI, the plugin and ray-client-ts', needs: products },
  package: { does: 'what can be published, into dist/', script: 'scripts/package.ts', needs: products },
  lint: {
    does: 'lint with type-aware rules',
    script: 'node_modules/eslint/bin/eslint.js',
    args: ['--concurrency=2', '.'],
    needs: programs,
  },
  types: {
    does: 'check all types',
    script: 'node_modules/typescript/bin/tsc',
    args: ['-b'],
    needs: programs,
  },
  format: {
    does: 'format every file',
    script: 'node_modules/prettier/bin/prettier.cjs',
    args: ['--write', '--log-level=warn', '.'],
    needs: tools,
  },
};

/** @param {readonly Need[]} needs */
async function setUp(needs) {
  if (needs.includes('python')) checkOwnPython();
  const missing = () => needs.filter(need => !steps[need].isReady());
  if (missing().length === 0) return;
  await withLock('setup', async () => {
    // Whoever held the lock before may have done all of it.
    if (missing().length === 0) return;
    process.stderr.write('Setting up Hitch (minutes the first time, seconds after that)\n');
    startLog();
    for (const need of needs) {
      const step = steps[need];
      if (!step.isReady()) await stage(step.name, say => step.make(say));
    }
  });
}

/**
 * @param {Command} command
 * @param {readonly string[]} args
 * @returns {Promise<number>} the exit code
 */
async function handOver(command, args) {
  if (!command.script) return 0;
  const script = path.resolve(root, command.script);
  if (!existsSync(script)) throw new SetupError(`${command.script} is not in this checkout.`);
  const program = node();
  const env = withPath(command.apart ? apartFromNetworks(process.env) : process.env, [
    path.dirname(program),
    inRoot('node_modules', '.bin'),
  ]);
  env['HITCH_PYTHON'] = ownPython() ?? venvPython;
  env['HITCH_CHROMIUM'] = findChromium() ?? '';
  // npm moves to the repository's folder; a person's relative paths mean the folder they typed them in.
  const cwd = script === hitchProgram ? (process.env['INIT_CWD'] ?? root) : root;
  const child = spawn(program, [script, ...(command.args ?? []), ...args], { cwd, env, stdio: 'inherit' });
  /** @type {readonly NodeJS.Signals[]} */
  const signals = isWindows ? ['SIGINT'] : ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const signal of signals) {
    process.on(signal, () => {
      // A terminal sends Ctrl-C to the child too; twice would read as "at once".
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    });
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      resolve(code ?? 128 + (signal ? constants.signals[signal] : 0));
    });
  });
}

function usage() {
  const lines = Object.entries(commands).map(([name, command]) => `  ${name.padEnd(8)} ${command.does}`);
  return `Usage: node scripts/run.mjs <command> [arguments]\n${lines.join('\n')}\n`;
}

async function main() {
  const [name = '', ...args] = process.argv.slice(2);
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!command) {
    process.stderr.write(usage());
    return 2;
  }
  if (Number(process.versions.node.split('.')[0]) < 20) {
    throw new SetupError(
      `Hitch's scripts need Node 20 or later and this is ${process.version}: install a later Node.`,
    );
  }
  process.chdir(root);
  await setUp(command.needs(args));
  return handOver(command, args);
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  process.stderr.write(`\n${error.message}\n`);
  // Whoever reads the last line of a test run finds it there also when the run could not begin.
  if (['test', 'nightly'].includes(process.argv[2] ?? '')) {
    process.stdout.write('0 passed, 1 failed, 0 skipped\n');
  }
  process.exitCode = 1;
}
