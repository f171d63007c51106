// The wheel: plugin, bridge, daemon, agent and `hitch`, for a computer with Python alone.
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { packageLists } from './build-extension.mjs';
import { layOutKeyring } from './bundle/keyring.ts';
import { labextension } from './bundle/labextension.mjs';
import { lastOutputs, lastPackages } from './bundle/stamps.mjs';
import { licences } from './bundle/third-party.mjs';
import { inCache, inRoot, isWindows } from './setup/common.mjs';
import { findPython } from './setup/python.mjs';

const bridge = inRoot('jupyter-plugin', 'bridge');
/** As in the project file, so that nothing is fetched while building. */
const hatchling = 'hatchling==1.29.0';
const venv = inCache('wheel-venv', hatchling.replace('==', '-'));
const python = path.join(venv, isWindows ? 'Scripts/python.exe' : 'bin/python');

function run(command: string, args: readonly string[], cwd: string): void {
  // pip's own words would stand between the names of what was made; on failure they are the error's message.
  execFileSync(command, args, { cwd, stdio: ['ignore', 'ignore', 'pipe'] });
}

function makeBuilder(): void {
  if (existsSync(path.join(venv, 'ready'))) return;
  const found = findPython();
  if (found.command === undefined) throw new Error(`The wheel needs Python to be built: ${found.reason}.`);
  const [command = '', ...before] = found.command;
  rmSync(venv, { recursive: true, force: true });
  run(command, [...before, '-m', 'venv', venv], inRoot());
  run(python, ['-m', 'pip', 'install', '--no-input', '--quiet', hatchling], inRoot());
  mkdirSync(path.join(venv, 'ready'));
}

/** Lays out what the wheel holds. Programs of earlier builds, which still lie in dist, are left out; so are maps. */
function layOut(folder: string): void {
  const leftOut = new Set(['__pycache__', 'tests']);
  cpSync(bridge, folder, { recursive: true, filter: source => !leftOut.has(path.basename(source)) });
  cpSync(labextension, path.join(folder, 'labextension'), { recursive: true });
  cpSync(inRoot('LICENSE'), path.join(folder, 'LICENSE'));
  writeFileSync(
    path.join(folder, 'THIRD_PARTY_LICENSES.txt'),
    licences(['hitch', 'agent', 'labextension'].flatMap(lastPackages)),
  );
  const programs = path.join(folder, 'jupyterlab_hitch', 'programs');
  for (const output of [...lastOutputs('hitch'), ...lastOutputs('agent')]) {
    if (output.endsWith('.mjs')) {
      cpSync(inRoot(output), path.join(programs, path.basename(output)));
    }
  }
  for (const list of packageLists) {
    cpSync(inRoot('backend-proxy', list), path.join(programs, list));
  }
  layOutKeyring(programs);
}

/** @returns the wheel's path below the repository. */
export function packageWheel(): string {
  makeBuilder();
  const folder = mkdtempSync(path.join(tmpdir(), 'hitch-wheel-'));
  try {
    layOut(folder);
    const made = path.join(folder, 'made');
    run(
      python,
      ['-m', 'pip', 'wheel', '--quiet', '--no-deps', '--no-build-isolation', '--wheel-dir', made, folder],
      folder,
    );
    const [wheel] = readdirSync(made);
    if (wheel === undefined) throw new Error('pip built no wheel.');
    mkdirSync(inRoot('dist'), { recursive: true });
    const target = inRoot('dist', wheel);
    cpSync(path.join(made, wheel), `${target}.new`);
    renameSync(`${target}.new`, target);
    return `dist/${wheel}`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  console.log(packageWheel());
}
