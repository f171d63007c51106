/** `npm start`, as a person runs it. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { DaemonHome } from '../support/daemon-home.ts';
import { needsRealNodes } from '../support/processes.ts';
import { until } from '../support/waiting.ts';

const START = fileURLToPath(new URL('../../scripts/start.ts', import.meta.url));

describe('npm start', function suite() {
  this.timeout(4 * 60_000);
  const home = new DaemonHome({ HITCH_SANDBOX_SEED: '7' });

  before(function check() {
    needsRealNodes(this);
  });

  after(async () => {
    await home.dispose();
  });

  it('opens JupyterLab with Hitch in it, and says on Ctrl-C which clusters keep running', async () => {
    await home.start();
    const rented = await home.rent({ filter: { practice: 'only', maxGpuCount: 1 } }, 'stays');
    const lab = spawn(process.execPath, [START], {
      env: home.environment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    lab.stdout.on('data', (bytes: Buffer) => (said += bytes.toString()));
    lab.stderr.on('data', (bytes: Buffer) => (said += bytes.toString()));
    const ended = new Promise<number | null>(resolve => lab.once('exit', resolve));
    try {
      const [, origin = '', token = ''] = await until(
        'it says where JupyterLab is',
        () => {
          assert.equal(lab.exitCode, null, said);
          return /(http:\/\/127\.0\.0\.1:\d+)\/lab\S*[?&]token=(\w+)/.exec(said);
        },
        120_000,
      );
      const answer = await until('the bridge answers', async () => {
        const response = await fetch(`${origin}/hitch/api/clusters`, {
          headers: { authorization: `token ${token}` },
        }).catch(() => null);
        return response?.status === 200 ? response : null;
      });
      assert.match(await answer.text(), /"stays"/);
    } catch (error) {
      lab.kill('SIGKILL');
      throw error;
    }
    lab.kill('SIGINT');
    assert.equal(await ended, 0, said);
    assert.match(said, /Still running.*\n\s+stays\s.*hitch stop stays/);
    await home.stopCluster(rented.id);
  });
});
