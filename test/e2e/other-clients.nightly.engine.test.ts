/**
 * A cluster as a Jupyter server to clients that nobody here wrote: JupyterLab's own services from Node, a stock Jupyter server
 * that has its kernels from a gateway, and jupyter-kernel-client. nbclient and papermill by Jupyter Server's own gateway client
 * are not among them: it opens its sockets without the token that it was given (`GatewayKernelClient.start_channels` in
 * jupyter_server/gateway/managers.py, 2.17).
 */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ClusterUrl } from '@hitch/contract';
import { KernelManager, ServerConnection } from '@jupyterlab/services';
import WebSocket from 'ws';
import * as z from 'zod';
import { DaemonHome } from '../support/daemon-home.ts';
import { needsRealNodes } from '../support/processes.ts';
import { until } from '../support/waiting.ts';

const VENV = fileURLToPath(new URL('../../.cache/other-clients', import.meta.url));
const PACKAGE = 'jupyter-kernel-client==0.8.0';
const OUR_TOKEN = 'of-a-test';
/** Where it ran: a cluster's kernels know which node they are on. */
const CODE = 'import os; print("on", "HITCH_NODE" in os.environ, 6 * 7)';
const SAID = /on True 42/;

const KERNEL_CLIENT = `
import sys
from jupyter_kernel_client import KernelClient
with KernelClient(server_url=sys.argv[1], token=sys.argv[2]) as kernel:
    for output in kernel.execute(sys.argv[3])["outputs"]:
        print(output.get("text", ""))
`;

describe('a cluster as a Jupyter server to other people’s clients', function suite() {
  this.timeout(900_000);
  const home = new DaemonHome();
  let place: ClusterUrl;
  let gateway: ChildProcess | null = null;

  before(async function rent() {
    needsRealNodes(this);
    await home.start();
    const rented = await home.rent({ filter: { practice: 'only' }, engine: 'single' }, 'llm-dev');
    await home.untilKernel(rented.id);
    place = await url();
  });

  after(async () => {
    if (gateway !== null && gateway.exitCode === null) {
      const gone = new Promise(resolve => gateway?.once('exit', resolve));
      gateway.kill('SIGKILL');
      await gone;
    }
    await home.dispose();
  });

  async function url(): Promise<ClusterUrl> {
    const { code, stdout, stderr } = await home.cli(['url', 'llm-dev', '--json']);
    assert.equal(code, 0, stderr);
    return z
      .object({ clusterId: z.string(), url: z.string(), token: z.string() })
      .parse(JSON.parse(stdout)) as ClusterUrl;
  }

  const settingsOf = (baseUrl: string, token: string) =>
    ServerConnection.makeSettings({
      baseUrl,
      wsUrl: baseUrl.replace(/^http/, 'ws'),
      token,
      appendToken: true,
      WebSocket: WebSocket as never,
    });

  /** Starts a kernel, runs the cell, and gives what it printed. */
  async function runOver(serverSettings: ServerConnection.ISettings): Promise<string> {
    const manager = new KernelManager({ serverSettings });
    try {
      const kernel = await manager.startNew({ name: 'python3' });
      let said = '';
      const future = kernel.requestExecute({ code: CODE });
      future.onIOPub = ({ header, content }) => {
        said += header.msg_type === 'stream' ? String(Reflect.get(content, 'text')) : '';
      };
      await future.done;
      await kernel.shutdown();
      return said;
    } finally {
      manager.dispose();
    }
  }

  it('serves JupyterLab’s own services from Node, over a new start of the daemon too', async () => {
    assert.match(await runOver(settingsOf(`${place.url}/`, place.token)), SAID);
    await home.kill();
    await home.start();
    assert.deepEqual(await url(), place);
    await home.untilKernel(place.clusterId);
    assert.match(await runOver(settingsOf(`${place.url}/`, place.token)), SAID);
  });

  it('serves a stock Jupyter server as its gateway', async () => {
    let said = '';
    gateway = spawn(
      process.env['HITCH_PYTHON'] ?? '',
      [
        ...['-m', 'jupyter_server', '--no-browser', '--allow-root', '--ip=127.0.0.1', '--port=0'],
        `--IdentityProvider.token=${OUR_TOKEN}`,
        `--gateway-url=${place.url}`,
        `--GatewayClient.auth_token=${place.token}`,
      ],
      { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, JUPYTER_CONFIG_DIR: home.root } },
    );
    gateway.stderr?.on('data', (bytes: Buffer) => (said += bytes.toString()));
    const baseUrl = await until(
      'it listens',
      () => {
        assert.equal(gateway?.exitCode, null, said);
        return /http:\/\/127\.0\.0\.1:\d+\//.exec(said)?.[0];
      },
      120_000,
    );
    const settings = settingsOf(baseUrl, OUR_TOKEN);
    await until('it answers', () =>
      ServerConnection.makeRequest(`${baseUrl}api/status`, {}, settings).then(
        ({ ok }) => ok,
        () => false,
      ),
    );
    assert.match(await runOver(settings), SAID, said);
  });

  it('serves jupyter-kernel-client', () => {
    const python = join(VENV, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');
    if (!existsSync(python)) {
      execFileSync(process.env['HITCH_PYTHON'] ?? 'python3', ['-m', 'venv', VENV]);
    }
    execFileSync(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', PACKAGE]);
    const said = execFileSync(python, ['-c', KERNEL_CLIENT, place.url, place.token, CODE], {
      encoding: 'utf8',
    });
    assert.match(said, SAID);
  });
});
