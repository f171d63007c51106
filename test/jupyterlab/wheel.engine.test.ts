/** The wheel in an environment of its own: what it brings, that a cell runs, and what uninstalling it leaves. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { globSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { errorEnvelopeSchema, type ClusterId } from '@hitch/contract';
import * as z from 'zod';
import { DaemonHome } from '../support/daemon-home.ts';
import { JupyterLab } from '../support/jupyterlab.ts';
import { NotebookPage, startKernel } from '../support/notebook-page.ts';
import { needsRealNodes } from '../support/processes.ts';
import { until } from '../support/waiting.ts';

const execute = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));

const configSchema = z.object({
  federated_extensions: z.array(z.object({ name: z.string(), load: z.string() })),
});

describe('the wheel', function suite() {
  // pip fetches JupyterLab for it.
  this.timeout(15 * 60_000);
  const home = new DaemonHome({ HITCH_SANDBOX_SEED: '7' });
  const venv = mkdtempSync(join(tmpdir(), 'hitch-wheel-test-'));
  const inVenv = (name: string): string => join(venv, 'bin', name);
  let lab: JupyterLab | null = null;
  let clusterId: ClusterId;

  /** A command of the environment, in this home, with nothing of the checkout. */
  const run = async (name: string, ...args: string[]): Promise<string> => {
    const { HITCH_PYTHON: _, ...env } = home.environment();
    const { stdout, stderr } = await execute(inVenv(name), args, { env, cwd: venv });
    return `${stdout}${stderr}`;
  };
  const ofHitch = (): string[] => globSync('**/*hitch*', { cwd: venv });

  before(async function start() {
    needsRealNodes(this);
    home.make();
    const { stdout: wheel } = await execute(process.execPath, [join(root, 'scripts', 'package-wheel.ts')]);
    await execute(process.env['HITCH_PYTHON'] ?? 'python3', ['-m', 'venv', venv]);
    await run('pip', 'install', '--quiet', '--no-input', join(root, wheel.trim()));
  });

  after(async () => {
    await lab?.dispose();
    await home.dispose();
    rmSync(venv, { recursive: true, force: true });
  });

  it('brings the plugin, the bridge and the command line, with a Node of its own', async () => {
    assert.match(await run('jupyter', 'labextension', 'list'), /jupyterlab-hitch v0\.1\.0.*enabled.*OK/);
    assert.match(await run('jupyter', 'server', 'extension', 'list'), /jupyterlab_hitch.*(OK|enabled)/);
    assert.match(await run('hitch', '--version'), /0\.1\.0/);
    // What machines are set up with where nobody names a Python.
    const lists = globSync('**/jupyterlab_hitch/programs/python/*.txt', { cwd: venv });
    assert.deepEqual(lists.map(path => basename(path)).sort(), [
      'requirements.hashes.txt',
      'requirements.lock.txt',
      'uv.hashes.txt',
    ]);
  });

  it('brings the keychain’s native module, and the licence of everything that others wrote', () => {
    const [program] = globSync('**/jupyterlab_hitch/programs/hitch.mjs', { cwd: venv });
    const load = createRequire(join(venv, program ?? ''));
    assert.deepEqual(
      globSync('**/jupyterlab_hitch/programs/node_modules/@napi-rs/keyring-*', { cwd: venv }).length,
      5,
    );
    const { AsyncEntry } = z.looseObject({ AsyncEntry: z.unknown() }).parse(load('@napi-rs/keyring'));
    assert.equal(typeof AsyncEntry, 'function');
    const [file] = globSync('**/jupyterlab_hitch-*.dist-info/licenses/THIRD_PARTY_LICENSES.txt', {
      cwd: venv,
    });
    const licences = readFileSync(join(venv, file ?? ''), 'utf8');
    for (const name of ['zod', 'lit', 'ws', '@orpc/server', 'commander', '@vscode-elements/elements']) {
      assert.match(licences, new RegExp(`^${name} \\d+\\.`, 'm'), name);
    }
    assert.match(licences, /Permission is hereby granted/);
  });

  it('serves the plugin and runs a cell on a practice cluster, the daemon being started by JupyterLab', async () => {
    lab = await new JupyterLab({ home, installedIn: inVenv('python') }).start();
    const { token } = lab;
    const server = lab;
    const ask = (path: string): Promise<Response> =>
      fetch(server.url(path), { headers: { authorization: `token ${token}` } });
    const page = await (await ask('lab')).text();
    const config = /<script id="jupyter-config-data"[^>]*>(.*?)<\/script>/s.exec(page)?.[1] ?? '{}';
    const { federated_extensions: plugins } = configSchema.parse(JSON.parse(config));
    const plugin = plugins.find(({ name }) => name === 'jupyterlab-hitch');
    assert.ok(plugin !== undefined, 'the page names the plugin');
    assert.equal((await ask(`lab/extensions/${plugin.name}/${plugin.load}`)).status, 200);
    const first = await ask('hitch/api/clusters');
    assert.equal(errorEnvelopeSchema.parse(await first.json()).message, "Hitch's daemon is starting.");
    await until('the daemon of the wheel answers', async () => (await ask('hitch/api/clusters')).ok);

    const cluster = await home.rent({ filter: { practice: 'only', maxGpuCount: 1 } }, 'from-the-wheel');
    clusterId = cluster.id;
    await home.untilKernel(clusterId);
    const kernel = await NotebookPage.open(home, cluster, await startKernel(home, cluster));
    try {
      // The machine's environment is its own, and leads to what was installed beside the wheel.
      const found = await kernel.result('import ipykernel; print(ipykernel.__file__)');
      assert.ok(found.startsWith(join(venv, sep)), found);
    } finally {
      kernel.leave();
    }
  });

  it('leaves no plugin behind when it is uninstalled, and the cluster running, for any other copy to stop', async () => {
    await lab?.dispose();
    await run('pip', 'uninstall', '--yes', '--quiet', 'jupyterlab_hitch');
    assert.deepEqual(ofHitch(), []);
    assert.deepEqual(
      readdirSync(join(venv, 'share', 'jupyter', 'labextensions')).filter(name => /hitch/.test(name)),
      [],
    );
    assert.equal((await home.cluster(clusterId)).phase, 'ready');
    const listed = await home.cli(['ls']);
    assert.match(listed.stdout, /from-the-wheel/);
    const stopped = await home.cli(['stop', 'from-the-wheel']);
    assert.equal(stopped.code, 0, stopped.stderr);
    const gone = await home.untilOver(clusterId);
    assert.deepEqual(home.leftovers([gone]), []);
  });
});
